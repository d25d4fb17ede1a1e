"""Lists of VLAN ids, as a file and as the kernel has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def compressed(words: Iterable[str], *, without: int | None = None) -> tuple[str, ...]:
    """`2 3 4 30` as the kernel tells it: `2-4`, `30`; what is no id is left out."""
    numbers = sorted({number for word in words for number in _range(word)} - {without})
    return tuple(f"{first}-{last}" if last > first else f"{first}" for first, last in _runs(numbers))


def _range(word: str) -> range:
    first, _, last = word.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        return range(0)
    return range(max(int(first), 1), min(int(last or first), 4094) + 1)


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for end, number in enumerate(numbers):
        if numbers[end + 1 : end + 2] != [number + 1]:
            yield numbers[start], number
            start = end + 1
