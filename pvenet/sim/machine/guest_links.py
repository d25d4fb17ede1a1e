"""The links of running guests: their ports on bridges, and what PVE's firewall puts between. pve-api#bridges-guests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.sim.kernel.value import OVS, SWITCH, BridgeState, Link
from pvenet.sim.machine.hardware import mac_of
from pvenet.sim.machine.vlan_tables import compressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pvenet.sim.machine.hardware import Guest

PVID = 1
ALL = ("2-4094",)
FIREWALL_DELAY = 1500
"""Hundredths of a second, of the bridge between: fixtures/kernel/ip/active-backup-vlan-aware."""


def guest_links(node: str, guests: Iterable[Guest], bridges: Mapping[str, Link]) -> Iterator[Link]:
    """What guests add to the links of a node; the indexes come later."""
    for guest in guests:
        for link in _links(guest):
            bridge = bridges.get(guest.bridge or "")
            named = replace(link, mac=mac_of(node, link.name))
            yield _plugged(named, guest, bridge) if bridge and link.name == guest.port else named


def _links(guest: Guest) -> Iterator[Link]:
    device = Link(index=0, name=guest.device, up=True, carrier=guest.carrier, kind="tun")
    if guest.container:
        device = replace(device, kind="veth", parent="if2", foreign_parent=True)
    if not guest.firewall:
        yield device
        return
    between, inner = (f"{prefix}{guest.vmid}i{guest.index}" for prefix in ("fwbr", "fwln"))
    state = BridgeState(forward_delay=FIREWALL_DELAY)
    yield Link(index=0, name=between, up=True, carrier=True, kind="bridge", bridge=state)
    yield Link(index=0, name=guest.port, up=True, carrier=True, kind="veth", parent=inner)
    port = Link(index=0, name=inner, up=True, carrier=True, kind="veth", parent=guest.port)
    yield replace(port, master=between, port_state="forwarding")
    yield replace(device, master=between, port_state=_state(device))


def _plugged(port: Link, guest: Guest, bridge: Link) -> Link:
    """A guest's port on its bridge; it has its MTU."""
    if bridge.kind == OVS:
        return replace(port, master=SWITCH, mtu=bridge.mtu)
    port = replace(port, master=bridge.name, mtu=bridge.mtu, port_state=_state(port))
    if bridge.bridge is None or not bridge.bridge.vlan_filtering:
        return port
    others = guest.trunks if guest.trunks is not None else () if guest.tag else ALL
    pvid = guest.tag or PVID
    return replace(port, primary_vlan=pvid, vlans=compressed(others, without=pvid))


def _state(port: Link) -> str:
    return "forwarding" if port.carrier else "disabled"
