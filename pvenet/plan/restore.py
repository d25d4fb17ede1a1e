"""What leads back from what a node has now to what was there before our first write. Pure.

It is made of fields: what our steps changed goes back, and every other field of the same interface stays as it is now,
whoever set it. Where a field that we changed has been changed by somebody else since, the two can't be separated.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from pvenet.changes import Loss, Plan, changed_fields, outcome, same_kind
from pvenet.model import Ethernet, canonical
from pvenet.plan.inverse import inverse, lost_between, restorable
from pvenet.plan.order import plan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pvenet.model import Interface, Network

    Values = Mapping[str, Sequence[Interface | None]]
    """Of each name that steps of ours have changed: every value that they have given it, the one from before first."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """What somebody else has changed since we did, so that it can't be put back without undoing theirs."""

    name: str
    fields: tuple[str, ...] = ()
    """Empty where the whole interface is meant."""

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.fields)})" if self.fields else self.name


@dataclass(frozen=True, kw_only=True)
class RestorePlan:
    """What to stage, what the network is then, and what can't be put back."""

    todo: Plan
    wanted: Mapping[str, Interface]
    """The whole network as it shall be."""
    gone: frozenset[str]
    """What shall not be there any more."""
    lost: tuple[Loss, ...]
    """What no call of the API can put back."""
    conflicts: tuple[Conflict, ...] = ()
    """What is left as it is now."""
    ours: Mapping[str, frozenset[str]]
    """The fields that were changed, by name."""


def restore_plan(baseline: Network, now: Network, values: Values) -> RestorePlan:
    """What leads back for the names that were changed; nobody else's are touched."""
    goal: dict[str, Interface | None] = {}
    conflicts = []
    for name in sorted(values):
        found = put_back(name, values[name], now.interfaces.get(name), physical=_physical(now, name))
        if isinstance(found, Conflict):
            conflicts.append(found)
        else:
            goal[name] = found
    target = {name: restorable(goal[name], now.interfaces.get(name)) for name in goal}
    todo = plan(now, target)
    there = outcome(now.interfaces, todo.steps)
    before = {
        name: replace(interface, file_only=baseline.interfaces[name].file_only)
        for name, interface in goal.items()
        if interface is not None and name in baseline.interfaces
    }
    nics = {name for name in now.links if _physical(now, name)}  # listed whether the file has them or not
    return RestorePlan(
        todo=todo,
        wanted=there,
        gone=frozenset(target) - there.keys() - nics,
        lost=lost_between(before, there),
        conflicts=tuple(conflicts),
        ours={name: _changed(values[name]) for name in goal},
    )


def _physical(network: Network, name: str) -> bool:
    return name in network.links and network.links[name].exists


def _changed(values: Sequence[Interface | None]) -> frozenset[str]:
    """The fields in which any two values differ."""
    return frozenset[str]().union(*(changed_fields(values[0], value) for value in values[1:]))


def put_back(
    name: str, values: Sequence[Interface | None], now: Interface | None, *, physical: bool = False
) -> Interface | Conflict | None:
    """What an interface shall be for our changes of it to be undone, and nothing else."""
    known = [None if value is None else canonical(value) for value in values]
    before, here = known[0], None if now is None else canonical(now)
    if physical and here == Ethernet(name=name, autostart=False) and None in known:
        return values[0]  # a NIC whose stanza went is listed all the same
    if here in known:
        return values[0]
    if before is None or here is None or not same_kind(before, here):
        there = [value for value in known if value is not None and here is not None and same_kind(value, here)]
        return Conflict(name=name, fields=_unlike(here, there))
    alike = [value for value in known if value is not None and same_kind(value, here)]
    changed = {field for field in _names(here) if len({repr(getattr(value, field)) for value in alike}) > 1}
    odd = tuple(field for field in changed if getattr(here, field) not in [getattr(value, field) for value in alike])
    if odd or len(alike) < len(known):
        return Conflict(name=name, fields=tuple(sorted(odd)))
    return replace(here, **{field: getattr(before, field) for field in changed})


def _unlike(here: Interface | None, there: Sequence[Interface]) -> tuple[str, ...]:
    if here is None:
        return ()
    return tuple(
        field
        for field in _names(here)
        if there and getattr(here, field) not in [getattr(value, field) for value in there]
    )


def _names(interface: Interface) -> list[str]:
    return [field.name for field in fields(interface) if field.compare]


def lost_for_good(baseline: Network, then: Network, names: Collection[str]) -> tuple[Loss, ...]:
    """What going back from `then` could not put back."""
    forward = plan(baseline, {name: then.interfaces.get(name) for name in sorted(names)})
    return inverse(forward, baseline).lost
