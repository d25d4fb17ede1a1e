"""Reading the file."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import TYPE_CHECKING

from pvenet.sim.interfaces import ovs
from pvenet.sim.interfaces.kinds import OVS_TYPES, VLAN_NAMED, VLAN_OF, type_of
from pvenet.sim.interfaces.model import Host, Interface, Loose, Parsed, Property

if TYPE_CHECKING:
    from collections.abc import Iterator

_IFACE = re.compile(r"iface\s+(\S+)(?:\s+(inet6?)\s+(\S+))?")
_AUTO = re.compile(r"(?:auto|allow-auto|allow-hotplug|allow-ovs)\s+(.*)")
_ALLOW = re.compile(r"allow-(\S+)\s+(.*)")
_SECTION = re.compile(r"(?:iface|mapping|auto|source|source-directory)\s|allow-")
_OPTION = re.compile(r"(\S+)\s+(.+)")

_BY_FAMILY = ("address", "netmask", "broadcast", "gateway")
_LISTS = {"bond-slaves": "slaves", "slaves": "slaves", "bridge-ports": "bridge_ports"}
_PLAIN = {
    "bond-miimon": "bond_miimon",
    "bond-mode": "bond_mode",
    "bond-primary": "bond-primary",
    "bond-xmit-hash-policy": "bond_xmit_hash_policy",
    "bridge-fd": "bridge_fd",
    "bridge-stp": "bridge_stp",
    "bridge-vids": "bridge_vids",
    "mtu": "mtu",
    "ovs-bonds": "ovs_bonds",
    "ovs-bridge": "ovs_bridge",
    "ovs-mtu": "mtu",
    "ovs-options": "ovs_options",
    "ovs-ports": "ovs_ports",
    "ovs-tag": "ovs_tag",
    "ovs-type": "ovs_type",
    "vlan-id": "vlan-id",
    "vlan-raw-device": "vlan-raw-device",
}
"""Options of the file (blanks and dashes are one to PVE) and the property that each becomes."""

_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
"""Bond modes by their number (walk 0: `bond_mode 4`)."""

_FIRST_PRIORITY = 2


class Draft:
    """An interface while its stanzas are read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.properties: dict[str, Property] = {}
        self.families: list[str | None] = []
        self.suffix = ""
        self.comments: list[str] = []
        self.options: dict[str, list[str]] = {"": [], "6": []}

    def begin(self, family: str | None, method: str | None, priority: int) -> None:
        self.families.append(family)
        self.suffix = "6" if family == "inet6" else ""
        self.properties.setdefault("priority", priority)
        if method:
            self.properties[f"method{self.suffix}"] = method

    def option(self, line: str, key: str, value: str) -> None:
        name = key.replace("_", "-")
        if name in _BY_FAMILY:
            self.properties[name + self._suffix_of(value)] = value
        elif name in _LISTS:
            ports = sorted(set(value.split()) - {"none"})  # C041, C039
            self.properties[_LISTS[name]] = " ".join(ports)
        elif name == "bridge-vlan-aware":
            self.properties["bridge_vlan_aware"] = 1
        elif name in _PLAIN:
            self.properties[_PLAIN[name]] = _meaning(name, value)
        else:
            self.options[self.suffix].append(line)

    def _suffix_of(self, value: str) -> str:
        """A stanza without a family holds both; the value tells (walk 27)."""
        return "6" if self.families[-1] is None and ":" in value else self.suffix

    def finish(self) -> dict[str, Property]:
        found = self.properties
        found["families"] = tuple(self.families) or ("inet",)
        if self.comments:
            found["comments"] = "".join(f"{line}\n" for line in self.comments)  # of both stanzas (C150)
        for suffix, lines in self.options.items():
            if lines:
                found[f"options{suffix}"] = tuple(lines)
            found.setdefault(f"method{suffix}", "manual")
            _settle_address(found, suffix)
        return found


def _meaning(name: str, value: str) -> str:
    if name == "bond-mode" and value.isdecimal() and int(value) < len(_MODES):
        return _MODES[int(value)]
    if name == "bridge-stp":
        return "on" if value.lower() in {"on", "y", "yes", "1"} else "off"
    return value


def _settle_address(found: dict[str, Property], suffix: str) -> None:
    """Give an address all of its three forms: with its prefix length, without, and that alone."""
    address, mask = found.get(f"address{suffix}"), found.get(f"netmask{suffix}")
    if not isinstance(address, str):
        return
    host, slash, length = address.partition("/")
    if not slash and isinstance(mask, str):
        length = _prefix_length(mask)
    if length:
        found[f"address{suffix}"] = host
        found[f"netmask{suffix}"] = length
        found[f"cidr{suffix}"] = f"{host}/{length}"


def _prefix_length(mask: str) -> str:
    if "." not in mask:
        return mask
    try:
        return str(IPv4Network(f"0.0.0.0/{mask}").prefixlen)
    except ValueError:
        return mask


class Reader:
    """The file read line by line: a stanza is open or none is."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        self.auto: set[str] = set()
        self.loose: list[Loose] = []
        self.opened: Draft | None = None
        """The interface whose stanza the line that was read last belongs to."""
        self._next = _FIRST_PRIORITY

    def line(self, raw: str) -> None:
        stripped = raw.strip()
        if self.opened is not None and self._inside(self.opened, stripped):
            return
        self.opened = None
        self._outside(raw, stripped)

    def _inside(self, draft: Draft, stripped: str) -> bool:
        if stripped.startswith("#"):
            draft.comments.append(stripped[1:])
        elif _SECTION.match(stripped) or not (option := _OPTION.fullmatch(stripped)):
            return False  # a blank line, too, ends it (pve-api#f7)
        else:
            draft.option(stripped, option[1], option[2])
        return True

    def _outside(self, raw: str, stripped: str) -> None:
        if not stripped or stripped.startswith("#"):
            return  # comments outside stanzas go (pve-api#f4)
        if auto := _AUTO.fullmatch(stripped):
            self.auto.update(auto[1].split())
        elif iface := _IFACE.fullmatch(stripped):
            self.opened = self.drafts.setdefault(iface[1], Draft(iface[1]))
            self.opened.begin(iface[2], iface[3], self._take_priority(iface[1]))
        else:
            self.loose.append(Loose(self._take_priority(), raw))

    def _take_priority(self, name: str = "") -> int:
        """The next place; the one it has, for a further stanza of an interface."""
        if name and "priority" in self.drafts[name].properties:
            return 0
        self._next += 1
        return self._next - 1


def parse(text: str, host: Host) -> Parsed:
    """The file as PVE reads it on this machine."""
    reader = Reader()
    for line in text.split("\n"):
        reader.line(line)
    found = {name: draft.finish() for name, draft in reader.drafts.items()}
    for name in sorted(host.nics):
        found.setdefault(name, _not_in_file("manual"))
    for name in reader.auto & found.keys():
        found[name]["autostart"] = 1
    for name, properties in found.items():
        if name in host.up:
            properties["active"] = 1
        _complete(name, properties, host)
    if "lo" not in found:
        found["lo"] = {**_not_in_file("loopback"), "type": "loopback", "priority": 1, "autostart": 1}  # D093
    return Parsed(
        interfaces=MappingProxyType(dict(_sorted(found))),
        loose=tuple(_without_listed_ports(reader.loose, found)),
        text=text,
        host=host,
    )


def _without_listed_ports(loose: list[Loose], found: dict[str, dict[str, Property]]) -> Iterator[Loose]:
    """`allow-vmbr5 ens40` says what the OVS bridge says as well; what the bridge lists needs it no more (walk 5001)."""
    for each in loose:
        if not (match := _ALLOW.fullmatch(each.line.rstrip())):
            yield each
            continue
        listed = str(found.get(match[1], {}).get("ovs_ports", "")).split()
        if left := [port for port in match[2].split() if port not in listed]:
            yield Loose(each.priority, f"allow-{match[1]} {' '.join(left)}")


def _not_in_file(method: str) -> dict[str, Property]:
    return {"method": method, "method6": "manual", "families": ("inet",)}


def _sorted(found: dict[str, dict[str, Property]]) -> Iterator[tuple[str, Interface]]:
    """In the order of the file; what is not in it comes last, by name."""
    last = (
        len(found)
        + _FIRST_PRIORITY
        + max((p for f in found.values() if isinstance(p := f.get("priority"), int)), default=0)
    )

    def key(name: str) -> tuple[int, str]:
        priority = found[name].get("priority")
        return (priority if isinstance(priority, int) else last, name)

    for name in sorted(found, key=key):
        yield name, Interface(name, MappingProxyType(found[name]))


def _complete(name: str, properties: dict[str, Property], host: Host) -> None:
    """Add what PVE derives: the type, and what goes with it."""
    kind = type_of(name, properties, host.nics)
    properties["type"] = kind
    if name in host.nics:
        properties["exists"] = 1
        if host.nics[name]:
            properties["altnames"] = tuple(host.nics[name])
    if kind == "bridge":
        properties.setdefault("bridge_fd", 0)  # a number, unlike one of the file (pve-api#field-fd)
        properties.setdefault("bridge_stp", "off")
    elif kind == "vlan":
        _complete_vlan(name, properties, host)
    elif kind == "alias":
        properties["exists"] = 1 if name.rpartition(":")[0] in host.nics else None
    elif kind in OVS_TYPES:
        ovs.read_options(kind, properties)


def _complete_vlan(name: str, properties: dict[str, Property], host: Host) -> None:
    if match := VLAN_OF.fullmatch(name):
        properties["vlan-raw-device"], properties["vlan-id"] = match[1], match[2]
    elif match := VLAN_NAMED.fullmatch(name):
        properties["vlan-id"] = match[1]
    properties["exists"] = 1 if properties.get("vlan-raw-device") in host.nics else None
