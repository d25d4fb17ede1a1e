"""The parameters of the network endpoints."""

from __future__ import annotations

from pvenet.sim import formats
from pvenet.sim.schema import Param, Schema

TYPES = (
    *("bridge", "bond", "eth", "alias", "vlan", "fabric"),
    *("OVSBridge", "OVSBond", "OVSPort", "OVSIntPort", "vnet"),
)
MODES = (
    *("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"),
    *("balance-slb", "lacp-balance-slb", "lacp-balance-tcp"),
)
ANY_OF = {
    "any_bridge": ("bridge", "OVSBridge"),
    "any_local_bridge": ("bridge", "OVSBridge"),
}
"""Filters of the list that stand for several types."""

_IFACE = Param(format=formats.iface, min_length=2, max_length=20, optional=False)
_NAME = Param(format=formats.iface)
_NAMES = Param(format=formats.list_of(formats.iface))
_TEXT = Param()
_FLAG = Param(type="boolean")
_TAG = Param(type="integer", minimum=1, maximum=4094)

_FIELDS = {
    "address": Param(format=formats.ipv4, requires="netmask"),
    "address6": Param(format=formats.ipv6, requires="netmask6"),
    "autostart": _FLAG,
    "bond-primary": _NAME,
    "bond_mode": Param(enum=MODES),
    "bond_xmit_hash_policy": Param(enum=("layer2", "layer2+3", "layer3+4")),
    "bridge_ports": _NAMES,
    "bridge_vids": Param(format=formats.list_of(formats.vlan_range)),
    "bridge_vlan_aware": _FLAG,
    "cidr": Param(format=formats.cidr4),
    "cidr6": Param(format=formats.cidr6),
    "comments": _TEXT,
    "comments6": _TEXT,
    "gateway": Param(format=formats.ipv4),
    "gateway6": Param(format=formats.ipv6),
    "mtu": Param(type="integer", minimum=1280, maximum=65520),
    "netmask": Param(format=formats.ipv4mask, requires="address"),
    "netmask6": Param(type="integer", minimum=0, maximum=128, requires="address6"),
    "ovs_bonds": _NAMES,
    "ovs_bridge": _NAME,
    "ovs_options": Param(max_length=1024),
    "ovs_ports": _NAMES,
    "ovs_tag": _TAG,
    "slaves": _NAMES,
    "type": Param(enum=(*TYPES, "unknown"), optional=False),
    "vlan-id": _TAG,
    "vlan-raw-device": _NAME,
}

LIST = Schema(params={"type": Param(enum=(*TYPES, "any_bridge", "any_local_bridge", "include_sdn"))})
"""The types stand in the order of PVE's complaint (B015)."""
ONE = Schema(params={"iface": _IFACE})
CREATE = Schema(params={"iface": _IFACE, **_FIELDS})
UPDATE = Schema(params={"iface": _IFACE, **_FIELDS, "delete": Param(format=formats.list_of(formats.config_id))})
