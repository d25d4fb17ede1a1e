"""Rollback by hand, for whoever comes after, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from killed import back
from lab import TAGGED, Lab, interrupt

from pvenet import errors
from pvenet.apply.revert import revert
from pvenet.apply.stage import stage
from pvenet.apply.status import status
from pvenet.events import OnFailure, Shown, Verdict
from pvenet.journal import State
from pvenet.model import Bridge, Ethernet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from pvenet.changes import Desired


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def test_what_was_only_staged_is_reverted(lab: Lab) -> None:
    """Nothing of it was live: no reload, no question."""
    lab.tagged()
    end = back(lab)
    assert end.verdict is Verdict.ROLLED_BACK
    assert "reverted" in end.message
    assert lab.reloads == 0
    assert lab.states == [State.DROPPED]


def test_what_was_applied_is_put_back_on_request(lab: Lab) -> None:
    """Exit 0, because that was asked for; shown before."""
    before = lab.node.read().network.interfaces
    lab.tagged()
    lab.apply()
    lab.forget()
    end = back(lab)
    assert (end.verdict, end.exit_code) == (Verdict.ROLLED_BACK, 0)
    shown = lab.events[0]
    assert isinstance(shown, Shown)
    assert [change.name for change in shown.steps][:2] == ["vmbr1", "bond0"]
    assert lab.node.read().network.interfaces == before
    assert lab.states == [State.ROLLED_BACK]


def test_the_end_tells_how_long_going_back_took(lab: Lab) -> None:
    """By the clock that was given, from its beginning."""
    lab.tagged()
    lab.apply()
    lab.nature(reload_seconds=7.0)
    begun = lab.time.now
    assert 7.0 <= back(lab).elapsed <= lab.time.now - begun


def test_there_is_nothing_to_roll_back_twice(lab: Lab) -> None:
    """The youngest is meant, and not the one before it."""
    lab.tagged()
    lab.apply()
    back(lab)
    lab.forget()
    assert back(lab).verdict is Verdict.NOTHING
    assert lab.sent == []


def test_an_older_journal_is_named(lab: Lab) -> None:
    """Only what it changed is put back; a name that fits none lists them."""
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})
    lab.apply()
    lab.tagged()
    lab.apply()
    older = lab.journals.all()[0]
    back(lab, name=older.id)
    assert "1400" not in lab.live
    assert "bond0" in lab.live
    with pytest.raises(errors.UsageError, match="no journal of pve1"):
        back(lab, name="1999")


def test_the_youngest_is_the_last_one_also_where_the_clock_was_set_back(lab: Lab) -> None:
    """What was applied last is put back, and nothing that was applied before it."""

    def applied(desired: Desired, begun: str) -> None:
        stage(lab.node, lab.journals, desired, now=begun)
        lab.apply()

    applied(TAGGED, "2026-01-01T00:00:00.000+00:00")
    applied({"ens40": Ethernet(name="ens40", mtu=1400)}, "2001-01-01T00:00:00.000+00:00")
    assert lab.journals.all()[-1].begun.startswith("2001")
    back(lab)
    assert "bond0" in lab.live
    assert "1400" not in lab.live


def test_what_was_changed_again_since_is_not_overwritten(lab: Lab) -> None:
    """Somebody has applied a change of the same interface later: exit 7, nothing sent."""
    lab.tagged()
    lab.apply()
    lab.somebody("PUT network/vmbr1", type="bridge", bridge_ports="bond0", comments="theirs")
    lab.somebody("PUT network")
    lab.time.sleep(1)
    lab.forget()
    with pytest.raises(errors.Stale, match=r"vmbr1 \(comments\) on pve1 was changed again since"):
        back(lab)
    assert lab.writes == []


def test_what_is_pending_and_not_ours_stands_in_the_way(lab: Lab) -> None:
    """It is shown and left alone."""
    lab.tagged()
    lab.apply()
    lab.foreign()
    lab.forget()
    with pytest.raises(errors.NotOurs):
        back(lab)
    assert lab.writes == []


def test_what_is_staged_from_here_since_stands_in_the_way_of_an_older_one(lab: Lab) -> None:
    """It is said what to do with it."""
    lab.tagged()
    lab.apply()
    older = lab.journals.all()[0].id
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})
    with pytest.raises(errors.RefusedByPvenet, match="something else is staged"):
        back(lab, name=older)


def test_rolling_back_the_way_to_the_node_needs_consent_to_that(lab: Lab) -> None:
    """As an apply does."""
    lab.widened()
    lab.apply(allow_management=True)
    with pytest.raises(errors.ManagementRisk, match="narrows the management path of pve1"):
        back(lab)
    back(lab, allow_management=True)
    assert "ens33 ens37" not in lab.live


def test_a_kept_failure_can_be_rolled_back_later(lab: Lab) -> None:
    """By hand, from its journal."""
    lab.tagged()
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    assert status(lab.node, lab.journals).state is State.FAILED
    back(lab)
    assert "bond0" not in lab.live


def test_an_apply_that_nobody_waited_for_is_waited_for_and_put_back(lab: Lab) -> None:
    """Its task first."""
    lab.tagged()
    lab.nature(reload_seconds=3.0)
    lab.apply(wait=False)
    back(lab)
    assert "bond0" not in lab.live
    assert lab.states == [State.ROLLED_BACK]


def test_adopted_changes_are_not_rolled_back(lab: Lab) -> None:
    """What was there before them is not known."""
    lab.foreign()
    lab.apply(adopt=True)
    with pytest.raises(errors.RefusedByPvenet, match="did not stage"):
        back(lab)


@pytest.mark.parametrize("act", [back, Lab.revert])
def test_ctrl_c_while_the_staging_is_reverted_is_told(lab: Lab, act: Callable[[Lab], object]) -> None:
    """It may have gone, so that nobody says that nothing was sent."""
    lab.tagged()
    lab.adapter.after["DELETE network"] = interrupt
    with pytest.raises(errors.Interrupted, match="it may be gone"):
        act(lab)
    assert lab.pending is None


def test_the_commands_say_it_all(lab: Lab, run: Callable[..., Ran]) -> None:
    """Status, rollback and confirm through `main`."""
    where = ("--sim", str(lab.folder))
    assert run(*where, "status").out.startswith("pve1: nothing is pending")
    run(*where, "bond", "create", "--slaves", "ens38,ens39")
    assert run(*where, "status", "--json").data[0]["ours"] is True
    assert run(*where, "apply", "--yes").code == 0
    assert run(*where, "rollback").code == 7
    assert run(*where, "confirm").code == 7
    ran = run(*where, "rollback", "--yes", "--json")
    assert (ran.code, ran.lines[-1]["verdict"]) == (0, "rolled_back")


def test_another_pvenet_at_work_is_told(lab: Lab) -> None:
    """And a rollback is refused meanwhile."""
    with lab.journals.lock():
        assert status(lab.node, lab.journals).busy
        with pytest.raises(errors.Busy):
            back(lab)


@pytest.mark.parametrize("line", ["source /etc/network/other.d/*\n", "#theirs\n"])
def test_a_line_that_the_api_does_not_list_is_not_ours(lab: Lab, line: str) -> None:
    """Written into what is staged by hand: nothing of it is thrown away, made live, or taken for ours."""
    lab.tagged()
    staged = lab.network_folder / "interfaces.new"
    staged.write_text(f"{staged.read_text()}\n{line}")
    assert not status(lab.node, lab.journals).ours
    with pytest.raises(errors.NotOurs):
        revert(lab.node, lab.journals, discard=False)
    with pytest.raises(errors.NotOurs):
        back(lab)
    lab.failed(errors.NotOurs)
    assert staged.read_text().endswith(line)
    assert line not in lab.live


@pytest.mark.parametrize("text", ["", "{}", '{"state": "from the future"}'])
def test_a_youngest_journal_that_can_not_be_read_is_not_passed_over(lab: Lab, text: str) -> None:
    """Nobody knows what was applied last: nothing is rolled back in its place, unless it is named."""
    lab.tagged()
    lab.apply()
    (first,) = lab.journals.all()
    path = lab.journals.path(first).with_name("9999.json")
    path.write_text(text)
    assert "can't be read" in status(lab.node, lab.journals).what
    assert str(path) in status(lab.node, lab.journals).todo
    with pytest.raises(errors.RefusedByPvenet, match="can't be read") as caught:
        back(lab)
    assert first.id in caught.value.hint
    assert "bond0" in lab.live
    assert back(lab, name=first.id).verdict is Verdict.ROLLED_BACK


def test_an_interface_that_takes_two_steps_is_told_once(lab: Lab) -> None:
    """Ports that change places need a step more; the question and the end name each interface once."""
    lab.stage({"vmbr1": Bridge(name="vmbr1", ports=("ens38",)), "vmbr2": Bridge(name="vmbr2", ports=("ens39",))})
    lab.apply()
    lab.stage({"vmbr1": Bridge(name="vmbr1", ports=("ens39",)), "vmbr2": Bridge(name="vmbr2", ports=("ens38",))})
    lab.apply()
    lab.forget()
    end = back(lab)
    shown = next(event for event in lab.events if isinstance(event, Shown))
    assert sorted(change.name for change in shown.steps) == ["vmbr1", "vmbr2"]
    assert sorted(end.message.partition(": ")[2].split(", ")) == ["vmbr1", "vmbr2"]


def test_a_nic_that_a_rollback_leaves_up_is_named(lab: Lab) -> None:
    """It was down before a bridge brought it up; a reload takes down no NIC."""
    lab.stage({"vmbr1": Bridge(name="vmbr1", ports=("ens40",))})
    lab.apply()
    lab.forget()
    back(lab)
    assert "ens40 was down before and stays up: a reload does not take NICs down" in lab.warnings


def test_a_rollback_waits_as_long_as_it_was_told_to(lab: Lab) -> None:
    """Also where that is less than an automatic one takes for itself."""
    lab.stage({"vmbr1": Bridge(name="vmbr1")})
    lab.apply()
    lab.forget()
    lab.order("reload-hangs@PUT network")
    begun = lab.time.now
    with pytest.raises(errors.StateUnknown):
        back(lab, timeout=20.0)
    assert lab.time.now - begun < 30
