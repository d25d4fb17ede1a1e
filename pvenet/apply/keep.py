"""Keeping by hand what was applied, or giving it more time: from another terminal, or when nobody waits any more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.hosts import catch_up
from pvenet.apply.resume import refuse_unsettled
from pvenet.apply.same_node import claim, others_note
from pvenet.apply.status import is_busy
from pvenet.apply.unfinished import meet
from pvenet.journal import (
    NO,
    UNFINISHED,
    YES,
    Journal,
    Journals,
    Ours,
    State,
    is_mine,
    nodes,
    ownership,
    still_open,
)
from pvenet.journal.term import Term

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet.node import Node, Reading


def confirm(
    node: Node, journals: Journals, *, same_node: bool = False, warn: Callable[[str], None] = lambda _: None
) -> Journal:
    """Keep what was applied. Raises RefusedByPvenet where nothing waits for that, or it is too late.

    `same_node`: as for `roll_back`. `warn` hears what is left to do.
    """
    bound, journal = _found(node, journals, same_node=same_node)
    if journal.state is State.CONFIRMING:
        _settle(node, bound, journal)
        if bound.decide(journal, YES) == NO:
            raise _too_late(node)
    try:
        with bound.lock():
            kept = _kept(node, bound, journal)
            catch_up(node, kept, warn)
            return kept
    except errors.Busy:
        if journal.state is State.ROLLING_BACK:
            raise
        return journal  # whoever waits for it reads it


def waiting(state_dir: Path) -> tuple[str, ...]:
    """The nodes on which something was applied from here that waits for a person's word."""
    return tuple(name for name in nodes(state_dir) if still_open(Journals(state_dir, name), State.CONFIRMING))


def extend(node: Node, journals: Journals, seconds: float, *, same_node: bool = False) -> float:
    """Give a person more time to say that what was applied may stay; how many seconds there are now.

    Raises RefusedByPvenet where nothing waits for that, nobody waits any more, or it is too late.
    """
    bound, journal = _found(node, journals, same_node=same_node)
    if journal.state is not State.CONFIRMING:
        raise _nothing(node, bound)
    _settle(node, bound, journal)
    term = Term(bound.path(journal))
    with term.held():
        if bound.word(journal) == NO:
            raise _too_late(node)
        if bound.word(journal) == YES:
            raise _nothing(node, bound)
        if not is_busy(bound):
            raise errors.RefusedByPvenet(
                f"no pvenet is waiting for the confirmation on {node.name} any more: what was applied stays until "
                "somebody decides",
                hint="`pvenet confirm` keeps it, `pvenet rollback` puts back what was there before",
            )
        try:
            return term.put_off(seconds)
        except OSError as error:
            raise errors.PvenetError(
                f"the time can't be extended: {bound.folder} can't be written: {error.strerror}",
                hint="`pvenet confirm` keeps what was applied",
            ) from None


def _found(node: Node, journals: Journals, *, same_node: bool) -> tuple[Journals, Journal]:
    """The journals of the node, and the one that waits. Raises RefusedByPvenet where none does."""
    bound = journals.at(node, same_node=same_node)
    if same_node:
        with bound.lock():
            claim(node, bound)
    meet(node, bound, *UNFINISHED)
    return bound, _waiting(node, bound)


def _settle(node: Node, journals: Journals, journal: Journal) -> None:
    """Raises RefusedByPvenet where a journal that is likely the node's is not."""
    if any(each.id == journal.id for each in journals.likely()):
        journals.settle(node.read())
        refuse_unsettled(journals, journal)


def _too_late(node: Node) -> errors.RefusedByPvenet:
    return errors.RefusedByPvenet(
        f"too late: what was applied on {node.name} is being rolled back, or has been",
        hint=f"`pvenet status --node {node.name}` shows the state of the node",
    )


def _waiting(node: Node, journals: Journals) -> Journal:
    """The youngest journal that waits to be confirmed. Raises RefusedByPvenet where none does."""
    found = [journal for journal in journals.all() if journal.state in UNFINISHED]
    if not found:
        raise _nothing(node, journals)
    return found[-1]


def _nothing(node: Node, journals: Journals) -> errors.RefusedByPvenet:
    return errors.RefusedByPvenet(
        f"nothing is waiting to be confirmed on {node.name}{others_note(journals)}",
        hint=f"`pvenet status --node {node.name}` shows the state of the node",
    )


def _kept(node: Node, journals: Journals, journal: Journal) -> Journal:
    """Nobody waits any more: the journal is closed here."""
    current = next((each for each in journals.all() if each.id == journal.id), journal)
    if current.state is State.ROLLING_BACK:
        reading = node.read()
        journals.settle(reading)
        refuse_unsettled(journals, current)
        if _staged(journals, current, reading):
            raise errors.RefusedByPvenet(
                f"a part of the way back is staged on {node.name}", hint="`pvenet revert` throws it away; then confirm"
            )
    if current.state in UNFINISHED:
        so = f"what is live on {node.name} stays, and is not recorded as confirmed"
        return journals.write(replace(current, state=State.CONFIRMED), so=so)
    return current


def _staged(journals: Journals, journal: Journal, reading: Reading) -> bool:
    """Whether something is pending that was staged from here."""
    return reading.pending is not None and (isinstance(ownership(journals, reading), Ours) or is_mine(journal, reading))
