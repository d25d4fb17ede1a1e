"""The reload: an answer that is lost, a task that fails, another reload that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lab import Lab

from pvenet import errors
from pvenet.events import OnFailure, Reloading, TaskEnded, Verdict
from pvenet.journal import State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """With something staged that touches no management."""
    lab = Lab(tmp_path / "lab", on_failure=OnFailure.KEEP)
    lab.tagged()
    return lab


# --- the answer to the reload is lost --------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop-after", "595=after", "596=after", "597=after", "598=after", "599=after"])
def test_a_lost_answer_to_the_reload_is_found_by_its_task(lab: Lab, fault: str) -> None:
    """It was started: found among the tasks, waited for, verified; never sent twice."""
    lab.order(f"{fault}@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.after_reload[0] == "GET tasks"
    assert lab.reloads == lab.started == 1


def test_a_task_that_is_not_listed_yet_is_waited_for(lab: Lab) -> None:
    """The lists are late; nothing but them is asked until it is there."""
    lab.order("task-late=4@PUT network", "drop-after@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.reloads == 1


def test_a_task_that_is_listed_very_late_is_not_taken_for_none(lab: Lab) -> None:
    """The staging is gone, so that something has been started: no claim that it was not."""
    lab.order("task-late=20@PUT network", "drop-after@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.reloads == 1


@pytest.mark.parametrize("fault", ["drop-before", "restart", "595", "596", "597", "598", "599"])
def test_a_reload_that_did_not_arrive_leaves_everything_as_it_was(lab: Lab, fault: str) -> None:
    """The staging is still there, which proves it: exit 6, the journal as before, and a second apply works."""
    before = lab.pending
    lab.order(f"{fault}@PUT network")
    error = lab.failed(errors.Unreachable)
    assert error.exit_code == 6
    assert "did not reach pve1" in error.message
    assert lab.pending == before
    assert lab.states == [State.STAGING]
    assert lab.reloads == 1
    assert lab.started == 0
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.states == [State.APPLIED]


def test_a_reload_by_somebody_else_is_not_taken_for_ours(lab: Lab) -> None:
    """Another user's task that appears in the same moment proves nothing about ours."""
    lab.order("drop-before@PUT network")
    lab.adapter.after["PUT network"] = lab.adapter.before["GET tasks/UPID/status"] = lambda: None
    lab.adapter.before["PUT network"] = lambda: lab.somebody("PUT network")
    error = lab.failed(errors.StateUnknown)
    assert "no task of it is listed" in error.message


def test_a_refused_reload_changes_nothing(lab: Lab) -> None:
    """PVE says no: exit 4, still pending, the journal as before."""
    lab.nature(ifupdown2=False)
    error = lab.failed(errors.RefusedByPVE)
    assert error.exit_code == 4
    assert lab.states == [State.STAGING]
    lab.nature(ifupdown2=True)
    assert lab.apply().verdict is Verdict.APPLIED


def test_a_lost_answer_and_silence_is_unknown(lab: Lab) -> None:
    """Nobody can tell: exit 9, and the journal open."""
    lab.nature(reload_seconds=0.0)
    lab.order("drop-after@PUT network", "path-lost@PUT network")
    error = lab.failed(errors.StateUnknown)
    assert "may have started" in error.message
    assert lab.states == [State.RELOADING]


# --- the task fails --------------------------------------------------------------------------------------------------


def test_a_failed_task_is_told_with_its_log_and_what_is_not_up(lab: Lab) -> None:
    """Exit 1, with the log's own line; nothing is pending afterwards, because PVE has replaced the file."""
    line = "vmbr1 : error: vmbr1: bridge port ens77 does not exist "
    lab.order(f"reload-fails=1:{line}@PUT network")
    error = lab.failed(errors.ApplyFailed)
    assert isinstance(error, errors.ApplyFailed)
    assert error.exit_code == 1
    assert error.log == (line, "TASK ERROR: command 'ifreload -a' failed: exit code 1")
    assert error.message == f"the reload of pve1 failed: {line.strip()}; not active: bond0, vmbr1"
    assert lab.pending is None
    assert lab.states == [State.FAILED]
    assert str(lab.journals.folder) in error.hint
    assert lab.sent.count("GET tasks/UPID/log") == 1


def test_a_task_that_failed_and_applied_everything_is_told_as_both(lab: Lab) -> None:
    """`received interrupt` came once with all of it live (pve-api#stop-reload)."""
    lab.order("reload-lies@PUT network")
    assert (
        "no interface is listed as down, which does not mean that anything was applied"
        in lab.failed(errors.ApplyFailed).message
    )


def test_a_task_that_ends_well_proves_nothing(lab: Lab) -> None:
    """Ifreload ends well and a link stays down: it is named, after looking again."""
    lab.order("never-up=bond0@PUT network")
    error = lab.failed(errors.ApplyFailed)
    assert "ended well, but not active: bond0" in error.message
    assert lab.pending is None
    assert lab.states == [State.FAILED]


def test_after_a_failure_the_next_change_can_be_staged_and_applied(lab: Lab) -> None:
    """A failed journal is in nobody's way."""
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed)
    lab.stage({"vmbr1": None})
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.states == [State.FAILED, State.APPLIED]


@pytest.mark.parametrize("level", ["warning", "error"])
def test_what_the_log_complains_about_is_told_also_where_the_task_ends_well(lab: Lab, level: str) -> None:
    """Warnings never fail a task, and with older ifupdown2 nor do errors (pve-api#exit-code)."""
    lab.order(f"reload-fails=0:bond0 : {level}: bond0: skipping slave ens39 @PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "bond0: skipping slave ens39" in lab.warnings


def test_a_log_that_cannot_be_read_fails_nothing(lab: Lab) -> None:
    """What counts is the node."""
    lab.nature(reload_seconds=0.0)
    lab.order("drop-before@GET tasks/*/log", "drop-before@GET tasks/*/log+2")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "log of the reload can't be read" in lab.warnings


# --- another reload was running --------------------------------------------------------------------------------------


def test_exit_code_89_is_waited_for_and_sent_once_more(lab: Lab) -> None:
    """Ours has consumed the staging and applied nothing; the second reload makes it live."""
    lab.collide()
    lab.adapter.before["GET tasks"] = lambda: lab.adapter.before.update({"GET tasks": lambda: seen.append(lab.up)})
    seen: list[set[str]] = []
    assert lab.apply().verdict is Verdict.APPLIED
    assert "another reload was running" in lab.warnings
    assert "bond0" not in seen[0]
    assert lab.reloads == 2
    assert {"bond0", "vmbr1"} <= lab.up
    assert [type(event) for event in lab.events].count(TaskEnded) == 1
    upids = [event.upid for event in lab.events if isinstance(event, Reloading)]
    assert len(set(upids)) == 2
    assert lab.journals.all()[-1].upid == upids[-1]


def test_a_foreign_reload_in_the_last_moment_that_took_ours_is_no_failure(lab: Lab) -> None:
    """It made our staging live; ours found nothing to do, and once more makes sure."""
    lab.nature(reload_seconds=2.0)
    lab.order("foreign-reload@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.reloads == 2


def test_exit_code_89_and_something_new_staged_is_not_reloaded(lab: Lab) -> None:
    """Theirs would go live with ours: it is said, left alone, and named how to go on."""
    lab.collide()
    lab.asleep = [lambda: None, lambda: None, lab.foreign]
    error = lab.failed(errors.ApplyFailed)
    assert "applied nothing" in error.message
    assert "somebody has staged something new" in error.message
    assert "--adopt" in error.hint
    assert lab.reloads == 1
    assert "vmbr99" in (lab.pending or "")


def test_a_second_reload_that_is_lost_is_never_sent_a_third_time(lab: Lab) -> None:
    """Its task tells, as the first one's would have."""
    lab.collide()
    lab.order("drop-after@PUT network+2")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.reloads == 2


def test_a_second_reload_that_is_refused_is_a_failure(lab: Lab) -> None:
    """The file is in place and nothing of it is live: not `PVE said no; nothing changed`."""
    lab.collide()
    lab.after_second_reload(lambda: lab.nature(ifupdown2=False))
    error = lab.failed(errors.ApplyFailed)
    assert "a second one could not be sent" in error.message
    assert "ifreload -a" in error.hint
    assert lab.states[-1] is State.FAILED


def test_a_second_reload_that_nobody_can_tell_of_is_unknown(lab: Lab) -> None:
    """Its answer is lost, and no list shows it."""
    lab.collide()
    lab.order("drop-before@PUT network+2")
    error = lab.failed(errors.StateUnknown)
    assert "no task of it is listed" in error.message


def test_somebody_elses_reload_that_never_ends_is_unknown(lab: Lab) -> None:
    """What was pending is in the file and not live: said, with the task and the way on."""
    lab.collide(seconds=500.0)
    lab.adapter.before["PUT network"] = lambda: lab.nature(reload_seconds=3.0)
    error = lab.failed(errors.StateUnknown)
    assert "in the applied file but not live" in error.message
    assert "ifreload -a" in error.hint
    assert lab.reloads == 1


def test_what_should_be_gone_and_is_not_is_named(lab: Lab) -> None:
    """Somebody reverted a removal in the last moment."""
    lab.apply()
    lab.stage({"vmbr1": None})
    lab.order("foreign-revert@PUT network")
    assert "still there: vmbr1" in lab.failed(errors.ApplyFailed).message


def test_a_second_exit_code_89_is_a_failure_where_nobody_shows(lab: Lab) -> None:
    """Somebody reloads on the console, where no task shows it: once more is tried, and then said."""
    lab.collide(seconds=500.0, late=999.0)
    lab.adapter.before["PUT network"] = lambda: lab.nature(reload_seconds=1.0)
    error = lab.failed(errors.ApplyFailed)
    assert "exit code 89; not active: bond0" in error.message
    assert "ifreload -a" in error.hint
    assert lab.reloads == 2


def test_a_second_exit_code_89_is_waited_for_where_a_task_shows_why(lab: Lab) -> None:
    """The lists were late, so that the second came too early as well: the third makes it live."""
    lab.collide(seconds=5.0)
    lab.adapter.before["PUT network"] = lambda: lab.nature(reload_seconds=1.0)
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.reloads == 3
    assert {"bond0", "vmbr1"} <= lab.up
