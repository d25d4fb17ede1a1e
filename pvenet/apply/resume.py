"""Rolling back by hand: for whoever comes after an apply that was killed, cut or regretted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from pvenet import errors, times
from pvenet.apply.approval import Proposal, approve
from pvenet.apply.by_hand import put_back_by_hand
from pvenet.apply.hosts import address_move, follow_move, may_follow, with_names
from pvenet.apply.open_journals import finish
from pvenet.apply.removals import remade, removals
from pvenet.apply.revert import is_gone, is_nothing, throw_away
from pvenet.apply.rollback import Rollback
from pvenet.apply.runtime import conclude, wait_for_task, wait_until_idle
from pvenet.apply.same_node import claim, others_note, same_node_hint
from pvenet.apply.sdn_lock import SdnLock
from pvenet.apply.steps import made_live
from pvenet.apply.unfinished import recognise
from pvenet.changes import net_changes, outcome
from pvenet.cluster import with_links
from pvenet.journal import (
    NO,
    Journal,
    Journals,
    OpenJournal,
    Ours,
    State,
    elsewhere,
    not_ours,
    ownership,
    replay,
    utc_now,
)
from pvenet.kernel.judgement import NOTHING_SEEN, Look
from pvenet.model import Network
from pvenet.observe import bridges
from pvenet.outcome import Nothing, Outcome, RolledBack
from pvenet.plan.restore import restore_plan
from pvenet.routes import learn_peers, recall, routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.changes import Loss
    from pvenet.events import Ended
    from pvenet.node import Node, Reading
    from pvenet.plan.restore import RestorePlan

UNSENT = (State.STAGING, State.RELOADING)
"""Where what is pending is the journal's own staging, if anything is."""


def roll_back(  # noqa: PLR0913 - as `apply`, and two that say which journal
    node: Node,
    journals: Journals,
    options: ApplyOptions,
    runtime: Runtime,
    *,
    name: str = "",
    same_node: bool = False,
) -> Ended:
    """Put back what was there before a journal: the one that is named, or the youngest.

    What was only staged is reverted; what was reloaded is put back as after a failure. `same_node`: the journals of a
    node of this name elsewhere are this one's, whose certificate was renewed. Raises what `apply` raises, but
    RolledBack, which is a success here. Whatever the end, the last event is `Ended`.
    """
    bound, runtime = journals.at(node, same_node=same_node), runtime.of(node.name)
    lock = SdnLock(node.connection, bound.state_dir, runtime, wanted=options.sdn_lock, now=utc_now())

    def run() -> Outcome:
        try:
            with bound.lock(), lock:
                if same_node:
                    claim(node, bound)
                return _rolled_back(node, bound, options, runtime, name, lock)
        except KeyboardInterrupt:
            raise errors.Interrupted(f"interrupted; nothing was sent to {node.name}") from None

    return conclude(node.name, runtime, run)


def _rolled_back(  # noqa: PLR0913, PLR0917 - as `roll_back`, with the lock
    node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, name: str, lock: SdnLock
) -> Outcome:
    journal = _chosen(node, journals, name)
    if journal is None:
        return Nothing(message=f"there is nothing to roll back on {node.name}{others_note(journals)}")
    runtime.heard.journal = str(journals.path(journal))
    known = with_names(node, with_links(node.connection))
    learn_peers(node, known.members)
    deadline = runtime.deadline(options.timeout)
    if journal.upid:
        wait_for_task(node, journal.upid, deadline, forgotten=True)
    wait_until_idle(node, runtime, deadline.left)
    reading = node.read()
    journals.settle(reading)
    refuse_unsettled(journals, journal)
    if reading.pending is not None:
        done = _pending(node, journals, journal, reading)
        if isinstance(done, RolledBack):
            return done
        journal, reading = done, node.read()
    if reading.pending is None and journal.state is State.STAGING:
        finish(node, journals, reading)
        return Nothing(message=f"what was staged on {node.name} is not pending any more: there is nothing to roll back")
    restore = restore_plan(journal.network, reading.network, replay(journal).values())
    _refuse_changed(node, journals, journal, restore)
    anew = remade(restore.todo)
    gone = [loss for loss in removals(journal, journals.kept_diff(journal)) if loss.name not in anew]
    proposed = _proposed(node.name, journal, reading, restore, gone)
    wrote = journal.hosts if journal.hosts is not None and journal.hosts.agreed else None
    move = address_move(node, proposed.judged, known, agreed=wrote is not None or None, wrote=wrote)
    proposed = replace(proposed, notes=move.notes)
    if restore.todo or reading.pending is not None:  # else there is nothing to ask about: it is looked at, and closed
        quick = cache(partial(_look, node))
        approve(node, proposed, runtime, known, allowed=options.allowed, look=lambda *_: quick())
    lock.take()
    if journal.state is State.CONFIRMING:
        journals.decide(journal, NO)
    found = routes(node, known.members, *proposed.judged)
    journals.forget_handover(journal)  # a rollback that is asked for may be of another day than its apply
    book = OpenJournal(journals, journal, runtime.warn)
    back = Rollback(node, book, runtime, timeout=options.timeout, routes=found.after, verify=options.verify)
    end = back.run(f"asked to roll back what was started at {times.local(journal.begun)}")
    if not isinstance(end, RolledBack):
        may_follow(node, move, runtime.unfailing().warn, restores=True)
        return end
    followed = follow_move(node, move, runtime.unfailing().warn)
    return replace(end, message=f"{end.message}{followed}", asked=True)


def _look(node: Node) -> Look:
    """What hangs on the bridges, as far as it can be had quickly: nobody waits for a report to go back."""
    with suppress(errors.PvenetError):
        return Look(bridges=bridges(node))
    return NOTHING_SEEN


def _chosen(node: Node, journals: Journals, name: str) -> Journal | None:
    """The journal to go back to, with its routes known and the access looked at; None where there is nothing to do.

    Raises UsageError for a name of none of the node's own, RefusedByPvenet, and what a request raises.
    """
    asked = bool(journals.undecided())
    if asked:  # the answer shows the certificate, which tells whose they are
        recall(node, journals.chosen())
        node.check_access()
    recognise(node, journals, set(State) - {State.DROPPED})
    try:
        journal = journals.chosen(name)
    except errors.UsageError as error:
        raise errors.UsageError(f"{error.message}{others_note(journals)}", hint=error.hint) from None
    if not name:
        _refuse_unread(journals, journal)
    if journal is None or journal.state in (State.ROLLED_BACK, State.DROPPED):
        return None
    if journal.adopted:
        raise errors.RefusedByPvenet(
            f"that apply was of changes on {node.name} that pvenet did not stage: what was there before is not known",
            hint=f"the listing with them staged is in\n  {journals.path(journal)}",
        )
    recall(node, journal)
    if not asked:
        node.check_access()
    return journal


def refuse_unsettled(journals: Journals, journal: Journal) -> None:
    """Raises RefusedByPvenet where a journal that was likely the node's is not, by what the node lists."""
    if any(each.id == journal.id for each in journals.others()):
        raise errors.RefusedByPvenet(
            f"{elsewhere(journal, journals.place())}; nothing was sent",
            hint=same_node_hint(journals.node, journals.path(journal)),
        )


def _refuse_unread(journals: Journals, journal: Journal | None) -> None:
    """Raises RefusedByPvenet where the last apply may have been another one than the youngest that can be read."""
    path = journals.unread(journal)
    if path is not None:
        known = f",\nor roll back what was before it: `pvenet rollback {journal.id}`" if journal else ""
        raise errors.RefusedByPvenet(
            f"the youngest journal of {journals.node} can't be read, so what was applied last is not known; "
            "nothing was sent",
            hint=f"use the version of pvenet that wrote it, or move it away\n  {path}{known}",
        )


def _pending(node: Node, journals: Journals, journal: Journal, reading: Reading) -> RolledBack | Journal:
    """What becomes of what is pending: ours and never live is reverted; a part of what leads back is gone on with.

    The journal to go on with, where there is more to do.
    """
    whose = ownership(journals, reading)
    if not isinstance(whose, Ours):
        raise not_ours(node.name, reading.changes or "", "roll back when they are applied or reverted")
    if whose.journal.id != journal.id:
        raise errors.RefusedByPvenet(
            f"something else is staged on {node.name} from here; nothing was sent",
            hint="`pvenet revert` throws it away; then roll back",
        )
    if journal.state not in UNSENT:
        return journal
    left = throw_away(node)
    if journal.refreshing:
        return journal
    if not is_gone(reading, left) and not is_nothing(journal):  # somebody's reload came first
        live = f"what was staged on {node.name} was made live just before, by somebody's reload or SDN apply"
        return journals.write(made_live(journal), so=live)
    so = f"what was staged on {node.name} was reverted all the same, and none of it was live"
    journals.write(replace(journal, state=State.DROPPED), so=so)
    new = "nothing is pending any more" if left.pending is None else "somebody else has staged what is pending now"
    message = f"reverted what was staged on {node.name}: none of it was live, and {new}"
    return RolledBack(message=message, asked=True)


def _refuse_changed(node: Node, journals: Journals, journal: Journal, restore: RestorePlan) -> None:
    """Raises Stale where somebody has changed since what the journal's steps had changed."""
    if restore.conflicts:
        raise errors.Stale(
            f"{', '.join(map(str, restore.conflicts))} on {node.name} was changed again since then; nothing was sent",
            hint=put_back_by_hand(journals, journal),
        )


def _proposed(node: str, journal: Journal, reading: Reading, restore: RestorePlan, gone: Sequence[Loss]) -> Proposal:
    then = Network(interfaces=restore.wanted, links=reading.network.links)
    now = reading.network
    net = {change.name: change for change in net_changes(now.interfaces, outcome(now.interfaces, restore.todo.steps))}
    steps = tuple(net[name] for name in dict.fromkeys(step.name for step in restore.todo.steps) if name in net)
    if reading.pending is not None:  # a part of the way back: what is live is known from the steps that were applied
        applied, mine = replay(journal.forward).then, replay(journal).names
        live = {name: interface for name, interface in now.interfaces.items() if name not in mine}
        now = Network(interfaces=live | {name: applied[name] for name in mine & applied.keys()}, links=now.links)
        steps = net_changes(now.interfaces, then.interfaces)
    return Proposal(
        question=f"Put this back on {node} now?",
        before=journal.network,
        judged=(now, then),
        steps=steps,
        changes="",
        lost=(*restore.lost, *gone),  # what PVE's write has taken is gone already, and no risk of this one
    )
