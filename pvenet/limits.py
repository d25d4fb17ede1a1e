"""What PVE takes from a request. A node's file may hold more, and then it can't be sent again."""

from __future__ import annotations

import re
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


VIDS = range(2, 4095)
"""Of a VLAN-aware bridge's ports; the bridge itself has 1 (pve-api#field-vids, and recording C113)."""

TAGS = range(1, 4095)
"""Of a VLAN interface (pve-api#f63), and of an OVS port (pve-api#ovs-options)."""

NODE = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
"""The name of a node, which is its host's, as a pattern."""

_VIDS = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)
_LINE_END = re.compile(r"[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_NODE = re.compile(NODE)
_NAME = re.compile(r"[a-z][a-z0-9_]{1,20}([:.]\d+)?", re.IGNORECASE | re.ASCII)


def takes_name(name: str) -> bool:
    """Whether PVE takes a name of an interface, a port or a slave (pve-api#iface-name)."""
    return _NAME.fullmatch(name) is not None


def names_node(name: str) -> bool:
    """Whether a name can be that of a node."""
    return _NODE.fullmatch(name) is not None


def takes_vids(text: str) -> bool:
    """Whether PVE takes a VLAN id, or a range of them, for a bridge."""
    found = _VIDS.fullmatch(text)
    ends = [int(end) for end in found.groups() if end] if found else []
    return bool(ends) and all(end in VIDS for end in ends) and ends == sorted(set(ends))


def line_end(text: str) -> str | None:
    """A character other than a newline at which some program ends a line, and takes what follows for one of its own."""
    found = _LINE_END.search(text)
    return found[0] if found else None


def refused(address: IPv4Interface | IPv6Interface) -> bool:
    """Whether PVE refuses an address that is sent to it."""
    if address.network.prefixlen < SHORTEST_PREFIX:
        return True
    return isinstance(address, IPv6Interface) and (
        address in DOCUMENTATION or not any(address in net for net in _HOSTS)
    )
