"""The way from the cables up to an address, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.model.relations import outward

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.model import Network
    from pvenet.plan import ManagementPath


def shown_path(path: ManagementPath, network: Network) -> str:
    """The way from the cable up: NICs, bond, bridge, address."""
    if not path.holders:
        return "no interface"
    top = network.interfaces.get(path.holders[0])
    cidr = getattr(top, "cidr", None) or getattr(top, "cidr6", None)
    chain = shown_chain(path.holders[0], network)
    return f"{chain} > {cidr.ip}" if cidr else chain


def shown_chain(name: str, network: Network) -> str:
    """An interface and what is beneath it, from the cable up."""
    levels: list[list[str]] = [[name]]
    seen = {name}  # a switch and its port name each other
    while below := [each for each in _below(levels[-1], network) if each not in seen]:
        levels.append(below)
        seen.update(below)
    return " > ".join("+".join(level) for level in reversed(levels))


def _below(names: Collection[str], network: Network) -> list[str]:
    known = network.interfaces
    return sorted({low for name in names if name in known for low in outward(known[name], known)})
