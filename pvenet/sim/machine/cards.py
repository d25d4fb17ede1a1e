"""The cards of a made-up machine change: NICs get other names, or are taken out. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.sim.files import SimError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.sim.machine.machine import Machine

_NAME = re.compile(r"[A-Za-z][\w-]{0,14}", re.ASCII)
"""What the kernel calls a NIC: up to 15 characters; a dot or a colon would be a VLAN or an alias to PVE."""


def renamed(machine: Machine, node: str, names: Mapping[str, str]) -> Machine:
    """The machine whose NICs have these names, by their old ones; each card keeps its MAC, cable and altnames.

    The links are those from before, until it has booted. A name that was one of the card's altnames is none of them any
    more. Raises `SimError` for a NIC that is not there, and a name that is taken or none.
    """
    _refuse_lacking(machine, node, names)
    if wrong := [name for name in names.values() if not _NAME.fullmatch(name)]:
        raise SimError(f"{wrong[0]!r} can't be a NIC's name: up to 15 letters, digits, _ and -")
    kept = machine.nics.keys() - names.keys()
    others = {altname for name, found in machine.nics.items() for altname in found if altname != names.get(name)}
    for name in names.values():
        if name in kept | others or [*names.values()].count(name) > 1:
            raise SimError(f"{node} would have two NICs {name}")
    cards = {names.get(name, name): name for name in machine.nics}
    return machine.but(
        nics={new: tuple(each for each in machine.nics[old] if each != new) for new, old in cards.items()},
        hardware={new: machine.nic(old).but(mac=machine.card_mac(node, old)) for new, old in cards.items()},
    )


def without(machine: Machine, node: str, gone: Iterable[str]) -> Machine:
    """The machine without these NICs. Raises `SimError` for one that is not there."""
    wanted = frozenset(gone)
    _refuse_lacking(machine, node, wanted)
    return machine.but(
        nics={name: altnames for name, altnames in machine.nics.items() if name not in wanted},
        hardware={name: nic for name, nic in machine.hardware.items() if name not in wanted},
    )


def _refuse_lacking(machine: Machine, node: str, names: Iterable[str]) -> None:
    if lacking := sorted(name for name in names if name not in machine.nics):
        raise SimError(f"there is no NIC {lacking[0]} on {node}, only {', '.join(machine.nics) or 'none'}")
