"""Who hangs where: what the kernel has, joined with what the guests' configurations say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pvenet.model import ALL_VIDS, Bridge, Other, OvsBridge, Vlan, beneath, canonical, parent_in, typed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pvenet.access import NotKnown
    from pvenet.impact.values import Guest, GuestNic, Known
    from pvenet.kernel.links import BridgePorts, KernelLink, Port
    from pvenet.model import Interface, Network

Card = tuple[int, str]
"""A guest's number, and `net0`."""

_PORT = re.compile(r"(?:tap|veth)(\d+)i(\d+)|fwpr(\d+)p(\d+)", re.ASCII)
"""A guest's port on a bridge (pve-api#bridges-guests); a tap behind the firewall hangs on a bridge of its own."""
_FIREWALL = re.compile(r"fwbr\d+i\d+", re.ASCII)
_BEHIND_FIREWALL = "fwpr"
_SWITCH = "ovs-system"
"""The `master` of every port of Open vSwitch, whatever its bridge: a guest's configuration says that
(pve-api#ovs-system)."""
_TAGGED = re.compile(r"(.+)v(\d+)", re.ASCII)
"""The bridge that PVE makes for the guests of one VLAN on a bridge that is not VLAN-aware (pve-api#bridge-for-tag)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """One card of a guest, on the bridge where it hangs or will hang."""

    vmid: int
    index: str
    bridge: str
    tag: int | None = None
    trunks: tuple[str, ...] = ()
    name: str = ""
    running: bool | None = None
    pending: bool = False
    firewall: bool | None = None
    """None where only the kernel is known, and does not tell."""
    link_down: bool = False
    loose: bool = False
    """It runs, and its port hangs on no bridge: this one is its configuration's, and its next start's."""

    @property
    def lets_all_through(self) -> bool:
        """It has no tag, and is offered every VLAN; nobody knows which of them it uses."""
        return self.trunks == ALL_VIDS


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeGuests:
    """Who hangs where on a node, as far as it could be found out."""

    node: str
    bridges: Mapping[str, tuple[Attachment, ...]]
    """Every bridge and vnet that is known of, sorted; also one on which nobody is."""
    guests: Mapping[int, Guest] = field(default_factory=dict)
    """Those of whom more is known than a port, by number."""
    unknown: tuple[NotKnown, ...] = ()
    listed: bool = True
    """Whether the node's own list of bridges was had, with all of them."""
    warnings: tuple[str, ...] = ()


def guest_port(name: str) -> Card | None:
    """Whose port it is by its name: the guest's number and `net0`; None for any other."""
    found = _PORT.fullmatch(name)
    if found is None:
        return None
    vmid, number = (each for each in found.groups() if each is not None)
    return int(vmid), f"net{number}"


def hanging(known: Known, interfaces: Mapping[str, Interface]) -> dict[Card, str]:
    """On which bridge each running card hangs, as far as the kernel was asked.

    Of Open vSwitch it does not tell the bridge: that is the configuration's.
    """
    switched = (card for link in known.links.values() if link.master == _SWITCH and (card := guest_port(link.name)))
    nics = ((guest.vmid, nic) for guest in known.guests for nic in guest.nics if nic.bridge and not nic.pending)
    configured = {(vmid, nic.index): nic.bridge for vmid, nic in nics}
    live = _live(known.ports, known.links, interfaces).items()
    return {card: configured.get(card) or _SWITCH for card in switched} | {card: bridge for card, (bridge, _) in live}


def unplaced(
    known: Known, running: Collection[Card], interfaces: Mapping[str, Interface], touched: Collection[str]
) -> frozenset[Card]:
    """The running cards of which it is not known where they hang, and that may notice something.

    Of Open vSwitch the kernel tells no more than that they do: that matters where something happens to their bridge.
    """
    idle = {
        (guest.vmid, nic.index)
        for guest in known.guests
        for nic in guest.nics
        if nic.bridge and isinstance(typed(interfaces.get(nic.bridge)), OvsBridge) and nic.bridge not in touched
    }
    return frozenset(running) - hanging(known, interfaces).keys() - idle


def elsewhere(known: Known, before: Network, touched: Collection[str]) -> frozenset[Card]:
    """The running cards on bridges of the file to which nothing happens, whose guests nobody has to ask about.

    `touched`: what `concerned` says.
    """
    found = hanging(known, before.interfaces).items()
    return frozenset(card for card, bridge in found if bridge in before.interfaces and bridge not in touched)


def attachments(
    guests: Iterable[Guest],
    ports: Iterable[BridgePorts],
    links: Mapping[str, KernelLink],
    interfaces: Mapping[str, Interface],
) -> tuple[Attachment, ...]:
    """Every card that hangs on a bridge, or will from its guest's next start on, by number and card.

    Where a running card hangs the kernel says; a configuration speaks for those that the kernel does not show.
    """
    known = {guest.vmid: guest for guest in guests}
    live = _live(ports, links, interfaces)
    found = [_running(key, place, known.get(key[0])) for key, place in live.items()]
    loose = {guest_port(link.name) for link in links.values() if not link.master}
    for guest in known.values():
        nics = [nic for nic in guest.nics if nic.bridge and (nic.pending or (guest.vmid, nic.index) not in live)]
        found += [_configured(guest, nic, loose=(guest.vmid, nic.index) in loose) for nic in nics]
    return tuple(sorted(found, key=lambda each: (each.vmid, len(each.index), each.index, each.running is False)))


def _live(
    ports: Iterable[BridgePorts], links: Mapping[str, KernelLink], interfaces: Mapping[str, Interface]
) -> dict[Card, tuple[str, Port | int | None]]:
    """The running cards, each with its bridge and what is known of its VLANs."""
    return {**_by_report(links, interfaces), **_by_call(ports)}


def _by_call(ports: Iterable[BridgePorts]) -> dict[Card, tuple[str, Port]]:
    return {
        (port.vmid, port.index): (bridge.name, port)
        for bridge in ports
        for port in bridge.ports
        if port.vmid is not None and port.index is not None
    }


def _by_report(
    links: Mapping[str, KernelLink], interfaces: Mapping[str, Interface]
) -> dict[Card, tuple[str, int | None]]:
    """The same by the `master` of each port: also on vnets and on what is no more in the staged file."""
    found = {}
    for link in links.values():
        whose = guest_port(link.name)
        if whose and link.master and link.master != _SWITCH and not _FIREWALL.fullmatch(link.master):
            found[whose] = own_bridge(link.master, interfaces)
    return found


def own_bridge(name: str, interfaces: Mapping[str, Interface]) -> tuple[str, int | None]:
    """A bridge, or the one of the file that PVE has made it for, and the VLAN."""
    found = _TAGGED.fullmatch(name)
    if found and name not in interfaces and found[1] in interfaces:
        return found[1], int(found[2])
    return name, None


def _running(key: Card, place: tuple[str, Port | int | None], guest: Guest | None) -> Attachment:
    """A card that the kernel shows."""
    vmid, index = key
    nic = next((nic for nic in (guest.nics if guest else ()) if nic.index == index and not nic.pending), None)
    bridge, at = place
    tag, trunks = (nic.tag, nic.trunks) if nic else (None, ())
    if isinstance(at, int):
        tag = at
    elif at is not None and at.primary_vlan is not None:
        tag = None if at.primary_vlan == 1 and tag is None else at.primary_vlan
        trunks = at.vlans
    behind = at is not None and not isinstance(at, int) and at.name.startswith(_BEHIND_FIREWALL)
    return Attachment(
        vmid=vmid,
        index=index,
        bridge=bridge,
        tag=tag,
        trunks=trunks,
        name=guest.name if guest else "",
        running=True,
        firewall=nic.firewall if nic else behind or None,
        link_down=nic.link_down if nic else False,
    )


def _configured(guest: Guest, nic: GuestNic, *, loose: bool) -> Attachment:
    """A card as its configuration has it. What is pending there hangs nowhere yet, as a guest that is stopped."""
    return Attachment(
        vmid=guest.vmid,
        index=nic.index,
        bridge=nic.bridge or "",
        tag=nic.tag,
        trunks=nic.trunks,
        name=guest.name,
        running=False if nic.pending else guest.running,
        pending=nic.pending,
        firewall=nic.firewall,
        link_down=nic.link_down,
        loose=loose and not nic.pending,
    )


# --- what no file has ------------------------------------------------------------------------------------------------


def with_links(network: Network, links: Mapping[str, KernelLink], of_file: Collection[str] = ()) -> Network:
    """A network with the bridges that only the kernel has, SDN's vnets for one, and what these stand on.

    No change of the file is about them: they are the same before and after. `of_file`: further names that a file has
    or had, which the kernel still shows where a change removes them.
    """
    added: dict[str, Interface] = {}
    for link in links.values():
        if link.kind == "bridge" and link.name not in network.interfaces and not _FIREWALL.fullmatch(link.name):
            members = [each for each in links.values() if each.master == link.name and not guest_port(each.name)]
            aware = link.bridge is not None and link.bridge.vlan_filtering
            added[link.name] = Bridge(name=link.name, ports=tuple(each.name for each in members), vlan_aware=aware)
            added |= {each.name: made for each in members for made in _member(each, links)}
    own = {name: interface for name, interface in added.items() if name not in of_file}
    return replace(network, interfaces={**own, **network.interfaces}) if own else network


def with_ports(network: Network, wanted: Network) -> Network:
    """A network with the ports that are VLANs by their names alone, where the one wanted has stanzas for them.

    The kernel has had them all along (pve-api#vlan-port), so that such a stanza changes a link and makes none.
    """
    known = network.interfaces
    named = {low for each in known.values() for low in beneath(each) if low not in known}
    own = {name: typed(wanted.interfaces[name]) for name in sorted(named & wanted.interfaces.keys())}
    added = {name: _by_name(new, known) for name, new in own.items() if isinstance(new, Vlan) and parent_in(name)}
    return replace(network, interfaces={**added, **known}) if added else network


def _by_name(new: Vlan, known: Mapping[str, Interface]) -> Interface:
    """The VLAN that the name alone makes, before its stanza: it has the MTU of what it stands on (pve-api#f66), and
    keeps that where the stanza names none.
    """
    low = parent_in(new.name)
    while low is not None and low not in known:
        low = parent_in(low)
    mtu = known[low].mtu if low is not None and new.mtu else None
    return canonical(Vlan(name=new.name, mtu=mtu))


def _member(link: KernelLink, links: Mapping[str, KernelLink]) -> Iterator[Interface]:
    """What a port of such a bridge stands on, as far as the kernel says."""
    if link.vlan is not None and link.parent:
        yield Vlan(name=link.name, raw_device=link.parent, tag=link.vlan.id)
    elif link.kind == "veth" and link.parent:
        peer = links.get(link.parent)
        if peer is not None and peer.master:
            yield Other(name=link.name, kind="veth", beneath=(peer.master,))
