"""Which type an interface has. PVE stores none: it looks at names and properties each time it reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pvenet.sim.interfaces.model import Property

NIC = re.compile(r"(?:eth|nic|if)\d+|(?:en|ib)[^:.]+")
"""Names that are NICs, there or not (pve-api#f35)."""
_BOND = re.compile(r"bond\d+")
ALIAS_OF = re.compile(r"(\S+):(\d+)")
VLAN_OF = re.compile(r"(\S+)\.(\d+)")
"""The name of a VLAN that says what it sits on, and its tag."""
VLAN_NAMED = re.compile(r"vlan(\d+)")
"""The name of a VLAN that says its tag only."""


def type_of(name: str, properties: Mapping[str, Property], nics: Container[str]) -> str:
    """The type that PVE reads off an interface of the file: the first that fits (pve-api#f38)."""
    ovs = _given(properties, "ovs_type")
    if "bridge_ports" in properties:  # whatever its name
        return "bridge"
    if ovs == "OVSBridge":  # pve-api#f39
        return "OVSBridge"
    return _type_by_name(name, properties, nics, ovs) or _type_by_options(properties, ovs)


def _type_by_name(name: str, properties: Mapping[str, Property], nics: Container[str], ovs: str | None) -> str | None:
    """The type of what has a telling name."""
    if _BOND.fullmatch(name):  # slaves don't make one, nor are they needed (pve-api#f40)
        return {None: "bond", "OVSBond": "OVSBond"}.get(ovs, "unknown")
    if ALIAS_OF.fullmatch(name):  # pve-api#f41
        return "alias"
    if VLAN_OF.fullmatch(name) or _given(properties, "vlan-raw-device"):  # pve-api#f42, pve-api#f43
        return "vlan"
    if name in nics or NIC.fullmatch(name):  # pve-api#f45
        return {None: "eth", "OVSPort": "OVSPort"}.get(ovs, "unknown")
    return "loopback" if name == "lo" else None  # pve-api#f46


def _type_by_options(properties: Mapping[str, Property], ovs: str | None) -> str:
    """The type of what has no such name (pve-api#f47)."""
    if _given(properties, "vxlan-id"):
        return "vxlan"
    if ovs:
        return "OVSIntPort" if ovs == "OVSIntPort" else "unknown"
    return "dummy" if properties.get("link-type") == "dummy" else "unknown"


def _given(properties: Mapping[str, Property], name: str) -> str | None:
    """A property's text, where there is one that PVE takes for any."""
    value = properties.get(name)
    return None if value in {None, "", "0", 0} else str(value)
