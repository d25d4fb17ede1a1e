"""What a look has found: a line a check with its sign, what to do beneath, and the same as JSON data."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pvenet.doctor.finding import State
from pvenet.foreign import one_line
from pvenet.render.lines import broken_at_words
from pvenet.render.values import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pvenet.doctor.finding import Finding
    from pvenet.render.values import Paint

_SIGNS = {State.GOOD: "ok", State.UNKNOWN: "? ", State.WARNING: "! ", State.BAD: "!!"}
_COLOURS = {State.GOOD: "green", State.UNKNOWN: "cyan", State.WARNING: "yellow", State.BAD: "red"}
_LEAST = 40
_COMMAND = "pveum "
"""Begins a line that is to be copied, and goes on over its line as a shell's does."""


def doctor_text(found: Sequence[Finding], width: int, paint: Paint) -> str:
    """The way in, then each node, then how many of what."""
    told = list(_folded(found))
    column = max((len(each.check) for each in told), default=0)
    parts = []
    for node, own in groupby(told, key=lambda each: each.node):
        head = [paint(one_line(node), "bold")] if node is not None else []
        shown: set[str] = set()
        lines = (line for each in own for line in _lines(each, column, width, paint, shown))
        parts.append("\n".join([*head, *lines]))
    return "\n\n".join([*parts, summary(found)])


def _folded(found: Sequence[Finding]) -> Iterator[Finding]:
    """Neighbours that are not known for the same reason as one line, which names them."""
    for _, alike in groupby(found, key=lambda each: (each.node, each.state, each.text, each.todo)):
        first, *rest = alike
        if first.state is not State.UNKNOWN or not rest:
            yield from (first, *rest)
            continue
        names = ", ".join(each.check for each in (first, *rest))
        yield replace(first, check=f"{len(rest) + 1} checks", text=f"{first.text}\n{names}")


def _lines(finding: Finding, column: int, width: int, paint: Paint, shown: set[str]) -> Iterator[str]:
    """A finding, and beneath it what to do, unless that was `shown` before."""
    sign = _SIGNS[finding.state]
    indent = " " * (len(sign) + column + 3)
    head = f"{sign} {finding.check.ljust(column)}  "
    told, *more = finding.text.splitlines() or [""]
    first, *rest = _wrapped(one_line(told), width, head, indent) or [head.rstrip()]
    yield paint(sign, _COLOURS[finding.state]) + first[len(sign) :]
    yield from rest
    for line in more:
        yield from _wrapped(one_line(line.strip()), width, indent, indent)
    todo = "as above" if finding.todo in shown else finding.todo
    shown.add(finding.todo or "none")
    for line in todo.splitlines() if finding.state is not State.GOOD else ():
        yield from _todo(line, width)


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Within the width, however long a word is."""
    return wrap(text, max(width, _LEAST), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _todo(line: str, width: int) -> Iterator[str]:
    """A sentence, or a command that can be copied with its continuation."""
    text = one_line(line.strip())
    if not text.startswith(_COMMAND):
        first = "   -> " if line[:1] != " " else "      "
        yield from broken_at_words(text, max(width, _LEAST), first=first, rest="      ")
        return
    *all_but_last, last = wrap(
        text,
        max(width, _LEAST) - 2,
        initial_indent="      ",
        subsequent_indent="        ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    yield from (f"{each} \\" for each in all_but_last)
    yield last


def summary(found: Sequence[Finding]) -> str:
    """How many are what."""
    numbers = {state: sum(each.state is state for each in found) for state in State}
    words = [f"{numbers[State.GOOD]} good"]
    words += [counted(numbers[State.WARNING], "warning")] if numbers[State.WARNING] else []
    words += [f"{numbers[State.UNKNOWN]} not known"] if numbers[State.UNKNOWN] else []
    words += [f"{numbers[State.BAD]} bad"] if numbers[State.BAD] else []
    return ", ".join(words)


def doctor_data(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """What `doctor --json` gives: a check each."""
    return [
        {"node": each.node, "check": each.check, "state": str(each.state), "text": each.text, "todo": each.todo}
        for each in found
    ]
