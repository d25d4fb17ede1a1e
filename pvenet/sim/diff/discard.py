"""Lines that take no part in the search for what two texts have in common.

A line that the other text doesn't hold can't match. One that the other text holds very often (blank lines,
say) is left out as well, but only within a run of lines that can't match: there it would but mislead.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from itertools import groupby


class _Line(Enum):
    USED = "used"
    ALONE = "not in the other text"
    COMMON = "too often in the other text"


_OFTEN = 5
_SHARE = 4
_SURE = 3
_NEAR_END = 8


def used(lines: list[str], other: list[str]) -> list[bool]:
    """Which lines take part."""
    count, limit = Counter(other), _limit(len(lines))
    kinds = [_kind(count[line], limit) for line in lines]
    at = 0
    for is_used, run in groupby(kinds, key=lambda kind: kind is _Line.USED):
        size = len(list(run))
        if not is_used:
            kinds[at : at + size] = _decided(kinds[at : at + size])
        at += size
    return [kind is _Line.USED for kind in kinds]


def _limit(size: int) -> int:
    """How often is too often; twice as much for four times the lines."""
    limit, size = _OFTEN, size // 64 // 4
    while size:
        limit, size = limit * 2, size // 4
    return limit


def _kind(matches: int, limit: int) -> _Line:
    if not matches:
        return _Line.ALONE
    return _Line.COMMON if matches > limit else _Line.USED


def _decided(run: list[_Line]) -> list[_Line]:
    """A run without used lines, in which those common ones that stand well inside stay out of use."""
    alone = [i for i, kind in enumerate(run) if kind is _Line.ALONE]
    if not alone:
        return [_Line.USED] * len(run)
    begin, end = alone[0], alone[-1] + 1
    inner = run[begin:end]
    if inner.count(_Line.COMMON) * _SHARE > len(inner):
        inner = _with_common_used(inner, range(len(inner)))
    else:
        inner = _without_long_groups(inner)
        inner = _with_common_used(inner, range(_edge(inner)))
        inner = _with_common_used(inner[::-1], range(_edge(inner[::-1])))[::-1]
    return [_Line.USED] * begin + inner + [_Line.USED] * (len(run) - end)


def _with_common_used(run: list[_Line], where: range) -> list[_Line]:
    return [_Line.USED if i in where and kind is _Line.COMMON else kind for i, kind in enumerate(run)]


def _without_long_groups(run: list[_Line]) -> list[_Line]:
    """Common lines that stand together are used, when they are many for the length of the run."""
    longest, size = 1, len(run) // 4 // 4
    while size:
        longest, size = longest * 2, size // 4
    decided: list[_Line] = []
    for kind, each in groupby(run):
        group = list(each)
        decided += [_Line.USED] * len(group) if kind is _Line.COMMON and len(group) > longest else group
    return decided


def _edge(run: list[_Line]) -> int:
    """How far the edge of a run goes: to three lines in a row that can't match, or one behind the eighth."""
    row = 0
    for i, kind in enumerate(run):
        if i >= _NEAR_END and kind is _Line.ALONE:
            return i
        row = row + 1 if kind is _Line.ALONE else 0
        if row == _SURE:
            return i
    return len(run)
