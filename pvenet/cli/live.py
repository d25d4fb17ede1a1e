"""The line of a terminal that changes, or a few: what is waited for, and for how long.

A thread draws it, because whoever waits can't. Everything else that is said takes it away first, and it comes back
with the next second. Where nobody has set a text, a request that is under way for more than a second is one.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from threading import RLock, Thread, current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TICK = 0.25
"""Seconds between two drawings."""
QUIET = 1.0
"""Seconds of silence after which a request that is under way is a text of its own."""


class LiveLine:
    """A live line; `draw` puts a text there, and an empty one takes it away. What it raises stops nothing."""

    def __init__(self, draw: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._draw = draw
        self._clock = clock
        self._lock = RLock()
        self._text: Callable[[], str] | None = None
        self._shown = ""
        self._open = False
        """Something stands on the line that has no end yet: a question."""
        self._said = clock()
        """When something else was said, or the command began."""
        self._asked: list[tuple[str, float, str]] = []
        """The requests under way: of whom, since when, and by which thread."""
        self._thread: Thread | None = None
        """Who draws; one that is another is over."""

    # --- what there is to say ----------------------------------------------------------------------------------------

    def show(self, text: Callable[[], str]) -> None:
        """Draw a text from now on, made anew each time."""
        with self._lock:
            self._text = text
            self._update()
            self._begin()

    def end(self) -> None:
        """Draw no text any more."""
        with self._lock:
            self._text = None
            self._put("")

    def close(self) -> None:
        """End with the command."""
        with self._lock:
            self.end()
            self._thread = None

    @contextmanager
    def request(self, whom: str) -> Iterator[None]:
        """While a request is on its way to somebody."""
        under_way = (whom, self._clock(), current_thread().name)
        self._asked.append(under_way)
        self._begin()
        try:
            yield
        finally:
            self._asked.remove(under_way)

    @property
    def silence(self) -> float:
        """Seconds for which everything waits for an answer; 0 where nothing does."""
        return self.silence_of("")

    def silence_of(self, node: str) -> float:
        """The same of a node that is at work in a thread of its own, which has its name."""
        waiting = (main_thread().name, node)
        return max((self._clock() - since for _, since, thread in tuple(self._asked) if thread in waiting), default=0.0)

    @contextmanager
    def saying(self, text: str = "\n") -> Iterator[None]:
        """While something else is written, which may leave its line without an end."""
        with self._lock:
            self._put("")
            self._open = bool(text) and not text.endswith("\n")
            self._said = self._clock()
            yield

    def answered(self) -> None:
        """A question was: its line has ended."""
        with self._lock:
            self._open = False
            self._said = self._clock()

    # --- drawing -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while self._thread is current_thread():
            with self._lock:
                if self._thread is current_thread():
                    self._update()
            time.sleep(TICK)

    def _update(self) -> None:
        if not self._open:
            self._put(self._text() if self._text is not None else self._waiting())

    def _waiting(self) -> str:
        quiet = self._clock() - self._said
        if quiet < QUIET:
            return ""
        whom = next((whom for whom, _, _ in tuple(self._asked)), "")
        return f"waiting for {whom} ({quiet:.0f} s)" if whom else self._shown

    def _put(self, text: str) -> None:
        if text == self._shown:
            return
        self._shown = text
        with suppress(OSError, ValueError):  # a terminal that has gone stops nothing
            self._draw(text)
