"""What a request gives, held against the network, and settled: the faults that PVE names by parameter (400)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from pvenet.sim.formats import split_list
from pvenet.sim.interfaces.addresses import length_of
from pvenet.sim.interfaces.model import PORT_LISTS, Interface
from pvenet.sim.schema import bad_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.interfaces.model import Property
    from pvenet.sim.schema import Value

FORMS = {"cidr": ("address", "netmask"), "cidr6": ("address6", "netmask6")}
"""An address with its length, and its parts."""

_ADDRESS_TYPES = {
    "::/128": "UNSPECIFIED",
    "::1/128": "LOOPBACK",
    "::/96": "IPV4COMP",
    "::ffff:0:0/96": "IPV4MAP",
    "::/8": "RESERVED",
    "2000::/3": "GLOBAL-UNICAST",
    "2001:db8::/32": "DOCUMENTATION",
    "fc00::/7": "UNIQUE-LOCAL-UNICAST",
    "fe80::/10": "LINK-LOCAL-UNICAST",
    "ff00::/8": "MULTICAST",
}
_HOST_TYPES = {"GLOBAL-UNICAST", "UNIQUE-LOCAL-UNICAST", "LINK-LOCAL-UNICAST"}


def check_gateway(network: Mapping[str, Interface], iface: str, given: Mapping[str, Value]) -> None:
    """There is one default gateway of each family (pve-api#f95)."""
    for key, word in (("gateway", "gateway"), ("gateway6", "ipv6 gateway")):
        if not given.get(key):
            continue
        for name, other in network.items():
            if name != iface and other.text(key):
                raise bad_parameters(**{key: f"Default {word} already exists on interface '{name}'."})


def check_ports(network: Mapping[str, Interface], iface: str, given: Mapping[str, Value]) -> None:
    """A port or slave belongs to one interface (C049, C099)."""
    users = {port: name for name, other in network.items() if name != iface for port in other.ports}
    for key in PORT_LISTS:
        for port in split_list(str(given.get(key, ""))):
            if port in users:
                raise bad_parameters(**{key: f"{port} is already used on interface '{users[port]}'."})


def ovs_bridge_of(network: Mapping[str, Interface], given: Mapping[str, Value]) -> Interface:
    """The bridge that a new internal port or bond names (pve-api#ovs-coupling)."""
    name = given.get("ovs_bridge")
    if not name:
        raise bad_parameters(ovs_bridge="parameter is required")
    if (bridge := network.get(str(name))) is None:
        raise bad_parameters(ovs_bridge=f"bridge '{name}' does not exist")
    if bridge.type != "OVSBridge":
        raise bad_parameters(ovs_bridge=f"interface '{name}' is no OVS bridge")
    return bridge


def addressed(given: Mapping[str, Value]) -> dict[str, Value]:
    """The request with each address in all of its forms; raises `Refused` (400).

    An address with a dotted mask conflicts even with the same as a CIDR (walk 45).
    """
    wanted = dict(given)
    for cidr, (address, netmask) in FORMS.items():
        if address in given:
            if given.get(cidr, whole := f"{given[address]}/{given[netmask]}") != whole:
                raise bad_parameters(**{address: "address conflicts with cidr"})
            wanted[cidr] = f"{given[address]}/{length_of(str(given[netmask])) or given[netmask]}"
        if cidr in wanted:
            wanted[address], _, wanted[netmask] = str(wanted[cidr]).partition("/")
    return wanted


def properties(given: Mapping[str, Value]) -> dict[str, Property]:
    """The properties that an addressed request gives, with methods and families; raises `Refused` (400)."""
    _check_host_address6(given)
    if given.get("bridge_vids") and not split_list(str(given["bridge_vids"])):
        raise bad_parameters(bridge_vids="VLAN list items are empty")
    families = [family for family, key in (("inet", "address"), ("inet6", "address6")) if key in given]
    return {
        **given,
        "method": "static" if "address" in given else "manual",
        "method6": "static" if "address6" in given else "manual",
        "families": tuple(families) or ("inet",),
    }


def _check_host_address6(given: Mapping[str, Value]) -> None:
    """An IPv6 address is one that a host can have (C151)."""
    if not (text := str(given.get("address6", ""))):
        return
    address = ipaddress.IPv6Address(text)
    kinds = [
        (net.prefixlen, kind)
        for prefix, kind in _ADDRESS_TYPES.items()
        if address in (net := ipaddress.IPv6Network(prefix))
    ]
    kind = max(kinds, default=(0, "UNASSIGNED"))[1]
    if kind not in _HOST_TYPES:
        raise bad_parameters(address=f"{text} with type '{kind}', cannot be used as host IPv6 address.")
