"""Journals to look at, for a run that leaves nothing behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pvenet.journal.store import Journals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.journal.value import Journal


class UnwrittenJournals(Journals):
    """The journals of a node, of which nothing gets onto the disk: no lock, no journal, no word."""

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Nobody is kept off: whoever is at work is not disturbed by a look."""
        yield

    def write(self, journal: Journal, *, so: str = "") -> Journal:  # noqa: ARG002 - nothing goes wrong
        """The journal, for chaining."""
        return journal

    def keep_diff(self, journal: Journal) -> None:
        """Nothing is kept."""

    def keep_handover(self, journal: Journal, text: str) -> None:
        """Nothing is kept."""

    def forget_handover(self, journal: Journal) -> None:
        """Nothing is forgotten."""

    def decide(self, journal: Journal, word: str) -> str:
        """The word that would stand."""
        return self.word(journal) or word

    def prune(self) -> None:
        """Nothing is forgotten."""
