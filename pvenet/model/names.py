"""What the name of an interface says, and names in a row."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBERS = re.compile(r"(\d+)")
_LIKE_A_NIC = re.compile(r"(?:eth|nic|if)\d+|(?:en|ib)[^.:]+", re.ASCII)


@lru_cache(maxsize=4096)  # the same names come again and again
def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that sorts ens9 before ens10."""
    parts = _NUMBERS.split(name)  # every second one is a number
    return tuple((bool(at % 2), int(part) if at % 2 else 0, part) for at, part in enumerate(parts))


RUN = 3
"""Names in a row that are said as `pve1 to pve3`."""


def runs(names: Iterable[str]) -> str:
    """Names as people say them: `pve1 to pve4, web1`."""
    rows: list[list[str]] = []
    for name in names:
        if rows and _follows(rows[-1][-1], name):
            rows[-1].append(name)
        else:
            rows.append([name])
    return ", ".join(f"{row[0]} to {row[-1]}" if len(row) >= RUN else ", ".join(row) for row in rows)


def _follows(before: str, name: str) -> bool:
    """Whether a name is the next one: its last number is one higher, and written with as many digits or more."""
    (head, one), (other, two) = (_numbered(each) for each in (before, name))
    if head != other or not one or not two or int(two) != int(one) + 1:
        return False
    return len(two) == len(one) or not (one.startswith("0") or two.startswith("0"))


def _numbered(name: str) -> tuple[str, str]:
    """A name before its last number, and that."""
    head = name.rstrip("0123456789")
    return head, name[len(head) :]


def from_vlan_name(vlan: str) -> tuple[str | None, int | None]:
    """The raw device and the tag that a VLAN's name says: both in `bond0.50`, the tag in `vlan50`."""
    raw_device, dot, tag = vlan.rpartition(".")
    if not dot:
        raw_device, tag = "", vlan.removeprefix("vlan") if vlan.startswith("vlan") else ""
    return raw_device or None, int(tag) if tag.isdecimal() else None


@lru_cache(maxsize=4096)
def parent_in(name: str) -> str | None:
    """The device that a name speaks of: `bond0` in `bond0.50` and in `bond0:1`."""
    for mark in (".", ":"):
        head, found, digits = name.rpartition(mark)
        if found and head and digits.isdecimal():
            return head
    return None


def device_of(name: str) -> str:
    """Whose an alias is, `bond0` of `bond0:1`; any other name is its own device's."""
    return (parent_in(name) or name) if ":" in name else name


def looks_like_a_nic(name: str) -> bool:
    """Whether PVE takes a name for a NIC's, there or not (pve-api#f35)."""
    return _LIKE_A_NIC.fullmatch(name) is not None
