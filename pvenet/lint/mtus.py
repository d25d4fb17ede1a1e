"""MTUs that do not fit: along a path, and between nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.lint.nodes import Finding, Source, expected
from pvenet.model import (
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
    parent_in,
    typed,
)
from pvenet.model.addresses import addresses
from pvenet.model.relations import DEFAULT_MTU, outward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ipaddress import IPv4Network, IPv6Network

    from pvenet.kernel.links import KernelLink
    from pvenet.lint.nodes import Nodes


def mtu_path(nodes: Nodes) -> Iterator[Finding]:
    """An interface's MTU is above that of what it stands on.

    A VLAN's is above its raw device's, a bridge's above that of a port, a bond's above that of a slave: larger frames
    are lost on the way, and small ones are not, so that a ping works and a copy hangs. Where nothing gives an interface
    another MTU, it has 1500.

        nodes:
          pve1:
            bond0: {type: bond, slaves: [eno1, eno2], mode: active-backup}
            vmbr1: {type: bridge, ports: [bond0], mtu: 9000}
    """
    for node, network in nodes.networks.items():
        kernel = nodes.kernels.get(node, {})
        for interface in map(typed, network.interfaces.values()):
            for support in _narrowing(interface, network.interfaces) if interface.mtu else ():
                below = mtu_of(support, network.interfaces, kernel)
                if below is not None and interface.mtu and interface.mtu > below:
                    yield _too_large(node, interface, support, below)


def _too_large(node: str, interface: Interface, support: str, below: int) -> Finding:
    name, whose = interface.name, " of its slave" if isinstance(interface, Bond | OvsBond) else " of"
    message = f"mtu {interface.mtu} of {name} is above the {below}{whose} {support}: larger frames are lost there"
    rests_on = (Source(node, name, "mtu"), Source(node, support, "mtu"), Source(node, name, _link(interface)))
    return Finding(node=node, interface=name, field="mtu", message=message, rests_on=rests_on)


def _link(interface: Interface) -> str:
    """The field by which an interface stands on another."""
    match interface:
        case Bond() | OvsBond():
            return "slaves"
        case Bridge() | OvsBridge():
            return "ports"
        case OvsIntPort():
            return "bridge"
        case _:
            return "name"  # a VLAN's own may say it


def _narrowing(interface: Interface, interfaces: Mapping[str, Interface]) -> Iterator[str]:
    """What frames of an interface go through next, where that keeps an MTU of its own beside it.

    The kernel gives a bond's MTU to those slaves that name none.
    """
    for name in dict.fromkeys(outward(interface, interfaces)):  # not the node's own ports, which may be smaller
        below = interfaces.get(name)
        match interface:
            case Bond() | OvsBond():
                if below is not None and below.mtu:
                    yield name
            case Other():
                continue
            case _:
                yield name


def mtu_of(
    name: str, interfaces: Mapping[str, Interface], kernel: Mapping[str, KernelLink], seen: frozenset[str] = frozenset()
) -> int | None:
    """The MTU that an interface has: what it says, what its kernel says, or 1500 where all beneath it has that.

    None where that can't be told: a bridge or a VLAN takes over what is beneath it.
    """
    interface = typed(interfaces.get(name))
    if interface is not None and interface.mtu:
        return interface.mtu
    if name in kernel:
        return kernel[name].mtu
    below = _beneath(name, interfaces) if name not in seen else None
    if below is None:
        return None
    if isinstance(interface, Bond | OvsBond):  # which its slaves follow
        known = {slave.mtu or DEFAULT_MTU for each in below if (slave := interfaces.get(each))}
    else:
        known = {mtu_of(each, interfaces, kernel, seen | {name}) or 0 for each in below}
    return DEFAULT_MTU if known <= {DEFAULT_MTU} else None


def _beneath(name: str, interfaces: Mapping[str, Interface]) -> tuple[str, ...] | None:
    """The interfaces from which one that names no MTU has its own; None where these are not known."""
    interface = typed(interfaces.get(name))
    match interface:
        case None:  # a port `bond0.50` needs no stanza of its own (pve-api#vlan-port)
            parent = parent_in(name)
            return (parent,) if parent else None
        case Ethernet() | OvsPort():
            return ()
        case Bond() | OvsBond() | Bridge():
            return beneath(interface)
        case OvsBridge():
            return outward(interface, interfaces)
        case Vlan() | OvsIntPort():
            return beneath(interface) or None
        case Other():
            return None


def mtu_peers(nodes: Nodes) -> Iterator[Finding]:
    """An interface's MTU is not that of the other nodes in its network.

    What one node sends in large frames the other does not take: migrations, storage and corosync hang, and small
    packets pass.

        nodes:
          pve1: {eno2: {type: eth, cidr: 10.0.5.1/24, mtu: 9000}}
          pve2: {eno2: {type: eth, cidr: 10.0.5.2/24, mtu: 9000}}
          pve3: {eno2: {type: eth, cidr: 10.0.5.3/24, mtu: 1500}}
    """
    for net, values in _by_network(nodes).items():
        if len({node for node, _ in values}) < 2:  # noqa: PLR2004 - peers
            continue
        usual = expected(values)
        peers = [key for key, mtu in values.items() if mtu == usual]
        field = "cidr" if net.version == 4 else "cidr6"  # noqa: PLR2004 - IP versions
        for (node, name), mtu in values.items():
            if mtu == usual or all(peer == node for peer, _ in peers):
                continue
            others = ", ".join(f"{peer}'s {its}" for peer, its in peers)
            message = f"{name} has mtu {mtu} in {net}, and {others} {usual}"
            rests_on = tuple(Source(*key, each) for key in ((node, name), *peers) for each in ("mtu", field))
            yield Finding(node=node, interface=name, field="mtu", message=message, rests_on=rests_on)


def _by_network(nodes: Nodes) -> dict[IPv4Network | IPv6Network, dict[tuple[str, str], int]]:
    """The MTU of each interface that has an address, where it can be told, by the address's network."""
    found: dict[IPv4Network | IPv6Network, dict[tuple[str, str], int]] = {}
    for node, network in nodes.networks.items():
        for name, interface in network.interfaces.items():
            mtu = mtu_of(name, network.interfaces, nodes.kernels.get(node, {}))
            for address in addresses(interface):
                alone = address.network.prefixlen == address.max_prefixlen
                if mtu is not None and not (alone or address.ip.is_link_local or address.ip.is_loopback):
                    found.setdefault(address.network, {})[node, name] = mtu
    return found
