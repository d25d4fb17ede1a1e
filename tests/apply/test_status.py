"""How a node stands, for whoever comes after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from lab import Lab

from pvenet import errors
from pvenet.apply.options import ApplyOptions
from pvenet.apply.resume import roll_back
from pvenet.apply.status import status
from pvenet.events import Verdict
from pvenet.journal import State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def test_status_of_a_fresh_node_asks_twice_and_changes_nothing(lab: Lab) -> None:
    """Its tasks, then its network."""
    found = status(lab.node, lab.journals)
    assert (found.pending, found.ours, found.state) == (False, False, None)
    assert lab.sent == ["GET tasks", "GET network"]
    assert not lab.journals.folder.exists() or lab.journals.all() == ()


def test_status_lists_nothing_while_a_reload_runs(lab: Lab) -> None:
    """It would freeze the flags."""
    lab.nature(reload_seconds=5.0)
    lab.tagged()
    lab.apply(wait=False)
    lab.forget()
    found = status(lab.node, lab.journals)
    assert (found.reloading, found.pending) == (True, None)
    assert lab.sent == ["GET tasks"]


def test_status_says_whose_it_is(lab: Lab) -> None:
    """Not ours: ask who staged it."""
    lab.foreign()
    found = status(lab.node, lab.journals)
    assert (found.pending, found.ours) == (True, False)
    assert "ask who staged" in found.todo


def test_status_of_a_node_that_cannot_be_reached_tells_from_the_journal(lab: Lab) -> None:
    """With what a person at the console needs."""
    lab.tagged()
    lab.order("path-lost@PUT network")
    lab.failed(errors.StateUnknown)
    found = status(lab.node, lab.journals)
    assert not found.reachable
    assert found.state is State.ROLLING_BACK
    assert "ifreload -a" in found.todo


def test_while_another_pvenet_waits_for_a_word_only_what_works_is_offered(lab: Lab) -> None:
    """`confirm`, which needs no lock: what is refused meanwhile is not, and its refusal names the same."""
    told: list[str] = []

    def elsewhere(_left: float) -> bool:
        node, journals = lab.client()
        told.append(status(node, journals).todo)
        with pytest.raises(errors.Busy) as caught:
            roll_back(node, journals, ApplyOptions(), lab.runtime())
        told.append(caught.value.hint)
        return True

    lab.tagged()
    lab.person = elsewhere
    assert lab.apply(confirm_within=60.0).verdict is Verdict.APPLIED
    assert told[0].startswith("`pvenet confirm` keeps it; to say no,")
    assert "`pvenet rollback`" not in told[0]
    assert re.match(r"it waits (60|59) s for somebody to confirm .* `pvenet confirm --node pve1` keeps it", told[1])


def test_while_another_pvenet_is_at_work_nothing_that_it_keeps_off_is_offered(lab: Lab) -> None:
    """Whatever the journal says: wait for its end. What only looks is offered all the same."""
    lab.tagged()
    with lab.journals.lock():
        assert status(lab.node, lab.journals).todo.startswith("wait until it has ended")
        with pytest.raises(errors.Busy) as caught:
            roll_back(lab.node, lab.journals, ApplyOptions(), lab.runtime())
    assert caught.value.hint.startswith("wait until it has ended; `pvenet status --node pve1 --watch`")
    assert "`pvenet apply`" in status(lab.node, lab.journals).todo


def test_an_apply_that_nobody_waits_for_any_more_stays_until_somebody_decides(lab: Lab) -> None:
    """Whoever waited was killed: it is never rolled back by itself, and nothing says that somebody waits."""

    class Killed(BaseException):
        pass

    def killed(_left: float) -> bool:
        node, journals = lab.client()
        assert status(node, journals).what == "what was applied last is waiting to be confirmed"
        raise Killed

    lab.tagged()
    lab.person = killed
    with pytest.raises(Killed):
        lab.apply(confirm_within=60.0)
    found = status(lab.node, lab.journals)
    assert found.what.startswith("what was applied last was to be confirmed, and nobody waits for that any more")
    assert found.what.endswith("it stays until somebody decides")
    assert "`pvenet confirm` keeps it, `pvenet rollback` puts back" in found.todo
    assert found.left is None
