"""A command line on a terminal of its own, at which somebody types."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST = 30.0
"""Seconds after which a terminal that stays silent fails its test."""
CTRL_C, CTRL_D = "\x03", "\x04"


class Typed:
    """A command that runs; what it writes is read as far as it is waited for."""

    def __init__(self, *words: str, environment: Mapping[str, str]) -> None:
        self.shown = ""
        self.code: int | None = None
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.execve(sys.executable, [sys.executable, "-m", "pvenet", *words], dict(environment))

    def until(self, text: str) -> None:
        """Wait until it has written this since the last time."""
        assert self._more(lambda: text in self.shown), self.shown
        self.shown = self.shown[self.shown.index(text) + len(text) :]

    def type_at_once(self, text: str) -> None:
        """Type it before the command has come to any question: nothing waits for it yet."""
        os.write(self._fd, text.encode())

    def type(self, text: str) -> None:
        """Type it, when it waits for a line as it does for people; a line's end is the caller's."""
        time.sleep(0.2)  # a signal between a prompt and the wait behind it is heard with the next line only
        os.write(self._fd, text.encode())

    def end(self) -> str:
        """Wait for its end; what it has written since the last time. `code` is its exit code."""
        self._more(lambda: False)
        _, status = os.waitpid(self._pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        os.close(self._fd)
        return self.shown

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.code is None:
            os.kill(self._pid, signal.SIGKILL)
            self.end()

    def _more(self, enough: Callable[[], bool]) -> bool:
        until = time.monotonic() + LONGEST
        while not enough():
            ready, _, _ = select.select([self._fd], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"nothing more for {LONGEST} s: {self.shown}"
            try:
                part = os.read(self._fd, 65536)
            except OSError:  # the other end is closed
                part = b""
            if not part:
                return False
            self.shown += part.decode().replace("\r\n", "\n")
        return True
