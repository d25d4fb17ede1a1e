"""Whose lines a pending diff changes, by the diff alone (pve-api#diff): it shows three lines around each."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import TYPE_CHECKING

from pvenet.model import Other
from pvenet.stanza_lines import hunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_IFACE = re.compile(r"iface\s+(\S+)")
_STARTS = re.compile(r"(?:auto|allow-\S+)\s+(.*)")
_KINDS = (
    (r"ovs_type\s+(\S+)", ""),
    (r"bridge[-_]", "bridge"),
    (r"(?:bond-)?slaves\s|bond[-_]mode\s", "bond"),
    (r"vlan[-_]", "vlan"),
)
_DOTTED = re.compile(r"(.+)\.[0-9]+")
"""A VLAN by its name."""
_PORTS = ("bridge-ports", "bridge_ports", "bond-slaves", "slaves", "ovs_ports", "ovs_bonds", "vlan-raw-device")


@dataclass(frozen=True, kw_only=True)
class StanzaChanges:
    """The interfaces that a diff is about."""

    begun: Mapping[str, int]
    """Stanzas come, and none goes: how many, because each family has one."""
    ended: Mapping[str, Other]
    """A stanza goes; as far as its lines say what it is."""
    changed: frozenset[str]
    """Other lines of it change, whether they come or go."""
    whole: bool
    """Every changed line is somebody's; else one stands too far from the beginning of its stanza."""


@dataclass
class _Walk:
    """The lines of a diff by their owner, without those that only move or are spelled otherwise."""

    owner: str | None = None
    """None where the beginning of the stanza is not shown."""
    lines: dict[str, Counter[str]] = field(default_factory=dict)
    """Of each owner: how often a line comes, less how often it goes."""
    stanzas: dict[str, Counter[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def take(self, mark: str, line: str) -> None:
        """A line of a hunk; the owner stays until another stanza begins."""
        words = " ".join(line.split())
        if starts := _STARTS.fullmatch(words):
            for name in starts[1].split():
                self._count(mark, name, "auto")
            self.owner = starts[1].split()[-1]
            return
        if stanza := _IFACE.match(words):
            self.owner = stanza[1]
            if mark != " ":
                self.stanzas.setdefault(self.owner, Counter())[mark] += 1
        elif words.startswith("source"):
            self.owner = ""
        if words and self.owner is not None:
            self._count(mark, self.owner, words)
        elif words and mark != " ":
            self.lost.append(words)

    def _count(self, mark: str, name: str, words: str) -> None:
        if mark != " " and name:
            self.lines.setdefault(name, Counter())[words] += 1 if mark == "+" else -1


def stanza_changes(changes: str, order: Sequence[str] = ()) -> StanzaChanges:
    """What a pending diff says of the interfaces that it is about. `lo` is none.

    `order`: whose each stanza of the staged file is, by its place there (pve-api#field-priority): it tells whose the
    lines are that stand before another's.
    """
    walk = _Walk()
    parts = hunks(changes)
    for start, lines in parts:
        # above the first stanza nothing is an interface's
        walk.owner = "" if start <= 1 else _before(lines, order, last=lines is parts[-1][1])
        for line in lines:
            walk.take(line[0], line[1:])
    changed = frozenset(name for name, lines in walk.lines.items() if any(lines.values()) and name != "lo")
    begun = {name: found["+"] for name, found in walk.stanzas.items() if found["+"] and not found["-"]}
    ended = {name for name, found in walk.stanzas.items() if found["-"] and not found["+"]}
    return StanzaChanges(
        begun={name: count for name, count in begun.items() if name in changed},
        ended={name: _gone(name, walk.lines[name]) for name in changed & ended},
        changed=changed - begun.keys() - ended,
        whole=not walk.lost,
    )


def _before(lines: Sequence[str], order: Sequence[str], *, last: bool) -> str | None:
    """Whose the lines are with which a hunk begins; None where it can't be told."""
    staged = [" ".join(line[1:].split()) for line in lines if line[0] != "-" and line[1:].strip()]
    for words in staged:
        if starts := _STARTS.fullmatch(words):
            return _former(order, starts[1].split()[0])
        if stanza := _IFACE.match(words):
            several = order.count(stanza[1]) > 1  # without an `auto` line above it may be either
            second = words.split()[2:3] == ["inet6"]
            return stanza[1] if several and second else None if several else _former(order, stanza[1])
    ends = last and bool(staged) and staged[-1].startswith("source")  # PVE keeps it last (pve-api#file-shape)
    return order[-1] if ends and order else None


def _former(order: Sequence[str], name: str) -> str | None:
    """Whose stanza stands before the first one of a name."""
    at = order.index(name) if name in order else 0
    return order[at - 1] if at else None


def _gone(name: str, lines: Counter[str]) -> Other:
    """What a stanza was."""
    words = {key: rest for key, _, rest in (line.partition(" ") for line in lines if lines[line] < 0)}
    dotted = _DOTTED.fullmatch(name)
    ports = next((words[key] for key in _PORTS if key in words), dotted[1] if dotted else "")
    addresses = [each for line in lines for each in _address(line)]
    return Other(
        name=name,
        kind=_kind(name, lines),
        autostart="auto" in words,
        cidr=next((each for each in addresses if isinstance(each, IPv4Interface)), None),
        cidr6=next((each for each in addresses if isinstance(each, IPv6Interface)), None),
        beneath=tuple(port for port in ports.split() if port != "none"),
    )


def _address(line: str) -> list[IPv4Interface | IPv6Interface]:
    if not line.startswith("address "):
        return []
    try:
        return [ip_interface(line.split()[1])]
    except ValueError:
        return []


def _kind(name: str, lines: Counter[str]) -> str:
    """PVE's type of a stanza that goes, by its lines."""
    for pattern, kind in _KINDS:
        for line in lines:
            if found := re.match(pattern, line):
                return kind or found[1]
    return "vlan" if _DOTTED.fullmatch(name) else "unknown"
