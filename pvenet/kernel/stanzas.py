"""What files of ifupdown2 name: interfaces, what comes up with the node, addresses and gateways. What else is skipped.

This is how ifupdown2 takes a file, which makes the kernel's state of it, not how PVE does (pve-api#f7, pve-api#f10): a
backslash goes on in the next line, and blank lines and comments end no stanza.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_interface
from posixpath import basename, dirname, join
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

INTERFACES = "/etc/network/interfaces"
"""The one file that PVE writes, and that names the others."""

_FAMILIES = {"inet": 4, "inet6": 6}
_BLANKS = " \t\r"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stanza:
    """An `iface` line and what stands beneath it. An interface may have several."""

    name: str
    family: int | None = None
    """4 or 6; None where the line does not say."""
    method: str = ""
    """`static`, `manual`, `dhcp`, `auto`, ...; empty where the line does not say."""
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    """Those with a prefix or a netmask."""
    gateways: tuple[IPv4Address | IPv6Address, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stanzas:
    """A file."""

    stanzas: tuple[Stanza, ...] = ()
    """In the file's order."""
    auto: frozenset[str] = frozenset()
    """Words of `auto` and `allow-auto`: what comes up with the node."""
    allowed: frozenset[str] = frozenset()
    """Words of `allow-hotplug`, `allow-ovs` and the like."""
    sources: tuple[str, ...] = ()
    """Patterns of the files that it takes in, as paths."""

    @property
    def names(self) -> frozenset[str]:
        """The interfaces that have a stanza."""
        return frozenset(stanza.name for stanza in self.stanzas)


def read_stanzas(text: str) -> Stanzas:
    """What a file names; whatever it holds, it is read."""
    found: list[list[Sequence[str]]] = []
    auto, allowed = set[str](), set[str]()
    sources: list[str] = []
    within = False
    for words in _lines(text):
        key, values = words[0], words[1:]
        if not _begins(key):
            if within:
                found[-1].append(words)
            continue
        within = key == "iface" and bool(values)
        if within:
            found.append([words])
        elif key in ("auto", "allow-auto"):
            auto.update(values)
        elif key.startswith("allow-"):
            allowed.update(values)
        elif key in ("source", "source-directory") and len(values) == 1:
            path = join(dirname(INTERFACES), values[0])
            sources.append(join(path, "*") if key == "source-directory" else path)
    return Stanzas(
        stanzas=tuple(_stanza(lines) for lines in found),
        auto=frozenset(auto),
        allowed=frozenset(allowed),
        sources=tuple(sources),
    )


def named_twice(interfaces: str, sourced: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """The interfaces that have a stanza in more than one of the files that are taken in, and these files' paths."""
    applied = read_stanzas(interfaces)
    files = {INTERFACES: applied.names}
    files |= {path: read_stanzas(text).names for path, text in sourced.items() if _taken_in(path, applied.sources)}
    every = sorted(frozenset[str]().union(*files.values()))
    places = {name: tuple(path for path, names in files.items() if name in names) for name in every}
    return {name: paths for name, paths in places.items() if len(paths) > 1}


def _lines(text: str) -> Iterator[Sequence[str]]:
    """The words of each line that is neither empty nor a comment."""
    for line in text.replace("\r\n", "\n").replace("\\\n", " ").split("\n"):
        words = line.strip(_BLANKS).replace("\t", " ").split(" ")
        if words[0] and not words[0].startswith("#"):
            yield [word for word in words if word]


def _begins(key: str) -> bool:
    """Whether a line ends the stanza before it."""
    return key in ("iface", "auto", "mapping", "source", "source-directory", "vlan", "template") or (
        key.startswith("allow-") or key == "no-auto-down"
    )


def _taken_in(path: str, patterns: Sequence[str]) -> bool:
    """As a shell has it: a star is no hidden file, and no folder."""
    folder, name = dirname(path), basename(path)
    rules = [basename(pattern) for pattern in patterns if dirname(pattern) == folder]
    return any(fnmatchcase(name, rule) and rule.startswith(".") == name.startswith(".") for rule in rules)


def _stanza(lines: Sequence[Sequence[str]]) -> Stanza:
    _, name, *rest = lines[0]
    family = _FAMILIES.get(rest[0]) if rest else None
    options = [(line[0], line[1]) for line in lines[1:] if len(line) == len(("key", "value"))]
    mask = next((value for key, value in reversed(options) if key == "netmask"), "")
    addresses = (_address(value, mask) for key, value in options if key == "address")
    gateways = (_gateway(value) for key, value in options if key == "gateway")
    return Stanza(
        name=name,
        family=family,
        method=rest[1] if family and len(rest) > 1 else "",
        addresses=tuple(address for address in addresses if address is not None),
        gateways=tuple(gateway for gateway in gateways if gateway is not None),
    )


def _address(value: str, mask: str) -> IPv4Interface | IPv6Interface | None:
    """None for what is none, and for one of which nobody says how large its network is."""
    if "/" not in value and not mask:
        return None
    try:
        return ip_interface(value if "/" in value else f"{value}/{mask}")
    except ValueError:
        return None


def _gateway(value: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(value)
    except ValueError:
        return None
