"""What the events of one apply or rollback have told so far, of which the last one sums up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.events import Changed, Reloading, RollingBack, Shown, Standing, Verified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.events import Ended, Event


class Heard:
    """The interfaces that it is about, what was seen of them, where the journal is, and when it began."""

    def __init__(self) -> None:
        self.journal = ""
        """Where what was there before is kept."""
        self._names: tuple[str, ...] = ()
        self._seen: Verified | None = None
        self._began: float | None = None

    def about(self, names: Iterable[str]) -> None:
        """The interfaces that it is about, where nothing is shown any more."""
        self._names = tuple(dict.fromkeys(names))

    def hear(self, event: Event, now: float) -> None:
        """One more event."""
        match event:
            case Shown():
                self.about(step.name for step in event.steps)
            case Reloading() | RollingBack():
                self._seen = None  # what was seen before is no longer so
                self._began = now if self._began is None else self._began
            case Verified():
                self._seen = event
            case _:
                pass

    def completed(self, end: Ended, now: float) -> Ended:
        """The last event, with what the others have told."""
        return replace(
            end,
            interfaces=tuple(Changed(name=name, state=self._standing(name)) for name in self._names),
            journal=self.journal,
            elapsed=end.elapsed or (0.0 if self._began is None else now - self._began),
        )

    def _standing(self, name: str) -> Standing:
        if self._seen is not None and name in self._seen.active:
            return Standing.ACTIVE
        if self._seen is not None and name in self._seen.gone:
            return Standing.GONE
        return Standing.NOT_KNOWN
