"""Silence after the reload, Ctrl-C, and what nobody waited for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lab import APPLY, BOND, TAGGED, Lab, interrupt

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.apply.options import ApplyOptions
from pvenet.events import Confirming, Due, Ended, OnFailure, Reloading, TaskEnded, Verdict, Waiting
from pvenet.journal import State
from pvenet.model import BondMode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet.events import Event


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """With something staged that touches no management."""
    lab = Lab(tmp_path / "lab", on_failure=OnFailure.KEEP)
    lab.tagged()
    return lab


# --- silence ---------------------------------------------------------------------------------------------------------


def test_silence_during_the_reload_is_a_state_and_no_error(lab: Lab) -> None:
    """The way to the node is gone for twenty seconds: told while it lasts, and a success when it returns."""
    lab.order("path-lost=20@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    silences = [event for event in lab.events if isinstance(event, Waiting) and event.silent is not None]
    assert {event.reason for event in silences} == {"no answer from pve1"}
    assert all(event.detail and event.due is Due.GIVES_UP for event in silences)
    first, last = silences[0], silences[-1]
    assert (last.silent or 0) > (first.silent or 0)
    assert (last.left or 0) < (first.left or 0)


def test_silence_until_the_deadline_is_unknown(lab: Lab) -> None:
    """Exit 9 with the task's name, and the journal open."""
    lab.order("path-lost@PUT network")
    error = lab.failed(errors.StateUnknown)
    assert error.exit_code == 9
    assert "UPID:pve1:" in error.message
    assert lab.end.verdict is Verdict.UNKNOWN
    assert lab.states == [State.RELOADING]
    assert 60.0 <= lab.time.now - lab.adapter.sent[lab.sent.index("PUT network")].at <= 80.0


def test_a_task_that_never_ends_is_unknown_at_the_deadline(lab: Lab) -> None:
    """It is never called back: an ifreload that is killed can hang with its lock held."""
    lab.order("reload-hangs@PUT network")
    error = lab.failed(errors.StateUnknown, timeout=10.0)
    assert "is still running after 10 s" in error.message
    assert lab.writes == ["PUT network"]


def test_a_slow_answer_is_no_outage(lab: Lab) -> None:
    """A living node took 6.4 s for one (pve-api#slow-answer)."""
    lab.order("delay=6.4@GET tasks/*/status")
    assert lab.apply().verdict is Verdict.APPLIED
    assert not any("no answer" in reason for reason in lab.waited)


@pytest.mark.parametrize("fault", ["restart", "drop-before", "drop-after", "595", "599", "delay=40"])
@pytest.mark.parametrize("later", [1, 2, 3, 4, 5])
def test_a_request_that_fails_after_the_reload_is_asked_again(lab: Lab, fault: str, later: int) -> None:
    """A pveproxy that restarts, a proxy that can't connect, a dead connection: at the task, its log, the listing."""
    lab.nature(reload_seconds=0.15)
    lab.adapter.after["PUT network"] = lambda: lab.order(f"{fault}@{later}", f"{fault}@{later + 1}")
    assert lab.apply().verdict is Verdict.APPLIED


def test_the_way_back_may_take_longer_than_the_task(lab: Lab) -> None:
    """The listing is waited for until the deadline, as the task was."""
    lab.adapter.before["GET tasks/UPID/log"] = lambda: lab.order(*(f"drop-before@{n}" for n in range(1, 20)))
    assert lab.apply().verdict is Verdict.APPLIED


def test_a_listing_that_never_comes_is_unknown(lab: Lab) -> None:
    """The task ended well, and nothing was verified: exit 9, not 6."""
    lab.adapter.before["GET tasks/UPID/log"] = lambda: lab.order(*(f"drop-before@{n}" for n in range(1, 999)))
    error = lab.failed(errors.StateUnknown)
    assert "was not verified" in error.message
    assert "UPID:pve1:" in error.message


def test_a_privilege_that_goes_in_the_middle_is_no_failure(lab: Lab) -> None:
    """Bridges that are hidden are not gone: nobody can tell, and the missing privilege is named."""
    lab.order("lacks=SDN.Audit@GET tasks/*/log", "lacks=SDN.Use@GET tasks/*/log")
    error = lab.failed(errors.StateUnknown)
    assert "lacks SDN.Audit" in error.message


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------


def test_ctrl_c_before_the_reload_sends_nothing(lab: Lab) -> None:
    """Exit 130 at each request before it; pending and the journal as they were."""
    before = lab.pending
    for request in APPLY:
        lab.adapter.before[request] = interrupt
        assert lab.failed(errors.Interrupted).exit_code == 130
        assert lab.started == 0
        assert lab.pending == before
        assert lab.states == [State.STAGING]
        lab.forget()
    assert lab.apply().verdict is Verdict.APPLIED


def test_ctrl_c_while_the_reload_is_sent_is_settled_by_its_task(lab: Lab) -> None:
    """It was started: told, waited for, verified."""
    lab.adapter.after["PUT network"] = interrupt
    assert lab.apply().verdict is Verdict.APPLIED
    assert "under way" in lab.warnings
    assert lab.reloads == lab.started == 1


def test_the_first_ctrl_c_says_what_is_under_way_and_goes_on(lab: Lab) -> None:
    """A reload can't be called back."""
    lab.asleep = [interrupt]
    assert lab.apply().verdict is Verdict.APPLIED
    assert "Ctrl-C again stops waiting" in lab.warnings
    assert lab.reloads == 1


def test_the_second_ctrl_c_stops_waiting(lab: Lab) -> None:
    """Exit 9 with the task's name; the journal stays open, with the task in it."""
    lab.asleep = [interrupt, interrupt]
    error = lab.failed(errors.StateUnknown)
    assert error.exit_code == 9
    journal = lab.journals.all()[-1]
    assert journal.state is State.RELOADING
    assert journal.upid is not None
    assert journal.upid in error.message
    assert f"goes on as task\n  {journal.upid}" in error.message
    assert "`pvenet wait` waits for its end and verifies it; `pvenet rollback` puts back" in error.hint
    assert lab.end.verdict is Verdict.UNKNOWN


def test_the_second_ctrl_c_tells_a_reload_that_has_ended_from_one_that_runs(lab: Lab) -> None:
    """What is left is to look whether it is so."""
    lab.stage({"bond0": replace(BOND, mode=BondMode.LACP)})
    lab.order("no-partner=bond0@PUT network")

    def press() -> None:
        waits = bool(lab.waited) and lab.waited[-1].startswith("waiting for")
        lab.asleep.append(press)
        if waits:
            interrupt()

    lab.asleep = [press]
    error = lab.failed(errors.StateUnknown)
    assert "the reload of pve1 has ended and was not verified" in error.message
    assert lab.apply().verdict is Verdict.NOTHING
    assert lab.journals.all()[-1].state is State.APPLIED


def test_ctrl_c_twice_while_the_answer_is_lost_is_unknown(lab: Lab) -> None:
    """It may have been started; nothing says that it was not sent."""
    lab.order("task-late=30@PUT network")
    lab.adapter.after["PUT network"] = interrupt
    lab.asleep = [interrupt]
    error = lab.failed(errors.StateUnknown)
    assert "may have started" in error.message


ENDS = {
    "well": ((), Verdict.APPLIED),
    "rolled back": (("reload-fails@PUT network",), Verdict.ROLLED_BACK),
    "the answer is lost": (("drop-after@PUT network",), Verdict.APPLIED),
    "nobody confirms": ((), Verdict.ROLLED_BACK),
}


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("how", ENDS)
def test_one_ctrl_c_at_any_event_after_the_reload_was_sent_changes_no_verdict(
    lab: Lab, how: str, at: int, *, told: bool
) -> None:
    """Whether the event is told or not: from there on each is counted, and only the second stops waiting."""
    faults, verdict = ENDS[how]
    lab.order(*faults)
    after: list[Event] = []

    def hear(event: Event) -> None:
        if "PUT network" in lab.sent and not isinstance(event, Ended):
            after.append(event)
            if len(after) == at and not told:
                interrupt()
        lab.events.append(event)
        if after[at - 1 :] == [event]:
            interrupt()

    confirmed = 5 if how == "nobody confirms" else None
    with suppress(errors.RolledBack):
        lab.apply_with(replace(lab.runtime(), emit=hear), ApplyOptions(confirm_within=confirmed))
    assert lab.end.verdict is verdict
    assert len(after) < at or "Ctrl-C again" in lab.warnings or confirmed


def test_a_ctrl_c_in_the_moment_in_which_the_wait_for_a_word_begins_is_a_no(lab: Lab) -> None:
    """As it is while that is waited for."""

    def hear(event: Event) -> None:
        lab.events.append(event)
        if isinstance(event, Confirming):
            interrupt()

    with pytest.raises(errors.NotConfirmed):
        lab.apply_with(replace(lab.runtime(), emit=hear), ApplyOptions(confirm_within=5))
    assert lab.states == [State.ROLLED_BACK]


def test_ctrl_c_after_a_second_reload_sends_no_third(lab: Lab) -> None:
    """The apply goes on where it was, also after exit code 89."""
    lab.collide()
    lab.after_second_reload(lambda: lab.asleep.append(interrupt))
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.reloads == 2


def test_ctrl_c_in_the_middle_of_looking_tells_the_task_once(lab: Lab) -> None:
    """The end of the task is no second event."""
    lab.adapter.after["GET tasks/UPID/log"] = lambda: lab.adapter.after.update({"GET network": interrupt})
    assert lab.apply(verify=Verify.FLAGS).verdict is Verdict.APPLIED
    assert [type(event) for event in lab.events].count(TaskEnded) == 1
    assert lab.sent[-3:] == ["GET tasks/UPID/log", "GET network", "GET network"]


# --- nobody waits, and what was left open ----------------------------------------------------------------------------


def test_without_waiting_the_end_is_not_known(lab: Lab) -> None:
    """Exit 0, as asked; the verdict is unknown, the task is told, the journal says that it reloads."""
    end = lab.apply(wait=False)
    assert (end.verdict, end.exit_code) == (Verdict.UNKNOWN, 0)
    assert lab.sent[-1] == "PUT network"
    assert lab.sent.count("GET report") == 1  # for whoever takes it up
    told = [event.upid for event in lab.events if isinstance(event, Reloading)]
    assert [(journal.state, [journal.upid]) for journal in lab.journals.all()] == [(State.RELOADING, told)]


def test_an_apply_that_nobody_waited_for_is_finished_by_the_next(lab: Lab) -> None:
    """Its reload is waited for, and what became of it is told."""
    lab.apply(wait=False)
    assert lab.apply().verdict is Verdict.NOTHING
    assert "ended well" in lab.warnings
    assert lab.states == [State.APPLIED]


def test_a_failure_that_nobody_waited_for_is_told_by_the_next(lab: Lab) -> None:
    """The task's own word, and the journal says failed."""
    lab.order("reload-fails@PUT network")
    lab.apply(wait=False)
    lab.apply()
    assert "failed: command 'ifreload -a' failed: exit code 1" in lab.warnings
    assert lab.states == [State.FAILED]


def test_a_link_that_never_came_up_is_told_by_the_next(lab: Lab) -> None:
    """Though the task ended well."""
    lab.order("never-up=bond0@PUT network")
    lab.apply(wait=False)
    lab.apply()
    assert "bond0 down" in lab.warnings
    assert lab.states == [State.FAILED]


@pytest.mark.parametrize("act", [lambda lab: lab.stage({"vmbr2": None, **TAGGED}), lambda lab: lab.revert()])
def test_while_our_own_reload_runs_nothing_is_listed_or_staged(lab: Lab, act: Callable[[Lab], object]) -> None:
    """Exit 7, naming the task: a listing would freeze the flags."""
    lab.apply(wait=False)
    lab.forget()
    with pytest.raises(errors.Busy, match="is still running"):
        act(lab)
    assert lab.sent == ["GET tasks/UPID/status"]


def test_a_reload_that_was_killed_before_it_was_sent_is_still_ours(lab: Lab) -> None:
    """The journal says reloading and the staging is there: apply goes on."""
    lab.journals.write(replace(lab.journals.all()[-1], state=State.RELOADING))
    assert lab.apply().verdict is Verdict.APPLIED


def test_a_journal_that_cannot_be_written_any_more_stops_nothing(lab: Lab) -> None:
    """The reload is out: that is told, and the verdict is the node's."""
    journal = lab.journals.path(lab.journals.all()[0])
    lab.adapter.before["PUT network"] = lambda: journal.with_suffix(".new").mkdir()
    assert lab.apply().verdict is Verdict.APPLIED
    assert "the journal is behind" in lab.warnings


def test_a_task_that_the_node_does_not_know_any_more_is_judged_by_its_links(lab: Lab) -> None:
    """The node lost its tasks: the listing tells alone."""
    lab.apply(wait=False)
    lab.time.sleep(1)
    journal = lab.journals.all()[-1]
    lab.journals.write(replace(journal, upid=f"{journal.upid}".replace("networking", "other")))
    lab.apply()
    assert "ended well" in lab.warnings


def test_a_reload_that_never_was_is_dropped_when_its_staging_is_gone(lab: Lab) -> None:
    """Killed before it was sent, and somebody reverted what was staged."""
    lab.journals.write(replace(lab.journals.all()[-1], state=State.RELOADING))
    lab.somebody("DELETE network")
    assert lab.apply().verdict is Verdict.NOTHING
    assert lab.warnings == ""
    assert lab.states == [State.DROPPED]


def test_a_clock_that_jumps_ahead_costs_no_verdict(lab: Lab) -> None:
    """A laptop that slept asks once more before it gives up."""
    lab.nature(reload_seconds=2.0)
    lab.asleep = [lambda: lab.time.sleep(3600)]
    assert lab.apply().verdict is Verdict.APPLIED
