"""The formats of parameters: each tells what is wrong with a text, or None."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_IFACE = re.compile(r"[a-z][a-z0-9_]{1,20}(?:[:.]\d+)?", re.IGNORECASE)
_CONFIG_ID = re.compile(r"[a-z][a-z0-9_-]+", re.IGNORECASE)
_VLAN_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_LIST = re.compile(r"[,;\s\0]+")
_LENGTH = re.compile(r"\d{1,3}")
_IPV4_LENGTHS = range(8, 33)  # C140, C141
_IPV6_LENGTHS = range(8, 129)
_VLANS = range(2, 4095)


def is_address(text: str) -> bool:
    """Whether it is an IP address, of either version."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def split_list(text: str) -> list[str]:
    """The items of a list, which commas, semicolons and blanks separate."""
    return [item for item in _LIST.split(text) if item]


def iface(text: str) -> str | None:
    return None if _IFACE.fullmatch(text) else f"invalid network interface name '{text}'"


def config_id(text: str) -> str | None:
    return None if _CONFIG_ID.fullmatch(text) else f"invalid configuration ID '{text}'"


def vlan_range(text: str) -> str | None:
    if not (match := _VLAN_RANGE.fullmatch(text)):
        return f"invalid VLAN configuration '{text}'"
    tags = [int(tag) for tag in match.groups() if tag]
    for tag in tags:
        if tag not in _VLANS:
            return f"invalid VLAN tag '{tag}'"  # C113
    return None if tags == sorted(set(tags)) else f"VLAN range must go from lower to higher tag '{text}'"


def list_of(item: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """The format of a list: the complaint about its first bad item."""

    def check(text: str) -> str | None:
        return next((complaint for each in split_list(text) if (complaint := item(each))), None)

    return check


def _is_ip(text: str, version: int) -> bool:
    try:
        return "%" not in text and ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def ipv4(text: str) -> str | None:
    return None if _is_ip(text, 4) else "value does not look like a valid IPv4 address"


def ipv6(text: str) -> str | None:
    return None if _is_ip(text, 6) else "value does not look like a valid IPv6 address"


def _is_cidr(text: str, version: int, lengths: range) -> bool:
    address, _, length = text.partition("/")
    return _is_ip(address, version) and bool(_LENGTH.fullmatch(length)) and int(length) in lengths


def cidr4(text: str) -> str | None:
    return None if _is_cidr(text, 4, _IPV4_LENGTHS) else "value does not look like a valid IPv4 CIDR network"


def cidr6(text: str) -> str | None:
    return None if _is_cidr(text, 6, _IPV6_LENGTHS) else "value does not look like a valid IPv6 CIDR network"


def ipv4mask(text: str) -> str | None:
    """A mask is dotted; the length that GET tells is refused (D015)."""
    try:
        ok = text.count(".") == 3 and ipaddress.IPv4Network(f"0.0.0.0/{text}").netmask == ipaddress.IPv4Address(text)  # noqa: PLR2004
    except ValueError:
        ok = False
    return None if ok else "value does not look like a valid IP netmask"
