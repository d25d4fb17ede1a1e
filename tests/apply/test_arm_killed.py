"""Kill -9 while it is armed: what is staged is known as a way back, whatever of it is there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from armed import ARMING, as_before, begun, power_cycle, when_sent
from killed import Killed, Killer, back, later
from lab import Lab

from pvenet import errors
from pvenet.apply.renamed import find_renaming
from pvenet.apply.stage import StageOptions, stage
from pvenet.apply.status import status
from pvenet.changes import Delete
from pvenet.events import Shown, Verdict
from pvenet.journal import Ours, State, ownership
from pvenet.model import Bridge, Ethernet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return begun(tmp_path / "lab")


def killed(lab: Lab, at: int, acted: str) -> Lab:
    """An armed apply that is killed at a request after its reload; the node half a minute later."""
    when_sent(lab, lambda: setattr(lab.adapter, "every", Killer(lab, at, acted)))
    with suppress(Killed):
        lab.apply(arm=True)
    lab = later(lab)
    lab.time.now += 30.0
    return lab


LIVE = ("bond0", "vmbr1")


@pytest.mark.parametrize("acted", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 21))
def test_after_kill_9_while_armed_status_tells_the_truth_and_rollback_leads_back(lab: Lab, at: int, acted: str) -> None:
    """Whatever of the way back is staged is used; nothing that is armed passes for a change to be applied."""
    up = lab.up
    lab = killed(lab, at, acted)
    found = status(lab.node, lab.journals)
    assert found.pending is (lab.pending is not None)
    assert found.ours is (lab.pending is not None)
    if lab.pending is not None:
        assert "its way back" in found.what
        assert "`pvenet revert --node pve1` keeps" in found.todo
        for act in (lab.apply, lambda: lab.stage({"vmbr1": None})):
            with pytest.raises(errors.RefusedByPvenet, match="the way back of an apply that was armed"):
                act()
    assert back(lab).verdict is Verdict.ROLLED_BACK
    as_before(lab, up)
    assert status(lab.node, lab.journals).state is State.ROLLED_BACK
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})


@pytest.mark.parametrize("at", range(1, 21))
def test_after_kill_9_while_armed_revert_keeps_what_was_applied(lab: Lab, at: int) -> None:
    """And the next apply says how the reload has ended."""
    lab = killed(lab, at, "after")
    there = lab.pending is not None
    assert lab.revert() is there
    assert lab.pending is None
    assert set(LIVE) <= lab.up
    assert "nobody has checked" in status(lab.node, lab.journals).what or lab.states == [State.APPLIED]
    assert lab.apply().verdict is Verdict.NOTHING
    assert lab.states == [State.APPLIED]
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert "bond0" not in lab.live


@pytest.mark.parametrize("arm", [True, False])
def test_a_part_of_the_way_back_is_not_for_the_next_boot(tmp_path: Path, *, arm: bool) -> None:
    """What names NICs that are not there beside it was applied too early, and a reboot is no way out."""
    lab = Lab(tmp_path / "early")
    lab.stage({"vmbr1": Bridge(name="vmbr1", ports=("ens40",)), "vmbr2": Bridge(name="vmbr2", ports=("ens41",))})
    lab.apply()
    found = find_renaming(lab.node, lab.journals, lab.node.read().network, {"ens40": "ens50", "ens41": "ens51"})
    assert found
    stage(lab.node, lab.journals, found.desired, StageOptions(coming=frozenset(found.early)), now=lab.stamp())
    assert "for the next boot: ens50, ens51" in status(lab.node, lab.journals).what
    when_sent(lab, lambda: setattr(lab.adapter, "every", lambda: killed_half_way(lab)))
    with suppress(Killed):
        lab.apply(arm=arm)
    lab = later(lab)
    lab.time.now += 30.0
    assert ("its way back" if arm else "a rollback was started") in status(lab.node, lab.journals).what


def killed_half_way(lab: Lab) -> None:
    """Kill when one of two bridges is as before in what is staged."""
    if (pending := lab.pending) and "bridge-ports ens40" in pending and "bridge-ports ens51" in pending:
        raise Killed


@pytest.mark.parametrize("at", range(1, 21))
def test_after_kill_9_and_a_power_cycle_status_says_what_has_booted(lab: Lab, at: int) -> None:
    """The network from before, the new one, or a part of the way back; a rollback leads back from each."""
    lab = killed(lab, at, "after")
    power_cycle(lab)
    lab.time.sleep(2)
    found = status(lab.node, lab.journals)
    assert found.pending is False
    assert ("is rolled back" in found.what) is ("bond0" not in lab.live and "auto ens39" not in lab.live)
    assert back(lab).verdict is Verdict.ROLLED_BACK
    as_before(lab, {"ens33", "vmbr0"})


def test_a_way_back_that_is_made_live_before_its_revert_is_not_said_to_be_gone(lab: Lab) -> None:
    """Somebody's reload comes first: what was to be kept is not what is live."""
    lab = killed(lab, 12, "after")
    assert lab.pending is not None
    lab.order("foreign-reload@DELETE network")
    with pytest.raises(errors.Stale, match="made live just before"):
        lab.revert()
    assert "iface bond0" not in lab.live
    assert back(lab).verdict is Verdict.ROLLED_BACK


def test_while_the_reload_of_a_killed_apply_runs_nothing_is_reverted_or_staged(lab: Lab) -> None:
    """A listing would freeze the flags; what is armed stays so meanwhile."""
    when_sent(lab, lambda: setattr(lab.adapter, "every", Killer(lab, len(ARMING) + 1, "before")))
    with suppress(Killed):
        lab.apply(arm=True)
    lab = later(lab)
    for act in (lab.revert, lambda: lab.stage({"vmbr1": None})):
        with pytest.raises(errors.Busy, match="is still running"):
            act()
    assert "GET network" not in lab.sent
    assert lab.pending is not None


def test_diff_and_the_question_of_a_rollback_show_what_goes_back(lab: Lab, run: Callable[..., Ran]) -> None:
    """From what is live, which the node does not list while it is armed."""
    lab = killed(lab, len(ARMING) + 2, "before")
    found = ownership(lab.journals, lab.node.read())
    assert isinstance(found, Ours)
    assert found.armed
    gone = {change.name for change in found.steps if isinstance(change, Delete)}
    assert gone == {"bond0", "vmbr1"}
    assert "the way back of an apply that was armed" in run("--sim", str(lab.folder), "diff").err
    back(lab)
    shown = lab.events[0]
    assert isinstance(shown, Shown)
    assert gone <= {change.name for change in shown.steps}


def test_somebody_elses_staging_upon_what_a_killed_apply_has_armed_is_not_ours(lab: Lab) -> None:
    """Nothing of it is touched; status says what lies beneath."""
    lab = killed(lab, len(ARMING) + 2, "before")
    lab.foreign()
    found = status(lab.node, lab.journals)
    assert (found.pending, found.ours) == (True, False)
    assert "among them the way back of an apply that was armed" in found.what
    for act in (lambda: back(lab), lab.revert, lab.apply):
        with pytest.raises(errors.NotOurs):
            act()
