"""The journal of what is under way: as it is now, and on disk, with one holder at a time; and which are still open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.journal.states import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet.journal.store import Journals
    from pvenet.journal.value import Journal


class OpenJournal:
    """One journal and how it is kept. When a reload is out, a journal that can't be written stops nothing."""

    def __init__(self, journals: Journals, journal: Journal, warn: Callable[[str], None]) -> None:
        self.journals = journals
        self.now = journal
        """As it is now, whether or not it could be written."""
        self.warn = warn
        """Hears what a person should know."""
        self._behind = False

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.journals.path(self.now)

    def keep(self, journal: Journal, *, must: bool = False) -> None:
        """Put it on disk. Raises where it can't be and `must` be written, because something is to be sent then."""
        try:
            self.journals.write(journal)
        except errors.PvenetError as error:
            if must:
                raise
            if not self._behind:  # a disk that is full stays so for a while, and one line is enough
                node = self.journals.node
                self.warn(
                    f"the journal is behind: {error.message}; when it can be written again, "
                    f"`pvenet wait --node {node}` brings it up to date"
                )
            self._behind = True
        self.now = journal

    def record(self, *, must: bool = False, **changes: object) -> None:
        """Put these fields of it on disk."""
        if "pending" in changes:
            changes["behind"] = False
        self.keep(replace(self.now, **changes), must=must)  # type: ignore[arg-type]  # by those who know its fields


def still_open(journals: Journals, *states: State) -> list[Journal]:
    """The journals in one of these states, the oldest first."""
    return [journal for journal in journals.all() if journal.state in states]


def drop_staged(journals: Journals, *, so: str = "") -> None:
    """End what was staged from here and is not pending any more, because all that was pending has gone.

    Raises JournalUnwritable. `so`: how the node is then.
    """
    for journal in still_open(journals, State.STAGING):
        journals.write(replace(journal, state=State.DROPPED), so=so)
