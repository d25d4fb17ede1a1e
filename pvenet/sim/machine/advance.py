"""Time passes: what has happened since the last request, for reloads bring links up while nobody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.machine.hardware import unplugged
from pvenet.sim.machine.reload import applied
from pvenet.sim.machine.settings import after
from pvenet.sim.machine.tasks import TaskFolder

if TYPE_CHECKING:
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.machine.tasks import Task


def advance(node: NodeFolder, now: float) -> Machine:
    """The machine as it is now; what is due has happened, and is written down."""
    machine = before = node.described()
    folder = TaskFolder(node.tasks)
    for number in machine.reloads:
        task = folder.get(number)
        if task is None:  # somebody threw it away
            machine = machine.but(reloads=tuple(n for n in machine.reloads if n != number))
            continue
        due = task.due(now)
        if due > task.happened:
            up, made = applied(task.steps[task.happened : due], machine.up, machine.made, machine.nics)
            gone = machine.made - made
            machine = machine.but(up=up, made=made, guests=unplugged(machine.guests, gone))
            if machine.links is not None:
                machine = machine.but(links={name: each for name, each in machine.links.items() if name not in gone})
            folder.put(number, task.but(happened=due))
        machine = _told(machine, task, now)
        if task.addresses is not None and task.halfway(now):
            machine = machine.but(addresses=task.addresses)
        if not task.running(now):
            machine = machine.but(reloads=tuple(n for n in machine.reloads if n != number))
            machine = machine.but(silent_from=0.0, silent_until=0.0) if task.restores_path else machine
    if machine is not before:
        node.save(machine)
    return machine


def _told(machine: Machine, task: Task, now: float) -> Machine:
    """The machine when its kernel has heard what it was told by now."""
    links = machine.links or {}
    for told in task.heard(now):
        if links.get(told.link) != told.settings:
            links = after(links, told)
    return machine if links == (machine.links or {}) else machine.but(links=links)


def reloading(node: NodeFolder, machine: Machine, now: float) -> bool:
    """Whether an `ifreload` runs and holds its lock."""
    folder = TaskFolder(node.tasks)
    return any(task is not None and task.running(now) for task in map(folder.get, machine.reloads))
