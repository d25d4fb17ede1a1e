"""A listing's entries as the stanzas of /etc/network/interfaces, for a person at a console. Pure.

Each line comes from what PVE lists of it: nothing is filled in and nothing is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


LOOPBACK = "auto lo\niface lo inet loopback\n"

_NO_LINES = frozenset(
    {
        *("iface", "type", "priority", "method", "method6", "families", "exists", "active", "autostart", "altnames"),
        *(
            name + suffix
            for name in ("address", "netmask", "cidr", "gateway", "comments", "options")
            for suffix in ("", "6")
        ),
        *("broadcast", "uplink-id"),
    }
)
"""What PVE lists beside the lines, or what stands elsewhere."""
_SWITCHED = {
    "OVSPort": frozenset({"ovs_tag"}),
    "OVSIntPort": frozenset({"ovs_tag"}),
    "OVSBond": frozenset({"ovs_tag", "bond_mode"}),
}
"""What of a port of Open vSwitch is a word of its `ovs_options` (pve-api#f49)."""
_CALLED = {"slaves": "bond-slaves"}
_MEMBERS = ("bridge_ports", "slaves")
"""Lists that ifupdown2 needs a word in, also where they are empty."""


def file_of(entries: Iterable[Mapping[str, Any]], names: Iterable[str]) -> str:
    """A file that has the loopback and these interfaces alone, each brought up at boot, in this order."""
    by_name = {str(entry["iface"]): entry for entry in entries}
    loopback = (stanza(by_name["lo"]) if "lo" in by_name else "") or LOOPBACK
    found = [stanza(by_name[name]) for name in names if name in by_name and name != "lo"]
    return "\n".join([loopback, *filter(None, found)])


def stanza(entry: Mapping[str, Any]) -> str:
    """The lines of one interface; empty for one that the file does not have."""
    families = entry.get("families") or ()
    name = entry["iface"]
    lines = [f"auto {name}"] if families else []
    left = ["", "6"]
    for number, family in enumerate(families):
        method = entry.get("method6" if family == "inet6" else "method") or "manual"
        lines.append(f"iface {name} {family} {method}" if family else f"iface {name}")
        suffixes = [each for each in left if family in (None, "inet6" if each else "inet")]
        left = [each for each in left if each not in suffixes]  # what two stanzas say in a file is listed once
        lines += [f"\t{line}" for line in _body(entry, suffixes, first=number == 0)]
    return "\n".join([*lines, ""]) if lines else ""


def _body(entry: Mapping[str, Any], suffixes: Iterable[str], *, first: bool) -> Iterator[str]:
    """The lines of one stanza; `suffixes`: those of the families of which it tells."""
    for suffix in suffixes:
        if address := _address(entry, suffix):
            yield f"address {address}"
        if gateway := entry.get(f"gateway{suffix}"):
            yield f"gateway {gateway}"
    if first:
        yield from _own(entry)
    for suffix in suffixes:
        yield from (str(line) for line in entry.get(f"options{suffix}") or ())


def _address(entry: Mapping[str, Any], suffix: str) -> str:
    """An address with its length, or as it stands where PVE has found none, and made one up (pve-api#f54, f55)."""
    address, cidr = str(entry.get(f"address{suffix}") or ""), str(entry.get(f"cidr{suffix}") or "")
    length = str(entry.get(f"netmask{suffix}") or "0")
    whole = "/128" if suffix else "/32"
    made_up = (not length.isdecimal() or length == "0") and cidr == address + whole
    return address if made_up or not cidr else cidr


def _own(entry: Mapping[str, Any]) -> Iterator[str]:
    """What belongs to the interface and not to a family of it."""
    if entry.get("type") in _SWITCHED:
        entry = {**entry, "ovs_options": _switched(entry)}
    for key in sorted(entry.keys() - _NO_LINES - _SWITCHED.get(entry.get("type") or "", frozenset())):
        value = entry[key]
        if isinstance(value, list | tuple):
            yield from (f"{key} {each}" for each in value)
        elif key in _MEMBERS:
            yield f"{_spelled(key)} {value or 'none'}"
        elif key == "bridge_vlan_aware":
            yield "bridge-vlan-aware yes"
        elif value not in (None, ""):
            yield f"{_spelled(key)} {value}"


def _switched(entry: Mapping[str, Any]) -> str:
    """The words of a port of Open vSwitch, with those that PVE lists apart (pve-api#f50, pve-api#f51)."""
    words = [str(entry.get("ovs_options") or "")]
    if tag := entry.get("ovs_tag"):
        words.append(f"tag={tag}")
    if mode := entry.get("bond_mode"):
        words.append(f"bond_mode={str(mode).removeprefix('lacp-')}")
        words += ["lacp=active"] if str(mode).startswith("lacp-") else []
    return " ".join(filter(None, words))


def _spelled(key: str) -> str:
    return _CALLED.get(key, key if key.startswith("ovs") else key.replace("_", "-"))
