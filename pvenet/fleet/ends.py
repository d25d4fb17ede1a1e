"""The last event of a node's work, kept back until nothing comes after it that would make it untrue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.events import Ended
from pvenet.outcome import of_error

if TYPE_CHECKING:
    from pvenet import errors
    from pvenet.apply.runtime import Runtime
    from pvenet.events import Event


class Ends:
    """What one node's work ends with."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = replace(runtime, emit=self._hear)
        """The same, which keeps the last event back."""
        self._outside = runtime
        self._kept: Ended | None = None

    def _hear(self, event: Event) -> None:
        if isinstance(event, Ended):
            self._kept = event
        else:
            self._outside.emit(event)

    def tell(self, error: errors.PvenetError | None = None) -> None:
        """Tell it, where there was one; `error`: what it has come to since."""
        end, self._kept = self._kept, None
        if end is None:
            return
        if error is not None:
            now = of_error(end.node, error)
            end = replace(
                end,
                verdict=now.verdict,
                exit_code=now.exit_code,
                message=now.message,
                hint=now.hint,
                kind=now.kind,
            )
        self._outside.unfailing().emit(end)
