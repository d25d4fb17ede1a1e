"""What has too few cables, or none, and what nothing needs."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

from pvenet.lint.nodes import Finding, Source, sources
from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    Network,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    beneath,
    parent_in,
    typed,
)
from pvenet.model.addresses import addresses
from pvenet.model.walks import downward

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pvenet.kernel.links import KernelLink
    from pvenet.lint.nodes import Nodes
    from pvenet.model import Interface


_NIC = re.compile(r"(?:eth|nic|if)\d+|en[a-z0-9_]+", re.ASCII)
"""What PVE knows a NIC of Ethernet by, there or not (pve-api#f35). Of other names the list shows no link that is none:
tunnels, InfiniBand (pve-api#f33)."""


def single_slave(nodes: Nodes) -> Iterator[Finding]:
    """A bond has one slave.

    It has one cable, and looks as if it had two. Give it the second, or put what is on it onto the NIC itself.

        nodes:
          pve1: {bond0: {type: bond, slaves: [eno1], mode: active-backup}}
    """
    for node, network in nodes.networks.items():
        for name, bond in network.interfaces.items():
            if isinstance(typed(bond), Bond | OvsBond) and len(slaves := set(beneath(bond))) == 1:
                message = f"{name} has one slave, {slaves.pop()}: nothing takes over if it fails"
                rests_on = (Source(node, name, "slaves"),)
                yield Finding(node=node, interface=name, field="slaves", message=message, rests_on=rests_on)


def corosync_cable(nodes: Nodes) -> Iterator[Finding]:
    """Two links of corosync leave a node by one cable.

    They are there so that one fault does not cut the node off its cluster, and this one cuts both. A bond of two NICs
    has two cables. Of live nodes alone: a network file does not say where corosync is.

        # corosync: link 0 of pve1 is 10.0.1.1, link 1 is 10.0.2.1
        nodes:
          pve1:
            eno1.10: {type: vlan, cidr: 10.0.1.1/24}
            eno1.20: {type: vlan, cidr: 10.0.2.1/24}
    """
    for node, network in nodes.networks.items():
        own = [link for link in nodes.cluster_links if link.node == node]
        carried = [(link.number, _carrier(link.ip, network, nodes.kernels.get(node, {}))) for link in own]
        for (first, one), (second, other) in combinations(carried, 2):
            cables = _cables(one, network)
            if len(cables) == 1 and cables == _cables(other, network):
                (cable,) = cables
                message = f"links {first} and {second} of corosync both go over {cable}: one failure cuts both"
                yield Finding(node=node, interface=other, field="name", message=message)


def _carrier(address: str | None, network: Network, kernel: Mapping[str, KernelLink]) -> str:
    """The interface that has an address, by the file or else by the kernel; empty where none has."""
    for name, ips in network.ips.items():
        if address in ips:
            return name
    held = (name for name, link in kernel.items() if address in {str(each.address.ip) for each in link.addresses or ()})
    return next(held, "")


def _cables(name: str, network: Network) -> frozenset[str]:
    """The NICs by which an interface's frames may leave."""
    interfaces = network.interfaces
    names = downward([name], network) if name else []
    found = {each for each in names if isinstance(typed(interfaces.get(each)), Ethernet | OvsPort)}
    return frozenset(found | {each for each in names if each not in interfaces and parent_in(each) is None})


def missing_nic(nodes: Nodes) -> Iterator[Finding]:
    """A bridge, a bond or a VLAN is on a NIC that is not there.

    A new kernel or a new card has mostly given it another name, and what is on it is cut off with the next reboot
    at the latest. Of live nodes alone: a network file does not say which NICs there are.

        # pve1 has the NICs enp5s0 and enp6s0
        nodes:
          pve1: {vmbr0: {type: bridge, ports: [eno1]}}
    """
    for node, network in nodes.networks.items():
        if not any(link.exists for link in network.links.values()):
            continue  # nobody has told which there are
        for name, each in network.interfaces.items():
            interface = typed(each)
            for below in dict.fromkeys(beneath(interface)) if not isinstance(interface, Other) else ():
                nic = _missing(below, network, nodes.kernels.get(node, {}))
                if nic is not None:
                    field = {"bond": "slaves", "OVSBond": "slaves", "vlan": "raw_device"}.get(interface.type, "ports")
                    message = f"{name} is on {below}, but the node has no {nic}"
                    yield Finding(node=node, interface=name, field=field, value=below, message=message)


def _missing(name: str, network: Network, kernel: Mapping[str, KernelLink]) -> str | None:
    """The NIC that a name means and that is not there; None where it is, or something else may be meant."""
    interface = typed(network.interfaces.get(name))
    if _is_there(name, network, kernel) or _is_made(name, network.interfaces):
        return None
    if interface is None and (parent := parent_in(name)):
        return _missing(parent, network, kernel)
    match interface:
        case None | Ethernet() | OvsPort():
            may_be = True
        case _:  # as the list has the parent of a VLAN that is not there (pve-api#f44)
            may_be = isinstance(interface, Other) and not interface.beneath
    return name if may_be and (kernel or _NIC.fullmatch(name)) else None


def _is_there(name: str, network: Network, kernel: Mapping[str, KernelLink]) -> bool:
    """Whether a link has this name, by the kernel, or else by the list, or this altname."""
    called = {altname for link in kernel.values() for altname in link.altnames or ()}
    called |= {altname for link in network.links.values() for altname in link.altnames}
    link = network.links.get(name)
    return name in called or (name in kernel if kernel else bool(link and (link.exists or link.active)))


def _is_made(name: str, interfaces: Mapping[str, Interface]) -> bool:
    """Whether a line that PVE does not know may make a link of this name: a hook, or a `link-type`."""
    own = interfaces.get(name)
    if name == "lo" or (own is not None and any(line.split()[:1] == ["link-type"] for line in own.file_only.lines)):
        return True
    return _is_mentioned(name, interfaces.values())


def _is_mentioned(name: str, interfaces: Collection[Interface]) -> bool:
    return any(name in line.split() for each in interfaces for line in each.file_only.lines)


def unused(nodes: Nodes) -> Iterator[Finding]:
    """Nothing uses a bond, a VLAN or a port of Open vSwitch.

    It has no address and nothing is on it: it is left over, or what should stand on it is forgotten. A bridge may
    have guests, and a NIC may wait for its use: neither counts. In a network file only a node with `only: true` is
    looked at, because others have more than the file says.

        nodes:
          pve1:
            only: true
            vmbr0: {type: bridge, ports: [eno1], cidr: 192.0.2.11/24}
            eno1.50: {type: vlan}
    """
    for node in (node for node in nodes.networks if node in nodes.complete):
        network = nodes.networks[node]
        interfaces, used = network.interfaces, network.users
        for name, interface in interfaces.items():
            link = nodes.kernels.get(node, {}).get(name)
            idle = name not in used and not _has_use(interface, link) and not _is_mentioned(name, interfaces.values())
            if idle and _is_for_others(interface, interfaces):
                message = f"{name} has no address, and nothing uses it"
                rests_on = sources(node, name, ("name",))
                yield Finding(node=node, interface=name, field="name", message=message, rests_on=rests_on)


def _is_for_others(interface: Interface, interfaces: Mapping[str, Interface]) -> bool:
    """Whether an interface is there for what is on it, or for its address."""
    match interface:
        case Bond() | Vlan() | OvsIntPort():
            return True
        case OvsBond():
            bridge = interfaces.get(interface.bridge or "")
            return bridge is None or not isinstance(typed(bridge), OvsBridge) or interface.name not in beneath(bridge)
        case Ethernet() | Bridge() | OvsBridge() | OvsPort() | Other():
            return False


def _has_use(interface: Interface, link: KernelLink | None) -> bool:
    """Whether it has an address, gets one, or its stanza or the kernel tells of a use."""
    kept = interface.file_only
    if addresses(interface) or {kept.method, kept.method6} & {"dhcp", "auto"} or kept.lines:
        return True
    own = [each for each in (link.addresses or () if link else ()) if not each.address.ip.is_link_local]
    return bool(own) or bool(link and link.master)
