"""The addresses that a file gives a node."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from pvenet.sim.machine.ifupdown2 import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet


def address_of(text: str) -> str:
    """The address that a node of this file is known by: the one with the gateway, else the first."""
    options = read(text).options
    with_address = [stanza for name, stanza in options.items() if name != "lo" and "address" in stanza]
    with_address.sort(key=lambda stanza: "gateway" not in stanza)
    return with_address[0]["address"].partition("/")[0].strip() if with_address else "127.0.0.1"


def addresses_of(text: str, without: AbstractSet[str] = frozenset()) -> tuple[str, ...]:
    """All that a node of this file answers at: those of what starts by itself, but for these links."""
    starts = set(read(text).auto) - without
    found: list[str] = []
    name = ""
    for words in map(str.split, text.splitlines()):
        match words:
            case ["iface", name, *_]:
                pass
            case ["address", address, *_] if name in starts:
                found.append(address.partition("/")[0])
    return tuple(dict.fromkeys(found))


def cidrs(addressing: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The addresses of one interface with their lengths, without those that are none."""
    return tuple(dict.fromkeys(_cidrs(addressing)))


def _cidrs(addressing: Iterable[tuple[str, str]]) -> Iterator[str]:
    bare: list[str] = []
    netmask = ""
    for key, value in [*addressing, ("iface", "")]:
        if key == "iface":  # a stanza is over: its netmask is that of each address without a length
            yield from filter(None, (_cidr(address, netmask) for address in bare))
            bare, netmask = [], ""
        elif key == "address":
            bare.append(value)
        elif key == "netmask":
            netmask = value


def _cidr(address: str, netmask: str) -> str | None:
    length = "" if "/" in address or not netmask else f"/{netmask}"
    try:
        return str(ipaddress.ip_interface(address + length))
    except ValueError:
        return None


def gateways(addressing: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The gateways of one interface, without those that are none."""
    found = [value for key, value in addressing if key == "gateway"]
    return tuple(dict.fromkeys(filter(None, map(_address, found))))


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
