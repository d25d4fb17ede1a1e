"""Addresses and their prefix lengths, as a file or a request gives them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pvenet.sim.interfaces.model import Property

_WITH_LENGTH = re.compile(r"(.*)/(\d+)", re.DOTALL)
_DIGITS = re.compile(r"\d+")


def _dotted(length: int) -> str:
    bits = (1 << 32) - (1 << (32 - length))
    return ".".join(str(bits >> shift & 255) for shift in (24, 16, 8, 0))


_LENGTHS = {_dotted(length): str(length) for length in range(1, 33)}
"""Of each dotted mask; 0.0.0.0 counts as none."""
_WHOLE = {"": "32", "6": "128"}


def length_of(netmask: str) -> str | None:
    """The prefix length that a netmask says, as it is written; None where PVE finds none (pve-api#f53, pve-api#f54)."""
    if _DIGITS.fullmatch(netmask):
        return netmask if netmask != "0" else None
    return _LENGTHS.get(netmask)


def complete(found: dict[str, Property], suffix: str) -> None:
    """Give an address of the file all of its forms: with its length, without, and the length alone."""
    address, netmask = found.get(f"address{suffix}"), str(found.get(f"netmask{suffix}", ""))
    if not address:
        return
    if match := _WITH_LENGTH.fullmatch(str(address)):  # nothing is validated (pve-api#f52)
        found[f"address{suffix}"], found[f"netmask{suffix}"] = match.groups()
        found[f"cidr{suffix}"] = address
    elif length := length_of(netmask):
        found[f"cidr{suffix}"] = f"{address}/{length}"
        if not suffix:
            found["netmask"] = length
    else:
        found[f"cidr{suffix}"] = f"{address}/{_WHOLE[suffix]}"
