"""Words that say how bad something is, in an order. Pure."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """Words with an order: the last member is the worst."""

    def _rank(self, other: str) -> tuple[int, int]:
        """The places of this one and of another."""
        order = list(type(self))
        return order.index(self), order.index(type(self)(other))

    def __lt__(self, other: str) -> bool:
        own, its = self._rank(other)
        return own < its

    def __le__(self, other: str) -> bool:
        own, its = self._rank(other)
        return own <= its

    def __gt__(self, other: str) -> bool:
        return not self <= other

    def __ge__(self, other: str) -> bool:
        return not self < other
