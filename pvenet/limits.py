"""What PVE takes from a request. A node's file may hold more, and then it can't be sent again."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface, IPv6Network

LONGEST_NAME = 15
"""Of an interface, for Linux; PVE takes 21 (pve-api#iface-name)."""

MTUS = range(1280, 65521)
"""pve-api#mtu-range."""

SHORTEST_PREFIX = 8
"""Of an address in either family (pve-api#cidr-mask)."""

DOCUMENTATION = IPv6Network("2001:db8::/32")
"""Refused when it is sent, kept where a file has it (pve-api#update-loses)."""

_HOSTS = (IPv6Network("2000::/3"), IPv6Network("fc00::/7"), IPv6Network("fe80::/10"))
"""Where PVE takes a host's IPv6 address from (C151)."""


def line_end(text: str) -> str | None:
    """A character other than a newline at which some program ends a line, and takes what follows for one of its own."""
    return next((letter for letter in text if letter != "\n" and letter.splitlines() != [letter]), None)


def refused(address: IPv4Interface | IPv6Interface) -> bool:
    """Whether PVE refuses an address that is sent to it."""
    if address.network.prefixlen < SHORTEST_PREFIX:
        return True
    return isinstance(address, IPv6Interface) and (
        address in DOCUMENTATION or not any(address in net for net in _HOSTS)
    )
