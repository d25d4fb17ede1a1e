"""The names that a simulated node has, for whoever must disturb nothing: no lock is taken, and no time passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.files import SimError, read_file, read_json
from pvenet.sim.interfaces.model import Host
from pvenet.sim.interfaces.parse import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Named:
    """An interface by its name, and what there is to know before one names it."""

    name: str
    type: str
    ports: tuple[str, ...]
    """What it is made of."""
    addressed: bool
    """It has an address."""


def nodes_in(folder: Path) -> list[str]:
    """Names of the nodes, in alphabetical order."""
    return sorted(path.parents[1].name for path in folder.glob("*/etc/network"))


def named_in(folder: Path, node: str) -> list[Named]:
    """The interfaces of a node as its file names them, what is staged included. Raises OSError and SimError."""
    network = folder / node / "etc" / "network"
    try:
        text = read_file(network / "interfaces.new")
    except FileNotFoundError:
        text = read_file(network / "interfaces")
    return [
        Named(
            name=name,
            type=interface.type,
            ports=interface.ports,
            addressed=bool(interface.text("address") or interface.text("address6")),
        )
        for name, interface in parse(text, Host(nics=_nics(folder / node, text), up=frozenset())).interfaces.items()
        if name != "lo"
    ]


def _nics(folder: Path, text: str) -> Mapping[str, tuple[str, ...]]:
    """The machine's NICs with their altnames; where nobody has described it, those that the file's text must mean."""
    try:
        nics = read_json(folder / "machine.json").get("nics", {})
    except FileNotFoundError:
        from pvenet.sim.machine.ifupdown2 import nics_of

        return dict.fromkeys(nics_of(text), ())
    if not isinstance(nics, dict):
        raise SimError(f"{folder} has no NICs")
    return {name: tuple(altnames) for name, altnames in nics.items()}
