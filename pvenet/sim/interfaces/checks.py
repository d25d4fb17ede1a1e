"""What PVE refuses at every write, in its words and its order, and what it changes on the way (pve-api#f57).

Each write checks all of the file, whoever made it so. The first failure refuses it (500). Of several faults of one
step PVE names any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.sim.interfaces import ovs
from pvenet.sim.interfaces.model import Interface
from pvenet.sim.interfaces.refusals import died
from pvenet.sim.interfaces.type_rules import VLAN_NAMED, VLAN_OF
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.sim.interfaces.model import Host

Network = dict[str, Interface]
"""The interfaces that would be written, by name; the steps change it."""

_DEFAULT_MTU = "1500"
_MAX_VLAN = 4094
_NUMBER = re.compile(r"\d+")

_VLAN_PARENTS = ("eth", "bond", "bridge", "vlan")
_UPLINKS = ("eth", "bond")
_PORT_OPTIONS = (
    *("bridge-learning", "bridge-arp-nd-suppress", "bridge-unicast-flood", "bridge-multicast-flood", "bridge-access"),
)
_NO_ADDRESS = (("method", "address", "0.0.0.0"), ("method6", "address6", "::"))  # noqa: S104  no address is bound
"""What of each family a bridge's port may have although it is static."""


def prepared(interfaces: Mapping[str, Interface], host: Host) -> Network:
    """The network as it would be written; raises `Refused` (500)."""
    network = dict(interfaces)
    _drop_unlisted_ovs_ports(network, _users_of_ports(network))
    for bridge in _of_type(network, "OVSBridge"):
        _couple_ovs_ports(network, bridge)
    for bond in _of_type(network, "OVSBond"):
        _start_slaves(network, bond, "ovs_bonds", "OVS bond", ("eth",))
    for bond in _of_type(network, "bond"):
        _check_bond(network, bond)
    _check_vxlans(network)
    for vlan in _of_type(network, "vlan"):
        _check_vlan(network, vlan, host)
    _check_uplinks(network)
    _check_bridges(network)
    _check_port_options(network)
    return network


def _of_type(network: Network, kind: str) -> Iterator[Interface]:
    """The interfaces of a type in the order of the file, as they are when their turn comes."""
    for name in [name for name, interface in network.items() if interface.type == kind]:
        yield network[name]


def _users_of_ports(network: Network) -> dict[str, str]:
    """Who uses each port: one interface (pve-api#f57)."""
    users: dict[str, str] = {}
    for name, interface in network.items():
        for port in interface.ports:
            if users.setdefault(port, name) != name:
                raise Refused(500, f"port '{port}' is already used on interface '{users[port]}'")
    return users


def _drop_unlisted_ovs_ports(network: Network, users: Mapping[str, str]) -> None:
    """A port that nobody lists becomes a plain NIC; one of what is no OVS bridge goes (pve-api#f58)."""
    kinds = {name: interface.type for name, interface in network.items()}
    for name, kind in kinds.items():
        if kind not in ovs.PORTS:
            continue
        if name not in users:
            network[name] = Interface(name, {"type": "eth", "exists": 1, "method": "manual", "families": ("inet",)})
        elif kinds[users[name]] != "OVSBridge":
            del network[name]


def _couple_ovs_ports(network: Network, bridge: Interface) -> None:
    """What a bridge lists names it, and starts with it (pve-api#f59)."""
    for port in bridge.words("ovs_ports"):
        if (found := network.get(port)) is None:
            raise Refused(500, f"OVS bridge '{bridge.name}' - unable to find port '{port}'")
        if found.type not in {"eth", *ovs.PORTS}:
            raise Refused(500, f"interface '{port}' is not defined as OVS port/bond")
        kind = "OVSPort" if found.type == "eth" else found.type
        network[port] = found.but({"autostart": 1, "type": kind, "ovs_bridge": bridge.name})
        _check_mtu(bridge, found)


def _start_slaves(network: Network, bond: Interface, key: str, what: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Slaves are of these types, and start with the node from now on (pve-api#f60, pve-api#f61)."""
    slaves = bond.words(key)
    for slave in slaves:
        found = network.get(slave)
        if found is None or found.type not in kinds:
            wrong = f"('{found.type if found else ''}' != '{' or '.join(kinds)}')"
            raise Refused(500, f"{what} '{bond.name}' - wrong interface type on slave '{slave}' {wrong}")
        network[slave] = found.but({"autostart": 1})
        _check_mtu(bond, found)
    return slaves


def _check_bond(network: Network, bond: Interface) -> None:
    slaves = _start_slaves(network, bond, "slaves", "bond", ("eth", "bond"))
    primary = bond.given("bond-primary")
    if slaves and primary and primary not in slaves:
        raise died(f"bond '{bond.name}' - bond-primary interface is not a slave", 909)


def _check_vxlans(network: Network) -> None:
    """Ids once, one way to the other ends (pve-api#f62)."""
    users: dict[str, str] = {}
    for name, interface in network.items():
        tag = interface.given("vxlan-id")
        if interface.type == "vxlan" and (other := users.setdefault(tag, name)) != name:
            raise Refused(500, f"iface {name} - duplicate vxlan-id {tag} already used in {other}")
        service, device = interface.given("vxlan-svcnodeip"), interface.given("vxlan-physdev")
        if sum(map(bool, (service, interface.get("vxlan-remoteip"), interface.given("vxlan-local-tunnelip")))) > 1:
            ends = "vxlan-svcnodeip, vxlan-remoteip and vxlan-localtunnelip"
            raise Refused(500, f"iface {name} - {ends} are mutually exclusive")
        if bool(service) != bool(device):
            raise Refused(500, f"iface {name} - vxlan-svcnodeip and vxlan-physdev must be define together")


def _check_vlan(network: Network, vlan: Interface, host: Host) -> None:
    """A VLAN's tag and what it sits on; what its name says is no option of it (pve-api#f63)."""
    name = vlan.name
    parent_name, tag, said = _parent_and_tag(vlan, host)
    network[name] = vlan.but({}, drop=said)
    if _number(tag) > _MAX_VLAN:
        raise Refused(500, f"vlan '{name}' - vlan-id {tag} should be <= {_MAX_VLAN}")
    if (parent := network.get(parent_name)) is None:
        raise Refused(500, f"vlan '{name}' - unable to find parent '{parent_name}'")
    if parent.type not in _VLAN_PARENTS:
        wrong = f"wrong interface type on parent '{parent_name}' ('{parent.type}' != '{'|'.join(_VLAN_PARENTS)}' )"
        raise Refused(500, f"vlan '{name}' - {wrong}")
    _check_mtu(parent, vlan)


def _parent_and_tag(vlan: Interface, host: Host) -> tuple[str, str, tuple[str, ...]]:
    """By its name, where that says it; else by its options. Also the options that the name makes needless."""
    if match := VLAN_OF.fullmatch(vlan.name):
        return match[1], match[2], ("vlan-raw-device", "vlan-id")
    if not (parent := vlan.given("vlan-raw-device")):
        raise died("missing vlan-raw-device option", 954)
    if match := VLAN_NAMED.fullmatch(vlan.name):
        return parent, match[1], ("vlan-id",)
    if not host.ifupdown2:
        raise died("custom vlan interface name need ifupdown2", 961)  # E081
    if not (tag := vlan.given("vlan-id")):
        raise died("missing vlan-id option", 962)
    return parent, tag, ()


def _check_uplinks(network: Network) -> None:
    """Each uplink's id once, and on what can be one (pve-api#f64)."""
    users: dict[str, str] = {}
    for name, interface in network.items():
        if not (uplink := interface.given("uplink-id")):
            continue
        if interface.type not in _UPLINKS:
            raise Refused(
                500, f"iface '{name}' - uplink-id {uplink} is only allowed on physical and linux bond interfaces"
            )
        if (other := users.setdefault(uplink, name)) != name:
            raise Refused(500, f"iface '{name}' - uplink-id {uplink} is already assigned on '{other}'")


def _check_bridges(network: Network) -> None:
    """The ports of Linux bridges. A VLAN need not have a stanza to be one (pve-api#f66)."""
    implied: Network = {}
    """What exists to bridges only, because a VLAN on it is a port."""
    for bridge in _of_type(network, "bridge"):
        for port in bridge.words("bridge_ports"):
            found = network.get(port) or implied.get(port) or _implied_vlan(network, implied, port)
            if found is None:
                raise Refused(500, f"bridge '{bridge.name}' - unable to find bridge port '{port}'")
            for method, address, none in _NO_ADDRESS:
                if found.get(method) == "static" and found.get(address) != none:
                    told = f"ip address can't be set on interface if bridged in {bridge.name}"
                    raise Refused(500, f"iface {port} - {told}")
            _check_mtu(found, bridge)


def _implied_vlan(network: Network, implied: Network, port: str) -> Interface | None:
    if not (match := VLAN_OF.fullmatch(port)):
        return None
    parent = network.get(match[1]) or implied.setdefault(match[1], Interface(match[1], {}))
    return Interface(port, {"type": "vlan", "mtu": parent.get("mtu")})


def _check_port_options(network: Network) -> None:
    """What only a bridge's port can be told (pve-api#f67)."""
    bridges = {port: bridge for bridge in _of_type(network, "bridge") for port in bridge.words("bridge_ports")}
    for name, interface in network.items():
        for key in _PORT_OPTIONS:
            if not interface.given(key):
                continue
            if name not in bridges:
                told = "bridge port specific options can be used only on interfaces attached to a bridge"
                raise Refused(500, f"iface {name} - {key}: {told}")
            if key == "bridge-access" and not bridges[name].get("bridge_vlan_aware"):
                told = "bridge-access option can be only used if interface is in a vlan aware bridge"
                raise Refused(500, f"iface {name} - {told}")


def _check_mtu(parent: Interface, child: Interface) -> None:
    """What carries has no smaller MTU than the other; a Linux bond without one fits (pve-api#f65)."""
    wanted, own = child.given("mtu"), parent.given("mtu")
    if not wanted or (parent.type == "bond" and not own):
        return
    own = own or _DEFAULT_MTU
    if _number(own) < _number(wanted):
        raise Refused(500, f"interface '{parent.name}' - mtu {own} is lower than '{child.name}' - mtu {wanted}")


def _number(text: str) -> int:
    """The leading digits; what has none counts as 0."""
    match = _NUMBER.match(text)
    return int(match[0]) if match else 0
