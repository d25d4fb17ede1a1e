"""The progress of several nodes at once: a live line for each that is at work, and its name before all else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import events
from pvenet.cli.output import LIVE
from pvenet.cli.terminal import Terminal, waiting
from pvenet.foreign import indented, one_line
from pvenet.render.events import waiting_note
from pvenet.render.values import aligned

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.render.values import Paint

BEGINS = "begins"


class Together(Terminal):
    """Talk on stderr about several nodes, whose lines come in any order."""

    def __init__(
        self,
        say: Callable[[str], object],
        paint: Paint,
        heard: tuple[type[events.Event], ...] | None = None,
        *,
        nodes: int,
    ) -> None:
        super().__init__(say, paint, heard, sums_up=True)
        self._nodes = nodes
        self._ended = 0
        self._at_work: dict[str, Callable[[], str]] = {}
        """What each that is at work waits for."""
        self._reasons: set[tuple[str, str]] = set()

    def emit(self, event: events.Event) -> None:
        """Say what happened; what is about to go live was shown before, of all of them."""
        if isinstance(event, events.Ended):
            self._ended += 1
            self._at_work.pop(event.node, None)
        elif event.node:
            self._at_work.setdefault(event.node, lambda: BEGINS)
        self.about = event.node
        if not isinstance(event, events.Shown | events.Affected | events.Verified):
            super().emit(event)
        self._draw()

    def _draw(self) -> None:
        if self._lively:
            LIVE.show(self._table)

    def _table(self) -> str:
        """How far it is, and what each that is at work waits for."""
        rows = [(node, one_line(line())) for node, line in tuple(self._at_work.items())]
        head = f"{self._ended} of {self._nodes} nodes have ended"
        return f"{head}\n{aligned(rows)}" if rows else head

    def _wait(self, event: events.Waiting) -> None:
        self._at_work[event.node] = waiting(event)
        if not self._lively and (event.node, event.reason) not in self._reasons:
            self._reasons.add((event.node, event.reason))
            self._line(waiting_note(event))

    def _warn(self, event: events.Warned) -> None:
        self._line(indented(f"warning: {event.text}"))

    def _line(self, text: str) -> None:
        before = f"{self.about}: " if self.about else ""
        self._say("\n".join(f"{before}{line}" for line in text.splitlines()))
