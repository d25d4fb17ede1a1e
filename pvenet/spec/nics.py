"""NICs in a network file: by PVE's name, another one, or a MAC; each to the name that it has on a node. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.nics.cards import mac_in
from pvenet.nics.names import exchanged
from pvenet.spec.network_spec import MAC, Absent, InterfaceSpec, NodeSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.nics.words import Meant
    from pvenet.spec.diagnostics import Position

LISTS, SINGLE = ("slaves", "ports"), ("primary", "raw_device")
"""The fields that name NICs."""


def words(spec: NodeSpec) -> tuple[str, ...]:
    """The words of a file that may mean NICs: the MACs that entries name, entries' names, and what they stand on."""
    return tuple(dict.fromkeys(_words(spec)))


def _words(spec: NodeSpec) -> Iterator[str]:
    described = [each for each in spec.interfaces.values() if isinstance(each, InterfaceSpec)]
    own = {each.name for each in described if each.type != "eth" or each.mac}
    for each in described:
        said = (each.mac or each.name) if each.type == "eth" else ""
        yield from (word for word in (said, *_named(each)) if word and word not in own)


def _named(spec: InterfaceSpec) -> Iterator[str]:
    for _, said in _fields(spec):
        yield from said


def _fields(spec: InterfaceSpec) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The fields that name NICs, with their words."""
    for field in LISTS:
        if isinstance(found := spec.fields.get(field), tuple):
            yield field, tuple(map(str, found))
    for field in SINGLE:
        if isinstance(found := spec.fields.get(field), str):
            yield field, (found,)


def labelled(spec: NodeSpec, meant: Meant) -> dict[str, str]:
    """The names of today, by the file's own words."""
    labels = {
        each.name: meant.name(each.mac)
        for each in spec.interfaces.values()
        if isinstance(each, InterfaceSpec) and each.mac and each.mac in meant.names
    }
    return {**meant.names, **labels}


def resolved(spec: NodeSpec, names: Mapping[str, str]) -> NodeSpec:
    """What a file says, by the names of today."""
    if not names:
        return spec
    found = {exchanged(name, names): _resolved(each, names) for name, each in spec.interfaces.items()}
    return replace(spec, interfaces=found, ignored=frozenset(exchanged(name, names) for name in spec.ignored))


def _resolved(spec: InterfaceSpec | Absent, names: Mapping[str, str]) -> InterfaceSpec | Absent:
    own = exchanged(spec.name, names)
    if isinstance(spec, Absent):
        return replace(spec, name=own)
    fields = dict(spec.fields)
    for field in LISTS:
        if isinstance(found := fields.get(field), tuple):
            fields[field] = tuple(exchanged(str(word), names) for word in found)
    for field in SINGLE:
        if isinstance(found := fields.get(field), str):
            fields[field] = exchanged(found, names)
    positions = dict(spec.positions)
    for key, position in spec.positions.items():
        field, blank, word = key.partition(" ")
        if blank:
            positions[f"{field} {exchanged(word, names)}"] = position
    return replace(spec, name=own, fields=fields, positions=positions)


def notes(spec: NodeSpec, names: Mapping[str, str]) -> tuple[str, ...]:
    """That NICs are named otherwise than PVE does: `bond0: slaves eno1, eno2 by MAC: today ens1f0, ens1f1`."""
    if not names:
        return ()
    macs = {each.name for each in spec.interfaces.values() if isinstance(each, InterfaceSpec) and each.mac}
    found = []
    for each in spec.interfaces.values():
        for field, said in _fields(each) if isinstance(each, InterfaceSpec) else ():
            if other := [word for word in said if names.get(word, word) != word]:
                by = "MAC" if all(word in macs or mac_in(word) for word in other) else "another name"
                today = ", ".join(names[word] for word in other)
                found.append(f"{each.name}: {field} {', '.join(other)} by {by}: today {today}")
    return tuple(found)


def unproven(spec: NodeSpec, macs: Mapping[str, str]) -> tuple[str, ...]:
    """That names of a saved plan may be other NICs now, because no MAC is known of them."""
    return tuple(
        f"{name}: whether it is the NIC that this was planned for is not known, because its MAC is not"
        for name in sorted(spec.nics.keys() - macs.keys())
    )


def position(spec: NodeSpec, word: str) -> Position:
    """Where a file says a word."""
    for each in spec.interfaces.values():
        if isinstance(each, InterfaceSpec):
            if word in (each.mac, each.name):
                return each.positions.get(MAC, each.position)
            for field, said in _fields(each):
                if word in said:
                    place = each.positions.get(f"{field} {word}", each.positions.get(field))
                    return place or each.position
    return spec.position
