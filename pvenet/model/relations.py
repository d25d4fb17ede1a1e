"""Who stands on whom, and what PVE does to one interface because of another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pvenet.model.interfaces import (
    Bond,
    Bridge,
    Ethernet,
    Interface,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    beneath,
    kind_of,
)
from pvenet.model.names import parent_in
from pvenet.model.typed import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_Interface = TypeVar("_Interface", bound=Interface)

DEFAULT_MTU = 1500
"""What PVE takes an interface without an `mtu` to have (walk 13)."""

ANY_MTU = 65536
"""More than any: a bond without an `mtu` counts as fitting (pve-api#mtu-relation)."""

SHARING = frozenset({"alias", "vxlan"})
"""The kinds of `Other` that leave what they stand on to others too."""


def members(interface: Interface) -> tuple[str, ...]:
    """The interfaces that it takes for itself alone: its slaves or ports."""
    match typed(interface):
        case Ethernet() | Vlan() | OvsIntPort() | OvsPort():
            return ()
        case Bond() | Bridge() | OvsBond() | OvsBridge():
            return beneath(interface)
        case Other() as other:
            return () if other.kind in SHARING else other.beneath


def with_kept_addresses(before: _Interface, after: Interface | None) -> _Interface:
    """An interface with those of its addresses and gateways that it keeps: where a later state of it has some, too."""
    return replace(
        before,
        cidr=before.cidr if after and after.cidr else None,
        gateway=before.gateway if after and after.cidr and after.gateway else None,
        cidr6=before.cidr6 if after and after.cidr6 else None,
        gateway6=before.gateway6 if after and after.cidr6 and after.gateway6 else None,
    )


def outward(interface: Interface, known: Mapping[str, Interface]) -> tuple[str, ...]:
    """What beneath an interface its frames leave by.

    Of a bridge of Open vSwitch not the internal ports, though it lists them: each is the node's own, and leads nowhere
    but up. Nor one with a value that can't be read, which is an `Other`.
    """
    below = beneath(interface)
    if kind_of(interface) != OvsBridge.type:
        return below
    return tuple(port for port in below if port not in known or kind_of(known[port]) != OvsIntPort.type)


def supports(interface: Interface, known: Mapping[str, Interface]) -> tuple[str, ...]:
    """All that has to be there for an interface, also where only a name says so.

    A bridge port `bond0.50` needs no stanza of its own (pve-api#vlan-port): then bond0 carries it. So does vmbr0 an
    alias `vmbr0:1`. An internal port or an OVS bond needs its bridge, and not the other way round
    (pve-api#ovs-coupling).
    """
    interface = typed(interface)
    if isinstance(interface, Ethernet):
        return ()
    found = list(beneath(interface))
    if isinstance(interface, OvsBridge):
        found = [name for name in found if not isinstance(typed(known.get(name)), OvsIntPort | OvsBond)]
    elif isinstance(interface, OvsBond) and interface.bridge:
        found.append(interface.bridge)
    found += [head for name in found if name not in known and (head := parent_in(name))]
    if isinstance(interface, Other) and (head := parent_in(interface.name)):
        found.append(head)
    return tuple(dict.fromkeys(found))


def carriers(interface: Interface, known: Mapping[str, Interface], supports: tuple[str, ...]) -> tuple[str, ...]:
    """What an interface's traffic goes through next: the bridge of a port, and the ports of a bridge to the outside.

    `supports`: as the function of this name has it.
    """
    match typed(interface):
        case OvsPort(bridge=bridge):
            return (bridge,) if bridge else ()
        case OvsBridge():
            return outward(interface, known)
        case _:
            return supports


def inverted(beneath: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """The names above each, where those beneath each are given."""
    found: dict[str, list[str]] = {}
    for name, below in beneath.items():
        for each in below:
            found.setdefault(each, []).append(name)
    return found


def named(interface: _Interface) -> _Interface:
    """An interface as PVE writes it: what a VLAN such as `eno1.8` stands on is said by its name (pve-api#f63)."""
    if isinstance(interface, Vlan):
        raw_device = parent_in(interface.name)
        if raw_device and raw_device != interface.raw_device:
            return replace(interface, raw_device=raw_device)
    return interface


def start_slaves(interfaces: dict[str, Interface], of: Iterable[Interface]) -> None:
    """Give the slaves of bonds the `auto` that PVE gives them on every write (pve-api#slaves-auto and
    pve-api#ovs-bond).
    """
    for bond in [interface for interface in of if isinstance(typed(interface), Bond | OvsBond)]:
        for name in beneath(bond):
            slave = interfaces.get(name)
            if slave is not None and isinstance(typed(slave), Ethernet | Bond) and not slave.autostart:
                interfaces[name] = replace(slave, autostart=True)


def mtu_of(interface: Interface | None) -> int:
    """The MTU that PVE takes an interface to offer to what is checked against it."""
    if interface is None:
        return DEFAULT_MTU
    return interface.mtu or (ANY_MTU if isinstance(typed(interface), Bond) else DEFAULT_MTU)


def needed_mtu(interface: Interface) -> int:
    """The MTU that PVE checks against another's room; none is never too much."""
    return interface.mtu or 0


def has_member(user: Interface, support: Interface) -> bool:
    """Whether one is a member of the other, whose MTU is checked against that of the whole; else it is beneath it."""
    user = typed(user)
    return isinstance(user, Bond | OvsBridge) or (isinstance(user, OvsBond) and support.name in user.slaves)


def mtus_fit(user: Interface, support: Interface | None) -> bool:
    """Whether the MTUs of an interface and of one that it stands on suit PVE (pve-api#mtu-relation).

    A slave's must not be above its bond's, nor an OVS port's above its bridge's (walk 5002); a bridge's or a VLAN's not
    above that of what it stands on.
    """
    user = typed(user)
    if support is None:
        return isinstance(user, Bond | Other | OvsBridge | OvsBond) or needed_mtu(user) <= DEFAULT_MTU
    if has_member(user, support):
        return needed_mtu(support) <= mtu_of(user)
    return isinstance(user, Other) or needed_mtu(user) <= mtu_of(support)
