"""What the kernel has otherwise of a bridge and its ports, and of NICs and VLANs. pve-api#bridge-carrier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.kernel.difference import Difference, Kind
from pvenet.kernel.view import members_of
from pvenet.model import from_vlan_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.kernel.links import KernelLink, VlanStatus
    from pvenet.kernel.view import View
    from pvenet.model import Bridge, Ethernet, Vlan

_WAITS = frozenset({"listening", "learning", "blocking"})


def bridge_differences(view: View, bridge: Bridge) -> Iterator[Difference]:
    """Of a bridge that the kernel has as one, by the report, the bridges call, or both.

    They are asked one after the other. A port that one of them has seen on the bridge counts: it is there, or was a
    moment ago, and the next look tells. So does VLAN filtering.
    """
    for name in members_of(bridge):
        link = view.link(name)
        if not _on_bridge(view, name, bridge.name):
            yield from _port_missing(view, bridge, name)
            yield from _no_carrier(bridge, name, link, name)
        elif link:
            yield from _port(bridge, name, link)
    filtering = _filtering(view, bridge.name)
    if filtering and bridge.vlan_aware not in filtering and (bridge.vlan_aware or not _says_vlan(bridge)):
        wanted, found = ("on", "off") if bridge.vlan_aware else ("off", "on")
        yield Difference(
            name=bridge.name,
            kind=Kind.VLAN_FILTERING,
            wanted=wanted,
            found=found,
            text=f"{bridge.name}: VLAN-aware {'yes' if bridge.vlan_aware else 'no'} in the file, "
            f"VLAN filtering {found} in the kernel",
        )


def _on_bridge(view: View, name: str, bridge: str) -> bool:
    told = view.bridges.get(bridge)
    return view.joined(name, bridge) or (
        told is not None and view.name(name) in {view.name(port.name) for port in told.ports}
    )


def _port_missing(view: View, bridge: Bridge, name: str) -> Iterator[Difference]:
    """A port that the kernel has nowhere is said to be missing itself, where that can be known."""
    link = view.link(name)
    if link is None and view.report.links:
        return
    where = link.master if link else None
    yield Difference(
        name=bridge.name,
        kind=Kind.PORT_MISSING,
        subject=name,
        wanted=f"a port of {bridge.name}",
        found=f"a member of {where}" if where else "not a port of it",
        text=f"{bridge.name}: {name} is not one of its ports" + (f" (it is in {where})" if where else ""),
    )


def _no_carrier(bridge: Bridge, name: str, link: KernelLink | None, called: str) -> Iterator[Difference]:
    """A bond's carrier is said of its slaves, a VLAN's of what it stands on."""
    if link and link.carrier is False and link.kind not in (None, "bond", "vlan", "bridge"):
        yield Difference(
            name=bridge.name,
            kind=Kind.NO_CARRIER,
            subject=name,
            wanted="carrier",
            found="no carrier",
            text=f"{bridge.name}: {called} has no carrier",
        )


def _port(bridge: Bridge, name: str, link: KernelLink) -> Iterator[Difference]:
    lack = tuple(_no_carrier(bridge, name, link, f"its port {name}"))
    yield from lack
    if not lack and link.port_state in _WAITS:
        yield Difference(
            name=bridge.name,
            kind=Kind.STP,
            subject=name,
            wanted="forwarding",
            found=link.port_state or "",
            text=f"{bridge.name}: its port {name} is {link.port_state}, not forwarding (STP)",
        )


def _filtering(view: View, name: str) -> set[bool]:
    """What is said of it."""
    link, told = view.link(name), view.bridges.get(name)
    found = {link.bridge.vlan_filtering} if link and link.bridge else set()
    return found | ({told.vlan_filtering} if told and told.vlan_filtering is not None else set())


def _says_vlan(bridge: Bridge) -> bool:
    """Whether a line that PVE doesn't know may have turned VLAN filtering on."""
    return any("vlan" in line for line in bridge.file_only.lines)


def nic_differences(view: View, nic: Ethernet, link: KernelLink) -> Iterator[Difference]:
    """A NIC that is no slave and no port: what is one is told of with its bond or bridge."""
    if link.carrier is False and not view.wholes(nic.name):
        yield Difference(
            name=nic.name,
            kind=Kind.NO_CARRIER,
            subject=nic.name,
            wanted="carrier",
            found="no carrier",
            text=f"{nic.name} has no carrier",
        )


def vlan_differences(view: View, vlan: Vlan, status: VlanStatus, link: KernelLink) -> Iterator[Difference]:
    """Of a VLAN that the kernel has as one. Where its name and its lines differ, either will do (pve-api#f63)."""
    named_device, named_tag = from_vlan_name(vlan.name)
    tags = {tag for tag in (vlan.tag, named_tag) if tag is not None}
    if tags and status.id not in tags:
        wanted = str(vlan.tag if vlan.tag is not None else named_tag)
        text = f"{vlan.name}: VLAN {wanted} in the file, {status.id} in the kernel"
        yield Difference(name=vlan.name, kind=Kind.VLAN_ID, wanted=wanted, found=str(status.id), text=text)
    devices = [device for device in (vlan.raw_device, named_device) if device]
    parent = link.parent
    if devices and parent and view.name(parent) not in {view.name(device) for device in devices}:
        text = f"{vlan.name}: on {devices[0]} in the file, on {parent} in the kernel"
        yield Difference(name=vlan.name, kind=Kind.VLAN_PARENT, wanted=devices[0], found=parent, text=text)
