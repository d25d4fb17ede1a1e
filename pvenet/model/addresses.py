"""The addresses of an interface, and how people write one on the command line and in a network file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface, ip_address, ip_interface
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv6Address

    from pvenet.model.interfaces import Interface

Address: TypeAlias = IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the addresses of a field are written."""

    version: int
    prefix: bool
    example: str
    other: str
    """The field for addresses of the other IP version."""


SPELLINGS: Mapping[str, Spelling] = {
    "cidr": Spelling(4, prefix=True, example="10.0.0.2/24", other="cidr6"),
    "gateway": Spelling(4, prefix=False, example="10.0.0.2", other="gateway6"),
    "cidr6": Spelling(6, prefix=True, example="fd00::2/64", other="cidr"),
    "gateway6": Spelling(6, prefix=False, example="fd00::2", other="gateway"),
}
"""The fields of the model that hold an address."""


def parse_address(
    field: str, value: object, *, called: str = "{}"
) -> IPv4Address | IPv6Address | IPv4Interface | IPv6Interface:
    """The address of a field. `called` is how a message calls a field, `{}` its name.

    Raises ValueError, with a clause for people, for what is none, is of the other IP version, or lacks its prefix
    length.
    """
    spelling = SPELLINGS[field]
    read = with_subnet if spelling.prefix else ip_address
    try:
        found = read(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{value!r} is not an IPv{spelling.version} address like {spelling.example}") from None
    if found.version != spelling.version:
        other = called.format(spelling.other)
        raise ValueError(f"{value} is an IPv{found.version} address; use {other} for that")
    if spelling.prefix and "/" not in str(value):
        length = spelling.example.partition("/")[2]
        raise ValueError(f"{value} lacks its prefix length, as in {value}/{length}")
    return found


@lru_cache(maxsize=8192)  # a network file and the nodes that it is about say the same ones
def with_subnet(text: str) -> Address:
    """`ip_interface` of a text; but the address is read once, and not once more for the network that it is in."""
    address, _, length = text.partition("/")
    try:
        return IPv4Interface((int(IPv4Address(address)), length))
    except ValueError:
        return ip_interface(text)


def addresses(interface: Interface | None) -> tuple[Address, ...]:
    """The addresses of an interface, with their subnets."""
    found: tuple[Address | None, ...] = (interface.cidr, interface.cidr6) if interface else ()
    return tuple(address for address in found if address is not None)
