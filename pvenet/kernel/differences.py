"""What the kernel of a node has otherwise than a network says.

No healthy node may be told different, because an apply rolls back on what is said here. So a rule claims what it can
prove, and where PVE's listing, a line that it doesn't know, or another program leaves room, it keeps silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.kernel.addressing import address_differences, extra_addresses, route_differences
from pvenet.kernel.bonds import bond_differences
from pvenet.kernel.difference import HARMLESS, SLOW, Difference, Kind, in_order
from pvenet.kernel.members import bridge_differences, nic_differences, vlan_differences
from pvenet.kernel.view import OVS, View, members_of, view
from pvenet.model import Bond, Bridge, Ethernet, Other, OvsBond, OvsPort, Vlan, beneath, is_kept_down, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.kernel.links import BridgePorts, KernelLink, Report
    from pvenet.model import Interface, Network

__all__ = ["HARMLESS", "SLOW", "Difference", "Kind", "differences"]


def differences(
    network: Network, report: Report | None, bridges: Mapping[str, BridgePorts] | None = None
) -> tuple[Difference, ...]:
    """What differs, sorted. Without a report, what the bridges call alone can prove: bridges, ports, VLAN filtering.

    An interface counts if it has autostart, if it is a virtual one that somebody has brought up, or if it is beneath
    such a one.
    """
    seen = view(network, report, bridges)
    if report is None:
        return in_order([each for found in seen.compared for each in _by_call(seen, found)])
    found = [each for interface in seen.compared for each in _of(seen, interface)]
    found += _nowhere(seen)
    found += route_differences(seen)
    found += _extra_members(seen)
    found += extra_addresses(seen)
    return in_order(found)


def _by_call(seen: View, interface: Interface) -> Iterator[Difference]:
    told = seen.bridges.get(interface.name)
    if not isinstance(interface, Bridge) or told is None:
        return
    if told.vlan_filtering is not None:
        yield from bridge_differences(seen, interface)
    else:
        yield _missing(seen, interface.name, kind="bridge")


def _of(seen: View, interface: Interface) -> Iterator[Difference]:
    """What differs of one interface."""
    if isinstance(interface, OvsBond):  # it is in OVS's database, and no link
        return
    link = seen.link(interface.name)
    if link is None or not _is_one(interface, link):
        if _is_certain(seen, interface, link):
            yield _missing(seen, interface.name, kind=kind_of(interface), found=link)
        return
    if not link.up and _is_started(seen, interface):
        text = f"{interface.name} is down"
        yield Difference(name=interface.name, kind=Kind.DOWN, wanted="up", found="down", text=text)
    match interface:
        case Bond() if link.bond:
            yield from bond_differences(seen, interface, link, link.bond)
        case Bridge():
            yield from bridge_differences(seen, interface)
        case Vlan() if link.vlan:
            yield from vlan_differences(seen, interface, link.vlan, link)
        case Ethernet():
            yield from nic_differences(seen, interface, link)
        case _:
            pass
    yield from _mtu(seen, interface, link)
    yield from address_differences(interface, link, seen)


def _is_one(interface: Interface, link: KernelLink) -> bool:
    match interface:
        case Bond():
            return link.bond is not None
        case Bridge():
            return link.bridge is not None
        case Vlan():
            return link.vlan is not None
        case _:
            return True


def _is_certain(seen: View, interface: Interface, link: KernelLink | None) -> bool:
    """Whether it is known that the kernel lacks it: the bridges call may have seen it, an altname be unread."""
    told = seen.bridges.get(interface.name)
    if (told and told.vlan_filtering is not None) or (link and link.kind is None):
        return False
    return link is not None or not (isinstance(interface, Ethernet | OvsPort) and seen.may_be_named_otherwise())


def _is_started(seen: View, interface: Interface) -> bool:
    """Whether a reload brings it up; a VLAN leaves its raw device alone."""
    if isinstance(interface, OVS) or is_kept_down(interface):
        return False
    return interface.autostart or bool(seen.wholes(interface.name))


def _missing(seen: View, name: str, *, kind: str, found: KernelLink | None = None) -> Difference:
    above = [each.name for each in seen.users.get(seen.name(name), ())]
    use = f", on which {', '.join(above)} {'stands' if len(above) == 1 else 'stand'}" if above else ""
    what = f"a link that is not a {kind}" if found else "no such link"
    text = f"{name}{use}: the kernel has {what}"
    return Difference(name=name, kind=Kind.MISSING, wanted=kind, found=what, text=text)


def _nowhere(seen: View) -> Iterator[Difference]:
    """What others stand on and neither the file nor the kernel has: a NIC that is gone, a port that is a VLAN."""
    known = {seen.name(name) for name in seen.network.interfaces}
    for name, above in seen.users.items():
        only_ovs = all(isinstance(each, OVS) for each in above)  # which knows ports that are no links
        if name not in known and seen.link(name) is None and not only_ovs and not seen.may_be_named_otherwise():
            yield _missing(seen, name, kind="link")


def _mtu(seen: View, interface: Interface, link: KernelLink) -> Iterator[Difference]:
    if not interface.mtu or interface.mtu == link.mtu:
        return
    called = {Bond: "slave ", Bridge: "port "}.get(type(interface), "")
    lower = [
        f"its {called}{name} has {low.mtu}"
        for name in beneath(interface)
        if (low := seen.link(name)) and low.mtu < interface.mtu
    ]
    text = f"{interface.name}: MTU {interface.mtu} in the file, {link.mtu} in the kernel"
    yield Difference(
        name=interface.name,
        kind=Kind.MTU,
        wanted=str(interface.mtu),
        found=str(link.mtu),
        text=text + (f" ({', '.join(lower)})" if lower else ""),
    )


def _extra_members(seen: View) -> Iterator[Difference]:
    """Interfaces of the file in a bond or bridge of the file, where no file says so; guests' ports are in none."""
    known = {seen.name(name): each for name, each in seen.network.interfaces.items() if not isinstance(each, Other)}
    for whole in seen.compared:
        if not isinstance(whole, Bond | Bridge) or len(members_of(whole)) < len(set(beneath(whole))):
            continue
        for link in seen.members.get(whole.name, ()):
            member = known.get(link.name)
            if member and not seen.wholes(link.name) and not (_says(member, whole.name) or _says(whole, member.name)):
                yield Difference(
                    name=whole.name,
                    kind=Kind.EXTRA_MEMBER,
                    subject=member.name,
                    found=f"in {whole.name}",
                    text=f"{member.name} is in {whole.name}, but in no file",
                )


def _says(interface: Interface, name: str) -> bool:
    """Whether a line that PVE doesn't know names it, as `bond-master bond0` does."""
    return any(name in line.split() for line in interface.file_only.lines)
