"""Interfaces whose NICs have other names: the same network, with names exchanged in every stanza that names them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    Interface,
    Network,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    beneath,
    looks_like_a_nic,
    parent_in,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_Interface = TypeVar("_Interface", bound=Interface)


def exchanged(name: str, names: Mapping[str, str]) -> str:
    """What a name is then: `enp5s0.20` for `eno1.20`, whose NIC is `enp5s0`."""
    if name in names:
        return names[name]
    parent = parent_in(name)
    return exchanged(parent, names) + name[len(parent) :] if parent else name


def named_anew(interface: _Interface, names: Mapping[str, str]) -> _Interface:
    """An interface with the names exchanged, its own among them."""
    own = exchanged(interface.name, names)
    match interface:
        case Bond():
            primary = interface.primary and exchanged(interface.primary, names)
            return replace(interface, name=own, slaves=_each(interface.slaves, names), primary=primary)
        case OvsBond():
            return replace(interface, name=own, slaves=_each(interface.slaves, names))
        case Bridge() | OvsBridge():
            return replace(interface, name=own, ports=_each(interface.ports, names))
        case Vlan():
            raw = interface.raw_device and exchanged(interface.raw_device, names)
            return replace(interface, name=own, raw_device=raw)
        case Other():
            return replace(interface, name=own, beneath=_each(interface.beneath, names))
        case Ethernet() | OvsPort() | OvsIntPort():
            return replace(interface, name=own)


def _each(words: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(exchanged(word, names) for word in words)


def same_names(names: Mapping[str, str]) -> dict[str, str]:
    """Without those that stay."""
    return {old: new for old, new in names.items() if old != new}


def renamed(network: Network, names: Mapping[str, str]) -> dict[str, Interface | None]:
    """What shall be when NICs have other names: every stanza that names one; None for what goes.

    A NIC that is there under its old name keeps an empty stanza, which PVE writes for each.
    """
    changed = {name: named_anew(each, names) for name, each in network.interfaces.items()}
    moved = {name for name, each in changed.items() if each.name != name}
    wanted: dict[str, Interface | None] = {}
    for name, each in changed.items():
        if each != network.interfaces[name] or name in moved:
            wanted[each.name] = each
    for name in moved - wanted.keys():
        wanted[name] = bare(name) if _is_kept(network, name) else None
    return {name: each for name, each in wanted.items() if each is None or each != network.interfaces.get(name)}


def _is_kept(network: Network, name: str) -> bool:
    if not isinstance(network.interfaces[name], Ethernet | OvsPort):
        return False
    if isinstance(network.interfaces[name], OvsPort):
        return True  # PVE keeps it as a plain NIC where its bridge lists it no more
    return network.links[name].exists or not looks_like_a_nic(name)  # PVE would not take it for a NIC again


def named_in(line: str, names: Iterable[str]) -> str:
    """The first of some names that a line says, empty where it says none; `eno1.20` says `eno1`."""
    return next((name for name in names if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.(?!\d))", line)), "")


def bare(name: str) -> Ethernet:
    """A NIC of which the file says nothing."""
    return Ethernet(name=name, autostart=False)


def users(network: Network, name: str) -> tuple[str, ...]:
    """The interfaces that stand on a name directly, in the file's order."""
    return tuple(each.name for each in network.interfaces.values() if name in footing(network, each))


def on(interface: Interface) -> Collection[str]:
    """The names that an interface stands on, as its stanza or its name has them."""
    parent = parent_in(interface.name)
    return dict.fromkeys((*beneath(interface), *((parent,) if parent else ())))


def is_configured(interface: Interface | None) -> bool:
    """Whether a NIC's own stanza says anything but that it comes up, which a bond's slaves do of themselves."""
    if interface is None or isinstance(interface, Other):
        return interface is not None
    if isinstance(interface, OvsPort):
        return True
    return replace(interface, autostart=False) != bare(interface.name) or bool(interface.file_only.lines)


def footing(network: Network, interface: Interface) -> Collection[str]:
    """What an interface stands on of what the file has, or should find: of a VLAN without a stanza its raw device."""
    return dict.fromkeys(_bottom(network, name) for name in on(interface))


def _bottom(network: Network, name: str) -> str:
    parent = None if name in network.interfaces else parent_in(name)
    return _bottom(network, parent) if parent else name
