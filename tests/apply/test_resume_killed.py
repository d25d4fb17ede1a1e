"""Going on after an end in the middle: after kill -9 at every request, and where a rollback was not ended."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from killed import Killed, Killer, back, later
from lab import TAGGED, Lab

from pvenet import errors
from pvenet.apply.listing import viewed
from pvenet.apply.status import status
from pvenet.journal import Ours, State, ownership
from pvenet.model import Bond, Ethernet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


@pytest.mark.parametrize("acted", ["before", "after"])
@pytest.mark.parametrize(
    ("apply", "at"), [*(("good", n) for n in range(1, 20)), *(("failing", n) for n in range(13, 36))]
)
def test_after_kill_9_status_tells_the_truth_and_rollback_leads_back(lab: Lab, apply: str, at: int, acted: str) -> None:
    """Two staging commands, an apply, and where that fails its rollback: killed at any request of theirs."""
    before, up = lab.node.read().network.interfaces, lab.up
    lab.adapter.every = Killer(lab, at, acted)
    if apply == "failing":
        lab.adapter.before["PUT network"] = lambda: lab.order("reload-fails@PUT network")
    with suppress(Killed, errors.RolledBack):
        lab.stage({"bond0": TAGGED["bond0"]})
        lab.stage({"vmbr1": TAGGED["vmbr1"]})
        lab.apply()
    lab = later(lab)
    lab.time.now += 30.0
    found = status(lab.node, lab.journals)
    assert found.pending is (lab.pending is not None)
    assert found.ours is (lab.pending is not None)
    back(lab)
    assert lab.pending is None
    assert lab.node.read().network.interfaces == before
    assert up <= lab.up
    assert status(lab.node, lab.journals).pending is False
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})


def test_a_rollback_that_was_given_up_is_gone_on_with(lab: Lab) -> None:
    """And nothing else is done before."""
    lab.tagged()
    lab.order("path-lost=200@PUT network")
    lab.failed(errors.StateUnknown)
    lab.time.sleep(100)
    with pytest.raises(errors.RefusedByPvenet, match="a rollback was started"):
        lab.stage({"bond1": Bond(name="bond1")})
    assert "`pvenet rollback` goes on" in status(lab.node, lab.journals).todo
    back(lab)
    assert "bond0" not in lab.live


@pytest.mark.parametrize("staged", [True, False])
def test_a_rollback_of_an_older_journal_is_gone_on_with(lab: Lab, staged: bool) -> None:  # noqa: FBT001
    """Not the youngest is meant, whose apply ended well, as long as that of another is open."""
    lab.tagged()
    lab.apply()
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})
    lab.apply()
    older = lab.journals.all()[0]
    killer = Killer(lab, 1, "before")
    lab.adapter.before["DELETE network/bond0" if staged else "DELETE network/vmbr1"] = killer
    with pytest.raises(Killed):
        back(lab, name=older.id)
    lab = later(lab)
    assert (lab.pending is not None) is staged
    found = status(lab.node, lab.journals)
    assert found.state is State.ROLLING_BACK
    assert "`pvenet rollback` goes on with it" in found.todo
    reading = lab.node.read()
    whose = ownership(lab.journals, reading)
    if staged:
        assert isinstance(whose, Ours)
        assert {step.name for step in whose.steps} == {"vmbr1"}
        assert viewed(lab.node, lab.journals, reading).kinds == {"vmbr1": "deleted"}
    back(lab)
    assert "bond0" not in lab.live
    assert "1400" in lab.live
    assert lab.states == [State.ROLLED_BACK, State.APPLIED]


@pytest.mark.parametrize("reverted", [False, True])
def test_a_no_op_that_was_left_staged_is_not_taken_for_the_change(lab: Lab, reverted: bool) -> None:  # noqa: FBT001
    """Killed while it refreshed the flags of a file that was written by hand: the change is live, the no-op pending."""
    before = lab.node.read().network.interfaces
    lab.tagged()
    lab.nature(reload_seconds=0.0)
    lab.apply(wait=False)
    (lab.network_folder / "interfaces").write_text(lab.live.replace("# network interface settings", "# by hand"))
    journal = lab.journals.all()[0]
    lab.journals.write(replace(journal, refreshing=True, behind=True))
    lab.somebody("PUT network/ens40", type="eth")
    assert lab.node.read().pending is not None
    assert "is live and was not verified" in status(lab.node, lab.journals).what
    if reverted:
        assert lab.revert()
        assert "nobody has checked" in status(lab.node, lab.journals).what
    back(lab)
    assert lab.node.read().network.interfaces == before
    assert lab.pending is None


def test_a_journal_that_is_one_diff_behind_is_still_ours(lab: Lab) -> None:
    """Killed between the write and its diff; anybody else's change on top makes it not ours."""
    lab.tagged()
    journal = lab.journals.all()[0]
    lab.journals.write(replace(journal, pending=None, behind=True))
    assert status(lab.node, lab.journals).ours
    lab.somebody("PUT network/ens40", type="eth", comments="theirs")
    assert not status(lab.node, lab.journals).ours
