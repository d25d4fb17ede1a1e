"""Changes as hunks of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.sim.diff.body import Body
from pvenet.sim.diff.myers import changed_lines
from pvenet.sim.diff.sliding import slid

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTEXT = 3
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
"""A line ends at a newline, and nowhere else."""
_SPACE = " \t\r\f\v\n"
_BLANKS = re.compile(r"[ \t\r\f\v]+")
_NO_NEWLINE = "\\ No newline at end of file\n"

Change = tuple[int, int, int, int]
"""Lines begin:end of the old text that give way to lines begin:end of the new."""


def changes(old: str, new: str, old_time: str = "", new_time: str = "") -> str | None:
    """PVE's `changes`, from interfaces to interfaces.new; None when nothing differs but blanks.

    The two times stand in the header as they are given; PVE's are the files' own.
    """
    before, after = _LINE.findall(old), _LINE.findall(new)
    found = list(_changes(before, after))
    if not found:
        return None
    return _decoded(
        "".join(
            [
                f"--- /etc/network/interfaces\t{old_time}\n",
                f"+++ /etc/network/interfaces.new\t{new_time}\n",
                *(line for hunk in _hunks(found) for line in _hunk(hunk, before, after)),
            ]
        )
    )


def _decoded(text: str) -> str:
    """Bytes that are no UTF-8 are answered as U+FFFD."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _folded(line: str) -> str:
    """A line as `-b` compares it: blanks at the end don't count, a run of others counts as one."""
    return _BLANKS.sub(" ", line.rstrip(_SPACE))


def _changes(before: list[str], after: list[str]) -> Iterator[Change]:
    body = Body.of(before, after, keep=_CONTEXT)
    a = [_folded(line) for line in before[body.begin : body.end_a]]
    b = [_folded(line) for line in after[body.begin : body.end_b]]
    changed_a, changed_b = changed_lines(a, b)
    changed_a = slid(a, changed_a, changed_b)
    changed_b = slid(b, changed_b, changed_a)
    first, i, j = body.begin, 0, 0
    while i < len(a) or j < len(b):
        from_a, from_b = i, j
        while i < len(a) and changed_a[i]:
            i += 1
        while j < len(b) and changed_b[j]:
            j += 1
        if (from_a, from_b) != (i, j):
            yield (first + from_a, first + i, first + from_b, first + j)
        i, j = i + 1, j + 1


def _hunks(found: list[Change]) -> Iterator[list[Change]]:
    """Changes whose contexts touch stand together."""
    hunk = [found[0]]
    for change in found[1:]:
        if change[0] - hunk[-1][1] > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(change)
    yield hunk


def _hunk(hunk: list[Change], before: list[str], after: list[str]) -> Iterator[str]:
    lead = min(_CONTEXT, hunk[0][0])
    trail = min(_CONTEXT, len(before) - hunk[-1][1])
    begin_a, end_a = hunk[0][0] - lead, hunk[-1][1] + trail
    begin_b, end_b = hunk[0][2] - lead, hunk[-1][3] + trail
    yield f"@@ -{_range(begin_a, end_a)} +{_range(begin_b, end_b)} @@\n"
    at = begin_a
    for from_a, to_a, from_b, to_b in hunk:
        yield from _lines(" ", before[at:from_a])
        yield from _lines("-", before[from_a:to_a])
        yield from _lines("+", after[from_b:to_b])
        at = to_a
    yield from _lines(" ", before[at:end_a])


def _range(begin: int, end: int) -> str:
    count = end - begin
    if count == 1:
        return str(end)
    return f"{begin + 1 if count else begin},{count}"


def _lines(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line
        if not line.endswith("\n"):
            yield "\n" + _NO_NEWLINE
