"""What a node has on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.files import OTHERWISE, SimError, read_file, read_json, write_file, write_json
from pvenet.sim.machine.ifupdown2 import nics_of
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.node_addresses import addresses_of

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "source /etc/network/interfaces.d/*"
"""Stands at the end of every file that PVE has written."""


class NodeFolder:
    """The folder of a node: its interfaces files, its tasks, the description of its machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

    def configured(self) -> str:
        """What ifupdown2 reads: the file that is applied, and behind it what that sources, SDN's vnets for one."""
        text = self.applied()
        if SOURCE not in text.splitlines():
            return text
        parts = sorted(path for path in (self.interfaces.parent / "interfaces.d").glob("*") if path.is_file())
        return "\n".join([text, *map(read_file, parts)])

    def files(self) -> dict[str, str]:
        """All that stands below its /etc, by the paths that a node has, folders in their own order."""
        root = self.folder / "etc"
        found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        return {f"/etc/{path.relative_to(root)}": read_file(path) for path in found}

    def mark(self) -> object:
        """Changes whenever one of the two files does, or has come and gone."""
        return _mark(self.interfaces), _mark(self.staged), _mark(self.interfaces.parent)

    def stage(self, text: str) -> None:
        write_file(self.staged, text)

    def revert(self) -> None:
        self.staged.unlink(missing_ok=True)

    def take(self) -> None:
        """What is staged is the file from here on."""
        self.staged.replace(self.interfaces)

    def described(self) -> Machine:
        """The machine as it was last written down; raises `SimError` for a description that is none."""
        path = self.folder / "machine.json"
        if path.exists():
            try:
                return Machine.of(read_json(path))
            except OTHERWISE as error:
                raise SimError(f"{path} does not describe a machine: {error}") from error
        # A folder that came without one, out of git say: the files tell what the machine must have.
        machine = Machine.fresh(nics_of(self.configured()), self.configured())
        self.save(machine)
        return machine

    def addresses(self, machine: Machine) -> tuple[str, ...]:
        """What this machine answers at."""
        return addresses_of(self.configured()) if machine.addresses is None else machine.addresses

    def save(self, machine: Machine) -> None:
        write_json(self.folder / "machine.json", machine.data())


def _mark(path: Path) -> object:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
