"""A table that fits a terminal: what is long goes on beneath, and what only comments is cut.

Without a width, which is what a pipe has, a row is a line and nothing is cut.
"""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from pvenet.foreign import one_line
from pvenet.render.lines import cells_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.render.values import Paint

_GAP = "  "
_LEAST = 40
"""No terminal is taken for narrower."""
_CUT = "..."
_LEAST_CUT = 12
"""Cells that a column which is cut has at least."""
_FAIR_CUT = 15
"""Cells that it has before any other column gets more than it must have."""


def fitted(  # noqa: PLR0913 - a table, and four that say how it is shown
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    paint: Paint,
    *,
    wraps: Sequence[str] = (),
    cuts: str = "",
    colours: Sequence[str] = (),
) -> str:
    """Rows under a bold head, without the columns that are empty in all of them.

    `wraps`: the columns whose words may stand beneath one another; where that does not do they go, in this order, on
    lines of their own beneath the row. `cuts`: the column that is cut. `colours`: of each row, empty for none.
    """
    used = [at for at in range(len(head)) if any(row[at] for row in rows)]
    names = [head[at] for at in used]
    cells = [[one_line(row[at]) for at in used] for row in rows]
    widths = _natural(names, cells)
    if width is not None and _whole(widths) > max(width, _LEAST):
        widths = _narrowed(names, cells, max(width, _LEAST), wraps, cuts)
    for at in [at for at, name in enumerate(names) if name in wraps and at in widths]:
        lines_of = (line for row in cells for line in _wrapped(row[at], widths[at]))
        widths[at] = max(cells_of(line) for line in (names[at], *lines_of))
    shown = [at for at in range(len(names)) if at in widths]
    lines = [paint(_line([names[at] for at in shown], [widths[at] for at in shown]), "bold")]
    for row, colour in zip(cells, colours or [""] * len(cells), strict=True):
        parts = [_wrapped(row[at], widths[at]) if names[at] in wraps else [cut(row[at], widths[at])] for at in shown]
        text = _stacked(parts, [widths[at] for at in shown])
        text += _beneath(
            [(name, row[at]) for at, name in enumerate(names) if at not in widths], max(width or 0, _LEAST)
        )
        lines += [paint(line, colour) if colour else line for line in text]
    return "\n".join(lines)


def cut(text: str, room: int) -> str:
    """A text that has no more than so many cells, and says so where it was longer."""
    if cells_of(text) <= room:
        return text
    while text and cells_of(text) > room - len(_CUT):
        text = text[:-1]
    return text.rstrip() + _CUT


def broken(text: str, room: int) -> list[str]:
    """A text in lines of so many cells, which end behind a blank or a comma."""
    lines = [""]
    for word in re.findall(r"[^ ,]*[ ,]*", text):
        if lines[-1] and cells_of(lines[-1] + word.rstrip()) > room:
            lines.append(word)
        else:
            lines[-1] += word
    return [line.rstrip() for line in lines]


def _natural(names: Sequence[str], cells: Sequence[Sequence[str]]) -> dict[int, int]:
    return {at: max(map(cells_of, (name, *(row[at] for row in cells)))) for at, name in enumerate(names)}


def _narrowed(
    names: Sequence[str], cells: Sequence[Sequence[str]], width: int, wraps: Sequence[str], cuts: str
) -> dict[int, int]:
    """The width of each column that stays one; the others go beneath."""
    wanted = _natural(names, cells)
    least = dict(wanted)
    for at, name in enumerate(names):
        if name in wraps:
            least[at] = max(cells_of(word) for row in cells for word in (name, *row[at].split()))
        elif name == cuts:
            least[at] = min(wanted[at], max(_LEAST_CUT, cells_of(name)))
    for name in wraps:
        if name in names and _whole(least) > width:
            del least[names.index(name)]
    if _whole(least) > width:
        least = {at: each for at, each in least.items() if names[at] != cuts}
    return _widened(least, wanted, width - _whole(least), next((at for at in least if names[at] == cuts), None))


def _widened(least: dict[int, int], wanted: Mapping[int, int], spare: int, cuts: int | None) -> dict[int, int]:
    """The same with what room there is: for columns that need no second line with it, then for the one that is cut."""
    missing = {at: wanted[at] - width for at, width in least.items()}
    kept = 0 if cuts is None else min(missing[cuts], max(0, _FAIR_CUT - least[cuts]))
    whole = [at for at in sorted(missing, key=missing.__getitem__) if at != cuts]
    for at in [at for at in whole if missing[at]]:
        if missing[at] > spare - kept:
            break
        least[at], spare = wanted[at], spare - missing[at]
    for at in [*([] if cuts is None else [cuts]), *whole]:
        more = min(max(spare, 0), wanted[at] - least[at])
        least[at] += more
        spare -= more
    return least


def _whole(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _wrapped(cell: str, room: int) -> list[str]:
    """The lines of a cell."""
    if cells_of(cell) <= room:
        return [cell]
    lines = [""]
    for word in cell.split():
        if lines[-1] and cells_of(lines[-1]) + 1 + cells_of(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _stacked(parts: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    count = max(map(len, parts))
    return [_line([part[at] if at < len(part) else "" for part in parts], widths) for at in range(count)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(cell + " " * (room - cells_of(cell)) for cell, room in zip(cells, widths, strict=True)).rstrip()


def _beneath(moved: Sequence[tuple[str, str]], width: int) -> list[str]:
    text = ", ".join(f"{name} {cell}".lstrip() for name, cell in moved if cell)
    indent = " " * 4
    return wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
