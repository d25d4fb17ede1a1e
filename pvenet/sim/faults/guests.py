"""Faults about guests: they start, stop, move to another node, and lose their ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.faults.kind import Kind, meanwhile
from pvenet.sim.files import SimError
from pvenet.sim.guests.folder import GuestFolder, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.faults.foreign import Act
    from pvenet.sim.guests.config import GuestConfig
    from pvenet.sim.state import Node, Sim


def number(text: str) -> int:
    """A guest's number; raises `SimError` for what is none."""
    if not text.isascii() or not text.isdecimal():
        raise SimError(f"{text!r} is not a guest ID like 101")
    return int(text)


def starts(text: str) -> Act:
    vmid = number(text)

    def act(_node: Node, sim: Sim, now: float) -> None:
        node, config = _found(sim, vmid)
        folder = GuestFolder(node)
        if not folder.run_of(vmid).running and not folder.start(config, now):
            raise SimError(f"guest {vmid} can't start: {node.name} lacks one of its bridges")

    return act


def stops(text: str) -> Act:
    vmid = number(text)

    def act(_node: Node, sim: Sim, now: float) -> None:
        node, config = _found(sim, vmid)
        GuestFolder(node).stop(config, now)

    return act


def migrates(text: str) -> Act:
    """`ID`, or `ID:NODE`: to this node, else to the first other one."""
    digits, _, to = text.partition(":")
    vmid = number(digits)

    def act(_node: Node, sim: Sim, now: float) -> None:
        node, config = _found(sim, vmid)
        others = [name for name in sim.nodes if name != node.name and to in {"", name}]
        if not others:
            raise SimError(f"guest {vmid} can't migrate: there is no other node{to and f' {to}'} in {sim.folder}")
        there = sim.node(others[0])
        there.advance(now)
        _move(config, GuestFolder(node), GuestFolder(there), now)

    return act


def _move(config: GuestConfig, here: GuestFolder, there: GuestFolder, now: float) -> None:
    """One that runs goes on running, if its bridges are there as well; else it stays."""
    running = here.run_of(config.vmid).running
    there.add(config, Run(since=now, new=True))
    if running and not there.start(config, now, new=True):
        there.remove(config)
        raise SimError(f"guest {config.vmid} can't migrate: {there.node.name} lacks one of its bridges")
    here.stop(config, now)
    here.remove(config)


def _found(sim: Sim, vmid: int) -> tuple[Node, GuestConfig]:
    found = sim.guest(vmid)
    if found is None:
        raise SimError(f"there is no guest {vmid} in {sim.folder}")
    return found


KINDS: Mapping[str, Kind] = {
    "guest-starts": Kind(
        about="this guest starts just before", when="request", play=meanwhile(starts), value="ID", made_up=True
    ),
    "guest-stops": Kind(
        about="this guest stops just before", when="request", play=meanwhile(stops), value="ID", made_up=True
    ),
    "guest-migrates": Kind(
        about="this guest moves to another node just before",
        when="request",
        play=meanwhile(migrates),
        value="ID[:NODE]",
        made_up=True,
    ),
    "guest-lost": Kind(
        about="the reload takes this guest's ports off their bridges, though it runs on",
        when="reload",
        play=lambda scene, value: scene.order(lost_guests=scene.orders.lost_guests | {number(value)}),
        value="ID",
        made_up=True,
    ),
}
