"""PVE's names for the model's fields: the one table, and the shapes of what goes over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.model import Bond, Bridge, Ethernet, Interface, OvsBond, OvsBridge, OvsIntPort, OvsPort, Vlan

if TYPE_CHECKING:
    from collections.abc import Mapping

Entry = dict[str, Any]
Form = dict[str, str | int]

_OVS_PORT = {"bridge": "ovs_bridge", "tag": "ovs_tag", "options": "ovs_options"}

SPELLINGS: Mapping[type[Interface], Mapping[str, str]] = {
    Ethernet: {},
    Bond: {"mode": "bond_mode", "primary": "bond-primary", "xmit_hash_policy": "bond_xmit_hash_policy"},
    Bridge: {"ports": "bridge_ports", "vlan_aware": "bridge_vlan_aware", "vids": "bridge_vids"},
    Vlan: {"raw_device": "vlan-raw-device", "tag": "vlan-id"},
    OvsBridge: {"ports": "ovs_ports", "options": "ovs_options"},
    OvsBond: {"slaves": "ovs_bonds", "mode": "bond_mode", **_OVS_PORT},
    OvsIntPort: _OVS_PORT,
    OvsPort: _OVS_PORT,
}
"""The model's fields that PVE calls otherwise, by kind; every other field has PVE's name."""

OBSERVED = frozenset({"active", "exists", "altnames", "priority"})
"""What the node observes or counts; it takes no part in an interface's value."""


def spelled(kind: type[Interface], name: str) -> str:
    """PVE's name of a field of a kind."""
    return SPELLINGS.get(kind, {}).get(name, name)
