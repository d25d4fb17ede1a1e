"""What commands print: data on stdout, talk on stderr, colours where they are wanted.

Nothing else of the command line writes to either. What passes is made harmless, except the colours that `painter`
gave; what the encoding lacks is escaped; and talk that can't be written stops nothing.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, TextIO

from pvenet import errors
from pvenet.cli.live import LiveLine
from pvenet.foreign import fitting, harmless, indented, inert, json_safe, one_line
from pvenet.render.lines import at_words

if TYPE_CHECKING:
    from pvenet.render.values import Paint

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1"}
_OWN = f"\x1b{os.urandom(8).hex()}"
"""Begins a colour of ours on its way to `_write`. Foreign text can't know it, and so can't colour anything."""

_STYLE = re.compile(r"\x1b(\[[\d;]*m)")


def out(text: str, *, json: bool = False) -> None:
    """Data, on stdout. Raises PvenetError where it can't be written, BrokenPipeError where nobody reads."""
    _put(f"{text}\n", json=json)


def styled(text: str) -> None:
    """A text of our own on stdout, whose colours and weights stay; nothing foreign may be in it."""
    _put(f"{_STYLE.sub(lambda found: f'{_OWN}{found[1]}', text)}\n")


def flush() -> None:
    """Get out what Typer wrote by itself: its help. Raises as `out` does."""
    _put("")


def stream(text: str, *, json: bool = False) -> bool:
    """The same while something is under way, which it never stops; whether it could be written."""
    try:
        _write(sys.stdout, f"{text}\n", json=json)
    except (OSError, ValueError):
        give_up("stdout")
        return False
    return True


def say(text: str) -> bool:
    """Talk, on stderr, where a terminal has its lines broken between words; whether it could be written."""
    return talk(f"{_broken(text, talk_room())}\n")


def in_lines(text: str, depth: int = 0) -> str:
    """A text for stdout, where a terminal has its lines of talk broken in the same way, as `at_words` does."""
    return _broken(text, room(), depth)


def _broken(text: str, width: int | None, depth: int = 0) -> str:
    return text if width is None else at_words(text, width, depth=depth)


def talk(text: str) -> bool:
    """The same without an end of the line, for questions."""
    try:
        _write(sys.stderr, inert(text))
    except (OSError, ValueError):
        give_up("stderr")
        return False
    return True


def warn(text: str) -> None:
    """A warning, on stderr."""
    say(indented(f"warning: {text}"))


def above(text: str) -> None:
    """Put a text of ours over the terminal's line above the current one, on which somebody may be typing."""
    talk(f"{_OWN}7{_OWN}[A{_OWN}[G{_OWN}[K{text}{_OWN}8")


_drawn = 1
"""The lines of the terminal that the last drawing took."""


def _draw(text: str) -> None:
    """Put lines in the place of those that were drawn last, as much of each as fits. Raises OSError and ValueError."""
    global _drawn  # noqa: PLW0603 - there is one terminal
    columns, height = talk_size()
    lines = [_cut(one_line(line), columns - 1) for line in text.splitlines()[: max(1, height - 1)]] or [""]
    if lively():
        away = f"{_OWN}[G{_OWN}[K" + f"{_OWN}[A{_OWN}[K" * (_drawn - 1)
        _drawn = len(lines)
        _send(sys.stderr, away + "\n".join(lines))


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 3]}..."


LIVE = LiveLine(_draw)
"""The live line of this process's terminal."""


def _put(text: str, *, json: bool = False) -> None:
    """Write to stdout, whatever waits there with it. Raises as `out` does."""
    try:
        _write(sys.stdout, text, json=json)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        give_up("stdout")
        raise _unwritable(error) from None


def _unwritable(error: Exception) -> errors.PvenetError:
    """What to say of data that did not get out."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else f"{error}"
    return errors.PvenetError(f"the output can't be written: {reason}", hint="write it elsewhere")


def give_up(name: str) -> None:
    """Let nothing be written any more to `stdout` or `stderr`, also of what waits in its buffer."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, getattr(sys, name).fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        setattr(sys, name, None)


def _write(to: TextIO | None, text: str, *, json: bool = False) -> None:
    """The same as `_send`, with the live line out of the way."""
    with LIVE.saying(text):
        _send(to, text, json=json)


def _send(to: TextIO | None, text: str, *, json: bool = False) -> None:
    """Write to a stream, with foreign text made harmless; to none after `give_up`."""
    if to is None:  # given up
        return
    safe = json_safe(text) if json else harmless(text).replace(harmless(_OWN), "\x1b")
    if safe:  # a stream without a buffer fails of no bytes, too
        to.write(fitting(safe, to.encoding or "utf8", json=json))
    to.flush()


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def lively() -> bool:
    """Whether stderr is a terminal that can have a line that changes."""
    return _is_terminal(sys.stderr) and os.environ.get("TERM") not in (None, "", "dumb")


def colourful() -> bool:
    """Whether stdout is a terminal that wants colours."""
    return (
        _is_terminal(sys.stdout) and "NO_COLOR" not in os.environ and os.environ.get("TERM") not in (None, "", "dumb")
    )


def painter() -> Paint:
    """Colours for a terminal that wants them."""
    from pvenet.render.values import plain

    return plain if not colourful() else (lambda text, colour: f"{_OWN}[{_COLOURS[colour]}m{text}{_OWN}[0m")


def room() -> int | None:
    """The width of the terminal that stdout is; None where it is none: then nothing is cut."""
    return _size_of(sys.stdout).columns if _is_terminal(sys.stdout) else None


def talk_room() -> int | None:
    """The same of stderr, which may be another terminal, or the only one."""
    return talk_size().columns if _is_terminal(sys.stderr) else None


def talk_size() -> os.terminal_size:
    """Columns and lines of the terminal that stderr is."""
    return _size_of(sys.stderr)


def _size_of(stream: TextIO | None) -> os.terminal_size:
    """What the environment says wins, as everywhere; `shutil` would ask stdout alone."""
    try:
        found = os.get_terminal_size(stream.fileno() if stream else -1)
    except (OSError, ValueError):
        found = os.terminal_size((0, 0))
    return os.terminal_size((_said("COLUMNS") or found.columns or 80, _said("LINES") or found.lines or 24))


def _said(variable: str) -> int:
    """A size that the environment says; 0 where it says none."""
    try:
        return max(0, int(os.environ.get(variable, "")))
    except ValueError:
        return 0


def holds(letters: str) -> bool:
    """Whether stdout's encoding has these characters."""
    return fitting(letters, getattr(sys.stdout, "encoding", None) or "utf8") == letters


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it was closed
        return False
