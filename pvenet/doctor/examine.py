"""The whole look: the way in once, then each node, several at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.doctor.entry import entry_findings
from pvenet.doctor.node import node_findings, not_looked_at
from pvenet.fleet.nodes import known, visit
from pvenet.fleet.parallel import AT_ONCE
from pvenet.parallel import together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from pvenet.doctor.finding import Finding
    from pvenet.fleet.nodes import Fleet

    Counting: TypeAlias = Callable[[int], AbstractContextManager[Callable[[int], None]]]


def examine(fleet: Fleet, wanted: Sequence[str], counting: Counting) -> tuple[Finding, ...]:
    """Everything found, in the order in which it is read; `wanted` names the nodes, of which none is all.

    `counting` hears how many nodes there are, and what it gives how many are through. Raises UsageError for a node that
    is not there.
    """
    found, lost = _entries(fleet)
    if len(lost) < len(fleet.connections):
        try:
            nodes = known(fleet, wanted)
        except errors.UsageError:
            raise
        except errors.PvenetError as error:
            lost = {"": error.message}
        else:
            with counting(len(nodes)) as count:
                done, failed = visit(fleet, nodes, lambda node: node_findings(node, fleet.journals(node.name)), count)
            shut = {name: not_looked_at(name, error.message) for name, error in failed.items()}
            for profile, unheard in fleet.silent.items() if not wanted else ():
                found += _named(profile, not_looked_at(None, unheard.message.partition("\n")[0]))
            return (*found, *(each for name in nodes for each in (done | shut)[name]))
    why = next(iter(lost.values()))
    for name in wanted or (None,):
        found += not_looked_at(name, why)
    return tuple(found)


def _entries(fleet: Fleet) -> tuple[list[Finding], dict[str, str]]:
    """How each place looks from outside, and why those are lost where nobody answers, by profile; all at once."""
    found: list[Finding] = []
    lost: dict[str, str] = {}
    places = fleet.connections
    looks = dict(
        together(tuple(places), lambda profile: entry_findings(places[profile], fleet.state_dir), at_once=AT_ONCE)
    )
    for profile in places:
        entry = looks[profile]
        if isinstance(entry, errors.PvenetError):
            raise entry
        if entry.lost:
            lost[profile] = entry.lost.removeprefix("not checked: ")
        found += _named(profile, entry.found)
    return found, lost


def _named(profile: str, found: Iterable[Finding]) -> list[Finding]:
    """What was found of one of several places, under its profile."""
    return [replace(each, text=f"{profile}: {each.text}" if profile else each.text) for each in found]
