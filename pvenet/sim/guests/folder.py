"""The guests of a node on disk: a configuration each as PVE keeps it, and `guests.json`, which of them run.

A guest that starts takes its ports as they are configured then, and one that stops gives them back. What becomes of a
port while its guest runs is the machine's matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from pvenet.sim.files import OTHERWISE, SimError, read_file, read_json, write_file, write_json
from pvenet.sim.guests.config import FOLDERS, GuestConfig
from pvenet.sim.guests.ports import ports_of
from pvenet.sim.machine.hardware import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pvenet.sim.guests.config import Kind
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.hardware import Guest as Port
    from pvenet.sim.machine.machine import Machine

REPORT_EVERY = 10
"""Seconds between two reports of pvestatd, which is how long the cluster's list knows nothing of a change."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Whether a guest runs, and what is to happen to it."""

    running: bool = False
    since: float = 0.0
    """When it began or ceased to run."""
    new: bool = False
    """It was not on this node before."""
    lost: float | None = None
    """When its ports leave their bridges, though it runs on."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)

    def reported(self, now: float) -> str:
        """What the cluster's list says. pve-api#guests-silence."""
        if self.since <= now // REPORT_EVERY * REPORT_EVERY:
            return "running" if self.running else "stopped"
        return "unknown" if self.new else "stopped" if self.running else "running"


class GuestFolder:
    """The guests of one node."""

    def __init__(self, node: NodeFolder) -> None:
        self.node = node
        self._path = node.folder / "guests.json"

    def all(self) -> list[GuestConfig]:
        """Every guest, by its number."""
        found = [config for kind in FOLDERS for config in self._of_kind(kind)]
        return sorted(found, key=lambda config: config.vmid)

    def find(self, vmid: int, kind: Kind | None = None) -> GuestConfig | None:
        """The guest of this number, if it is of this kind."""
        found = (self._read(each, vmid) for each in ((kind,) if kind else FOLDERS))
        return next((config for config in found if config is not None), None)

    def runs(self) -> dict[int, Run]:
        """What is known of each guest's running; raises `SimError` for a file that says nothing of the kind."""
        try:
            return {int(vmid): Run.of(data) for vmid, data in read_json(self._path).items()}
        except FileNotFoundError:
            return {}
        except OTHERWISE as error:
            raise SimError(f"{self._path} does not say which guests run: {error}") from error

    def run_of(self, vmid: int) -> Run:
        return self.runs().get(vmid, Run())

    def add(self, config: GuestConfig, run: Run | None = None) -> None:
        """Keep a guest here."""
        path = self._place(config.kind, config.vmid)
        path.parent.mkdir(exist_ok=True)
        write_file(path, config.text)
        self._keep(config.vmid, run or Run())

    def remove(self, config: GuestConfig) -> None:
        self._place(config.kind, config.vmid).unlink()
        self._keep(config.vmid, None)

    def start(self, config: GuestConfig, now: float, *, new: bool = False) -> bool:
        """Let a guest run, with the ports that it is configured to have; whether it could.

        What was pending is live from here on. It can't start where a bridge of its is not there.
        """
        machine = self.node.described()
        started = config.started()
        ports = ports_of(started)
        if not {port.bridge for port in ports} <= machine.made:
            return False
        write_file(self._place(config.kind, config.vmid), started.text)
        self._take(machine, config.vmid, ports)
        self._keep(config.vmid, Run(running=True, since=now, new=new))
        return True

    def stop(self, config: GuestConfig, now: float) -> None:
        self._take(self.node.described(), config.vmid, ())
        if self.run_of(config.vmid).running:
            self._keep(config.vmid, Run(since=now))

    def lose(self, vmid: int, at: float) -> None:
        """Let the ports of a guest leave their bridges at this time, though it runs on."""
        self._keep(vmid, replace(self.run_of(vmid), lost=at))

    def restart(self, now: float) -> None:
        """The node has started anew, and so has every guest that ran."""
        for config in self.all():
            if self.run_of(config.vmid).running and not self.start(config, now):
                self.stop(config, now)

    def advance(self, machine: Machine, now: float) -> Machine:
        """The machine as it is now; what is due has happened, and is written down."""
        runs = self.runs()
        due = {vmid for vmid, run in runs.items() if run.lost is not None and run.lost <= now}
        if not due:
            return machine
        ports = tuple(port.but(bridge=None) if port.vmid in due else port for port in machine.guests)
        machine = machine.but(guests=ports)
        self.node.save(machine)
        for vmid in due:
            self._keep(vmid, replace(runs[vmid], lost=None))
        return machine

    def _of_kind(self, kind: Kind) -> Iterator[GuestConfig]:
        for path in (self.node.folder / FOLDERS[kind]).glob("[1-9]*.conf"):
            if path.stem.isdecimal() and (config := self._read(kind, int(path.stem))) is not None:
                yield config

    def _read(self, kind: Kind, vmid: int) -> GuestConfig | None:
        try:
            return GuestConfig.parse(kind, vmid, read_file(self._place(kind, vmid)))
        except FileNotFoundError:
            return None

    def _place(self, kind: Kind, vmid: int) -> Path:
        return self.node.folder / FOLDERS[kind] / f"{vmid}.conf"

    def _take(self, machine: Machine, vmid: int, ports: tuple[Port, ...]) -> None:
        """These are the guest's ports from here on."""
        others = tuple(port for port in machine.guests if port.vmid != vmid)
        self.node.save(machine.but(guests=(*others, *ports)))

    def _keep(self, vmid: int, run: Run | None) -> None:
        others = {number: each for number, each in self.runs().items() if number != vmid}
        kept = others if run is None else others | {vmid: run}
        write_json(self._path, {str(number): said(each) for number, each in sorted(kept.items())})
