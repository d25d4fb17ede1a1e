"""Where something stands in a file, and what is wrong with it there."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Place(NamedTuple):
    """A line and a column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in the file, or (as a warning) worth a second look."""

    place: Place
    message: str
    """A clause for people, without a full stop."""
    nearest: str | None = None
    """What was probably meant."""
    warning: bool = False

    def data(self) -> dict[str, object]:
        """The fault as `check --json` gives it."""
        data = {"line": self.place.line, "column": self.place.column, "message": self.message}
        return {**data, "nearest": self.nearest, "warning": self.warning}

    def told(self, file: str) -> str:
        """The fault as compilers tell one: `file:line:column: message`."""
        meant = f" (did you mean {self.nearest}?)" if self.nearest else ""
        return f"{file}:{self.place.line}:{self.place.column}: {self.message}{meant}"


def nearest(word: str, words: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The word that was probably meant."""
    close = get_close_matches(word, list(words), n=1, cutoff=cutoff)
    return close[0] if close else None
