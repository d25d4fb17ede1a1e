"""The folder of a sim: what stands on disk, and who may hold it.

    DIR/sim.json                        the sim's configuration: what is switched on
    DIR/users.json                      who may enter, and what they may do
    DIR/sdn/                            zones and the lock of the SDN configuration, as below /etc/pve
    DIR/corosync.conf                   the cluster that several nodes form, as PVE keeps it
    DIR/<node>/etc/network/interfaces   the truth, and interfaces.new beside it
    DIR/<node>/etc/hosts                what its names stand for
    DIR/<node>/machine.json             the machine beneath the node: NICs and their cables, links, guests, reloads
    DIR/<node>/tasks/NNNNNN.json        a task each
    DIR/<node>/qemu-server/VMID.conf    a virtual machine each, as below /etc/pve/nodes/<node>; containers in lxc/
    DIR/<node>/guests.json              which of them run
    DIR/<node>/links.json               links to the cluster that a fault has killed
    DIR/<node>/reload-later.json        a reload that somebody's SDN apply will start

Everything is read again at every request, because a person may edit it between two.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib import resources
from typing import TYPE_CHECKING, Self

from pvenet.sim.access.recorded import default_users
from pvenet.sim.access.users import Users
from pvenet.sim.config import SimConfig
from pvenet.sim.corosync.config import Corosync
from pvenet.sim.files import SimError, make_folder, read_file, read_json, write_file, write_json
from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.guests.ports import ports_of
from pvenet.sim.guests.wanted import new_guests
from pvenet.sim.hosts import fresh_hosts, write_hosts
from pvenet.sim.interfaces import Host
from pvenet.sim.machine.folder import NodeFolder
from pvenet.sim.machine.ifupdown2 import nics_of
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.simulated import SIMULATED
from pvenet.sim.names import nodes_in
from pvenet.sim.reload import LaterReload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from pvenet.sim.guests.config import GuestConfig
    from pvenet.sim.guests.wanted import NewGuest
    from pvenet.sim.machine.backend import Backend

__all__ = ["Node", "Sim", "SimError", "read_file", "write_json"]

LOOPBACK = "auto lo\niface lo inet loopback\n"
SOURCE = "source /etc/network/interfaces.d/*\n"
WALKTHROUGH_NODE = "pve1"
WALKTHROUGH_NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
WALKTHROUGH_UP = frozenset({"lo", "ens33", "ens37", "vmbr0"})
"""As the list of W001 has it: ens37 is up although nothing uses it yet."""
COROSYNC = "corosync.conf"
WORD = re.compile(r"[\w.:-]+")
NODE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class Node(NodeFolder):
    """A node: its folder, and what it stands on."""

    def __init__(self, folder: Path, backend: Backend = SIMULATED) -> None:
        super().__init__(folder)
        self.backend = backend

    def machine(self) -> Machine:
        """The machine with the links that it has now."""
        return self.backend.observe(self.described())

    def advance(self, now: float) -> Machine:
        """The machine as it is now; what has happened since the last request is written down."""
        due = LaterReload.of(self)
        if due is not None and due.at <= now:
            due.start(self.backend, self)
        return GuestFolder(self).advance(self.backend.advance(self, now), now)


class Sim:
    """Handle of a folder that holds simulated nodes."""

    def __init__(self, folder: Path, backend: Backend = SIMULATED) -> None:
        self.folder = folder
        self.backend = backend

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The sim of this folder; made with the walk-through's node on first use."""
        sim = cls(folder)
        if not sim.nodes:
            return cls.init(folder)
        sim._complete()
        return sim

    @classmethod
    def init(  # noqa: PLR0913  options, all by name
        cls,
        folder: Path,
        *,
        node: str = WALKTHROUGH_NODE,
        nics: Sequence[str] | Mapping[str, tuple[str, ...]] | None = None,
        interfaces: str | None = None,
        ovs: bool = False,
        guests: Sequence[str] = (),
        links: Sequence[str] = (),
    ) -> Self:
        """Add a node to the folder; raises `SimError` where one of that name exists.

        A mapping of `nics` tells their altnames. `ovs` installs Open vSwitch on the nodes of the folder. Guests are
        written as in `101:web:vmbr1:20` (see `guests.wanted`). Several nodes are a cluster over their addresses;
        `links` are those of further links.
        """
        if not NODE_NAME.fullmatch(node):
            raise SimError(f"{node!r} is not a node name: use only letters, digits and dashes")
        sim = cls(folder)
        wanted = new_guests(guests)
        if wrong := [link for link in links if not WORD.fullmatch(link)]:
            raise SimError(f"{wrong[0]!r} is not an address of a link to the cluster")
        sim._complete()
        with sim.held():
            if node in sim.nodes:
                raise SimError(f"node {node} exists already in {folder}")
            for guest in wanted:
                if sim.guest(guest.config.vmid) is not None:
                    raise SimError(f"guest {guest.config.vmid} exists already in {folder}")
            sim._add(node, nics, interfaces, wanted)
            sim._join(node, links)
            if ovs:
                write_json(folder / "sim.json", asdict(replace(sim.config(), ovs=True)))
        return sim

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes, in alphabetical order; the first is where a client arrives."""
        return nodes_in(self.folder)

    def node(self, name: str) -> Node:
        return Node(self.folder / name, self.backend)

    def guest(self, vmid: int) -> tuple[Node, GuestConfig] | None:
        """A guest, and the node that it is on."""
        found = ((self.node(name), GuestFolder(self.node(name)).find(vmid)) for name in self.nodes)
        return next(((node, config) for node, config in found if config is not None), None)

    def corosync(self) -> Corosync:
        """The cluster; where nobody wrote it down, what the nodes' addresses make of it."""
        try:
            return Corosync.parse(read_file(self.folder / COROSYNC))
        except FileNotFoundError:
            return self._bare_cluster(self.nodes if len(self.nodes) > 1 else [])

    def _bare_cluster(self, names: Iterable[str]) -> Corosync:
        cluster = Corosync()
        for name in names:
            cluster = cluster.joined(name, {0: self.node(name).machine().ip})
        return cluster

    def config(self) -> SimConfig:
        return SimConfig.read(self.folder / "sim.json")

    def users(self) -> Users:
        return Users.of(read_json(self.folder / "users.json"))

    def host(self, name: str) -> Host:
        """The machine beneath a node, as the file's reader looks at it."""
        return self.host_of(self.node(name).machine(), self.config())

    @staticmethod
    def host_of(machine: Machine, config: SimConfig) -> Host:
        return Host(nics=machine.nics, up=machine.up, ovs=config.ovs, ifupdown2=config.ifupdown2)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder: one request, one writer, in whatever process."""
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _complete(self) -> None:
        """Write what a folder lacks beside its nodes; raises `SimError` for one of system mode."""
        for name in self.nodes:
            if (place := self.node(name).interfaces.parent).is_symlink():
                raise SimError(f"{place} is a machine's own: only `python3 -m pvenet.sim.system` changes it")
        try:
            make_folder(self.folder)
        except OSError as error:
            raise SimError(f"can't keep a sim in {self.folder}: {error.strerror}") from error
        if not (self.folder / "sim.json").exists():
            write_json(self.folder / "sim.json", asdict(SimConfig()))
            (self.folder / "sdn").mkdir(exist_ok=True)
        if not (self.folder / "users.json").exists():
            write_json(self.folder / "users.json", default_users())

    def _add(
        self,
        node: str,
        nics: Sequence[str] | Mapping[str, tuple[str, ...]] | None,
        interfaces: str | None,
        guests: Sequence[NewGuest],
    ) -> None:
        start = nics is None and interfaces is None
        if start:
            text = resources.files("pvenet.sim").joinpath("data/interfaces").read_text(encoding="utf-8")
        else:
            text = _minimal(nics or ()) if interfaces is None else interfaces
        known = WALKTHROUGH_NICS if start else nics_of(text) if nics is None else nics
        machine = Machine.fresh(known, text)
        if start:
            machine = machine.but(up=WALKTHROUGH_UP)
        _refuse_homeless(guests, node, machine.made)
        place = self.node(node)
        place.tasks.mkdir(parents=True)
        place.interfaces.parent.mkdir(parents=True)
        place.save(machine)
        write_file(place.interfaces, text)
        write_hosts(place, fresh_hosts(node, machine.ip))
        self._house(node, guests)

    def _join(self, name: str, links: Sequence[str]) -> None:
        """Let a node be in the cluster, which begins with the second one, or with the first that has further links."""
        names, path = self.nodes, self.folder / COROSYNC
        if len(names) == 1 and not links:
            return
        others = [each for each in names if each != name]
        cluster = self.corosync() if path.exists() else self._bare_cluster(others)
        rings = dict(enumerate([self.node(name).machine().ip, *links]))
        write_file(path, cluster.joined(name, rings).text())

    def _house(self, node: str, guests: Iterable[NewGuest]) -> None:
        """Let guests be on a node that has their bridges."""
        folder = GuestFolder(self.node(node))
        for guest in guests:
            folder.add(guest.config)
            if guest.running:
                folder.start(guest.config, 0.0)


def _refuse_homeless(guests: Iterable[NewGuest], node: str, bridges: AbstractSet[str]) -> None:
    """Raises `SimError` for a guest that can't run for want of a bridge."""
    for guest in guests:
        lacking = sorted({str(port.bridge) for port in ports_of(guest.config)} - bridges)
        if guest.running and lacking:
            raise SimError(f"{node} has no bridge {lacking[0]} for guest {guest.config.vmid}; it could be stopped")


def _minimal(nics: Iterable[str]) -> str:
    """As the installer writes it, with nothing but the NICs."""
    stanzas = "".join(f"iface {nic} inet manual\n\n" for nic in nics)
    return f"{LOOPBACK}\n{stanzas}{SOURCE}"
