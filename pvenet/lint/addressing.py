"""Addresses and gateways that are not where they belong."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_interface
from itertools import combinations
from typing import TYPE_CHECKING

from pvenet.lint.nodes import Finding, Source
from pvenet.model.addresses import addresses
from pvenet.model.names import device_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ipaddress import IPv4Address, IPv6Address

    from pvenet.lint.nodes import Nodes
    from pvenet.model import Interface
    from pvenet.model.addresses import Address

_LINK_LOCAL = IPv6Network("fe80::/10")
_HOSTS = 2
"""Addresses of a network that is a host's or a cable's alone: hosters route through those to a gateway outside."""


def shared_network(nodes: Nodes) -> Iterator[Finding]:
    """Two interfaces of a node have addresses of one network.

    What is sent into the network leaves by one of them, whichever it is for: answers come from the wrong one, and where
    it is down the other does not step in. An alias, and networks of a single address, do not count.

        nodes:
          pve1:
            eno1: {type: eth, cidr: 10.0.5.1/24}
            eno2: {type: eth, cidr: 10.0.5.2/24}
    """
    for node, network in nodes.networks.items():
        there = [
            (name, address)
            for name, interface in network.interfaces.items()
            if interface.autostart and device_of(name) != "lo"
            for address in addresses(interface)
            if not address.ip.is_link_local and 0 < address.network.prefixlen < address.max_prefixlen
        ]
        for (first, one), (second, other) in combinations(there, 2):
            if device_of(first) != device_of(second) and _meet(one, other):
                message = f"{second} has {other}, and {first} {one} in the same network"
                fields = [Source(node, first, _field(one)), Source(node, second, _field(other))]
                yield Finding(node=node, interface=second, field=_field(other), message=message, rests_on=tuple(fields))


def _meet(one: Address, other: Address) -> bool:
    """Whether each is in the other's network."""
    return one.version == other.version and one.ip in other.network and other.ip in one.network


def _field(address: Address) -> str:
    return "cidr" if address.version == 4 else "cidr6"  # noqa: PLR2004 - IP versions


def gateway_outside(nodes: Nodes) -> Iterator[Finding]:
    """A gateway is in no network of its interface.

    The kernel does not take such a route, and the node has no way out. A link-local gateway of IPv6 is in every
    network, and one beside a network of one or two addresses is what hosters have.

        nodes:
          pve1: {vmbr0: {type: bridge, ports: [eno1], cidr: 192.0.2.11/24, gateway: 192.0.3.1}}
    """
    for node, network in nodes.networks.items():
        for name, interface in network.interfaces.items():
            for field, gateway in (("gateway", interface.gateway), ("gateway6", interface.gateway6)):
                if gateway is not None and not _is_reached(gateway, interface, network.interfaces):
                    nets = [
                        str(net) for net in _networks(interface, network.interfaces) if net.version == gateway.version
                    ]
                    message = (
                        f"{field} {gateway} of {name} is in none of its networks: {', '.join(nets) or 'it has none'}"
                    )
                    rests_on = (Source(node, name, field), Source(node, name, field.replace("gateway", "cidr")))
                    yield Finding(node=node, interface=name, field=field, message=message, rests_on=rests_on)


def _is_reached(gateway: IPv4Address | IPv6Address, interface: Interface, interfaces: Mapping[str, Interface]) -> bool:
    """Whether an interface reaches its gateway, as far as its stanza tells: a hook may make a route of its own."""
    if gateway in _LINK_LOCAL or any(str(gateway) in line.split() for line in interface.file_only.lines):
        return True
    nets = [net for net in _networks(interface, interfaces) if net.version == gateway.version]
    method = interface.file_only.method if gateway.version == 4 else interface.file_only.method6  # noqa: PLR2004
    by_itself = method in ("dhcp", "auto")
    return by_itself or any(gateway in net or net.num_addresses <= _HOSTS for net in nets)


def _networks(interface: Interface, interfaces: Mapping[str, Interface]) -> Iterator[IPv4Network | IPv6Network]:
    """Those of the addresses of an interface, of its aliases, and of the addresses that only its stanza tells."""
    for name, each in interfaces.items():
        if name == interface.name or device_of(name) == interface.name:
            yield from (address.network for address in addresses(each))
    for word in (word for line in interface.file_only.lines for word in line.split() if "/" in word):
        try:
            yield ip_interface(word).network
        except ValueError:
            continue
