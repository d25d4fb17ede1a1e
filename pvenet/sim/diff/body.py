"""The part of two texts that is compared line by line: what lies between their identical ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Body:
    """Lines begin:end of either text; as many lines before the body are the same in both."""

    begin: int
    end_a: int
    end_b: int

    @classmethod
    def of(cls, a: list[str], b: list[str], *, keep: int) -> Body:
        """The body of two texts, with up to `keep` identical lines on either side.

        No change can be moved further than that, which shows in where diff puts it (walk 30).
        Ends count as identical with their blanks, even where blanks don't count.
        """
        begin = max(0, _same(a, b) - keep)
        after = max(0, _same(a[begin:][::-1], b[begin:][::-1]) - keep)
        return cls(begin, len(a) - after, len(b) - after)


def _same(a: list[str], b: list[str]) -> int:
    """How many lines at the beginning are the same."""
    size = min(len(a), len(b))
    return next((i for i in range(size) if a[i] != b[i]), size)
