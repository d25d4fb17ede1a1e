"""Applying the SDN configuration: a reload of every node, which takes along what is staged there. pve-api#sdn-apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.corosync.membership import Membership
from pvenet.sim.machine.simulated import PIDS_BETWEEN, PSTART_MASK, TICKS
from pvenet.sim.machine.tasks import Task, TaskFolder, Upid
from pvenet.sim.reload import LaterReload
from pvenet.sim.sdn.folder import SdnFolder

if TYPE_CHECKING:
    from pvenet.sim.state import Sim

STARTS_AFTER = 0.6
"""Seconds until a node begins its reload: it was a second later by the clock, and not at once (K5-sdnlock-054, 058)."""


def apply(sim: Sim, local: str, now: float, user: str) -> str:
    """Let every node reload, one after another; the UPID of the task that does it."""
    SdnFolder(sim.folder).commit()
    seconds, seen = sim.config().reload_seconds, Membership.of(sim, local, now)
    log, at = [], now
    for name in sim.nodes:
        log.append(f"{name}: reloading network config")
        if seen.online(name) and seen.reaches(name):
            LaterReload(at=at + STARTS_AFTER, seconds=seconds).keep(sim.node(name))
            at += STARTS_AFTER + seconds
        else:  # pve-api#sdn-apply-task
            log.append(f"command 'pvesh set /nodes/{name}/network --regenerate-frr 0' failed: exit code 255")
    upid = _upid(sim, local, now, user)
    task = Task(upid=str(upid), start=now, duration=at - now, exitstatus="OK", log=tuple(log))
    TaskFolder(sim.node(local).tasks).add(task)
    return str(upid)


def _upid(sim: Sim, local: str, now: float, user: str) -> Upid:
    node = sim.node(local)
    machine = node.described()
    machine = machine.but(pid=machine.pid + PIDS_BETWEEN)
    node.save(machine)
    pstart = int(now * TICKS) & PSTART_MASK
    return Upid(
        node=local, pid=machine.pid, pstart=pstart, starttime=int(now), type="reloadnetworkall", id="", user=user
    )
