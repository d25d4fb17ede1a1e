"""The file as ifupdown2 reads it, which is otherwise than PVE does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet.sim.interfaces.type_rules import NIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = "/etc/network/interfaces"

BEFORE = ("pre-up",)
AFTER = ("up", "post-up")
"""Hooks of a stanza, by when they run."""

_MAKERS = (
    re.compile(r"\bip(?:\s+-\S+)*\s+link\s+add\s+(?:link\s+\S+\s+)?(?!(?:link|name|dev|type)\b)(\S+)"),
    re.compile(r"\bip(?:\s+-\S+)*\s+link\s+add\b[^;&|]*?\b(?:name|dev)\s+(\S+)"),
    re.compile(r"\bip(?:\s+-\S+)*\s+link\s+add\b[^;&|]*?\bpeer\s+(?:name\s+)?(\S+)"),
    re.compile(r"\bip(?:\s+-\S+)*\s+(?:tuntap|tunnel)\s+add\s+(?!(?:name|dev|mode)\b)(\S+)"),
    re.compile(r"\bip(?:\s+-\S+)*\s+(?:tuntap|tunnel)\s+add\b[^;&|]*?\b(?:name|dev)\s+(\S+)"),
    re.compile(r"\bbrctl\s+addbr\s+(\S+)"),
    re.compile(r"\btunctl\b[^;&|]*?\s-t\s+(\S+)"),
    re.compile(r"\bopenvpn\b(?=[^;&|]*--mktun)[^;&|]*--dev\s+(\S+)"),
)
"""Commands that make a link, and where they name it."""
_ADDRESSING = ("address", "netmask", "gateway")
_IFACE = re.compile(r"\$(?:IFACE\b|\{IFACE\})")


@dataclass(kw_only=True)
class Stanzas:
    """The file as ifupdown2 reads it."""

    auto: list[str] = field(default_factory=list)
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    commands: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Hooks of each interface, and what they run."""
    addressing: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """What each interface's stanzas say of addresses and gateways, in the file's order; `iface` begins a stanza."""
    altnames: Mapping[str, str] = field(default_factory=dict)
    """Other names of NICs, and what the kernel calls them."""
    errors: list[str] = field(default_factory=list)

    def words(self, iface: str, *names: str) -> list[str]:
        """What an option lists; the old spelling counts as well as the new."""
        options = self.options.get(iface, {})
        text = next((options[name] for name in names if name in options), "")
        return [self.altnames.get(word, word) for word in text.split() if word != "none"]

    def slaves(self, iface: str) -> list[str]:
        return self.words(iface, "bond-slaves", "slaves", "ovs_bonds")

    def ports(self, iface: str) -> list[str]:
        return self.words(iface, "bridge-ports", "ovs_ports")

    def is_bond(self, iface: str) -> bool:
        return bool(self.options.get(iface, {}).keys() & {"bond-slaves", "slaves", "ovs_bonds"})

    def is_bridge(self, iface: str) -> bool:
        return bool(self.options.get(iface, {}).keys() & {"bridge-ports", "ovs_ports"})

    def implied(self) -> set[str]:
        """VLANs that have no stanza and are made for the bridge or bond that lists them: `ens38.100`."""
        members = {member for iface in self.options for member in (*self.slaves(iface), *self.ports(iface))}
        return {member for member in members - self.options.keys() if self.raw_device(member)}

    def share_members(self) -> bool:
        """Whether something is a slave or a port of more than one."""
        members = [member for iface in self.options for member in {*self.slaves(iface), *self.ports(iface)}]
        return len(members) > len(set(members))

    def raw_device(self, iface: str) -> str | None:
        if raw := self.words(iface, "vlan-raw-device"):
            return raw[0]
        name, dot, _tag = iface.rpartition(".")
        return self.altnames.get(name, name) if dot else None

    def hooked(self) -> set[str]:
        """Links that commands of any interface make."""
        return {link for iface in self.commands for link in self.made_by_hooks(iface, (*BEFORE, *AFTER))}

    def made_by_hooks(self, iface: str, hooks: tuple[str, ...]) -> Iterator[str]:
        """Links that commands of an interface make, at this time of its coming up."""
        for hook, command in self.commands.get(iface, ()):
            for maker in _MAKERS if hook in hooks else ():
                for name in maker.findall(command):
                    yield _IFACE.sub(lambda _: iface, name).strip("\"'")


def read(text: str, altnames: Mapping[str, str] | None = None) -> Stanzas:
    """The stanzas of a file; comments, sources and what ifupdown2 can't read apart."""
    stanzas = Stanzas(altnames=altnames or {})
    current: dict[str, str] | None = None
    iface = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        words = raw.split()
        if not words or words[0].startswith("#"):
            continue
        match words:
            case ["auto", *names]:
                stanzas.auto += [stanzas.altnames.get(name, name) for name in names]
                current = None
            case ["iface", name, *_]:
                iface = stanzas.altnames.get(name, name)
                current = stanzas.options.setdefault(iface, {})
                stanzas.addressing.setdefault(iface, []).append(("iface", ""))
            case ["source" | "source-directory" | "allow-hotplug" | "mapping" | "rename", *_]:
                current = None
            case [key, *values] if current is not None:
                current[_spelling(key)] = " ".join(values)
                if key in {*BEFORE, *AFTER}:
                    stanzas.commands.setdefault(iface, []).append((key, " ".join(values)))
                if key in _ADDRESSING and values:
                    stanzas.addressing[iface].append((key, values[0]))
            case _:
                place = f"{FILE}: line{number}"
                stanzas.errors.append(f"{FILE} : error: {place}: error processing line '{raw.strip()}' ")
    return stanzas


def _spelling(key: str) -> str:
    return key if key.startswith("ovs") else key.replace("_", "-")


def nics_of(text: str) -> list[str]:
    """Names in a file that must be physical NICs: nothing in it would make such a link."""
    stanzas = read(text)
    members = [member for iface in stanzas.options for member in stanzas.slaves(iface) + stanzas.ports(iface)]
    names = dict.fromkeys([*stanzas.options, *members])
    beneath = dict.fromkeys(lower for name in names for lower in _carriers(stanzas, name) if NIC.fullmatch(lower))
    made = stanzas.hooked()
    return [name for name in names | beneath if _is_physical(stanzas, name) and name not in made]


def _carriers(stanzas: Stanzas, name: str) -> Iterator[str]:
    """What a VLAN or an alias stands on, down to the lowest; a circle ends."""
    seen = {name}
    lower = _lower(stanzas, name)
    while lower and lower not in seen:
        yield lower
        seen.add(lower)
        lower = _lower(stanzas, lower)


def _lower(stanzas: Stanzas, name: str) -> str | None:
    parent, colon, _number = name.rpartition(":")
    return parent if colon else stanzas.raw_device(name)


def _is_physical(stanzas: Stanzas, name: str) -> bool:
    options = stanzas.options.get(name, {})
    virtual = stanzas.is_bond(name) or stanzas.is_bridge(name) or stanzas.raw_device(name) or ":" in name
    return name != "lo" and not virtual and not makes_link(options)


_VIRTUAL = ("ovs_type", "vxlan", "link-type", "vrf-table", "tunnel-mode")
"""Options by which ifupdown2 makes a link, beside those of bonds, bridges and VLANs."""


def makes_link(options: Mapping[str, str]) -> bool:
    """Whether a stanza of these options is a link that ifupdown2 makes, of another kind than bond, bridge, or VLAN."""
    return any(key.startswith(_VIRTUAL) for key in options)
