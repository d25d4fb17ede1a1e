"""The machine that this runs on, as the one node of a folder."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet.sim.access.recorded import own_users
from pvenet.sim.config import SimConfig
from pvenet.sim.files import SimError, write_json
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.node_addresses import address_of
from pvenet.sim.machine.simulated import HANGS, NO_FRR
from pvenet.sim.machine.tasks import Task, TaskFolder, Upid
from pvenet.sim.schema import Refused
from pvenet.sim.state import NODE_NAME, Sim
from pvenet.sim.system.kernel import Kernel, Untold
from pvenet.sim.system.process import Process, log_of, refreshed, start
from pvenet.sim.system.report import report

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.sim.kernel import value
    from pvenet.sim.machine.backend import Reload, ReportForm
    from pvenet.sim.machine.folder import NodeFolder

LIKE_PVE = SimConfig(workers=3, idle_close=5.0, max_requests=100, auth_delay=3.0, random_order=True)
"""A machine that is meant to be like a node is awkward like one (pve-api#frozen-flags, pve-api#idle-close,
pve-api#bad-credentials and pve-api#list-order)."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where things are on this machine."""

    network: Path = Path("/etc/network")
    may_break: Path = Path("/etc/pvenet-may-break")
    """Whoever makes this file says that the machine's network may be broken."""
    ifreload: str = "ifreload"
    kernel: Kernel = field(default_factory=Kernel)
    user: int = field(default_factory=os.geteuid)

    def lacks(self) -> list[str]:
        """Why this machine can't be a node."""
        found = []
        if self.user:
            found.append("only root may change a machine's network")
        if shutil.which(self.ifreload) is None:
            found.append(f"there is no {self.ifreload} (Debian: apt install ifupdown2)")
        if not (self.network / "interfaces").is_file():
            found.append(f"there is no {self.network / 'interfaces'}")
        if not self.may_break.exists():
            found.append(f"nobody has allowed its network to be broken: {self.may_break} does not exist")
        return found


HERE = Place()


def open_system(folder: Path, *, node: str | None = None, secret: str | None = None, place: Place = HERE) -> Sim:
    """This machine as the one node of a folder; raises `SimError` with all that is in the way.

    The node has the host's name unless told otherwise. The secrets are random, but for the one of the token that may
    do everything, which may be given.
    """
    if lacks := place.lacks():
        raise SimError(f"this machine can't be a node: {'; '.join(lacks)}")
    name = node or socket.gethostname().partition(".")[0]
    if not NODE_NAME.fullmatch(name):
        raise SimError(f"{name!r} is not a node name: use only letters, digits and dashes")
    sim = Sim(folder, System(place))
    if others := [other for other in sim.nodes if other != name]:
        raise SimError(f"{folder} holds other nodes already: {', '.join(others)}")
    try:
        _furnish(sim, name, secret, place)
    except OSError as error:
        raise SimError(f"can't keep a node in {folder}: {error.strerror}") from error
    return sim


def _furnish(sim: Sim, name: str, secret: str | None, place: Place) -> None:
    """Write what the folder lacks."""
    sim.folder.mkdir(parents=True, exist_ok=True)
    sim.folder.chmod(0o700)  # before there is a secret in it
    users = sim.folder / "users.json"
    if not users.exists() or (secret and sim.users().credentials()[1] != secret):
        write_json(users, own_users(secret))
        users.chmod(0o600)
    if not (sim.folder / "sim.json").exists():
        ovs = shutil.which("ovs-vsctl") is not None
        write_json(sim.folder / "sim.json", asdict(LIKE_PVE) | {"ovs": ovs})
    node = sim.node(name)
    node.tasks.mkdir(parents=True, exist_ok=True)
    if not node.interfaces.parent.exists():
        node.interfaces.parent.parent.mkdir(exist_ok=True)
        node.interfaces.parent.symlink_to(place.network, target_is_directory=True)
    if not node.interfaces.parent.samefile(place.network):
        raise SimError(f"{node.interfaces.parent} is not this machine's {place.network}")
    if not (node.folder / "machine.json").exists():
        node.save(Machine(ip=address_of(node.applied())))


class System:
    """What is beneath a node that is this machine."""

    real = True

    def __init__(self, place: Place) -> None:
        self.place = place

    def observe(self, machine: Machine) -> Machine:
        links = self.place.kernel.links()
        return machine.but(nics=links.nics, up=links.up, made=links.made)

    def advance(self, node: NodeFolder, now: float) -> Machine:
        """What tasks have said and how they ended is read from their logs."""
        machine, folder = self.observe(node.described()), TaskFolder(node.tasks)
        left = tuple(number for number in machine.reloads if self._goes_on(folder, number, now))
        if left != machine.reloads:
            machine = machine.but(reloads=left)
            node.save(_described(machine))
        return machine

    def kernel(self, node: NodeFolder, machine: Machine, now: float) -> value.Kernel:  # noqa: ARG002  see `Backend`
        try:
            return self.place.kernel.told()
        except Untold as untold:
            raise Refused(500, str(untold)) from untold

    def report(self, node: NodeFolder, machine: Machine, now: float, form: ReportForm) -> Callable[[], str]:
        return lambda: report(node.name, now, tuple(machine.nics), self.place.network, form)

    def reload(self, wanted: Reload) -> str:
        command = shutil.which(self.place.ifreload)
        if command is None:
            raise Refused(500, "you need ifupdown2 to reload network configuration")  # E080
        node, folder = wanted.node, TaskFolder(wanted.node.tasks)
        number = folder.next()
        log = log_of(folder, number)
        log.write_text(f"{NO_FRR}\n" if wanted.frr else "", encoding="utf-8")
        if node.staged.exists():
            node.take()
        process = start(log, [command, "-a"])
        upid = Upid(
            node=node.name,
            pid=process.pid,
            pstart=process.started,
            starttime=int(wanted.now),
            type="srvreload",
            id="networking",
            user=wanted.user,
        )
        # Its end and its exit status are not known yet.
        task = Task(upid=str(upid), start=wanted.now, duration=HANGS, exitstatus="", live=True)
        folder.put(number, task.but(listed_from=wanted.listed_from))
        machine = wanted.machine
        node.save(_described(machine.but(pid=process.pid, reloads=(*machine.reloads, number))))
        return task.upid

    def stop(self, node: NodeFolder, number: str, task: Task, now: float) -> None:  # noqa: ARG002  see `Backend`
        Process.of(task).stop()

    def _goes_on(self, folder: TaskFolder, number: str, now: float) -> bool:
        task = folder.get(number)
        if task is None:  # somebody threw it away
            return False
        then = refreshed(task, log_of(folder, number), now)
        if then != task:
            folder.put(number, then)
        return then.running(now)


def _described(machine: Machine) -> Machine:
    """What is written down of a machine whose links the kernel knows."""
    return machine.but(nics={}, up=frozenset(), made=frozenset())
