"""What commands print: data on stdout, talk on stderr, colours where they are wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pvenet.render.values import Paint

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1"}


def out(text: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(f"{text}\n")


def say(text: str) -> None:
    """Talk, on stderr."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def counted(number: int, word: str) -> str:
    """A number of things: `1 node`, `2 nodes`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def painter() -> Paint:
    """Colours for a terminal that wants them."""
    from pvenet.render.values import plain

    dull = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") in (None, "", "dumb")
    return plain if dull else (lambda text, colour: f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m")
