"""A reload that acted, whatever the world answers; and one of what leads back that nothing has proved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from killed import back, later
from lab import Lab

from pvenet import errors
from pvenet.apply import verification
from pvenet.apply.runtime import Runtime
from pvenet.apply.status import status
from pvenet.apply.verify import judge
from pvenet.events import Event, Reloading, Verdict
from pvenet.journal import State

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.apply.verify import Expectation, Judgement
    from pvenet.model import Network

GATEWAYS = [f"gateway={code}:after" for code in (408, 429, 502, 504, 520, 524, 530)]
TORN = ["error=after", "tls-broken=after", "torn", "trickle=1", "drop-after", 'odd-answer={"data":null}']


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    found = Lab(tmp_path / "lab")
    found.tagged()
    return found


@pytest.mark.parametrize("fault", GATEWAYS + TORN)
def test_a_reload_that_acted_is_applied_whatever_the_gateway_says(lab: Lab, fault: str) -> None:
    """Its task is found among the node's, and what it did is verified."""
    lab.order(f"{fault}@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.reloads == 1
    assert {"bond0", "vmbr1"} <= lab.up


@pytest.mark.parametrize("fault", GATEWAYS + TORN)
def test_a_failing_reload_behind_such_an_answer_is_rolled_back(lab: Lab, fault: str) -> None:
    """Exit 8, and everything is as before."""
    before = lab.live
    lab.order(f"{fault}@PUT network", "reload-fails@PUT network")
    lab.failed(errors.RolledBack)
    assert lab.live.replace("auto ens38\n", "").replace("auto ens39\n", "") == before or "bond0" not in lab.live
    assert lab.states == [State.ROLLED_BACK]


def test_the_answer_to_the_reload_has_no_more_time_than_the_verdict(lab: Lab) -> None:
    """One that trickles is given up at the deadline; its task is found, and has ended well."""
    begun = lab.time.clock()
    lab.order("trickle=1@PUT network")
    assert lab.apply(timeout=5.0).verdict is Verdict.APPLIED
    assert lab.time.clock() - begun < 10


@pytest.mark.parametrize("answer", ['{"data":null}', '{"data":[]}', "[]", "null", '{"data":{"status":7}}', "<html>"])
def test_a_status_that_is_none_is_silence(lab: Lab, answer: str) -> None:
    """PVE's next answer tells."""
    lab.order(f"odd-answer={answer}@GET tasks/UPID/status")
    assert lab.apply().verdict is Verdict.APPLIED


@pytest.mark.parametrize("fails", [False, True])
def test_a_listener_that_fails_stops_no_apply(lab: Lab, *, fails: bool) -> None:
    """From the reload on a verdict is due, rolled back or not."""
    heard: list[Event] = []

    def emit(event: Event) -> None:
        heard.append(event)
        if any(isinstance(each, Reloading) for each in heard):
            raise UnicodeEncodeError("ascii", "ü", 0, 1, "ordinal not in range")

    if fails:
        lab.order("reload-fails@PUT network")
    runtime = Runtime(emit=emit, clock=lab.time.clock, sleep=lab.sleep)
    if fails:
        with pytest.raises(errors.RolledBack):
            lab.apply_with(runtime)
    else:
        assert lab.apply_with(runtime).verdict is Verdict.APPLIED
    assert ("bond0" in lab.live) is not fails


def test_what_is_wrong_with_pvenet_itself_is_rolled_back_once_a_reload_was_sent(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence that says where, without the words of whatever it was."""
    real = lab.node.task
    told: list[int] = []

    def task(upid: str, *, timeout: float | None = None) -> object:
        if not told:
            told.append(1)
            raise TypeError("secret")
        return real(upid, timeout=timeout)

    monkeypatch.setattr(lab.node, "task", task)
    error = lab.failed(errors.RolledBack)
    assert "this is a bug in pvenet itself: TypeError at pvenet/apply/runtime.py:" in error.message
    assert "secret" not in error.message
    assert "bond0" not in lab.live


def test_whatever_is_raised_once_a_reload_was_sent_is_rolled_back(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also an error that stands before a reload, for a change that did not begin."""
    told: list[int] = []

    def once(expectation: Expectation, now: Network) -> Judgement:
        if not told:
            told.append(1)
            raise errors.NotOurs("whatever", changes="")
        return judge(expectation, now)

    monkeypatch.setattr(verification, "judge", once)
    assert "whatever" in lab.failed(errors.RolledBack).message
    assert "bond0" not in lab.live


@pytest.mark.parametrize("trouble", ["exit 89", "exit 1", "silence"])
def test_a_file_that_is_back_proves_nothing_where_its_reload_did_not_act(lab: Lab, trouble: str) -> None:
    """Exit 9; the next rollback reloads once more, whether or not the file is as before, and closes the journal."""
    lab.apply()
    if trouble == "exit 89":
        lab.adapter.before["PUT network"] = lambda: lab.somebody("PUT network", "task-late=3600@1")
        lab.nature(reload_seconds=400.0)
    elif trouble == "exit 1":
        lab.order("reload-fails@PUT network", "reload-fails@PUT network+2")
    else:
        lab.order("path-lost=90@PUT network")
    with pytest.raises(errors.StateUnknown) as caught:
        back(lab)
    assert "bond0" not in lab.live
    assert "patch -R" not in caught.value.hint
    assert "ifreload -a" in caught.value.hint
    assert lab.journals.all()[-1].unproven
    again = later(lab)
    again.time.now += 1000.0
    again.nature(reload_seconds=0.3)
    assert status(again.node, again.journals).state is State.ROLLING_BACK
    end = back(again)
    assert end.verdict is Verdict.ROLLED_BACK
    assert again.reloads == 1
    assert not {"bond0", "vmbr1"} & again.up
    assert replace(again.journals.all()[-1]).state is State.ROLLED_BACK
