"""NICs on the command line: by PVE's name, another one, or a MAC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pvenet.edit import Differences
    from pvenet.model import Network
    from pvenet.node import Node

LISTS, SINGLE = ("slaves", "ports"), ("primary", "raw_device")
"""The fields that name NICs."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a command gave, with the names that NICs have today."""

    name: str
    values: dict[str, Any]
    lists: Differences
    notes: tuple[str, ...]


def named_nics(node: Node, network: Network, values: dict[str, Any], lists: Differences, name: str = "") -> Named:
    """What was given, with each NIC by its name. Raises InvalidNetwork for a MAC that no NIC has, or more than one."""
    said = {field: tuple(values[field]) for field in LISTS if values.get(field)}
    said |= {field: (values[field],) for field in SINGLE if values.get(field)}
    changed = {field: (*lists[field].add, *lists[field].remove) for field in LISTS if field in lists}
    words = [word for each in (*said.values(), *changed.values(), (name,) if name else ()) for word in each]
    if all(word in network.interfaces and network.links[word].exists for word in words):
        return Named(name=name, values=values, lists=lists, notes=())
    from pvenet.apply.nics import meant_by, refuse_unmeant

    found = meant_by(node, network, words)
    refuse_unmeant(node, network, found)
    told = [found.told(field.replace("_", "-"), each) for field, each in (said | changed).items()]
    return Named(
        name=found.name(name),
        values=values
        | {field: found.each(values[field]) for field in LISTS if values.get(field)}
        | {field: found.name(values[field]) for field in SINGLE if values.get(field)},
        lists={
            field: replace(each, add=found.each(each.add), remove=found.each(each.remove)) if field in LISTS else each
            for field, each in lists.items()
        },
        notes=tuple(filter(None, [*told, found.told("NIC", (name,)) if name else ""])),
    )
