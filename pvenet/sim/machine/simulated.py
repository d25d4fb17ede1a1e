"""A machine that is made up: what a reload does to it is known when it starts, and happens while nobody looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.sim.hosts import read_hosts
from pvenet.sim.kernel.report import HOSTS, Facts, report
from pvenet.sim.machine.advance import advance, reloading
from pvenet.sim.machine.kernel import kernel_of
from pvenet.sim.machine.network_state import NetworkState, state_of
from pvenet.sim.machine.node_addresses import addresses_of
from pvenet.sim.machine.releases import PVES
from pvenet.sim.machine.reload import Outcome, ifreload
from pvenet.sim.machine.tasks import HALF, Task, TaskFolder, Upid, exitstatus
from pvenet.sim.machine.told import Reading, links_of, stanzas_of, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.sim.kernel.value import Kernel
    from pvenet.sim.machine.backend import Orders, Reload, ReportForm
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.machine.releases import Release

BUSY = 89
"""`ifreload` found another one running (pve-api#exit-89)."""
BUSY_SHARE = 0.3
"""How soon it says so, in shares of a reload."""
HANGS = 10.0 * 365 * 24 * 60 * 60
"""Seconds of a reload that never ends."""
EARLY = 0.1
"""Share of a reload in which `ifreload` itself does not run yet."""
EARLY_LINE = (
    "WARN: Failed to read network interfaces definition - "
    "command 'ip -details -json link show' failed: received interrupt"
)
NO_FRR = "frr is not installed, not generating any frr configuration"  # E014
PIDS_BETWEEN = 17
PSTART_MASK = 0xFFFFFFF
TICKS = 100
"""Of the kernel's clock in a second."""


class Simulated:
    """What is beneath a node that is not there; its reloads are those of a release of ifupdown2."""

    real = False

    def __init__(self, release: Release = PVES) -> None:
        self.release = release

    def observe(self, machine: Machine) -> Machine:
        return machine

    def advance(self, node: NodeFolder, now: float) -> Machine:
        return advance(node, now)

    def kernel(self, node: NodeFolder, machine: Machine, now: float) -> Kernel:
        return kernel_of(node, machine, now)

    def report(self, node: NodeFolder, machine: Machine, now: float, form: ReportForm) -> Callable[[], str]:
        facts = Facts(
            node=node.name,
            now=now,
            kernel=self.kernel(node, machine, now),
            files={HOSTS: read_hosts(node)} | node.files(),
            release=form.iproute2,
            ethtool=form.ethtool,
            version=form.version,
        )
        return lambda: report(facts)

    def reload(self, wanted: Reload) -> str:
        machine, text = wanted.machine, wanted.node.configured()  # until the new file says otherwise
        has = wanted.node.addresses(machine)
        wanted = replace(wanted, machine=machine.but(addresses=has, links=links_of(machine, text)))
        busy = reloading(wanted.node, wanted.machine, wanted.now)
        upid = ""
        for move in RELOAD[state_of(staged=wanted.node.staged.exists(), reloading=busy)]:
            upid = move(wanted, self.release) or upid
        return upid

    def stop(self, node: NodeFolder, number: str, task: Task, now: float) -> None:
        TaskFolder(node.tasks).put(number, _interrupted(task, now))


SIMULATED = Simulated()


def _take(wanted: Reload, _release: Release) -> None:
    wanted.node.take()


def _collide(wanted: Reload, _release: Release) -> str:
    duration = wanted.seconds * BUSY_SHARE
    task = Task(upid=_upid(wanted), start=wanted.now, duration=duration, exitstatus=exitstatus(BUSY))
    TaskFolder(wanted.node.tasks).add(task)
    wanted.node.save(wanted.machine.but(pid=task.name.pid))
    return task.upid


def _start(wanted: Reload, release: Release) -> str:
    machine, orders = wanted.machine, wanted.orders
    text, slaves = wanted.node.configured(), machine.slaves
    outcome = ifreload(text, machine.nics, machine.up, machine.made, slaves=slaves, release=release)
    outcome = _ordered(outcome, wanted)
    reading = Reading(
        stanzas=stanzas_of(machine, text),
        outcome=outcome,
        machine=machine,
        before=machine.links or {},
        begins=wanted.now + wanted.seconds,
        lacks=orders.lacks,
    )
    task = Task(
        upid=_upid(wanted),
        start=wanted.now,
        duration=HANGS if orders.hangs else wanted.seconds,
        exitstatus=exitstatus(outcome.exit_code),
        log=outcome.log,
        steps=outcome.steps,
        told=tuple(told(reading)),
        restores_path=orders.silent is None,
        addresses=None
        if orders.exit_code and not orders.whole
        else addresses_of(text, orders.never_up | orders.lacks.addresses),
        listed_from=wanted.listed_from,
    )
    number = TaskFolder(wanted.node.tasks).add(task)
    machine = machine.but(pid=task.name.pid, reloads=(*machine.reloads, number), slaves=outcome.slaves)
    wanted.node.save(machine if orders.silent is None else _cut(machine, task, orders))
    return task.upid


def _ordered(outcome: Outcome, wanted: Reload) -> Outcome:
    """What a reload does, when it is told to do otherwise."""
    orders, nics, made = wanted.orders, wanted.machine.nics, wanted.machine.made
    code, log, steps = outcome.exit_code, outcome.log, outcome.steps
    if orders.exit_code is not None:
        code, log = orders.exit_code, orders.log
    reached = outcome.reached
    if orders.exit_code and not orders.whole:
        # Half of it is applied: what was there already comes up, nothing new is made (E020).
        steps = tuple(step for step in steps if step.link in nics or step.link in made)
        reached = tuple(link for link in reached if link in nics or link in made)
    if orders.hangs:
        steps, reached = steps[: len(steps) // 2], reached[: len(reached) // 2]
    if wanted.frr:
        log = (NO_FRR, *log)
    steps = tuple(step for step in steps if step.change != "up" or step.link not in orders.never_up)
    reached = tuple(link for link in reached if link not in orders.never_up or link in nics)
    return replace(outcome, exit_code=code, log=log, steps=steps, reached=reached)


def _cut(machine: Machine, task: Task, orders: Orders) -> Machine:
    """A few more answers arrive, then silence (pve-api#management-dies)."""
    start = task.start + HALF * task.duration
    until = start + orders.silent if orders.silent is not None and orders.silent >= 0 else -1.0
    return machine.but(silent_from=start, silent_until=until, cut_off=orders.cut_off)


def _upid(wanted: Reload) -> str:
    upid = Upid(
        node=wanted.node.name,
        pid=wanted.machine.pid + PIDS_BETWEEN,
        pstart=int(wanted.now * TICKS) & PSTART_MASK,
        starttime=int(wanted.now),
        type="srvreload",
        id="networking",
        user=wanted.user,
    )
    return str(upid)


def _interrupted(task: Task, now: float) -> Task:
    passed = now - task.start
    done = task.steps[: task.due(now)]
    stopped = task.but(duration=passed, steps=tuple(done), happened=len(done), told=task.heard(now))
    if passed < EARLY * task.duration:
        return stopped.but(exitstatus="unexpected status", log=(EARLY_LINE,), closing=False)  # E062, E063
    return stopped.but(exitstatus="command 'ifreload -a' failed: received interrupt", log=())  # H013, H014


RELOAD: Mapping[NetworkState, tuple[Callable[[Reload, Release], str | None], ...]] = {
    NetworkState.CLEAN: (_start,),
    NetworkState.STAGED: (_take, _start),
    NetworkState.RELOADING: (_collide,),
    NetworkState.RELOADING_STAGED: (_take, _collide),  # the staging is consumed all the same
}
"""What a reload does in each state of a node. Staging and reverting do the same in all of them: PVE has no lock."""
