"""A node boots: what is staged goes live, what was running has ended somehow, its guests start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.machine.cards import renamed, without
from pvenet.sim.machine.tasks import TaskFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.state import Node, Sim


def booted(node: Node, machine: Machine, now: float) -> None:
    """Let a node boot on this machine (pve-api#staged-goes-live)."""
    if node.staged.exists():
        node.take()
    folder = TaskFolder(node.tasks)
    for number in machine.reloads:
        if (task := folder.get(number)) is not None:
            ended = task.but(exitstatus="unexpected status", closing=False, steps=(), told=(), happened=0)
            folder.put(number, ended.but(duration=now - task.start))
    node.save(machine.rebooted(node.configured()))
    GuestFolder(node).restart(now)


def rename(sim: Sim, name: str, names: Mapping[str, str], now: float) -> None:
    """Boot a node whose NICs have other names, by their old ones. Raises `SimError` as `renamed` does."""
    _rebuild(sim, name, lambda machine: renamed(machine, name, names), now)


def unplug(sim: Sim, name: str, gone: Iterable[str], now: float) -> None:
    """Boot a node without some of its NICs. Raises `SimError` for one that is not there."""
    _rebuild(sim, name, lambda machine: without(machine, name, gone), now)


def _rebuild(sim: Sim, name: str, change: Callable[[Machine], Machine], now: float) -> None:
    with sim.held():
        node = sim.node(name)
        booted(node, change(node.advance(now)), now)
