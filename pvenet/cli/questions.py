"""A question on a terminal: what was typed before it was shown answers nothing, and what is said next begins a line."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from pvenet.cli.output import LIVE, say, talk

if TYPE_CHECKING:
    from collections.abc import Callable

TAKEN = "neither yes nor no: type y or n{}; Enter alone is a no"
"""What is said of any other answer."""
MOST = 4096
"""Bytes that a terminal holds of a line."""


def begin() -> None:
    """Forget what was typed so far: nobody who typed it had seen the question. A pipe is left as it is."""
    if not sys.stdin.isatty() or in_background():
        return
    import termios

    # put into the background in this very moment, it is not to be stopped
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    except (OSError, ValueError, termios.error):  # the terminal has gone: whoever reads is told so
        return
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_background() -> bool:
    """Whether the terminal is another job's: what is typed is the shell's, and reading it would stop this process."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp()
    except (OSError, ValueError):  # it is no terminal, or not this session's
        return False


def agreed(question: str, details: Callable[[], object] | None = None) -> bool | None:
    """Whether somebody says yes; None where nobody can be asked. `details`: a `d` shows the whole diff.

    It is asked again until it is yes or no. The end of input, and a terminal that has gone, say no.
    """
    begin()
    while talk(f"{question} [y/N{'/d' if details else ''}] "):
        line = typed()
        if details and line is not None and line.lower() == "d":
            details()
        elif (answer := meaning(line)) is not None:
            return answer
        else:
            say_taken(", or d for the whole diff" if details else "")
    return None


def say_taken(more: str = "") -> None:
    """Say what is taken, after what is not."""
    say(TAKEN.format(more))


def typed() -> str | None:
    """The line that is typed; None at the end of input, and where the terminal has gone. Its line has ended."""
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        line = "\N{REPLACEMENT CHARACTER}\n"  # no word, but a line
    except (OSError, ValueError):
        line = ""
    except KeyboardInterrupt:
        talk("\n")
        raise
    if not line.endswith("\n"):
        talk("\n")
        return None
    LIVE.answered()
    return line.strip()


class Waited:
    """A line that is typed while something else goes on. One that has no end yet keeps nobody."""

    def __init__(self) -> None:
        self._begun = b""

    def line(self, seconds: float) -> str | None:
        """The line, "" for an empty one; None where there is none within that time. Raises EOFError at the end of
        input, and where the terminal has gone.
        """
        import select

        try:
            if not select.select([sys.stdin], [], [], seconds)[0]:
                return None
            part = os.read(sys.stdin.fileno(), MOST)
        except (OSError, ValueError):
            part = b""
        if not part:
            raise EOFError
        self._begun += part
        if not part.endswith(b"\n"):
            return None
        line, self._begun = self._begun, b""
        LIVE.answered()
        return line.decode(errors="replace").strip()


def meaning(line: str | None) -> bool | None:
    """A yes, or a no, as nothing at all is; None for what is neither."""
    match (line or "").lower():
        case "y" | "yes":
            return True
        case "n" | "no" | "":
            return False
        case _:
            return None
