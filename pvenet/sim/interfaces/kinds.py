"""Which type an interface has. PVE stores none: it looks at names and properties each time it reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pvenet.sim.interfaces.model import Property

OVS_TYPES = ("OVSBridge", "OVSBond", "OVSIntPort", "OVSPort")

NIC = re.compile(r"eth\d+|en[^:.]{0,14}|ib[^:.]{0,14}|nic\d+")
_BOND = re.compile(r"bond\d+")
_BRIDGE = re.compile(r"vmbr\d+")
_ALIAS = re.compile(r"\S+:\d+")
VLAN_OF = re.compile(r"(\S+)\.(\d+)")
"""The name of a VLAN that says what it sits on, and its tag."""
VLAN_NAMED = re.compile(r"vlan(\d+)")
"""The name of a VLAN that says its tag only."""


def type_of(name: str, properties: Mapping[str, Property], nics: Container[str]) -> str:
    """The type that PVE reads off an interface of the file."""
    if name == "lo":
        return "loopback"
    if "bridge_ports" in properties:  # whatever its name (C119), its NIC (D062), its ovs_type (walk 112)
        return "bridge"
    if (ovs := properties.get("ovs_type")) in OVS_TYPES:
        return str(ovs)
    return _plain_type(name, properties, nics)


def _plain_type(name: str, properties: Mapping[str, Property], nics: Container[str]) -> str:
    if _BOND.fullmatch(name):
        return "bond"  # by name alone: slaves don't make one (C031, C052), nor are they needed (C009)
    if _BRIDGE.fullmatch(name):
        return "bridge"
    if _ALIAS.fullmatch(name):
        return "alias"
    if VLAN_OF.fullmatch(name) or properties.get("vlan-raw-device"):
        return "vlan"
    if name in nics or NIC.fullmatch(name):  # also one that is not there (C183)
        return "eth"
    return "unknown"
