"""What is pending is thrown away, where nobody has made it live just before: PVE's answer to a revert is the same."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.open_journals import gone_elsewhere
from pvenet.apply.steps import made_live
from pvenet.apply.unfinished import recognise, refuse_while_reloading
from pvenet.journal import (
    ARMS,
    OPEN,
    Foreign,
    Journal,
    Nothing,
    Ours,
    State,
    drop_staged,
    not_ours,
    ownership,
    replay,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.journal import Journals
    from pvenet.node import Node, Reading


def revert(node: Node, journals: Journals, *, discard: bool, warn: Callable[[str], object] = lambda _: None) -> bool:
    """Throw away what is pending; whether anything was.

    `warn` hears what became of what was staged from here where it is not pending any more, and of what somebody stages
    meanwhile. Raises NotOurs for what is not ours, unless `discard`, and Stale where somebody has made it live.
    """
    journals = journals.at(node)
    with journals.lock():
        refuse_while_reloading(node, journals)
        reading = node.read()
        recognise(node, journals, OPEN)
        whose = ownership(journals, reading)
        if isinstance(whose, Nothing):
            for text in gone_elsewhere(journals, reading):
                warn(text)
            return False
        if isinstance(whose, Foreign) and not discard:
            raise not_ours(node.name, whose.changes, "leave them alone", whose.note)
        left = throw_away(node)
        if not is_gone(reading, left) and not (isinstance(whose, Ours) and is_nothing(whose.journal)):
            raise _not_reverted(node, journals, whose)
        journal = whose.journal if isinstance(whose, Ours) else whose.adopted
        so = f"what was pending on {node.name} was reverted all the same"
        if journal is not None:
            journals.write(_without_staging(journal), so=so)
        drop_staged(journals, so=so)
        if left.pending is not None:
            warn(f"something new is pending on {node.name}: somebody staged it after the revert")
        return True


def throw_away(node: Node) -> Reading:
    """Revert what is pending; what the node lists then.

    Raises Interrupted where that was not waited for, and StateUnknown where nobody could look afterwards.
    """
    try:
        node.revert()
        return _left(node)
    except KeyboardInterrupt:
        raise errors.Interrupted(
            f"interrupted while what was pending on {node.name} was being reverted: it may be gone",
            hint=f"`pvenet status --node {node.name}` shows the state of the node",
        ) from None


def _left(node: Node) -> Reading:
    """What the node lists after a revert that it has answered; asked twice."""
    with suppress(errors.PvenetError):
        return node.glance()
    try:
        node.connection.fresh()
        return node.glance()
    except errors.PvenetError as error:
        raise errors.StateUnknown(
            f"{node.name} has reverted what was pending, unless somebody's reload came first; it could not be read "
            f"afterwards: {error.message}",
            hint=f"`pvenet status --node {node.name}` shows the state of the node",
        ) from None


def is_gone(before: Reading, left: Reading) -> bool:
    """Whether the node lists something else than what was pending, as it does unless that was made live.

    A reload that comes first leaves nothing to revert, and PVE's answer is the same.
    """
    return bool(wire.differences(wire.by_name(before.entries), left.entries))


def is_nothing(journal: Journal) -> bool:
    """Whether what a journal has staged comes to nothing that a listing shows."""
    values = replay(journal).values(journal.back or 0)
    return journal.refreshing or all(each[0] == each[-1] for each in values.values())


def _not_reverted(node: Node, journals: Journals, whose: Ours | Foreign) -> errors.Stale:
    """The node lists what was pending although nothing is: a reload came first."""
    if isinstance(whose, Foreign):
        return errors.Stale(
            f"nothing is pending on {node.name} any more, but it lists what was pending: somebody may have made that "
            "live just before the revert",
            hint="`pvenet list` shows what is there; ask who applied it",
        )
    live = f"what was pending on {node.name} was made live just before the revert, by somebody's reload or SDN apply"
    if whose.journal.state is State.STAGING:
        journals.write(made_live(whose.journal), so=live)
    return errors.Stale(
        live,
        hint="`pvenet rollback` puts back what was there before",
    )


def _without_staging(journal: Journal) -> Journal:
    """What is left of a journal when its staging is thrown away: of steps that lead back, what they were to undo."""
    if journal.state in ARMS:
        return journal.forward
    if journal.refreshing:
        return replace(journal, pending=None, behind=False)
    state = State.FAILED if journal.state is State.ROLLING_BACK else State.DROPPED
    return replace(journal, state=state, pending=None, behind=False)
