"""What others do to a node, between two requests of whoever is watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pvenet.sim import interfaces
from pvenet.sim.machine import Machine
from pvenet.sim.schema import Refused
from pvenet.sim.state import NodeFolder, Sim
from pvenet.sim.tasks import TaskFolder

Act: TypeAlias = Callable[[NodeFolder, Sim, float], None]


def edit(iface: str) -> Act:
    def stage(node: NodeFolder, sim: Sim, _now: float) -> None:
        host = sim.host(node.name)
        try:
            node.stage(interfaces.create(interfaces.parse(node.text(), host), {"iface": iface, "type": "bridge"}, host))
        except Refused:
            return  # it is there already: somebody was quicker

    return stage


def revert(node: NodeFolder, _sim: Sim, _now: float) -> None:
    node.staged.unlink(missing_ok=True)


def reboot(seconds: float) -> Act:
    def boot(node: NodeFolder, _sim: Sim, now: float) -> None:
        """What is staged goes live (facts 13); what was running has ended somehow."""
        if node.staged.exists():
            node.staged.replace(node.interfaces)
        old, folder = node.machine(), TaskFolder(node.tasks)
        for number in old.reloads:
            if (task := folder.get(number)) is not None:
                ended = task.but(exitstatus="unexpected status", closing=False, steps=(), settled=0)
                folder.put(number, ended.but(duration=now - task.start))
        booted = Machine.fresh(old.nics, node.applied()).but(nics=old.nics, ip=old.ip, pid=old.pid)
        node.save(booted.but(silent_from=now, silent_until=now + seconds, cut_off=True))

    return boot
