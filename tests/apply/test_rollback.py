"""Rolling back: what was there before an apply is put back, or that it was not is said, with what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from lab import TAGGED, Lab, interrupt

from pvenet import errors
from pvenet.apply import attempts
from pvenet.events import Ended, OnFailure, RollingBack, Verdict
from pvenet.journal import State
from pvenet.model import Ethernet

if TYPE_CHECKING:
    from pathlib import Path

BACK = ["DELETE network/vmbr1", "DELETE network/bond0", "PUT network/ens38", "PUT network/ens39"]
"""The way back from steps 2 and 3 of the walk-through; the NICs lose the `auto` that PVE gives to slaves."""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """With something staged that touches no management."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    return lab


@dataclass
class Asking:
    """A person who says yes, and what they had been told before."""

    lab: Lab
    warnings: str = ""

    def __call__(self, _question: str) -> bool:
        self.warnings = self.lab.warnings
        return True


def rolled_back(lab: Lab, up: set[str]) -> errors.PvenetError:
    """An apply that ends rolled back, with everything as it was."""
    error = lab.failed(errors.RolledBack)
    assert error.exit_code == 8
    assert lab.end.verdict is Verdict.ROLLED_BACK
    assert lab.states[-1] is State.ROLLED_BACK
    assert lab.pending is None
    assert "bond0" not in lab.live
    assert "vmbr1" not in lab.live
    assert up <= lab.up
    assert not {"bond0", "vmbr1"} & lab.up
    return error


# --- what is rolled back ---------------------------------------------------------------------------------------------


def test_a_failed_reload_is_rolled_back_by_staging_the_way_back(lab: Lab) -> None:
    """A revert would do nothing, because the file was replaced: deletes are staged, reloaded, verified."""
    up = lab.up
    lab.order("reload-fails@PUT network")
    error = rolled_back(lab, up)
    assert [text for text in lab.writes if text != "PUT network"] == BACK
    assert "DELETE network" not in lab.writes
    assert lab.reloads == 2
    assert "exit code 1" in error.message
    assert "rolled back and verified on pve1: vmbr1, bond0" in error.message


def test_rolling_back_is_told_before_it_begins(lab: Lab) -> None:
    """With the reason and the journal's place; the last event is the verdict."""
    lab.order("reload-fails@PUT network")
    lab.failed(errors.RolledBack)
    (told,) = [event for event in lab.events if isinstance(event, RollingBack)]
    assert "exit code 1" in told.reason
    assert told.journal == str(lab.journals.path(lab.journals.all()[-1]))
    assert isinstance(lab.events[-1], Ended)


def test_a_link_that_stays_down_is_rolled_back(lab: Lab) -> None:
    """The task ended well, and the verification did not."""
    up = lab.up
    lab.order("never-up=bond0@PUT network")
    assert "not active: bond0" in rolled_back(lab, up).message


def test_keep_rolls_nothing_back(lab: Lab) -> None:
    """With on_failure keep a failure stays as it is."""
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    assert lab.states == [State.FAILED]
    assert "bond0" in lab.live


def test_a_deadline_that_passes_is_rolled_back_when_the_node_answers_again(lab: Lab) -> None:
    """Silence for 80 s: past the apply's own 60, within the rollback's."""
    up = lab.up
    lab.order("path-lost=80@PUT network")
    assert "has not answered for" in rolled_back(lab, up).message


def test_a_reload_that_was_never_started_is_reverted(lab: Lab) -> None:
    """Nothing answers for 70 s, then no task of ours is listed and ours is still pending: it is not live."""
    up = lab.up
    silent_until = lab.time.now + 70.0

    def cut() -> None:
        if lab.time.now < silent_until:
            lab.order("drop-before@1")

    def begin() -> None:
        lab.adapter.every = cut
        cut()

    lab.adapter.before["PUT network"] = begin
    error = rolled_back(lab, up)
    assert lab.reloads == 1
    assert lab.started == 0
    assert "has what was there before" in error.message


def test_an_update_is_rolled_back_to_the_same_file(tmp_path: Path) -> None:
    """Widening vmbr0 and setting an MTU: the live file is byte for byte as before, but for what PVE adds itself."""
    lab = Lab(tmp_path / "lab")
    before = lab.node.read().network.interfaces
    lab.widened()
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})
    lab.order("reload-fails@PUT network")
    lab.failed(errors.RolledBack, allow_management=True)
    assert lab.node.read().network.interfaces == before


def test_a_deletion_is_rolled_back(lab: Lab) -> None:
    """What was deleted is made again and comes up again."""
    lab.apply()
    lab.stage({"vmbr1": None, "bond0": None})
    lab.order("reload-fails@PUT network")
    lab.failed(errors.RolledBack)
    assert {"bond0", "vmbr1"} <= lab.up
    assert lab.states == [State.APPLIED, State.ROLLED_BACK]


def test_after_a_rollback_the_next_change_can_be_staged_and_applied(lab: Lab) -> None:
    """The journal is closed."""
    lab.order("reload-fails@PUT network")
    lab.failed(errors.RolledBack)
    lab.tagged()
    assert lab.apply().verdict is Verdict.APPLIED


def test_a_foreign_change_that_went_live_with_ours_stays(lab: Lab) -> None:
    """Only what our steps have changed is put back."""
    lab.order("foreign-edit@PUT network", "never-up=bond0@PUT network")
    lab.failed(errors.RolledBack)
    assert "vmbr99" in lab.live
    assert "bond0" not in lab.live


# --- the way back meets trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "restart", "595", "596=after", "599", "delay=40"])
@pytest.mark.parametrize("at", range(1, 16))
def test_one_fault_at_any_request_of_a_rollback_is_survived(lab: Lab, fault: str, at: int) -> None:
    """The way back is planned again from what is there; nothing is lost, and no reload is sent twice."""
    up = lab.up
    lab.order("reload-fails@PUT network")
    lab.adapter.after["GET tasks/UPID/log"] = lambda: lab.order(f"{fault}@{at}")
    rolled_back(lab, up)
    assert lab.started == 2


@pytest.mark.parametrize("at", range(1, 14))
def test_one_ctrl_c_at_any_request_of_a_rollback_is_told_and_it_goes_on(lab: Lab, at: int) -> None:
    """The first one says what is under way."""
    up = lab.up
    lab.order("reload-fails@PUT network")
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1
        if counted == at:
            interrupt()

    lab.adapter.after["GET tasks/UPID/log"] = lambda: setattr(lab.adapter, "every", count)
    rolled_back(lab, up)
    assert "Ctrl-C again" in lab.warnings or counted < at


def test_a_lock_that_is_held_for_a_moment_is_waited_for(lab: Lab) -> None:
    """PVE refuses a staging call once; the next attempt goes through."""
    up = lab.up
    lab.order("reload-fails@PUT network", "locked@DELETE network/vmbr1")
    rolled_back(lab, up)


def test_a_rollback_whose_reload_fails_is_tried_once_more(lab: Lab) -> None:
    """With nothing staged: the file is right already."""
    up = lab.up
    lab.order("reload-fails@PUT network", "reload-fails@PUT network+2")
    rolled_back(lab, up)
    assert lab.reloads == 3


def test_a_rollback_whose_reload_fails_again_is_unknown(lab: Lab) -> None:
    """Nobody can tell what the kernel has: exit 9, with the console's commands and the journal open."""
    lab.nature(reload_seconds=0.0)
    lab.order(*(f"reload-fails@PUT network+{number}" for number in range(1, 4)))
    error = lab.failed(errors.StateUnknown)
    assert lab.end.verdict is Verdict.UNKNOWN
    assert "was not rolled back" in error.message
    assert "ifreload -a" in error.hint
    assert str(lab.journals.path(lab.journals.all()[-1])) in error.hint
    assert lab.states == [State.ROLLING_BACK]
    assert lab.reloads == 3


def test_a_node_that_nothing_can_reach_is_unknown_and_the_console_is_told(lab: Lab) -> None:
    """Its own 60 s are over: exit 9; the lines to be typed on the console are on the screen."""
    lab.order("path-lost@PUT network")
    begun = lab.time.now
    error = lab.failed(errors.StateUnknown)
    assert 120.0 <= lab.time.now - begun <= 160.0
    diff = lab.journals.path(lab.journals.all()[-1]).with_suffix(".diff")
    assert "+auto bond0" in diff.read_text()
    typed = [line.strip() for line in error.hint.splitlines() if line.startswith("    ")]
    assert {"+auto bond0", "+iface bond0 inet manual", "+\tbond-slaves ens38 ens39"} <= set(typed)
    assert not [line for line in typed if "#" in line]
    assert "ifreload -a" in error.hint


def test_a_reload_that_hangs_is_not_cancelled(lab: Lab) -> None:
    """It may hold its lock: nothing is put back while it runs, and that is said."""
    lab.order("reload-hangs@PUT network")
    error = lab.failed(errors.StateUnknown)
    assert "is still running" in error.message
    assert lab.writes == ["PUT network"]


def test_what_somebody_has_staged_meanwhile_is_left_alone(lab: Lab) -> None:
    """Theirs stays pending, nothing is put back, and that is said."""
    lab.order("reload-fails@PUT network")
    lab.adapter.after["GET tasks/UPID/log"] = lab.foreign
    error = lab.failed(errors.StateUnknown)
    assert "left alone" in error.message
    assert "vmbr99" in (lab.pending or "")
    assert lab.writes == ["PUT network"]


@pytest.mark.parametrize("at", range(1, 12))
def test_a_foreign_edit_at_any_moment_of_a_rollback_survives(lab: Lab, at: int) -> None:
    """Whatever the verdict: their bridge is pending or live, and no staging of ours is left with it."""
    lab.order("reload-fails@PUT network")
    lab.adapter.after["GET tasks/UPID/log"] = lambda: lab.order(f"foreign-edit@{at}")
    try:
        lab.apply()
    except errors.RolledBack:
        assert "bond0" not in lab.live
    except errors.StateUnknown:
        assert lab.pending is None or "iface bond0" in lab.pending
    else:
        pytest.fail("it failed")
    assert "vmbr99" in (lab.pending or lab.live)


@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("act", ["foreign-revert", "foreign-reload"])
def test_a_foreign_end_of_the_staged_way_back_is_no_end(lab: Lab, act: str, at: int) -> None:
    """Somebody reverts or reloads in the middle: it is looked at again, and ends rolled back."""
    up = lab.up
    lab.nature(reload_seconds=0.0)
    lab.order("reload-fails@PUT network")
    lab.adapter.after["GET tasks/UPID/log"] = lambda: lab.order(f"{act}@{at}")
    rolled_back(lab, up)


def test_a_foreign_revert_of_a_staged_update_is_no_staging_of_theirs(tmp_path: Path) -> None:
    """Nothing is pending then: it is staged once more, and ends rolled back."""
    lab = Lab(tmp_path / "lab")
    lab.widened()
    lab.order("reload-fails@PUT network")
    lab.adapter.after["PUT network/vmbr0"] = lambda: lab.somebody("DELETE network")
    lab.failed(errors.RolledBack, allow_management=True)
    assert "ens33 ens37" not in lab.live
    assert lab.pending is None


@pytest.mark.parametrize("at", ["ens38", "ens39", "vmbr0"])
def test_a_foreign_revert_between_two_updates_leaves_nobodys_part(tmp_path: Path, at: str) -> None:
    """What is staged after it is all that is pending: it is known for ours, and the whole way back is staged again."""
    lab = Lab(tmp_path / "lab")
    there = lab.node.read().network.interfaces
    lab.stage({name: replace(there[name], comments="ours\n") for name in ("ens38", "ens39", "vmbr0")})
    lab.forget()
    lab.order("reload-fails@PUT network", f"foreign-revert@PUT network/{at}")
    error = lab.failed(errors.RolledBack, allow_management=True)
    assert error.exit_code == 8
    assert "ours" not in lab.live
    assert lab.pending is None


@pytest.mark.parametrize("what", ["creates", "updates"])
def test_what_was_reloaded_to_go_back_is_not_taken_back_again(tmp_path: Path, what: str) -> None:
    """The way back's reload fails, and somebody stages: theirs stays alone, without the change that had failed."""
    lab = Lab(tmp_path / "lab")
    there = lab.node.read().network.interfaces
    updates = {name: replace(there[name], comments="ours\n") for name in ("ens38", "ens39")}
    lab.stage(TAGGED if what == "creates" else updates)
    lab.forget()
    lab.order("reload-fails@PUT network")

    def again() -> None:
        lab.order("reload-fails@PUT network")
        lab.adapter.after["GET tasks/UPID/log"] = lab.foreign

    lab.adapter.after["GET tasks/UPID/log"] = again
    lab.failed(errors.StateUnknown)
    assert "vmbr99" in (lab.pending or "")
    assert not [name for name in ("bond0", "vmbr1", "ours") if name in (lab.pending or "")]


def test_a_bug_of_ours_on_the_way_back_ends_in_a_verdict(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the last look meets the same one."""

    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    lab.order("reload-fails@PUT network")
    monkeypatch.setattr(attempts, "restore_plan", wrong)
    error = lab.failed(errors.StateUnknown)
    assert "ZeroDivisionError" in error.message
    assert lab.end.verdict is Verdict.UNKNOWN


# --- what it can't do ------------------------------------------------------------------------------------------------


def test_what_is_not_ours_is_not_rolled_back_and_that_is_said_before(tmp_path: Path) -> None:
    """Adopted changes: said before the question, and a failure is exit 1."""
    lab = Lab(tmp_path / "lab")
    lab.somebody("POST network", iface="vmbr99", type="bridge", autostart="1")
    lab.order("never-up=vmbr99@PUT network")
    asked = Asking(lab)
    lab.failed(errors.ApplyFailed, adopt=True, ask=asked)
    assert "can't roll them back" in asked.warnings
    assert lab.reloads == 1


def test_what_cannot_be_put_back_is_said_before_the_question(tmp_path: Path) -> None:
    """Lines of a stanza that the API can't write are gone with a deleted interface."""
    lab = Lab(tmp_path / "lab")
    path = lab.network_folder / "interfaces"
    path.write_text(f"{lab.live}\nauto vmbr7\niface vmbr7 inet manual\n\tbridge-ports none\n\tpost-up true\n")
    lab.stage({"vmbr7": None})
    asked = Asking(lab)
    lab.apply(ask=asked)
    assert "a rollback could not put this back: vmbr7: post-up true" in asked.warnings


def test_two_ctrl_c_give_a_rollback_up(lab: Lab) -> None:
    """Exit 9, and the journal says how far it came."""
    lab.order("reload-fails@PUT network")

    def then() -> None:
        lab.asleep = [interrupt, interrupt]

    lab.adapter.before["DELETE network/vmbr1"] = then
    error = lab.failed(errors.StateUnknown)
    assert "stopped waiting" in error.message
    assert lab.states == [State.ROLLING_BACK]


def test_a_journal_that_cannot_be_written_stops_no_rollback(lab: Lab) -> None:
    """The disk is full: told, and rolled back all the same."""
    journal = lab.journals.path(lab.journals.all()[0])
    lab.order("reload-fails@PUT network")
    lab.adapter.after["GET tasks/UPID/log"] = lambda: journal.with_suffix(".new").mkdir()
    lab.failed(errors.RolledBack)
    assert "the journal is behind" in lab.warnings
    assert "bond0" not in lab.live


def test_frozen_flags_do_not_fail_a_rollback(lab: Lab) -> None:
    """They are looked at again and refreshed, as after any reload."""
    lab.nature(workers=3)
    lab.order("reload-fails@PUT network")
    lab.failed(errors.RolledBack)


def test_the_first_baseline_wins_over_several_commands(lab: Lab) -> None:
    """Three staging commands, one apply: all three are put back."""
    lab.stage({"ens40": replace(Ethernet(name="ens40"), mtu=1400)})
    lab.order("reload-fails@PUT network")
    lab.failed(errors.RolledBack)
    assert "1400" not in lab.live


@pytest.mark.parametrize("at", range(1, 14))
def test_a_power_cycle_in_the_middle_of_a_rollback_ends_rolled_back(lab: Lab, at: int) -> None:
    """What was staged to go back goes live by the boot, without a task; an idle NIC that is down is a warning."""
    lab.order("reload-fails@PUT network")
    lab.adapter.after["GET tasks/UPID/log"] = lambda: lab.order(f"reboot@{at}")
    rolled_back(lab, {"ens33", "vmbr0"})
