"""System mode: the simulated API over the machine that it runs on, which really changes.

The file is the machine's own /etc/network/interfaces, a reload is a real `ifreload -a` with its output and exit code,
and `active` is what the kernel says. It is for throw-away machines, such as `scripts/nested-vm` boots, and starts only
where a file says that the machine may be broken. Needs the standard library and `cryptography`:

    python3 -m pvenet.sim.system DIR --listen 0.0.0.0:8006
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet.sim import reload
from pvenet.sim.kernel import Kernel
from pvenet.sim.machine import Machine
from pvenet.sim.process import Process, log_of, refreshed, start
from pvenet.sim.recorded import own_users
from pvenet.sim.schema import Refused
from pvenet.sim.server import serve
from pvenet.sim.simulated import HANGS, NO_FRR
from pvenet.sim.state import NODE_NAME, Nature, Sim, SimError, write_json
from pvenet.sim.tasks import Task, TaskFolder, Upid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.sim.calls.base import Asked
    from pvenet.sim.server import Endpoint
    from pvenet.sim.state import NodeFolder

LIKE_PVE = Nature(workers=3, idle_close=5.0, max_requests=100, auth_delay=3.0, random_order=True)
"""A machine that is meant to be like a node is awkward like one (facts 1, 2, 5, 11, 13)."""


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
            found.append(f"nobody has said that its network may be broken: {self.may_break} does not exist")
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
        raise SimError(f"{name!r} is no name for a node: letters, digits and dashes only")
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
        node.save(Machine(ip=reload.address_of(node.applied())))


class System:
    """What is beneath a node that is this machine."""

    real = True

    def __init__(self, place: Place) -> None:
        self.place = place

    def look(self, machine: Machine) -> Machine:
        links = self.place.kernel.links()
        return machine.but(nics=links.nics, up=links.up, made=links.made)

    def settled(self, node: NodeFolder, now: float) -> Machine:
        """What tasks have said and how they ended is read from their logs."""
        machine, folder = node.machine(), TaskFolder(node.tasks)
        left = tuple(number for number in machine.reloads if self._goes_on(folder, number, now))
        if left != machine.reloads:
            machine = machine.but(reloads=left)
            node.save(_described(machine))
        return machine

    def reload(self, asked: Asked) -> str:
        command = shutil.which(self.place.ifreload)
        if command is None:
            raise Refused(500, "you need ifupdown2 to reload network configuration")  # E080
        node, folder = asked.node, TaskFolder(asked.node.tasks)
        number = folder.next()
        log = log_of(folder, number)
        log.write_text(f"{NO_FRR}\n" if asked.params.get("regenerate-frr") else "", encoding="utf-8")
        if node.staged.exists():
            node.take()
        process = start(log, [command, "-a"])
        upid = Upid(
            node=node.name,
            pid=process.pid,
            pstart=process.started,
            starttime=int(asked.now),
            type="srvreload",
            id="networking",
            user=asked.identity.name,
        )
        # Its end and its exit status are not known yet.
        task = Task(upid=str(upid), start=asked.now, duration=HANGS, exitstatus="", live=True)
        folder.put(number, task.but(listed_from=asked.listed_from))
        machine = asked.machine
        node.save(_described(machine.but(pid=process.pid, reloads=(*machine.reloads, number))))
        return task.upid

    def stop(self, node: NodeFolder, number: str, task: Task, now: float) -> None:  # noqa: ARG002  see `Beneath`
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


def main(arguments: Sequence[str]) -> None:
    """Serve this machine until SIGINT or SIGTERM comes."""
    parser = argparse.ArgumentParser(prog="python3 -m pvenet.sim.system", description="The API over this very machine.")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where users, tasks and the certificate are kept")
    parser.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:8006", help="default: %(default)s")
    parser.add_argument("--node", help="the node's name; default: the host's")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND[=VALUE]@N", help="see pvenet sim faults")
    given = parser.parse_args(arguments)
    host, _, port = given.listen.rpartition(":")
    if not host or not port.isdecimal():
        parser.error(f"--listen {given.listen} is no HOST:PORT")
    try:
        sim = open_system(given.folder, node=given.node)
        serve(
            sim, host=host.strip("[]"), port=int(port), faults=given.fault, announce=lambda at: _tell(at, given.folder)
        )
    except (SimError, OverflowError, ModuleNotFoundError) as error:
        sys.exit(f"error: {error}")


def _tell(at: Endpoint, folder: Path) -> None:
    """No secret: what is said here may end up in a log."""
    sys.stdout.write(f"serving this machine at {at.url}, fingerprint {at.fingerprint}\n")
    sys.stdout.write(f"the secret of {at.token_id} is in {folder / 'users.json'}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
