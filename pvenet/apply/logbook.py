"""The journal of a story that is under way: as it is now, and on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.events import Warned

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.apply.wait import Runtime
    from pvenet.journal import Journal, Journals


class Logbook:
    """One journal and how it is kept. When a reload is out, a journal that can't be written stops nothing."""

    def __init__(self, journals: Journals, journal: Journal, runtime: Runtime) -> None:
        self.journals = journals
        self.journal = journal
        """As it is now, whether or not it could be written."""
        self._runtime = runtime

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.journals.path(self.journal)

    def keep(self, journal: Journal, *, must: bool = False) -> Journal:
        """Put it on disk; the journal, for chaining. Raises where it can't be and `must` be written."""
        try:
            self.journals.write(journal)
        except errors.PvenetError as error:
            if must:
                raise
            self.warn(f"the journal is behind: {error.message.partition(';')[0]}")
        self.journal = journal
        return journal

    def must_keep(self, journal: Journal) -> Journal:
        """The same, where nothing may be sent before it is written."""
        return self.keep(journal, must=True)

    def record(self, *, must: bool = False, **changes: object) -> None:
        """Put these fields of it on disk."""
        if "pending" in changes:
            changes["behind"] = False
        self.keep(replace(self.journal, **changes), must=must)  # type: ignore[arg-type]  # by those who know its fields

    def warn(self, text: str) -> None:
        """Tell what a person should know."""
        self._runtime.emit(Warned(text=text))
