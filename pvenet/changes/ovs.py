"""Open vSwitch: what PVE makes of a bridge that lists its ports, and of ports that name their bridge.

Both say the same thing twice, and PVE keeps them together with every write (pve-api#ovs-coupling; sim walks 5000 to
5040):

* a NIC that a bridge lists becomes an OVSPort with all that it has, and a plain `inet manual` NIC, with nothing of what
  it had, when no bridge lists it any more: its bridge's list is the way to attach and to detach it;
* an internal port or an OVS bond names its bridge when it is created, which is listed then by itself, and taken out
  when it is deleted. One that no bridge lists would be written as a NIC, so that no plan may come to that, and it
  moves to another bridge by deletion and creation.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeAlias

from pvenet.model import (
    Ethernet,
    FileOnly,
    Interface,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    beneath,
    canonical,
    settable,
    typed,
)
from pvenet.model.relations import with_kept_addresses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

Nic: TypeAlias = Ethernet | OvsPort
"""A NIC, by itself or listed by a bridge."""

OwnPort: TypeAlias = OvsIntPort | OvsBond
"""A port that is there for its bridge only."""

Port: TypeAlias = OvsPort | OwnPort
"""What names the bridge that lists it."""

_COMMON = tuple(field.name for field in fields(Ethernet))


def listers(interfaces: Mapping[str, Interface]) -> dict[str, str]:
    """The bridge of Open vSwitch that lists each port; the first one, where several do."""
    found: dict[str, str] = {}
    for name, interface in interfaces.items():
        if isinstance(typed(interface), OvsBridge):
            for port in beneath(interface):
                found.setdefault(port, name)
    return found


def passes(before: Interface | None, after: Interface | None) -> bool:
    """Whether a NIC goes on or off a bridge, or from one to another, which takes no step of its own."""
    if not isinstance(before, Nic) or not isinstance(after, Nic):
        return False
    return bridge_of(before) != bridge_of(after) or type(before) is not type(after)


def bridge_of(nic: Nic) -> str | None:
    return nic.bridge if isinstance(nic, OvsPort) else None


def as_port(nic: Ethernet, bridge: str | None) -> OvsPort:
    """A NIC that a bridge has begun to list."""
    return replace(OvsPort(**{name: getattr(nic, name) for name in _COMMON}, bridge=bridge), autostart=True)


def as_nic(port: OvsPort) -> Ethernet:
    """A NIC that no bridge lists any more: PVE has forgotten all that it had."""
    return Ethernet(name=port.name, autostart=False)


def handed_on(old: Nic, new: Nic, *, started: bool) -> tuple[Nic, Nic]:
    """A NIC that passes, before and after it does: first without what it shall not keep, then as PVE makes it.

    `started` says that a bond will give it its `auto` anyway.
    """
    left = with_kept_addresses(old, new)
    if isinstance(old, Ethernet):
        left = replace(left, mtu=new.mtu if (new.mtu or 0) < (old.mtu or 0) else old.mtu)
    bare = left if isinstance(left, Ethernet) else replace(as_nic(left), autostart=started)
    return left, as_port(bare, new.bridge) if isinstance(new, OvsPort) else bare


# --- with every write ------------------------------------------------------------------------------------------------


def follow(interfaces: dict[str, Interface], before: Interface | None, after: Interface | None) -> None:
    """What one changed interface makes of its bridge or its ports. The interface itself is there, or gone, already."""
    if isinstance(before, OwnPort) and after is None:
        _unlist(interfaces, before)
    if isinstance(after, OwnPort) and before is None:
        _list(interfaces, after)
    if isinstance(before, OvsBridge):
        for name in set(before.ports).difference(after.ports if isinstance(after, OvsBridge) else ()):
            _release(interfaces, name)
    if isinstance(after, OvsBridge):
        _take(interfaces, after)


def tidy(interfaces: dict[str, Interface]) -> None:
    """What the first write makes of a file: every port is as its bridge says, and what none lists is a NIC."""
    listed = listers(interfaces)
    for name, interface in list(interfaces.items()):
        if isinstance(interface, Port) and name not in listed:
            _release(interfaces, name)
        elif isinstance(typed(interface), OvsBridge):
            _take(interfaces, interface)


def _take(interfaces: dict[str, Interface], bridge: Interface) -> None:
    for name in beneath(bridge):
        match interfaces.get(name):
            case Ethernet() as nic:
                interfaces[name] = as_port(nic, bridge.name)
            case OvsPort() | OvsIntPort() | OvsBond() as port:
                interfaces[name] = replace(port, bridge=bridge.name, autostart=True)
            case _:
                pass


def _release(interfaces: dict[str, Interface], name: str) -> None:
    match interfaces.get(name):
        case OvsPort() as port:
            interfaces[name] = as_nic(port)
        case OvsIntPort() | OvsBond():
            interfaces[name] = Other(name=name, kind="unknown", autostart=False, file_only=FileOnly())
        case _:
            pass


def _list(interfaces: dict[str, Interface], port: OwnPort) -> None:
    bridge = interfaces.get(port.bridge or "")
    if isinstance(bridge, OvsBridge):
        ports = list(bridge.ports)
        insort(ports, port.name)
        interfaces[bridge.name] = replace(bridge, ports=tuple(ports))


def _unlist(interfaces: dict[str, Interface], port: OwnPort) -> None:
    bridge = interfaces.get(port.bridge or "")
    if isinstance(bridge, OvsBridge):
        ports = tuple(name for name in bridge.ports if name != port.name)
        interfaces[bridge.name] = replace(bridge, ports=ports)


# --- what is desired -------------------------------------------------------------------------------------------------


def coupled(
    now: Mapping[str, Interface], then: dict[str, Interface], desired: Mapping[str, Interface | None]
) -> dict[str, Interface]:
    """What is desired with bridges and ports in agreement, whichever of the two says so."""
    if OvsBridge not in map(type, (*now.values(), *then.values())):
        return then
    for bridge in [interface for interface in then.values() if isinstance(interface, OvsBridge)]:
        if bridge.name not in desired:
            ports = tuple(name for name in bridge.ports if not _leaves(name, bridge, desired))
            then[bridge.name] = replace(bridge, ports=ports)
    _list_all(then, [port for name in desired if isinstance(port := then.get(name), OwnPort)])
    _agree(now, then, desired)
    return then


def _list_all(then: dict[str, Interface], ports: Iterable[OwnPort]) -> None:
    """Add ports to the lists of the bridges that they name."""
    named: dict[str, list[str]] = {}
    for port in ports:
        named.setdefault(port.bridge or "", []).append(port.name)
    for name, more in named.items():
        if isinstance(bridge := then.get(name), OvsBridge):
            then[name] = canonical(replace(bridge, ports=(*bridge.ports, *more)))


def _leaves(name: str, bridge: OvsBridge, desired: Mapping[str, Interface | None]) -> bool:
    """Whether a port that a bridge lists is desired to be absent, or on another."""
    if name not in desired:
        return False
    wanted = desired[name]
    return wanted is None or (isinstance(wanted, OwnPort) and wanted.bridge != bridge.name)


def _agree(now: Mapping[str, Interface], then: dict[str, Interface], desired: Mapping[str, Interface | None]) -> None:
    """The NICs as the bridges' lists will make them. What contradicts them is left, for `problems` to tell."""
    were, listed = listers(now), listers(then)
    for name in were.keys() | listed.keys():
        bridge = listed.get(name)
        match then.get(name):
            case Ethernet() as nic if bridge:
                then[name] = as_port(nic, bridge)
            case OvsPort() as port if name not in desired and bridge != were.get(name, bridge):
                then[name] = as_port(as_nic(port), bridge) if bridge else as_nic(port)
            case OvsPort() as port if bridge:
                then[name] = replace(port, bridge=bridge)
            case _:
                pass


# --- on the way ------------------------------------------------------------------------------------------------------


def nics_only(interfaces: Mapping[str, Interface]) -> dict[str, Interface]:
    """The interfaces with bridges that list nothing but what a change of the list attaches and detaches."""
    return {
        name: replace(it, ports=tuple(port for port in it.ports if not _is_own(interfaces.get(port))))
        if isinstance(it, OvsBridge)
        else it
        for name, it in interfaces.items()
    }


def with_own_ports(after: OvsBridge, state: Mapping[str, Interface]) -> Interface:
    """A bridge as an update has to say it: with the ports that are there for it now."""
    before = state.get(after.name)
    here = before.ports if isinstance(before, OvsBridge) else ()
    own = {name for name in here if _is_own(state.get(name))}
    return canonical(replace(after, ports=(*after.ports, *own)))


def _is_own(interface: Interface | None) -> bool:
    return isinstance(interface, OwnPort) or (isinstance(interface, Other) and interface.kind.startswith("OVS"))


def lost(port: OvsPort, *, but: Collection[str] = ()) -> Iterator[str]:
    """What PVE forgets of a NIC when its bridge lists it no more, a clause each."""
    for name in settable(OvsPort):
        if name not in {"autostart", "bridge", *but} and (value := getattr(port, name)):
            yield f"{name} {value}"
    yield from (f"`{line}`" for line in (*port.file_only.options, *port.file_only.options6))
