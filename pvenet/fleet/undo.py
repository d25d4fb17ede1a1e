"""A whole rollout is undone: node after node, the last one first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.resume import roll_back
from pvenet.events import Ended, Verdict
from pvenet.fleet.book import BEGUN, UNDONE, journal_of
from pvenet.fleet.course import Course, Pace
from pvenet.fleet.locks import SdnLocks
from pvenet.journal import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.events import Row
    from pvenet.fleet.book import Rollout, RolloutBook
    from pvenet.fleet.course import Turn
    from pvenet.fleet.nodes import Fleet
    from pvenet.fleet.stage import Summary
    from pvenet.journal import Journal


@dataclass(frozen=True, kw_only=True)
class ToUndo:
    """A node that a rollout has changed, and the journal of what was there before."""

    node: str
    journal: Journal


def to_undo(fleet: Fleet, rollout: Rollout) -> tuple[ToUndo, ...]:
    """The nodes that a rollout has changed, or may have, the last one first.

    Raises RefusedByPvenet for a node whose journal is not kept any more, and UsageError for a name that nodes of two
    places have.
    """
    found = []
    for member in reversed(rollout.members):
        if member.stands not in (Verdict.APPLIED, Verdict.UNKNOWN, Verdict.FAILED, BEGUN):
            continue
        journal = journal_of(fleet.state_dir, rollout, member)
        if journal is not None and journal.state not in (State.ROLLED_BACK, State.DROPPED):
            found.append(ToUndo(node=member.node, journal=journal))
        elif journal is None and member.stands == Verdict.APPLIED:
            raise errors.RefusedByPvenet(
                f"what was on {member.node} before the rollout {rollout.id} is no longer known: its journal is gone",
                hint=f"roll back the others with `pvenet rollback --node NODE`, and change {member.node} by hand",
            )
    fleet.refuse_ambiguous(each.node for each in found)
    return tuple(found)


def undo(  # noqa: PLR0913, PLR0917 - as `roll_out`
    fleet: Fleet,
    book: RolloutBook,
    wanted: Sequence[ToUndo],
    options: ApplyOptions,
    runtime: Runtime,
    announce: Callable[[Turn], None] = lambda _: None,
) -> Summary:
    """Put back what was on these nodes before, up to the first that fails. The runtime is not asked."""
    journals = {each.node: each.journal for each in wanted}
    own = replace(options, sdn_lock=False)

    def work(name: str, runtime: Runtime) -> Ended:
        node = fleet.node(name)
        try:
            locks.take(name)
            agreed = replace(runtime, confirm=lambda _: False)
            return roll_back(node, fleet.journals(name), own, agreed, name=journals[name].id)
        finally:
            node.connection.close()

    def noted(row: Row) -> None:
        locks.ended(row.node)
        book.note(row, stands=_stands(fleet, book, row, journals[row.node]))

    course = Course(
        names=tuple(journals),
        pace=Pace(),
        cluster=fleet.place,
        work=work,
        runtime=runtime,
        announce=announce,
        noted=noted,
    )
    with SdnLocks(fleet, journals, course.steady, wanted=options.sdn_lock) as locks:
        return course.run()


def _stands(fleet: Fleet, book: RolloutBook, row: Row, before: Journal) -> str:
    """How a node stands after its turn: as before where nothing was sent to it; empty: as its verdict says."""
    if row.verdict in (Verdict.ROLLED_BACK, Verdict.NOTHING) and not row.exit_code:
        return UNDONE
    member = book.now.member(row.node)
    now = journal_of(fleet.state_dir, book.now, member) if member else None
    return member.stands if member and now and now.state is before.state else ""
