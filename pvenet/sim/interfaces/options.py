"""The options that PVE knows, and the property that each becomes. All others stay lines (pve-api#f20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.interfaces.characters import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.sim.interfaces.model import Property

BY_FAMILY = ("address", "netmask", "broadcast", "gateway")
"""Options that each family of an interface has its own of."""

_EITHER = (
    *("bridge_fd", "bridge_vids", "bridge_stp", "bridge_vlan_aware", "bridge_ports"),
    *("bond_mode", "bond_miimon", "bond_xmit_hash_policy"),
)
"""Properties whose option is spelled with underscores, or with a dash behind its first word."""

_AS_THEY_ARE = (
    *("mtu", "ovs_type", "ovs_options", "ovs_bridge", "ovs_bonds", "ovs_ports", "bond-primary"),
    *("bridge-access", "bridge-learning", "bridge-arp-nd-suppress", "bridge-unicast-flood"),
    *("bridge-multicast-flood", "bridge-disable-mac-learning", "link-type", "uplink-id"),
    *("vlan-protocol", "vlan-raw-device", "vlan-id"),
    *("vxlan-id", "vxlan-svcnodeip", "vxlan-physdev", "vxlan-local-tunnelip", "vxlan-remoteip"),
)

PROPERTIES: Mapping[str, str] = {
    **{name: name for name in (*_AS_THEY_ARE, *_EITHER)},
    **{name.replace("_", "-"): name for name in _EITHER},
    **dict.fromkeys(("slaves", "bond-slaves", "bond_slaves"), "slaves"),
    "ovs_mtu": "mtu",
}
"""Spellings of the file, exactly these, and their properties."""

_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_MODE_OF = {str(number): mode for number, mode in enumerate(_MODES)}


def _ports(before: Property, text: str) -> Property:
    """Each line is a set; a second one stands behind the first (pve-api#f25, pve-api#f26)."""
    found = sorted(set(words(text)) - {"none"})
    return " ".join([str(before), *found] if before else found)


def _stp(_before: Property, text: str) -> Property:
    return "on" if text.lower() in {"on", "yes"} else "off"  # pve-api#f28


def _vlan_aware(_before: Property, _text: str) -> Property:
    return 1  # `no` as well (pve-api#f29)


def _mode(_before: Property, text: str) -> Property:
    return _MODE_OF.get(text, text)  # pve-api#f30


def _each(before: Property, text: str) -> Property:
    return (*before, text) if isinstance(before, tuple) else (text,)  # pve-api#f31


_READERS: Mapping[str, Callable[[Property, str], Property]] = {
    "bridge_ports": _ports,
    "slaves": _ports,
    "bridge_stp": _stp,
    "bridge_vlan_aware": _vlan_aware,
    "bond_mode": _mode,
    "vxlan-remoteip": _each,
}
"""Properties that are not simply the text of their last line; each takes the value from before."""


def value(name: str, before: Property, text: str) -> Property:
    """The value of a property after a line of the file that gives this text."""
    read = _READERS.get(name)
    return read(before, text) if read else text
