"""The addresses that a file gives a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.machine.ifupdown2 import read

if TYPE_CHECKING:
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
