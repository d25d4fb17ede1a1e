"""The lines of a stanza that PVE knows, by each of its spellings, and whether a listing has what a line says.

pve-api#f20 to f31, and pve-api#f49 to f54. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.model import BondMode
from pvenet.wire.rewriting import OVS_PORTS, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.wire.spelling import Entry

_EITHER = (
    *("bridge_fd", "bridge_vids", "bridge_stp", "bridge_vlan_aware", "bridge_ports"),
    *("bond_mode", "bond_miimon", "bond_xmit_hash_policy"),
)
SPELLED = (
    {key: key for key in _EITHER}
    | {key.replace("_", "-"): key for key in _EITHER}
    | dict.fromkeys(("slaves", "bond-slaves", "bond_slaves"), "slaves")
    | {"ovs_mtu": "mtu"}
)
"""The property of each spelling that is not the property's own name."""
_STP = {"on": "on", "yes": "on", "1": "on", "true": "on", "y": "on", "t": "on"}
"""What ifupdown2 takes for on; PVE only the first two (pve-api#f28)."""
_TRUE = frozenset({"yes", "on", "1", "true", "y", "t"})


def property_of(text: str) -> tuple[str, str]:
    """A line's property, by PVE's name, and its value; an unknown word stays as it is."""
    word, _, value = text.strip().partition(" ")
    return SPELLED.get(word, word), value.strip()


def known(text: str, entry: Entry) -> bool:
    """Whether an entry of the listing has what a line of its stanza says."""
    key, value = property_of(text)
    lines = (*(entry.get("options") or ()), *(entry.get("options6") or ()))
    if any(" ".join(str(line).split()) == text for line in lines):
        return True
    if key in _CHECKS:
        return _CHECKS[key](value, entry)
    return key in entry and " ".join(str(entry[key]).split()) == value


def _address(value: str, entry: Entry) -> bool:
    """Where no length was found PVE lists the address with /32 or /128."""
    here = {str(entry.get(key)) for key in ("address", "cidr", "address6", "cidr6")}
    return bool({value, f"{value}/32", f"{value}/128"} & here)


def _of_either_family(key: str) -> Callable[[str, Entry], bool]:
    return lambda value, entry: value in (str(entry.get(key)), str(entry.get(f"{key}6")))


def _ports(key: str) -> Callable[[str, Entry], bool]:
    return lambda value, entry: set(split(value)) - {"none"} <= set(split(entry.get(key)))


def _stp(value: str, entry: Entry) -> bool:
    return _STP.get(_first(value), "off") == entry.get("bridge_stp")


def _first(value: str) -> str:
    return value.lower().partition(" ")[0]


def _mode(value: str, entry: Entry) -> bool:
    modes = [str(mode) for mode in BondMode]
    return entry.get("bond_mode") == (modes[int(value)] if value in map(str, range(len(modes))) else value)


def _options(value: str, entry: Entry) -> bool:
    if entry.get("type") in OVS_PORTS:
        return not missing_words(value, entry)
    return str(entry.get("ovs_options") or "").split() == value.split()


def missing_words(value: str, entry: Entry) -> list[str]:
    """The words of an OVS port's options that are not listed, nor said by its tag or its bond's mode."""
    there = set(str(entry.get("ovs_options") or "").split()) | {f"tag={entry.get('ovs_tag')}"}
    mode = str(entry.get("bond_mode") or "active-backup")
    if entry.get("type") == "OVSBond":
        there |= {f"bond_mode={mode}", f"bond_mode={mode.removeprefix('lacp-')}"}
        there |= {"lacp=active"} if mode.startswith("lacp-") else {"lacp=off"}
    return [word for word in value.split() if word not in there]


def _remote(value: str, entry: Entry) -> bool:
    return value in (entry.get("vxlan-remoteip") or ())


_CHECKS: Mapping[str, Callable[[str, Entry], bool]] = {
    "address": _address,
    "netmask": lambda _value, _entry: True,  # it goes into the address, which is listed
    "gateway": _of_either_family("gateway"),
    "broadcast": _of_either_family("broadcast"),
    "bridge_ports": _ports("bridge_ports"),
    "slaves": _ports("slaves"),
    "bridge_stp": _stp,
    "bridge_vlan_aware": lambda value, entry: _first(value) in _TRUE and "bridge_vlan_aware" in entry,
    "bond_mode": _mode,
    "ovs_options": _options,
    "vxlan-remoteip": _remote,
}
"""Whether an entry has a property's value, where that is more than the same text."""
