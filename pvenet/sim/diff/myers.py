"""Which lines of two texts change.

Myers, "An O(ND) difference algorithm and its variations" (1986), the variant in linear space: search
from both ends at once, split where the searches meet, go on with the two halves.
"""

from __future__ import annotations

from dataclasses import dataclass

from pvenet.sim.diff.discard import used


@dataclass(frozen=True)
class _Box:
    """Lines of the one text against lines of the other."""

    a0: int
    a1: int
    b0: int
    b1: int


def changed_lines(a: list[str], b: list[str]) -> tuple[list[bool], list[bool]]:
    """For each line of either text whether it goes, or comes."""
    used_a, used_b = used(a, b), used(b, a)
    index_a = [i for i, each in enumerate(used_a) if each]
    index_b = [i for i, each in enumerate(used_b) if each]
    changed_a, changed_b = [not each for each in used_a], [not each for each in used_b]
    search = _Search([a[i] for i in index_a], [b[i] for i in index_b])
    todo = [_Box(0, len(index_a), 0, len(index_b))]
    while todo:
        box = search.trimmed(todo.pop())
        if box.a0 < box.a1 and box.b0 < box.b1:
            x, y = search.middle(box)
            todo += [_Box(x, box.a1, y, box.b1), _Box(box.a0, x, box.b0, y)]
            continue
        for i in index_a[box.a0 : box.a1]:
            changed_a[i] = True
        for i in index_b[box.b0 : box.b1]:
            changed_b[i] = True
    return changed_a, changed_b


class _Search:
    def __init__(self, a: list[str], b: list[str]) -> None:
        self._a = a
        self._b = b

    def trimmed(self, box: _Box) -> _Box:
        """Without the equal lines at both ends."""
        a0, a1, b0, b1 = box.a0, box.a1, box.b0, box.b1
        while a0 < a1 and b0 < b1 and self._a[a0] == self._b[b0]:
            a0, b0 = a0 + 1, b0 + 1
        while a0 < a1 and b0 < b1 and self._a[a1 - 1] == self._b[b1 - 1]:
            a1, b1 = a1 - 1, b1 - 1
        return _Box(a0, a1, b0, b1)

    def middle(self, box: _Box) -> tuple[int, int]:
        """Where the paths from the beginning meet those from the end."""
        forward = _Front(box, box.a0 - box.b0, {box.a0 - box.b0: box.a0}, box.a0 - 1)
        backward = _Front(box, box.a1 - box.b1, {box.a1 - box.b1: box.a1}, box.a1 + 1)
        odd = (forward.low - backward.low) % 2 == 1
        while True:
            for d in forward.widened():
                x = self._down(box, max(forward.at[d - 1] + 1, forward.at[d + 1]), d)
                forward.at[d] = x
                if odd and backward.low <= d <= backward.high and backward.at[d] <= x:
                    return x, x - d
            for d in backward.widened():
                x = self._up(box, min(backward.at[d - 1], backward.at[d + 1] - 1), d)
                backward.at[d] = x
                if not odd and forward.low <= d <= forward.high and x <= forward.at[d]:
                    return x, x - d

    def _down(self, box: _Box, x: int, d: int) -> int:
        while x < box.a1 and x - d < box.b1 and self._a[x] == self._b[x - d]:
            x += 1
        return x

    def _up(self, box: _Box, x: int, d: int) -> int:
        while x > box.a0 and x - d > box.b0 and self._a[x - 1] == self._b[x - d - 1]:
            x -= 1
        return x


class _Front:
    """How far the paths of one direction have come on each diagonal (line of `a` less line of `b`)."""

    def __init__(self, box: _Box, start: int, at: dict[int, int], nowhere: int) -> None:
        self.at = at
        self.low = self.high = start
        self._lowest, self._highest = box.a0 - box.b1, box.a1 - box.b0
        self._nowhere = nowhere

    def widened(self) -> range:
        """The diagonals of the next step, from the highest down; none outside of the box."""
        if self.low > self._lowest:
            self.low -= 1
            self.at[self.low - 1] = self._nowhere
        else:
            self.low += 1
        if self.high < self._highest:
            self.high += 1
            self.at[self.high + 1] = self._nowhere
        else:
            self.high -= 1
        return range(self.high, self.low - 1, -2)
