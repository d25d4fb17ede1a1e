"""What an earlier apply left open: --no-wait, a second Ctrl-C, a deadline, a crash. The next command finishes it.

A journal that says `reloading` is believed as little as the node's silence was: its task and the listing tell what
became of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.unfinished import task_of
from pvenet.apply.verify import expect, judge
from pvenet.changes import net_changes
from pvenet.journal import ARMS, Journal, Journals, State, replay, still_open
from pvenet.plan.restore import restore_plan

if TYPE_CHECKING:
    from pvenet.model import Network
    from pvenet.node import Node, Reading
    from pvenet.plan.restore import Conflict


def finish(node: Node, journals: Journals, reading: Reading) -> tuple[str, ...]:
    """End the open journals of a node on which nothing is pending; what a person should know about them.

    Raises RefusedByPvenet where what was armed is not pending any more, and has gone live.
    """
    told = []
    journals.settle(reading)
    for journal in still_open(journals, State.STAGING, State.RELOADING, *ARMS):
        if journal.state in ARMS:
            _refuse_gone_live(journals, journal, reading)
        state, text = _gone(journal, reading) if journal.state is State.STAGING else _reloaded(node, journal, reading)
        journals.write(
            replace(journal.forward if journal.state in ARMS else journal, state=state), so="nothing was sent"
        )
        told.append(text)
    journals.prune()
    return tuple(text for text in told if text)


def _refuse_gone_live(journals: Journals, journal: Journal, reading: Reading) -> None:
    if led_back(journal, reading.network):
        raise errors.RefusedByPvenet(
            f"the last apply from here to {journal.node} was armed, and its way back has gone live: by a power cycle, "
            "or by somebody's reload or SDN apply; nothing was sent",
            hint="`pvenet rollback` checks that everything is as it was before, and closes the journal\n"
            f"  {journals.path(journal)}",
        )


def failed_last(journals: Journals) -> Journal | None:
    """The newest journal, where it ended in a failure."""
    ended = [journal for journal in journals.all() if journal.state is not State.DROPPED]
    return ended[-1] if ended and ended[-1].state is State.FAILED else None


def led_back(journal: Journal, network: Network) -> bool:
    """Whether a network has what was there before the journal's steps, as far as the API can put it back."""
    return not restore_plan(journal.network, network, replay(journal).values()).todo


def gone_elsewhere(journals: Journals, reading: Reading) -> tuple[str, ...]:
    """What became of what was staged from here and is not pending any more; the journals stay as they are."""
    return tuple(text for journal in still_open(journals, State.STAGING) if (text := _gone(journal, reading)[1]))


def conflicts(journal: Journal, network: Network) -> tuple[Conflict, ...]:
    """What somebody else has changed since, so that a rollback of the journal is refused."""
    return restore_plan(journal.network, network, replay(journal).values()).conflicts


def _gone(journal: Journal, reading: Reading) -> tuple[State, str]:
    """What was staged and never applied from here."""
    if journal.pending is None or journal.adopted:
        return State.DROPPED, ""
    what = "applied" if net_changes(journal.network.interfaces, reading.network.interfaces) else "reverted"
    return (
        State.DROPPED,
        f"what was staged from here on {journal.node} is not pending any more: it was {what} elsewhere",
    )


def _reloaded(node: Node, journal: Journal, reading: Reading) -> tuple[State, str]:
    """What became of a reload that nobody waited for."""
    changes = net_changes(journal.network.interfaces, reading.network.interfaces)
    if not changes and not journal.adopted:
        return State.DROPPED, ""  # it never was, and somebody has reverted what was staged
    task = task_of(node, journal)
    before = None if journal.adopted else journal.network
    touched = None if journal.adopted else frozenset(change.name for change in changes)
    down = judge(expect(before=before, wanted=reading.network, touched=touched), reading.network).down
    if task is not None and not task.running and not task.ok:
        return State.FAILED, f"the last reload of {journal.node} that was started from here failed: {task.exitstatus}"
    if down:
        return (
            State.FAILED,
            f"after the last reload of {journal.node} that was started from here: {', '.join(down)} down",
        )
    return State.APPLIED, f"the last reload of {journal.node} that was started from here ended well"
