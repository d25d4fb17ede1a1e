"""The folder of a sim: what stands on disk, and who may hold it.

    DIR/sim.json                        the sim's nature: what is switched on
    DIR/users.json                      who may enter, and what they may do
    DIR/<node>/etc/network/interfaces   the truth, and interfaces.new beside it
    DIR/<node>/machine.json             the machine beneath the node: NICs, links, running reloads
    DIR/<node>/tasks/NNNNNN.json        a task each

Everything is read again at every request, because a person may edit it between two.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from importlib import resources
from typing import TYPE_CHECKING, Any, Self

from pvenet.sim import access, reload
from pvenet.sim.interfaces import Host
from pvenet.sim.machine import Machine
from pvenet.sim.recorded import default_users
from pvenet.sim.simulated import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pvenet.sim.beneath import Beneath

LOOPBACK = "auto lo\niface lo inet loopback\n"
SOURCE = "source /etc/network/interfaces.d/*\n"
WALKTHROUGH_NODE = "pve1"
WALKTHROUGH_NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
WALKTHROUGH_UP = frozenset({"lo", "ens33", "ens37", "vmbr0"})
"""As the list of W001 has it: ens37 is up although nothing uses it yet."""
NODE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class SimError(Exception):
    """The sim can't be made or used as asked; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Nature:
    """What a sim is like. All the awkward sides are off until somebody switches them on."""

    workers: int = 0
    """Server processes that keep parsed files until one changes, so that flags freeze; 0: none."""
    idle_close: float = 0.0
    """Seconds after which an idle connection is closed; 0: never."""
    max_requests: int = 0
    """Requests after which a connection is closed; 0: never."""
    auth_delay: float = 0.0
    """Seconds that a failed authentication takes; PVE's is 3."""
    random_order: bool = False
    """Arrays come in another order each time, as PVE's do."""
    ovs: bool = False
    """Open vSwitch is installed."""
    ifupdown2: bool = True
    """ifupdown2 is installed."""
    reload_seconds: float = 0.3
    """How long `ifreload -a` takes."""


def write_file(path: Path, text: str) -> None:
    """The file is there whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(text.encode("utf-8", "surrogateescape"))
    draft.replace(path)


def read_file(path: Path) -> str:
    """Bytes that are no UTF-8, and ends of lines, survive being read and written."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def write_json(path: Path, data: dict[str, Any]) -> None:
    write_file(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of the sim's own; a person may have broken it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SimError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise SimError(f"{path} holds no JSON object")
    return data


class NodeFolder:
    """What a node has on disk."""

    def __init__(self, folder: Path, beneath: Beneath = SIMULATED) -> None:
        self.folder = folder
        self.beneath = beneath
        self.name = folder.name
        self.interfaces = folder / "etc" / "network" / "interfaces"
        self.staged = folder / "etc" / "network" / "interfaces.new"
        self.tasks = folder / "tasks"

    def text(self) -> str:
        """The view that PVE shows: what is staged, else what is applied."""
        try:
            return read_file(self.staged)
        except FileNotFoundError:
            return self.applied()

    def applied(self) -> str:
        try:
            return read_file(self.interfaces)
        except FileNotFoundError:
            return ""

    def mark(self) -> object:
        """Changes whenever one of the two files does, or has come and gone."""
        return _mark(self.interfaces), _mark(self.staged), _mark(self.interfaces.parent)

    def stage(self, text: str) -> None:
        write_file(self.staged, text)

    def take(self) -> None:
        """What is staged is the file from here on."""
        self.staged.replace(self.interfaces)

    def machine(self) -> Machine:
        path = self.folder / "machine.json"
        if path.exists():
            try:
                return self.beneath.look(Machine.of(read_json(path)))
            except TypeError as error:
                raise SimError(f"{path} does not describe a machine: {error}") from error
        # A folder that came without one, out of git say: the files tell what the machine must have.
        machine = Machine.fresh(reload.nics_of(self.applied()), self.applied())
        self.save(machine)
        return self.beneath.look(machine)

    def settled(self, now: float) -> Machine:
        """The machine as it is now; what has happened since the last request is written down."""
        return self.beneath.settled(self, now)

    def save(self, machine: Machine) -> None:
        write_json(self.folder / "machine.json", machine.data())


class Sim:
    """Handle of a folder that holds simulated nodes."""

    def __init__(self, folder: Path, beneath: Beneath = SIMULATED) -> None:
        self.folder = folder
        self.beneath = beneath

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The sim of this folder; made with the walk-through's node on first use."""
        sim = cls(folder)
        if not sim.nodes:
            return cls.init(folder)
        sim._complete()
        return sim

    @classmethod
    def init(
        cls,
        folder: Path,
        *,
        node: str = WALKTHROUGH_NODE,
        nics: Sequence[str] | None = None,
        interfaces: str | None = None,
    ) -> Self:
        """Add a node to the folder; raises `SimError` where one of that name exists."""
        if not NODE_NAME.fullmatch(node):
            raise SimError(f"{node!r} is no name for a node: letters, digits and dashes only")
        sim = cls(folder)
        sim._complete()
        with sim.held():
            if node in sim.nodes:
                raise SimError(f"node {node} exists already in {folder}")
            sim._add(node, nics, interfaces)
        return sim

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes, in alphabetical order; the first is where a client arrives."""
        return sorted(path.parents[1].name for path in self.folder.glob("*/etc/network"))

    def node(self, name: str) -> NodeFolder:
        return NodeFolder(self.folder / name, self.beneath)

    def nature(self) -> Nature:
        path = self.folder / "sim.json"
        data = read_json(path)
        if unknown := set(data) - {field.name for field in fields(Nature)}:
            raise SimError(f"{path} holds an unknown switch: {', '.join(sorted(unknown))}")
        if wrong := sorted(name for name, value in data.items() if not isinstance(value, int | float)):
            raise SimError(f"{path}: {', '.join(wrong)} must be a number, true or false")
        return Nature(**data)

    def users(self) -> access.Users:
        return access.Users.of(read_json(self.folder / "users.json"))

    def host(self, name: str) -> Host:
        """The machine beneath a node, as the file's reader looks at it."""
        return self.host_of(name, self.node(name).machine(), self.nature())

    @staticmethod
    def host_of(name: str, machine: Machine, nature: Nature) -> Host:
        return Host(nics=machine.nics, up=machine.up, ovs=nature.ovs, ifupdown2=nature.ifupdown2, name=name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder: one request, one writer, in whatever process."""
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SimError(f"can't keep a sim in {self.folder}: {error.strerror}") from error
        if not (self.folder / "sim.json").exists():
            write_json(self.folder / "sim.json", asdict(Nature()))
        if not (self.folder / "users.json").exists():
            write_json(self.folder / "users.json", default_users())

    def _add(self, node: str, nics: Sequence[str] | None, interfaces: str | None) -> None:
        start = nics is None and interfaces is None
        if start:
            text = resources.files("pvenet.sim").joinpath("data/interfaces").read_text(encoding="utf-8")
        else:
            text = _minimal(nics or ()) if interfaces is None else interfaces
        names = WALKTHROUGH_NICS if start else tuple(reload.nics_of(text) if nics is None else nics)
        machine = Machine.fresh(names, text)
        if start:
            machine = machine.but(up=WALKTHROUGH_UP)
        place = self.node(node)
        place.tasks.mkdir(parents=True)
        place.interfaces.parent.mkdir(parents=True)
        place.save(machine)
        write_file(place.interfaces, text)


def _mark(path: Path) -> object:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _minimal(nics: Sequence[str]) -> str:
    """As the installer writes it, with nothing but the NICs."""
    stanzas = "".join(f"iface {nic} inet manual\n\n" for nic in nics)
    return f"{LOOPBACK}\n{stanzas}{SOURCE}"
