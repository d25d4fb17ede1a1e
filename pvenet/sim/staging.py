"""A network made ready for writing: PVE's checks of the whole, and what it changes on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim import checks
from pvenet.sim.interfaces import Interface
from pvenet.sim.interfaces.ovs import MODES
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.checks import Network
    from pvenet.sim.interfaces import Host

_PORTS = {"OVSPort", "OVSIntPort", "OVSBond"}


def settle(interfaces: Mapping[str, Interface], host: Host) -> Network:
    """The network as it would be written; raises `Refused` (500)."""
    network = dict(interfaces)
    _drop_unlisted_ovs_ports(network, checks.ports_used_once(network))
    for interface in list(network.values()):
        if interface.type == "OVSBridge":
            _couple_ports(network, interface)
    for interface in list(network.values()):
        if interface.type == "OVSBond":
            _couple_slaves(network, interface)
    for kind, check in (("bond", checks.bond), ("vlan", checks.vlan), ("bridge", checks.bridge)):
        for name in sorted(network):
            if network[name].type == kind:
                check(network, network[name], host)
    for interface in network.values():
        _bond_mode(interface)
    return network


def _drop_unlisted_ovs_ports(network: Network, users: Mapping[str, str]) -> None:
    """A port that no bridge lists is a plain NIC; one of another bridge's goes (pve-api#ovs-lonely)."""
    for name, interface in list(network.items()):
        if interface.type not in _PORTS:
            continue
        if name not in users:
            network[name] = Interface(name, {"type": "eth", "method": "manual", "families": ("inet",)})
        elif network[users[name]].type != "OVSBridge":
            del network[name]


def _couple_ports(network: Network, bridge: Interface) -> None:
    """What a bridge lists names it, and starts with it."""
    for port in bridge.words("ovs_ports"):
        if (found := network.get(port)) is None:
            raise Refused(500, f"OVS bridge '{bridge.name}' - unable to find port '{port}'")
        if found.type not in {"eth", *_PORTS}:  # from PVE's texts, not recorded
            raise Refused(500, f"interface '{port}' is not defined as OVS port/bond")
        kind = "OVSPort" if found.type == "eth" else found.type
        network[port] = found.but({"autostart": 1, "type": kind, "ovs_bridge": bridge.name})
        checks.mtu_fits(bridge, found)


def _couple_slaves(network: Network, bond: Interface) -> None:
    for slave in bond.words("ovs_bonds"):
        found = network.get(slave)
        if found is None or found.type != "eth":
            kind = found.type if found else ""
            raise Refused(500, f"OVS bond '{bond.name}' - wrong interface type on slave '{slave}' ('{kind}' != 'eth')")
        network[slave] = found.but({"autostart": 1})
        checks.mtu_fits(bond, found)


def _bond_mode(interface: Interface) -> None:
    mode = interface.text("bond_mode")
    if interface.type == "OVSBond" and mode and mode not in MODES:
        raise Refused(500, f"OVS does not support bond mode '{mode}")  # without its closing quote (pve-api#ovs-bond)
