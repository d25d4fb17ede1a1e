"""The person at the terminal: the question before an apply, and the word after it that it may stay."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from pvenet import errors
from pvenet.cli.common import confirmed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pvenet.events import Event

EVERY = 10
"""Seconds between two reminders of how many are left."""


class Person:
    """Whoever started the command. A terminal that is lost (SIGHUP, end of input) says no, and kills nothing."""

    def __init__(self, *, yes: bool, json: bool) -> None:
        self._yes = yes
        self._json = json
        self._gone = False
        self._told: int | None = None
        self._prompted = False
        """The cursor stands behind a prompt that nobody has answered."""
        self._before: Any = None

    def __enter__(self) -> Self:
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup: it is meant to outlive its terminal
            return self
        with suppress(ValueError):  # only a program's main thread hears signals
            self._before = signal.signal(signal.SIGHUP, self._lost)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGHUP, self._before)

    def overheard(self, tell: Callable[[Event], None]) -> Callable[[Event], None]:
        """The ear for events, on a line of its own where the word comes from elsewhere than behind the prompt."""
        from pvenet.events import Confirming

        def hear(event: Event) -> None:
            if self._prompted:
                self._prompted = False
                with suppress(OSError):
                    sys.stderr.write("\n")
            if isinstance(event, Confirming):  # another node's turn has a prompt of its own
                self._told = None
            tell(event)

        return hear

    def _lost(self, *_: object) -> None:
        self._gone = True

    def ask(self, question: str) -> bool:
        """Get consent: whether somebody was asked. Raises NeedsConsent."""
        if self._yes:
            return False
        if self._json:
            raise errors.NeedsConsent("--json never asks; nothing was sent", hint="consent with --yes")
        confirmed(question)
        return True

    def word(self, left: float, seconds: float) -> bool | None:
        """Wait for a line that says whether it may stay. Off a terminal, and with --json, there is nobody to ask."""
        if self._gone:
            return False
        if self._json or not sys.stdin.isatty():
            time.sleep(seconds)
            return None
        self._remind(left)
        return self._answer(seconds)

    def _remind(self, left: float) -> None:
        tens = int(left) // EVERY
        if tens != self._told:
            self._told = tens
            self._prompted = True
            with suppress(OSError):
                sys.stderr.write(f"may it stay? [y/N] ({left:.0f} s left) ")
                sys.stderr.flush()

    def _answer(self, seconds: float) -> bool | None:
        import select

        try:
            ready, _, _ = select.select([sys.stdin], [], [], seconds)
            if not ready:
                return None
            line = sys.stdin.readline()  # empty at the end of input
            self._prompted = not line
            return line.strip().lower() in ("y", "yes")
        except (OSError, ValueError):
            return False
