"""The network endpoints of a node as pure functions: the file's text in, data or the new text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Set as AbstractSet


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine beneath a node, as far as the configuration looks at it."""

    nics: Mapping[str, tuple[str, ...]]
    """Physical NICs that are present, and their altnames."""
    up: AbstractSet[str]
    """Links that the kernel has up."""
    ovs: bool = False
    ifupdown2: bool = True
    name: str = "pve1"


@dataclass(frozen=True, kw_only=True)
class Interface:
    """One interface as PVE reads it: its name and its properties by PVE's names."""

    name: str
    type: str
    autostart: bool
    ports: tuple[str, ...]
    """What it is made of: a bridge's ports, a bond's slaves, in either kind of switch."""
    raw_device: str | None
    """What a VLAN or an alias sits on."""


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A parsed file, with `active` and `exists` as they were when it was parsed."""

    interfaces: Mapping[str, Interface]


def parse(text: str, host: Host) -> Parsed:
    """The file as PVE reads it on this machine."""
    raise NotImplementedError


def listing(parsed: Parsed, type: str | None = None) -> list[dict[str, object]]:  # noqa: A002  PVE's name of the parameter
    """Data of the list, in file order; raises `Refused` for an unknown type."""
    raise NotImplementedError


def entry(parsed: Parsed, iface: str) -> dict[str, object]:
    """Data of a single interface; raises `Refused` when there is none."""
    raise NotImplementedError


def create(parsed: Parsed, params: Mapping[str, object], host: Host) -> str:
    """The file's new text with one more interface; raises `Refused`."""
    raise NotImplementedError


def update(parsed: Parsed, iface: str, params: Mapping[str, object], host: Host) -> str:
    """The file's new text with an interface changed; raises `Refused`."""
    raise NotImplementedError


def delete(parsed: Parsed, iface: str, host: Host) -> str:
    """The file's new text without an interface; raises `Refused`."""
    raise NotImplementedError


def changes(old: str, new: str, old_time: str = "", new_time: str = "") -> str | None:
    """The difference as PVE's `diff -b -N -u` shows it, None when there is none."""
    raise NotImplementedError
