"""The pictures of README: what a real terminal shows of commands on a simulated node, with somebody who answers.

Run as a program it is the commands' side of that terminal.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from clock import FakeTime
from screen import Screen
from sessions import clocked, fixed

from pvenet import cli

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLUMNS, LINES = 100, 24
QUESTION = "[y/N"
SILENCE = 60
"""Seconds after which nobody waits for more: it asks something that is not answered here."""
LATER = 60
"""Seconds from what was done to the node before to the picture."""


def shot(folder: Path, commands: Sequence[str]) -> list[list[tuple[str, str]]]:
    """The lines of a terminal on which somebody types these commands, and `y` where they ask."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment |= {"TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf8"}
    with subprocess.Popen(
        [sys.executable, __file__, *commands],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment,
        start_new_session=True,
    ) as running:
        os.close(theirs)
        printed = _answered(ours)
        running.kill()
    os.close(ours)
    screen = Screen(COLUMNS)
    screen.write(printed)
    return [[(fixed(text), colour) for text, colour in line] for line in screen.lines()]


def _answered(terminal: int) -> str:
    """All that is printed until there is no more; questions get a yes."""
    printed, answered = b"", 0
    with suppress(OSError):  # so ends a terminal whose other side has gone
        while select.select([terminal], [], [], SILENCE)[0] and (part := os.read(terminal, 65536)):
            printed += part
            if printed.count(QUESTION.encode()) > answered:
                answered += 1
                os.write(terminal, b"y\n")
    return printed.decode()


def main(commands: Sequence[str]) -> None:
    """Show each command as it was typed, and run it."""
    clock = FakeTime(now=time.time() + LATER)
    for defaults, name, value in clocked(clock):
        defaults[name] = value
    for command in commands:
        sys.stdout.write(f"\x1b[1m$ {command}\x1b[0m\n")
        cli.main(shlex.split(command)[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
