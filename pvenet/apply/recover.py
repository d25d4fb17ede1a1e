"""Rolling back, confirming and keeping by hand: for whoever comes after an apply that was killed, cut or regretted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import access, errors
from pvenet.apply.back import way_back
from pvenet.apply.consent import Proposal, consent
from pvenet.apply.leftover import finish
from pvenet.apply.logbook import Logbook
from pvenet.apply.replay import ours, replay
from pvenet.apply.rollback import Rollback
from pvenet.apply.stage import not_ours, throw_away
from pvenet.apply.wait import Deadline, wait_for_task, wait_until_idle
from pvenet.apply.ways import doors, learn_peers, recall
from pvenet.events import Ended, Verdict
from pvenet.journal import NO, YES, Journal, Journals, State
from pvenet.model import Network, canonical
from pvenet.node import members
from pvenet.plan import net_changes

if TYPE_CHECKING:
    from pvenet.apply.back import WayBack
    from pvenet.apply.story import ApplyOptions
    from pvenet.apply.wait import Runtime
    from pvenet.node import Node, Reading

UNSENT = (State.STAGING, State.RELOADING)
"""Where what is pending is the journal's own staging, if anything is."""


def roll_back(node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, *, name: str = "") -> Ended:
    """Put back what was there before a journal: the one that is named, or the youngest.

    What was only staged is reverted; what was reloaded is put back as after a failure. Raises what `apply` raises, but
    RolledBack, which is a success here. Whatever the end, the last event is `Ended`.
    """
    try:
        with journals.lock():
            end = _rolled_back(node, journals, options, runtime, name)
    except KeyboardInterrupt:
        error: errors.PvenetError = errors.Interrupted(f"interrupted; nothing was sent to {node.name}")
        runtime.emit(_failed(node, error))
        raise error from None
    except errors.PvenetError as error:
        runtime.emit(_failed(node, error))
        raise
    runtime.emit(end)
    return end


def _failed(node: Node, error: errors.PvenetError) -> Ended:
    verdict = Verdict.UNKNOWN if isinstance(error, errors.StateUnknown) else Verdict.FAILED
    return Ended(node=node.name, verdict=verdict, exit_code=error.exit_code, message=error.message)


def _rolled_back(node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, name: str) -> Ended:
    journal = chosen(node, journals, name)
    if not name:
        _refuse_unread(journals, journal)
    if journal is None or journal.state in (State.ROLLED_BACK, State.DROPPED):
        return _nothing(node, f"there is nothing to roll back on {node.name}")
    if journal.adopted:
        raise errors.RefusedByPvenet(
            f"that apply was of changes on {node.name} that pvenet did not stage: what was there before is not known",
            hint=f"the listing with them staged is in\n  {journals.path(journal)}",
        )
    recall(node, journal)
    access.check(node)
    known = members(node.connection)
    learn_peers(node, known)
    begun = runtime.clock()
    if journal.upid:
        deadline = Deadline(since=begun, at=begun + options.timeout)
        wait_for_task(node, journal.upid, runtime, deadline, forgotten=True)
    wait_until_idle(node, runtime, options.timeout)
    reading = node.read()
    access.refuse_hidden(node, reading)
    if reading.pending is not None:
        done = _pending(node, journals, journal, reading)
        if done is not None:
            return done
        reading = node.read()
    if reading.pending is None and journal.state is State.STAGING:
        finish(node, journals, reading)
        return _nothing(node, f"what was staged on {node.name} is not pending any more: there is nothing to roll back")
    way = way_back(journal.network, reading.network, replay(journal).names)
    _refuse_changed(node, journals, journal, reading)
    if way.todo or reading.pending is not None:  # else there is nothing to ask about: it is looked at, and closed
        consent(node, _proposed(node, journal, reading, way), runtime, known, vital=options.allow_management)
    if journal.state is State.CONFIRMING:
        journals.decide(journal, NO)
    door = doors(node, known, None, reading.network).before
    back = Rollback(node, Logbook(journals, journal, runtime), runtime, timeout=options.timeout, door=door)
    message = back.carry_out(f"asked to roll back what was begun at {journal.begun}")
    return Ended(node=node.name, verdict=Verdict.ROLLED_BACK, exit_code=0, message=message)


def chosen(node: Node, journals: Journals, name: str = "") -> Journal | None:
    """The journal that is named, by its beginning or its file; or the youngest that was not dropped.

    A rollback that was begun goes before: it may be of an older journal, and nothing else is done until it has ended.
    """
    found = [journal for journal in journals.all() if journal.state is not State.DROPPED or name]
    if not name:
        here = {str(endpoint) for endpoint in node.connection.endpoints}
        near = [journal for journal in found if journal.endpoint in here]
        begun = [journal for journal in near if journal.state is State.ROLLING_BACK]
        return next(reversed(begun or near or found), None)
    stem = name.rpartition("/")[2].removesuffix(".json")
    matching = [journal for journal in found if journal.id.startswith(stem)]
    if len(matching) != 1:
        names = "".join(f"\n  {journal.id}  {journal.state}" for journal in found)
        raise errors.UsageError(
            f"{len(matching) or 'no'} journals of {node.name} are called {name}", hint=f"there are:{names or ' none'}"
        )
    return matching[0]


def _refuse_unread(journals: Journals, journal: Journal | None) -> None:
    """Raises RefusedByPvenet where the last apply may have been another one than the youngest that can be read."""
    path = journals.unread(journal)
    if path is not None:
        known = f",\nor roll back what was before it: `pvenet rollback {journal.id}`" if journal else ""
        raise errors.RefusedByPvenet(
            f"the youngest journal of {journals.node} can't be read, so that nobody knows what was applied last; "
            "nothing was sent",
            hint=f"use the pvenet that has written it, or move it away\n  {path}{known}",
        )


def _pending(node: Node, journals: Journals, journal: Journal, reading: Reading) -> Ended | None:
    """What becomes of what is pending: ours and never live is reverted; a part of a way back is gone on with."""
    mine = ours(journals, reading)
    if mine is None or mine.adopted:
        raise not_ours(node.name, reading.changes or "", "roll back when they are applied or reverted")
    if mine.id != journal.id:
        raise errors.RefusedByPvenet(
            f"something else is staged on {node.name} from here; nothing was sent",
            hint="`pvenet revert` throws it away; then roll back",
        )
    if journal.state not in UNSENT:
        return None
    throw_away(node)
    if journal.refreshing:
        return None
    journals.write(replace(journal, state=State.DROPPED))
    message = f"reverted what was staged on {node.name}: nothing of it was live, and nothing is pending any more"
    return Ended(node=node.name, verdict=Verdict.ROLLED_BACK, exit_code=0, message=message)


def _refuse_changed(node: Node, journals: Journals, journal: Journal, reading: Reading) -> None:
    """Raises Stale where somebody has changed since what the journal's steps had changed."""
    values = replay(journal).values
    now = {name: _as_kept(reading.network, name) for name in values}
    changed = sorted(name for name, known in values.items() if now[name] not in known and not _bare(reading, name))
    if changed:
        raise errors.Stale(
            f"{', '.join(changed)} on {node.name} was changed again since; nothing was sent",
            hint=f"put back by hand what shall be put back; what was there before is in\n  {journals.path(journal)}",
        )


def _as_kept(network: Network, name: str) -> object:
    """An interface as PVE keeps it; None where there is none."""
    return canonical(network.interfaces[name]) if name in network.interfaces else None


def _bare(reading: Reading, name: str) -> bool:
    """Whether it is a NIC that the file does not name: it is listed all the same."""
    return (
        name in reading.network.links and reading.network.links[name].exists and "priority" not in _entry(reading, name)
    )


def _entry(reading: Reading, name: str) -> dict[str, object]:
    return next((entry for entry in reading.entries if entry.get("iface") == name), {})


def _proposed(node: Node, journal: Journal, reading: Reading, way: WayBack) -> Proposal:
    then = Network(interfaces=way.expectation.wanted, links=reading.network.links)
    now, changes = reading.network, way.todo.steps
    if reading.pending is not None:  # a part of the way back: what is live is known from the steps that were applied
        applied, mine = replay(journal.forward).then, replay(journal).names
        live = {name: interface for name, interface in now.interfaces.items() if name not in mine}
        now = Network(interfaces=live | {name: applied[name] for name in mine & applied.keys()}, links=now.links)
        changes = net_changes(now.interfaces, then.interfaces)
    return Proposal(
        question=f"Put this back on {node.name} now?",
        before=journal.network,
        judged=(now, then),
        changes=changes,
        pending="",
        lost=way.lost,
    )


def _nothing(node: Node, message: str) -> Ended:
    return Ended(node=node.name, verdict=Verdict.NOTHING, exit_code=0, message=message)


# --- keeping ---------------------------------------------------------------------------------------------------------


def confirm(node: Node, journals: Journals) -> Journal:
    """Say that what was applied may stay. Raises RefusedByPvenet where nothing waits for that, or it is too late."""
    waiting = (State.CONFIRMING, State.ROLLING_BACK)
    found = [journal for journal in journals.all() if journal.state in waiting]
    if not found:
        raise errors.RefusedByPvenet(
            f"nothing waits to be confirmed on {node.name}",
            hint=f"`pvenet status --node {node.name}` says how it stands",
        )
    journal = found[-1]
    if journal.state is State.CONFIRMING and journals.decide(journal, YES) == NO:
        raise errors.RefusedByPvenet(
            f"it is too late: what was applied on {node.name} is being rolled back, or has been",
            hint=f"`pvenet status --node {node.name}` says how it stands",
        )
    try:
        with journals.lock():
            return _kept(node, journals, journal)
    except errors.Busy:
        if journal.state is State.ROLLING_BACK:
            raise
        return journal  # whoever waits for it reads it


def _kept(node: Node, journals: Journals, journal: Journal) -> Journal:
    """Nobody waits any more: the journal is closed here."""
    current = next((each for each in journals.all() if each.id == journal.id), journal)
    if current.state is State.ROLLING_BACK and ours(journals, node.read()) is not None:
        raise errors.RefusedByPvenet(
            f"a part of the way back is staged on {node.name}", hint="`pvenet revert` throws it away; then confirm"
        )
    if current.state in (State.CONFIRMING, State.ROLLING_BACK):
        return journals.write(replace(current, state=State.CONFIRMED))
    return current
