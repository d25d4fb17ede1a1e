"""What one look has found, and how a check that breaks becomes one that is not known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.severity import Severity
from pvenet.unexpected import unexpected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_FORBIDDEN = 403
"""HTTP's own number."""


class State(Severity):
    """How something stands."""

    GOOD = "good"
    UNKNOWN = "unknown"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line: what was looked at, how it stands, and what to do where it is not good."""

    check: str
    state: State
    text: str
    todo: str = ""
    """Sentences and commands, a line each."""
    node: str | None = None
    """The node that it is about; None for the way to all of them, and the cluster."""


def good(check: str, text: str) -> Finding:
    return Finding(check=check, state=State.GOOD, text=text)


def unknown(check: str, text: str, todo: str = "") -> Finding:
    return Finding(check=check, state=State.UNKNOWN, text=text, todo=todo)


def warning(check: str, text: str, todo: str = "") -> Finding:
    return Finding(check=check, state=State.WARNING, text=text, todo=todo)


def bad(check: str, text: str, todo: str = "") -> Finding:
    return Finding(check=check, state=State.BAD, text=text, todo=todo)


class Looks:
    """Check after check, of which none raises; once nobody answers, the rest is not known without being asked."""

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.lost: str = ""
        """Why nothing more is asked."""

    def look(self, checks: Sequence[str], run: Callable[[], Iterable[Finding]]) -> None:
        """Keep what a look finds; each of its checks is not known where it breaks."""
        if self.lost:
            self.found += [unknown(check, self.lost) for check in checks]
            return
        try:
            self.found += list(run())
        except errors.PvenetError as error:
            if isinstance(error, errors.Unreachable) and not isinstance(error, errors.NotPVE):
                self.lost = f"not checked: {error.message}"
            todo = "" if isinstance(error, errors.PermissionMissing) else error.hint  # the line of the right has it
            self.found += [unknown(check, _why(error), todo) for check in checks]
        except Exception as bug:  # noqa: BLE001 - a look that breaks says nothing of the others
            self.found += [unknown(check, unexpected(bug).message) for check in checks]

    def give_up(self, why: str) -> None:
        """What comes now is not known."""
        self.lost = f"not checked: {why}"


def _why(error: errors.PvenetError) -> str:
    """What a person reads of it."""
    if isinstance(error, errors.RefusedByPVE) and error.status == _FORBIDDEN:
        return f"a right is missing: {error.message}"
    return error.message
