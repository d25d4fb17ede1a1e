"""The text of a node's /etc/hosts: which of its lines have to follow when the node's own address changes. Pure.

PVE looks the node's name up there at every start; a name that leads to an address that has gone breaks the node then
(pve-api#hosts).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import chain
from typing import TYPE_CHECKING

from pvenet.model.addresses import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.model import Network

_LINE = re.compile(r"(?P<before>\s*)(?P<address>[^\s#]+)(?P<names>\s[^#]*)(?P<comment>#.*)?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class LineChange:
    """A line as it is and as it has to be, without its end."""

    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class HostsEdit:
    """What has to change in a node's file."""

    lines: tuple[LineChange, ...]
    digest: str
    """PVE's, of the file in which the old lines were seen."""
    agreed: bool = False
    """Pvenet does it; else a person does."""


def moved(before: Network, then: Network) -> dict[str, str | None]:
    """The addresses that a network loses, and what each becomes; None where nothing says that.

    It is what its interface gets instead, or else the only new one of its kind.
    """
    had, has = (set(chain.from_iterable(network.ips.values())) for network in (before, then))
    found: dict[str, str | None] = {}
    for name in before.ips if had - has else ():
        for cidr in addresses(before.interfaces[name]):
            if str(cidr.ip) not in has:
                successors = {cidr.version: str(cidr.ip) for cidr in addresses(then.interfaces.get(name))}
                new = [ip for ip in sorted(has - had) if ip_address(ip).version == cidr.version]
                found[str(cidr.ip)] = successors.get(cidr.version) or (new[0] if len(new) == 1 else None)
    return found


def followed(text: str, node: str, gone: Mapping[str, str | None]) -> tuple[list[LineChange], list[str]]:
    """The lines of a node's name that have to follow, and those of which nothing says how."""
    changes, open_ends = [], []
    for line in text.split("\n"):
        found = _LINE.fullmatch(line)
        address = _as_ip(found["address"]) if found else None
        if not found or address is None or address not in gone or not _names(node, found["names"]):
            continue
        new = gone[address]
        if new is None:
            open_ends.append(line)
        else:
            changes.append(LineChange(old=line, new=f"{found['before']}{new}{line[found.end('address') :]}"))
    return changes, open_ends


def resolved(text: str, name: str) -> frozenset[str]:
    """The addresses that a name has in the file."""
    found = (match for line in text.split("\n") if (match := _LINE.fullmatch(line)))
    lower = name.lower()
    return frozenset(
        ip for each in found if lower in each["names"].lower().split() and (ip := _as_ip(each["address"])) is not None
    )


def replaced(text: str, changes: Iterable[LineChange]) -> str | None:
    """The text with these lines changed, and everything else as it is; None where one is not there just once."""
    lines = text.split("\n")
    for change in changes:
        if lines.count(change.old) != 1:
            return None
        lines[lines.index(change.old)] = change.new
    return "\n".join(lines)


def undone(changes: Iterable[LineChange]) -> tuple[LineChange, ...]:
    """What puts these lines back."""
    return tuple(LineChange(old=change.new, new=change.old) for change in changes)


def _names(node: str, names: str) -> bool:
    """Whether one of the names of a line is a node's, perhaps with its domain."""
    return node.lower() in {word.partition(".")[0] for word in names.lower().split()}


def _as_ip(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
