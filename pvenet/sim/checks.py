"""What PVE refuses, in its words.

Two sorts: of a request, by parameter (400); and of the whole network that would be written (500),
whoever made it so, for each staging call checks all of the file (pve-api#whole-file-checked).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from pvenet.sim.formats import split_list
from pvenet.sim.interfaces import Interface
from pvenet.sim.interfaces.kinds import VLAN_NAMED, VLAN_OF
from pvenet.sim.interfaces.model import PORT_LISTS
from pvenet.sim.schema import Refused, bad_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.interfaces import Host
    from pvenet.sim.schema import Value

Network = dict[str, Interface]
"""The interfaces that would be written, by name."""

_PERL = "at /usr/share/perl5/PVE/Network/Interfaces.pm line"
_DEFAULT_MTU = 1500
_MAX_VLAN = 4094

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


def one_gateway(network: Mapping[str, Interface], iface: str, params: Mapping[str, Value]) -> None:
    """There is one default gateway of each family (C122)."""
    for key, word in (("gateway", "gateway"), ("gateway6", "ipv6 gateway")):
        if not params.get(key):
            continue
        for name, other in network.items():
            if name != iface and other.text(key):
                raise bad_parameters(**{key: f"Default {word} already exists on interface '{name}'."})


def ports_are_free(network: Mapping[str, Interface], iface: str, params: Mapping[str, Value]) -> None:
    """A port or slave belongs to one interface (C049, C099)."""
    users = {
        port: name
        for name, other in network.items()
        if name != iface
        for key in PORT_LISTS
        for port in split_list(other.text(key))
    }
    for key in PORT_LISTS:
        for port in split_list(str(params.get(key, ""))):
            if port in users:
                raise bad_parameters(**{key: f"{port} is already used on interface '{users[port]}'."})


def host_address6(params: Mapping[str, Value]) -> None:
    """An IPv6 address is one that a host can have (C151)."""
    if not (text := str(params.get("address6", ""))):
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


def vlan_list(params: Mapping[str, Value]) -> None:
    text = params.get("bridge_vids")
    if text and not split_list(str(text)):
        raise bad_parameters(bridge_vids="VLAN list items are empty")


def ovs_bridge_of(network: Mapping[str, Interface], params: Mapping[str, Value]) -> Interface:
    """The bridge that a new internal port or bond names (pve-api#ovs-coupling)."""
    name = params.get("ovs_bridge")
    if not name:
        raise bad_parameters(ovs_bridge="parameter is required")
    if (bridge := network.get(str(name))) is None:
        raise bad_parameters(ovs_bridge=f"bridge '{name}' does not exist")
    if bridge.type != "OVSBridge":
        raise bad_parameters(ovs_bridge=f"interface '{name}' is no OVS bridge")
    return bridge


def ports_used_once(network: Network) -> dict[str, str]:
    """Who uses each port. A file that was written by hand can name one twice (from PVE's texts, not recorded)."""
    users: dict[str, str] = {}
    for name, interface in network.items():
        for port in interface.ports:
            if users.setdefault(port, name) != name:
                raise Refused(500, f"port '{port}' is already used on interface '{users[port]}'")
    return users


def mtu_fits(parent: Interface, child: Interface) -> None:
    """What carries must not have the smaller MTU (H050). A bond without one counts as fitting
    (pve-api#mtu-relation).
    """
    wanted, own = child.text("mtu"), parent.text("mtu")
    if not wanted or (parent.type == "bond" and not own):
        return
    own = own or str(_DEFAULT_MTU)
    if _number(own) < _number(wanted):
        raise Refused(500, f"interface '{parent.name}' - mtu {own} is lower than '{child.name}' - mtu {wanted}")


def _number(text: str) -> int:
    """A number of the file; what is none counts as 0."""
    return int(text) if text.isdecimal() else 0


def bond(network: Network, interface: Interface, _host: Host) -> None:
    """The slaves of a Linux bond; they start with the node from now on (pve-api#slaves-auto)."""
    slaves = interface.words("slaves")
    for slave in slaves:
        found = network.get(slave)
        if found is None or found.type not in {"eth", "bond"}:
            kind = found.type if found else ""
            raise Refused(
                500, f"bond '{interface.name}' - wrong interface type on slave '{slave}' ('{kind}' != 'eth or bond')"
            )
        network[slave] = found.but({"autostart": 1})
        mtu_fits(interface, found)
    if slaves and interface.text("bond-primary") and interface.text("bond-primary") not in slaves:
        raise Refused(500, f"bond '{interface.name}' - bond-primary interface is not a slave {_PERL} 909.")


def vlan(network: Network, interface: Interface, host: Host) -> None:
    """A VLAN's tag and what it sits on."""
    name = interface.name
    parent_name, tag = _parent_and_tag(interface, host)
    if _number(tag) > _MAX_VLAN:
        raise Refused(500, f"vlan '{name}' - vlan-id {tag} should be <= {_MAX_VLAN}")
    if (parent := network.get(parent_name)) is None:
        raise Refused(500, f"vlan '{name}' - unable to find parent '{parent_name}'")
    if parent.type not in {"eth", "bond", "bridge", "vlan"}:
        wrong = f"wrong interface type on parent '{parent_name}' ('{parent.type}' != 'eth|bond|bridge|vlan' )"
        raise Refused(500, f"vlan '{name}' - {wrong}")
    mtu_fits(parent, interface)


def _parent_and_tag(interface: Interface, host: Host) -> tuple[str, str]:
    """By its name, where that says it; else by its options."""
    if match := VLAN_OF.fullmatch(interface.name):
        return match[1], match[2]
    parent = interface.text("vlan-raw-device")
    if not parent:
        raise Refused(500, f"missing vlan-raw-device option {_PERL} 954.")
    if match := VLAN_NAMED.fullmatch(interface.name):
        return parent, match[1]
    if not host.ifupdown2:
        raise Refused(500, f"custom vlan interface name need ifupdown2 {_PERL} 961.")  # E081
    if not (tag := interface.text("vlan-id")):
        raise Refused(500, f"missing vlan-id option {_PERL} 962.")
    return parent, tag


def bridge(network: Network, interface: Interface, _host: Host) -> None:
    """The ports of a Linux bridge. A VLAN need not have a stanza to be one, nor its parent (C095, C097)."""
    for port in interface.words("bridge_ports"):
        found = network.get(port)
        if found is None and not VLAN_OF.fullmatch(port):
            raise Refused(500, f"bridge '{interface.name}' - unable to find bridge port '{port}'")
        found = found or Interface(port, {})
        if "static" in {found.get("method"), found.get("method6")}:
            raise Refused(500, f"iface {port} - ip address can't be set on interface if bridged in {interface.name}")
        mtu_fits(found, interface)
