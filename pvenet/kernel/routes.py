"""The text of `ip -details -4 route show`, and of -6, to routes. pve-api#report-recipe."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from pvenet.kernel import words
from pvenet.kernel.links import Route
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from ipaddress import IPv4Address, IPv6Address

_TYPES = frozenset(
    ("unicast", "local", "broadcast", "multicast", "anycast", "unreachable", "blackhole", "prohibit", "throw")
)
_ELSEWHERE = frozenset(("unreachable", "blackhole", "prohibit", "throw"))
"""They lead nowhere, and what they name is not a way."""
_NEXT = "nexthop"


def read_routes(text: str, family: int) -> tuple[Route, ...]:
    """The routes of a family, 4 or 6, that lead somewhere, in their order; one a way. Raises Unreadable."""
    found: list[Route] = []
    begun: tuple[str, ...] = ()
    for line in text.split("\n") if text else ():
        onward = line.startswith("\t")
        row = words.split(line.removeprefix("\t"))
        if onward and (row[:1] != (_NEXT,) or not begun):
            raise Unreadable("a route goes on where none began")
        if not onward:
            begun = _begun(row)
        found.extend(_routes(begun, row, family))
    return tuple(found)


def _begun(row: tuple[str, ...]) -> tuple[str, ...]:
    if len(row) <= 1 or row[0] not in _TYPES:
        raise Unreadable("a route is of no type")
    return row


def _routes(begun: Sequence[str], row: Sequence[str], family: int) -> Iterator[Route]:
    to = _target(begun[1], family)
    dev = words.after(row, "dev")
    if dev is not None and begun[0] not in _ELSEWHERE:
        proto = words.after(begun, "proto") or ""
        yield Route(to=to, via=_gateway(row), dev=dev, proto=proto, family=family)


def _target(word: str, family: int) -> str:
    if word == "default":
        return word
    try:
        network = ip_network(word)
    except ValueError:
        raise Unreadable("a route does not lead to a network") from None
    if network.version != family:
        raise Unreadable("a route is of another family")
    return str(network)


def _gateway(row: Sequence[str]) -> IPv4Address | IPv6Address | None:
    """IPv4 by way of IPv6 is `via inet6 ADDRESS`."""
    word = words.after(row, "via")
    if word == "inet6":
        word = words.after(row, "inet6")
    if word is None:
        return None
    try:
        return ip_address(word)
    except ValueError:
        raise Unreadable("a gateway is not an address") from None
