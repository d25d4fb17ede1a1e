"""What the name of an interface says."""

from __future__ import annotations

import re

_LIKE_A_NIC = re.compile(r"(?:eth|nic|if)\d+|(?:en|ib)[^.:]+", re.ASCII)


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that sorts ens9 before ens10."""
    parts, digits = [""], False
    for letter in name:
        if letter.isdecimal() != digits:
            digits = not digits
            parts.append("")
        parts[-1] += letter
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts)


def from_vlan_name(vlan: str) -> tuple[str | None, int | None]:
    """The raw device and the tag that a VLAN's name says: both in `bond0.50`, the tag in `vlan50`."""
    raw_device, dot, tag = vlan.rpartition(".")
    if not dot:
        raw_device, tag = "", vlan.removeprefix("vlan") if vlan.startswith("vlan") else ""
    return raw_device or None, int(tag) if tag.isdecimal() else None


def parent_in(name: str) -> str | None:
    """The device that a name speaks of: `bond0` in `bond0.50` and in `bond0:1`."""
    for mark in (".", ":"):
        head, found, digits = name.rpartition(mark)
        if found and head and digits.isdecimal():
            return head
    return None


def looks_like_a_nic(name: str) -> bool:
    """Whether PVE takes a name for a NIC's, there or not (pve-api#f35)."""
    return _LIKE_A_NIC.fullmatch(name) is not None
