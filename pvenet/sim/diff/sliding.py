"""Where a run of changed lines stands, when equal lines around it leave a choice.

As low as it can; but if it passes a place where the other text changes too, it goes to the lowest of
those. Runs that meet become one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby


@dataclass
class _Run:
    gap: int
    """How many unchanged lines come before it."""
    start: int
    end: int


def slid(lines: list[str], changed: list[bool], other: list[bool]) -> list[bool]:
    """The changed lines of a text with each run at its place, given the changed lines of the other."""
    busy = {run.gap for run in _runs(other)}
    placed: list[_Run] = []
    coming = _runs(changed)[::-1]
    while coming:
        run = coming.pop()
        place = _moved(lines, run, placed, coming, busy)
        back = run.gap - place
        placed.append(_Run(place, run.start - back, run.end - back))
    result = [False] * len(lines)
    for run in placed:
        result[run.start : run.end] = [True] * (run.end - run.start)
    return result


def _runs(changed: list[bool]) -> list[_Run]:
    runs: list[_Run] = []
    at = gap = 0
    for is_changed, group in groupby(changed):
        size = len(list(group))
        if is_changed:
            runs.append(_Run(gap, at, at + size))
        else:
            gap += size
        at += size
    return runs


def _moved(lines: list[str], run: _Run, placed: list[_Run], coming: list[_Run], busy: set[int]) -> int:
    """Move a run up, then down, as far as it goes, and again when it has grown; the gap where it belongs."""
    while True:
        size = run.end - run.start
        while run.start and lines[run.start - 1] == lines[run.end - 1]:
            run.gap, run.start, run.end = run.gap - 1, run.start - 1, run.end - 1
            if placed and placed[-1].gap == run.gap:
                run.start = placed.pop().start
        place = run.gap if run.gap in busy else None
        while run.end < len(lines) and lines[run.start] == lines[run.end]:
            run.gap, run.start, run.end = run.gap + 1, run.start + 1, run.end + 1
            if coming and coming[-1].gap == run.gap:
                run.end = coming.pop().end
            if run.gap in busy:
                place = run.gap
        if run.end - run.start == size:
            return run.gap if place is None else place
