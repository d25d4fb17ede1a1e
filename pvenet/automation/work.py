"""What one call is about, and what has come of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pvenet.automation.heard import Heard
from pvenet.automation.options import said

if TYPE_CHECKING:
    from pvenet import errors
    from pvenet.automation.parameters import Parameters


@dataclass(kw_only=True)
class Work:
    """What was asked for, and what has come of it so far: that is told also where it ends in an error."""

    parameters: Parameters
    check: bool
    """Say what would change, and change nothing."""
    heard: Heard = field(default_factory=Heard)
    changed: bool = False
    data: dict[str, Any] = field(default_factory=dict)
    diff: str = ""
    refusal: errors.RefusedByPvenet | None = None
    """What a run that is no check would stop at."""

    def would_stop(self, error: errors.RefusedByPvenet) -> None:
        """Keep what a run would stop at, before anything is sent: a check fails for nothing that it could show."""
        self.refusal = error
        self.heard.warn(f"a run would stop here: {told(error)}")


def told(error: errors.PvenetError) -> str:
    """An error with what to do about it."""
    return said(f"{error.message}\n{error.hint}" if error.hint else error.message)
