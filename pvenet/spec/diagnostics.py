"""What is wrong in a network file, and at which position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pvenet import errors
from pvenet.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable


class Position(NamedTuple):
    """A line and a column, counted from 1."""

    line: int
    column: int

    @property
    def aside(self) -> str:
        """`` (line 4)``, for the end of a message about something else; empty where there are no lines."""
        return f" (line {self.line})" if self.line else ""


NOWHERE = Position(1, 1)
"""Where nobody looks for a line: in a saved plan, which pvenet wrote, in what was never in a file, or can't be read."""
UNPLACED = Position(0, 0)
"""Of what has no lines at all: data that another program hands over."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong in the file, or (as a warning) worth a second look."""

    position: Position
    message: str
    """A clause for people, without a full stop."""
    nearest: str | None = None
    """What was probably meant."""
    warning: bool = False

    def data(self) -> dict[str, object]:
        """The diagnostic as `check --json` gives it."""
        data = {"line": self.position.line, "column": self.position.column, "message": self.message}
        return {**data, "nearest": self.nearest, "warning": self.warning}

    def text(self, file: str) -> str:
        """The diagnostic as compilers print one: `file:line:column: message`; of data without lines, without them.

        It is one line, whatever the file says and is called.
        """
        meant = f" (did you mean {self.nearest}?)" if self.nearest else ""
        at = "" if self.position == UNPLACED else f"{self.position.line}:{self.position.column}:"
        return one_line(f"{file}:{at} {self.message}{meant}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDiagnostics:
    """What is wrong in one file, and worth a second look."""

    file: str
    """As it was called on the command line."""
    diagnostics: tuple[Diagnostic, ...]


class InvalidFile(errors.InvalidNetwork):
    """What network files describe can't be; each place is at hand for whoever shows it in the file."""

    def __init__(self, message: str, found: Iterable[FileDiagnostics], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.found = tuple(found)


def in_file_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics from the top of the file down, each once."""
    return sorted(set(diagnostics), key=lambda each: (each.position, each.message))
