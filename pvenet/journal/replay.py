"""A journal's steps, predicted again: what the node's staged network should be after each of them.

A command that was killed between a write and its diff has left a journal that is one diff behind. What its steps make
of the baseline says whether the pending network is theirs all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.model import Interface, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.journal.value import Journal


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What steps have made of a listing, one after another."""

    entries: tuple[Mapping[str, wire.Entry], ...]
    """The listing before the first step, and as it must be after each."""

    @property
    def then(self) -> Mapping[str, Interface]:
        """The interfaces after the last step, as PVE keeps them."""
        return _values(self.entries[-1])

    @property
    def changed(self) -> frozenset[str]:
        """What differs from the beginning in the end."""
        return frozenset(name for name, values in self.values().items() if values[0] != values[-1])

    @property
    def names(self) -> frozenset[str]:
        """What any step has changed, itself or by what PVE does of itself."""
        return frozenset(self.values())

    def values(self, since: int = 0) -> Mapping[str, tuple[Interface | None, ...]]:
        """Of each name that has changed from some step on: every value that it has had, the first one first."""
        moments = [_values(each) for each in self.entries[since:]]
        names = {name for moment in moments for name in moment}
        found = {name: _distinct([moment.get(name) for moment in moments]) for name in names}
        return {name: values for name, values in found.items() if len(values) > 1}


def replayed(entries: Iterable[wire.Entry], steps: Iterable[wire.Request]) -> Replayed:
    """The steps, one after another, on a listing."""
    moments = [wire.by_name(entries)]
    for step in steps:
        moments.append(wire.predicted(moments[-1].values(), step))
    return Replayed(entries=tuple(moments))


def replay(journal: Journal) -> Replayed:
    """The journal's steps on its baseline."""
    return replayed(journal.baseline, journal.steps)


def _values(entries: Mapping[str, wire.Entry]) -> dict[str, Interface]:
    return {name: canonical(value) for name, value in wire.network(entries.values()).interfaces.items()}


def _distinct(values: list[Interface | None]) -> tuple[Interface | None, ...]:
    """The values without those that are the same as the one before."""
    return tuple(value for at, value in enumerate(values) if at == 0 or value != values[at - 1])


def explains(journal: Journal, entries: Iterable[wire.Entry]) -> bool:
    """Whether a listing is exactly what the steps have made of the baseline.

    It says nothing of lines that the API does not list, and counts only for a journal that is behind.
    """
    return not wire.differences(replay(journal).entries[-1], entries)
