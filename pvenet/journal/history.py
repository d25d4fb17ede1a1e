"""What was done to a node from here, as its journals tell it: nothing is asked of the node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.changes import net_changes
from pvenet.journal.replay import replay
from pvenet.journal.states import MEANINGS, OPEN, State
from pvenet.journal.store import NO, YES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pvenet.changes import Change
    from pvenet.journal.store import Journals
    from pvenet.journal.value import Journal

_REFUSED = "not confirmed, not rolled back yet"


@dataclass(frozen=True, kw_only=True)
class Past:
    """One journal, with what lies beside it."""

    journal: Journal
    path: Path
    changes: tuple[Change, ...]
    """What its steps have changed, those that lead back not counted."""
    diff: str
    """PVE's, as it was kept; empty where none was."""
    open: bool
    """Something has to follow."""
    ended: str
    """How it ended, or where it stands; in a few words."""
    todo: str

    @property
    def called(self) -> str:
        """What a person types for it: its number, or the name of one that has none."""
        return str(self.journal.number) if self.journal.number else self.journal.id

    @property
    def dropped(self) -> bool:
        """Whether it was staged, and not made live from here."""
        return self.journal.state is State.DROPPED


def history(journals: Journals) -> tuple[Past, ...]:
    """Every readable journal of a node's name: first those that are open, and of each the youngest first."""
    found = [_past(journals, journal) for journal in reversed(journals.all())]
    return tuple(sorted(found, key=lambda past: not past.open))


def named(found: Sequence[tuple[Journals, Sequence[Past]]], name: str) -> Past:
    """The one that is named, on whichever node. Raises UsageError where none is, or several are."""
    fitting: list[Past] = []
    why: errors.UsageError | None = None
    for journals, each in found:
        try:
            journal = journals.chosen(name)
        except errors.UsageError as error:
            why = why or error
            continue
        fitting += [past for past in each if journal is not None and past.journal.id == journal.id]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        nodes = ", ".join(past.journal.node for past in fitting)
        raise errors.UsageError(f"several nodes have a journal {name}: {nodes}", hint="choose one with --node")
    if why is not None and len(found) == 1:
        raise why
    raise errors.UsageError(f"there is no journal {name}", hint="`pvenet history` lists them")


def _past(journals: Journals, journal: Journal) -> Past:
    word = journals.word(journal) if journal.state is State.CONFIRMING else None
    ended, todo = MEANINGS[journal.state].ended, _todo(journal)
    if word is not None:
        ended = "applied, confirmed" if word == YES else _REFUSED if word == NO else ended
        todo = f"`pvenet rollback --node {journal.node}` does it" if word == NO else ""
    return Past(
        journal=journal,
        path=journals.path(journal),
        changes=net_changes(journal.network.interfaces, replay(journal.forward).then),
        diff=journals.kept_diff(journal) or journal.pending or "",
        open=journal.state in OPEN and word != YES,
        ended=ended,
        todo=todo,
    )


def _todo(journal: Journal) -> str:
    """What can be done about it now."""
    if journal.state is State.CONFIRMING:
        return (
            f"`pvenet confirm --node {journal.node}` keeps it, `pvenet rollback --node {journal.node}` puts back what "
            "was there before"
        )
    if journal.state in OPEN:
        return f"`pvenet status --node {journal.node}` shows the state of the node, and what to do"
    if not MEANINGS[journal.state].next or journal.adopted:
        return ""
    called = journal.number or journal.id
    return f"`pvenet rollback --node {journal.node} {called}` puts back what was there before"
