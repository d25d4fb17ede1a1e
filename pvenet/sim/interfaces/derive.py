"""What PVE derives from stanzas and the kernel's links: types, and what goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pvenet.sim.interfaces import addresses, ovs
from pvenet.sim.interfaces.type_rules import ALIAS_OF, VLAN_NAMED, VLAN_OF, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.sim.interfaces.model import Host, Property

Found: TypeAlias = "dict[str, dict[str, Property]]"
"""Properties by name."""


def derive(found: Found, auto: Iterable[str], host: Host) -> Found:
    """Complete what the stanzas say, in place: with interfaces that have none, flags, types."""
    for name in auto:
        found.setdefault(name, _bare())["autostart"] = 1  # pve-api#f5
    _find_nics(found, host)
    for name in host.up & found.keys():
        found[name]["active"] = 1
    if "lo" not in found:  # made up, and so without flags (D093, pve-api#f12)
        found["lo"] = {**_bare("loopback"), "priority": 1, "autostart": 1}
    names = {each for nic, altnames in host.nics.items() for each in (nic, *altnames)}
    for name in sorted(found):  # a parent that is made up is not looked at itself
        _complete(name, found, names)
    for nic, altnames in host.nics.items():
        _name_otherwise(found, {nic, *altnames})
    return found


def _bare(method: str = "manual") -> dict[str, Property]:
    """An interface without a stanza (pve-api#f19)."""
    return {"method": method, "method6": "manual", "families": ("inet",)}


def _find_nics(found: Found, host: Host) -> None:
    """Each NIC exists, by the first of its altnames that the file mentions, else by its own (pve-api#f34)."""
    for nic, altnames in host.nics.items():
        name = next((altname for altname in altnames if altname in found), nic)
        found.setdefault(name, _bare())["exists"] = 1


def _name_otherwise(found: Found, names: set[str]) -> None:
    """Show a NIC's other names at each of them (pve-api#f36)."""
    for name in names & found.keys():
        if others := sorted(names - {name}):
            found[name]["altnames"] = tuple(others)


def _complete(name: str, found: Found, nics: set[str]) -> None:
    """Add the type, and what goes with it."""
    properties = found[name]
    kind = type_of(name, properties, nics)
    properties["type"] = kind
    if kind == "bridge":
        _complete_bridge(properties)
    elif kind == "alias" and (alias := ALIAS_OF.fullmatch(name)):
        _stand_on(alias[1], properties, found)
    elif kind == "vlan":
        _complete_vlan(name, properties)
        _stand_on(str(properties["vlan-raw-device"]), properties, found)
    else:
        ovs.read_options(kind, properties)
    for suffix in ("", "6"):
        addresses.complete(properties, suffix)


def _complete_bridge(properties: dict[str, Property]) -> None:
    if properties.setdefault("bridge_stp", "off") == "off":
        properties.setdefault("bridge_fd", 0)  # a number, unlike one of the file (pve-api#f38)


def _complete_vlan(name: str, properties: dict[str, Property]) -> None:
    """What the name says: the tag over the file's, the parent where the file says none (pve-api#f42, pve-api#f43)."""
    tag = "0"
    if match := VLAN_OF.fullmatch(name):
        tag = match[2]
        properties.setdefault("vlan-raw-device", match[1])
    elif match := VLAN_NAMED.fullmatch(name):
        tag = match[1]
    if tag != "0":
        properties["vlan-id"] = tag


def _stand_on(parent: str, properties: dict[str, Property], found: Found) -> None:
    """Say whether what it stands on exists; a parent that is not there is made up (pve-api#f44)."""
    made_up: dict[str, Property] = {"exists": 0}
    properties["exists"] = found.setdefault(parent, made_up).get("exists")
