"""What is kept of an apply for a result that is read when all is over: the events that say something then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet import events
from pvenet.automation.options import said
from pvenet.render.changes import changes_text, pending_text
from pvenet.render.impact import impact_lines
from pvenet.render.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.changes import Change


def diff_text(steps: Sequence[Change], changes: str) -> str:
    """What changes mean, and PVE's own diff of them."""
    parts = [changes_text(steps, plain), pending_text(changes, plain) if changes else ""]
    return said("\n\n".join(part for part in parts if part))


class Heard:
    """Listens to the events of one node."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.shown = ""
        """What was about to go live: its meaning, PVE's diff, whom it hits."""
        self.sent = False
        """A reload was sent."""
        self.reason = ""
        """Why it is rolled back."""
        self.end: events.Ended | None = None
        self._tasks: list[events.TaskEnded] = []

    def warn(self, text: str) -> None:
        """Keep a warning."""
        self.warnings.append(said(text))

    def emit(self, event: events.Event) -> None:
        """Hear an event."""
        match event:
            case events.Warned():
                self.warn(event.text)
            case events.Shown():
                self.shown = diff_text(event.steps, event.changes)
            case events.Affected():
                self.shown = "\n".join([self.shown, "", *impact_lines(event.impact)])
            case events.Reloading():
                self.sent = True
            case events.TaskEnded():
                self._tasks.append(event)
            case events.RollingBack():
                self.reason = self.reason or event.reason
            case events.Ended():
                self.end = event
            case _:
                pass

    @property
    def log(self) -> tuple[str, ...]:
        """The log of the first reload, which is the one that was asked for; empty where it ended well."""
        task = self._tasks[0] if self._tasks else None
        return () if task is None or task.exitstatus == "OK" else tuple(said(line) for line in task.log)

    def data(self) -> dict[str, Any]:
        """How it ended."""
        if self.end is None:
            return {}
        interfaces = [{"name": each.name, "state": str(each.state)} for each in self.end.interfaces]
        return {
            "verdict": str(self.end.verdict),
            "message": said(self.end.message),
            "elapsed": round(self.end.elapsed, 3),
            "interfaces": interfaces,
            "journal": self.end.journal,
        }
