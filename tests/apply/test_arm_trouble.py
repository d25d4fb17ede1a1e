"""Trouble with arming, or while it is armed: it never spoils the apply, and is never left behind unsaid."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from armed import STAGED, applied, begun, during, power_cycle, rolled_back, when_sent
from lab import Lab, interrupt

from pvenet import errors
from pvenet.apply.arm import TAKEN_WITHIN
from pvenet.apply.status import status
from pvenet.connection.session import LONGEST_ANSWER
from pvenet.events import Armed, OnFailure, Verdict
from pvenet.journal import State

if TYPE_CHECKING:
    from pathlib import Path


FAULTS = ["drop-after", "596=after", "delay=40"]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return begun(tmp_path / "lab")


# --- arming meets trouble --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(1, 18))
def test_one_fault_at_any_request_while_armed_never_spoils_the_apply(lab: Lab, fault: str, at: int) -> None:
    """It goes on, armed or not, and leaves nothing staged."""
    when_sent(lab, lambda: lab.order(f"{fault}@{at}"))
    applied(lab)
    assert lab.pending is None


@pytest.mark.parametrize("at", range(1, 10))
def test_arming_that_is_refused_is_taken_back_at_once(lab: Lab, at: int) -> None:
    """By a lock that somebody holds: told as a warning; no part of it stays staged."""
    seen = []
    when_sent(lab, lambda: lab.order(f"locked@{at}"))
    during(lab, lambda: seen.append(lab.pending))
    applied(lab)
    if at <= 8:
        assert "could not be armed; the apply goes on without" in lab.warnings
        assert seen == [None]
    assert lab.pending is None


def test_an_answer_that_does_not_come_takes_no_more_of_the_time_than_any_other_while_a_reload_runs(lab: Lab) -> None:
    """15 s, and then it is settled by reading."""
    begun, seen = lab.time.now, []
    when_sent(lab, lambda: lab.order("delay=50@DELETE network/vmbr1"))
    during(lab, lambda: seen.append(lab.time.now - begun))
    applied(lab)
    assert LONGEST_ANSWER <= seen[0] <= LONGEST_ANSWER + 1


def test_a_privilege_that_goes_while_it_is_armed_ends_unknown_and_still_armed(lab: Lab) -> None:
    """It can't be taken back, so that nothing can be verified; the last lines say what is staged there."""
    lab.order("lacks=Sys.Modify@DELETE network")
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "a power cycle is the easiest way" in error.hint
    assert lab.pending is not None


@pytest.mark.parametrize("reverted", [False, True])
def test_bridges_that_are_hidden_are_not_taken_for_gone(lab: Lab, *, reverted: bool) -> None:
    """A privilege to see them goes while it is armed: what is armed goes by its diff; nothing is said to be live."""

    def blind() -> None:
        if reverted:
            lab.somebody("DELETE network")
        lab.order("lacks=SDN.Audit@GET network", "lacks=SDN.Use@GET network")

    during(lab, blind)
    error = lab.failed(errors.StateUnknown, arm=True, on_failure=OnFailure.KEEP)
    assert "lacks SDN.Audit" in error.message
    assert lab.pending is None


def test_where_the_reload_took_nothing_nothing_is_armed(tmp_path: Path) -> None:
    """Somebody reverted in the window before it: the node has the network from before, and no way leads back to it."""
    lab = Lab(tmp_path / "lab")
    lab.widened()
    lab.order("foreign-revert@PUT network")
    lab.failed(errors.RolledBack, arm=True, allow_management=True)
    assert "the node lists a different network from what was pending" in lab.warnings
    assert not [event for event in lab.events if isinstance(event, Armed)]
    assert lab.writes == ["PUT network"]


def test_what_the_reload_has_not_taken_yet_is_waited_for(lab: Lab) -> None:
    """PVE's worker renames the file, perhaps after the answer: staged before that, the way back would be applied."""
    before, pending = lab.live, lab.pending
    taken = []

    def not_yet() -> None:
        taken.append(lab.live)
        (lab.network_folder / "interfaces").write_text(before)
        (lab.network_folder / "interfaces.new").write_text(pending or "")

    def now() -> None:
        (lab.network_folder / "interfaces.new").rename(lab.network_folder / "interfaces")

    when_sent(lab, not_yet)
    lab.asleep = [now]
    applied(lab)
    assert "the reload has not yet taken what was pending" in lab.waited


def test_what_is_never_taken_is_not_armed(lab: Lab) -> None:
    """It goes on without, after some seconds; what was pending stays untouched."""
    before, pending = lab.live, lab.pending
    begun, seen = lab.time.now, []

    def never() -> None:
        (lab.network_folder / "interfaces").write_text(before)
        (lab.network_folder / "interfaces.new").write_text(pending or "")

    when_sent(lab, never)
    during(lab, lambda: seen.append(lab.time.now - begun))
    with suppress(errors.PvenetError):
        lab.apply(arm=True, on_failure=OnFailure.KEEP)
    assert "what was pending still is" in lab.warnings
    assert TAKEN_WITHIN <= seen[0] <= TAKEN_WITHIN + 1
    assert lab.writes == ["PUT network"]


def test_a_journal_that_can_not_be_written_arms_nothing(lab: Lab) -> None:
    """What is staged must be known as a way back."""
    journal = lab.journals.path(lab.journals.all()[0])
    when_sent(lab, lambda: journal.with_suffix(".new").mkdir())
    assert lab.apply(arm=True).verdict is Verdict.APPLIED
    assert "could not be armed" in lab.warnings
    assert lab.writes == ["PUT network"]


def test_a_disk_that_fills_up_while_arming_takes_it_back(lab: Lab) -> None:
    """No step is staged that the journal does not know."""
    journal = lab.journals.path(lab.journals.all()[0])
    lab.adapter.after["DELETE network/vmbr1"] = lambda: journal.with_suffix(".new").mkdir()
    assert lab.apply(arm=True).verdict is Verdict.APPLIED
    assert "could not be armed" in lab.warnings
    assert lab.writes == ["PUT network", "DELETE network/vmbr1", "DELETE network"]


@pytest.mark.parametrize("at", range(1, 18))
def test_one_ctrl_c_while_armed_is_told_and_leaves_nothing_staged(lab: Lab, at: int) -> None:
    """Arming is taken back, or goes on; the apply does."""
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1
        if counted == at:
            interrupt()

    when_sent(lab, lambda: setattr(lab.adapter, "every", count))
    applied(lab)
    assert lab.pending is None
    assert "Ctrl-C again" in lab.warnings


def test_two_ctrl_c_leave_it_armed_and_say_so(lab: Lab) -> None:
    """Exit 9, with both ways on."""
    lab.asleep = [interrupt, interrupt]
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "stopped waiting" in error.message
    assert "a power cycle of pve1, or anybody's reload, makes it live" in error.hint
    assert "`pvenet revert --node pve1` keeps what was applied" in error.hint
    assert lab.states == [State.ARMED]


def test_a_lost_answer_of_the_reload_is_found_and_then_armed(lab: Lab) -> None:
    """Its task says that it was started."""
    lab.order("drop-after@PUT network")
    applied(lab)
    assert lab.writes == ["PUT network", *STAGED, "DELETE network"]


def test_exit_code_89_is_disarmed_before_the_second_reload_and_armed_again_after_it(lab: Lab) -> None:
    """Else the second reload would make the way back live."""
    lab.collide()
    assert lab.apply(arm=True).verdict is Verdict.APPLIED
    assert lab.writes == ["PUT network", *STAGED, "DELETE network", "PUT network", *STAGED, "DELETE network"]
    assert {"bond0", "vmbr1"} <= lab.up


# --- rolled back -----------------------------------------------------------------------------------------------------


def test_a_failed_reload_is_disarmed_and_rolled_back(lab: Lab) -> None:
    """As without."""
    up = lab.up
    lab.order("reload-fails@PUT network")
    assert "exit code 1" in rolled_back(lab, up).message


def test_with_keep_a_failure_is_disarmed_and_kept(lab: Lab) -> None:
    """Nothing is left staged."""
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed, arm=True, on_failure=OnFailure.KEEP)
    assert lab.pending is None
    assert "iface bond0" in lab.live
    assert lab.states == [State.FAILED]


def test_with_keep_a_node_that_says_nothing_is_left_armed_and_that_is_said(lab: Lab) -> None:
    """Exit 9 with both ways on."""
    lab.order("path-lost@PUT network")
    error = lab.failed(errors.StateUnknown, arm=True, on_failure=OnFailure.KEEP)
    assert "a power cycle of pve1, or anybody's reload, makes it live" in error.hint
    assert lab.states == [State.ARMED]


@pytest.mark.parametrize("seconds", [5, 40])
def test_a_way_that_is_lost_for_a_while_is_waited_for_and_disarmed(lab: Lab, seconds: int) -> None:
    """Within the deadline."""
    lab.order(f"path-lost={seconds}@PUT network")
    applied(lab)
    assert lab.pending is None


def test_past_the_deadline_what_is_armed_is_the_way_back(lab: Lab) -> None:
    """Silence for 80 s: the rollback reloads what is staged already, and stages nothing."""
    up = lab.up
    lab.order("path-lost=80@PUT network")
    rolled_back(lab, up)
    assert lab.writes == ["PUT network", *STAGED, "PUT network"]


def test_a_reload_that_hangs_stays_armed(lab: Lab) -> None:
    """It is not cancelled, and may hold its lock: the power cycle is the way."""
    lab.order("reload-hangs@PUT network")
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "a power cycle is the easiest way" in error.hint
    assert lab.states == [State.ARMED]
    found = status(lab.node, lab.journals)
    assert found.reloading
    assert "a power cycle of pve1" in found.todo
    power_cycle(lab)
    lab.time.sleep(2)
    assert "iface bond0" not in lab.live
