"""Replays the recordings about the kernel: what was done to the machine between exchanges is done to a kernel here."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel_moments import MOMENTS, moment
from paths import FIXTURES
from sim_client import Client
from sim_replay import Exchange, Replay

from pvenet.sim.kernel.value import BridgeState, Kernel, Link
from pvenet.sim.machine.simulated import Simulated
from pvenet.sim.state import WALKTHROUGH_UP, Sim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
UNKNOWN_KINDS = frozenset({"dummy", "vlan"})
"""What the recording's first machine had no module for, so that the command failed."""
RELOAD_SECONDS = {"K2-reload": 14.0, "": 3.9}
"""How long the reload of a group took, by its polls, and those of the others; no answer that one has ended is kept."""
SLOW = {"pvesm, qm, pct and pvecm each take 9 s": 50.0, "qm prints a line and hangs, the others are as before": 11.0}
"""What made reports slow, and how many seconds one took."""
THREE_RUN = "three reports of 50 s are running"
BASE = "a Debian 13 VM, kernel 6.12"
START = "start"
MADE_BEFORE = {
    "K2-slow-001": ("ip link set ens38 up",),
    "K2-reload-001": ("ip link set ens38 up",),
    "K1-acl-001": (START, "ip link add vmbr1 type bridge", "ip link set ens37 master vmbr1", "ip link set vmbr1 up"),
}
"""What was done between two recordings, and stands in none."""
_ZONE = "/sdn/zones/localnetwork"
_ON_ZONE = {"path": _ZONE, "users": "nobody@pve", "propagate": 1}
HELD_BACK: Mapping[str, dict[str, Any]] = {
    "K1-acl-017": _ON_ZONE | {"roles": "BrOnly", "delete": 1},
    "K1-acl-023": _ON_ZONE | {"roles": "BrAlloc"},
    "K1-acl-029": _ON_ZONE | {"roles": "BrOnly", "path": "/sdn/zones", "delete": 1},
    "K1-acl-031": _ON_ZONE | {"roles": "BrOnly", "path": f"{_ZONE}/vmbr1"},
}
"""Changes of the access list whose exchanges are not among these; what came before and after tells them."""


def start() -> Kernel:
    """The links of the recording's first machine."""
    names = ("lo", *NICS, "vmbr0")
    links = {name: Link(index=index, name=name, up=name in WALKTHROUGH_UP) for index, name in enumerate(names, start=1)}
    links["ens33"] = replace(links["ens33"], master="vmbr0")
    links["vmbr0"] = replace(links["vmbr0"], kind="bridge", bridge=BridgeState())
    return Kernel(links=tuple(links.values()))


def after(kernel: Kernel, command: str) -> Kernel:
    """A kernel after an `ip` command of a recording."""
    links = {link.name: link for link in kernel.links}
    match command.removeprefix("ip ").split():
        case ["link", "add", "link", _parent, "name", _name, *_]:
            pass
        case ["link", "add", name, "type", kind, *peer] if kind not in UNKNOWN_KINDS:
            for made in (name, *peer[1:]):
                links[made] = Link(index=len(links) + 1, name=made, kind=kind, bridge=_bridge(kind))
        case ["tuntap", "add", "dev", name, *_]:
            links[name] = Link(index=len(links) + 1, name=name, kind="tun")
        case ["link", "set", name, "master", master] if name in links:
            links[name] = replace(links[name], master=master)
        case ["link", "set", name, "nomaster"]:
            links[name] = replace(links[name], master=None)
        case ["link", "set", name, "up" | "down" as state] if name in links:
            links[name] = replace(links[name], up=state == "up")
        case ["link", "del", name]:
            del links[name]
        case _:
            pass  # a command that failed there
    return replace(kernel, links=tuple(links.values()))


def _bridge(kind: str) -> BridgeState | None:
    return BridgeState() if kind == "bridge" else None


class Dictated(Simulated):
    """A machine whose kernel is what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.links: Kernel | None = start()
        """None: what the machine itself says."""

    def kernel(self, node: NodeFolder, machine: Machine, now: float) -> Kernel:
        return self.links or super().kernel(node, machine, now)


class KernelReplay(Replay):
    """One sim through which the exchanges of a kernel recording go, in order."""

    def __init__(self, folder: Path, exchanges: list[Exchange], setups: Mapping[str, list[str]], workers: int) -> None:
        Sim.open(folder)
        self.backend = Dictated()
        super().__init__(Sim(folder, self.backend), exchanges)
        self.nature["workers"] = workers
        self.setups = setups

    def differences(self) -> Iterator[str]:
        for number, exchange in enumerate(self.exchanges):
            self.now = exchange.sent
            for command in (*_made_before(exchange), *self.setups.get(exchange.name, ())):
                self._set_up(command)
            self._grant(exchange.name)
            yield from self._differences_of(number, exchange)

    def _grant(self, name: str) -> None:
        """What was changed in the access list before an exchange, and stands in none."""
        for before, form in HELD_BACK.items():
            if name.startswith(before):
                assert Client(self.adapter.sim).ask("PUT", "/access/acl", **form).ok

    def _set_up(self, command: str) -> None:
        scenario = command.removeprefix("scenario ").partition(":")[0]
        if (MOMENTS / scenario).is_dir():
            self._dictate(moment(scenario))
        elif command.startswith(BASE):
            self._dictate(moment("base"))
        elif command == START:
            self.backend.links = start()
        elif command in SLOW:
            self.nature["report_seconds"] = SLOW[command]
        elif command == THREE_RUN:
            for _ in range(3):
                self.adapter.front.daemon.occupy(self.node.name, self.now, 50.0)
        elif command.startswith("cable of ens39/ens40 pulled"):
            self._dictate(moment("misc-fresh"))
        elif self.backend.links:
            self._dictate(after(self.backend.links, command))

    def _duration(self, number: int, exchange: Exchange) -> float:  # noqa: ARG002  the base's
        return next(seconds for group, seconds in RELOAD_SECONDS.items() if exchange.name.startswith(group))

    def _dictate(self, kernel: Kernel) -> None:
        """This is the kernel from here on; the list's flags, and the NICs, are its as well."""
        self.backend.links = kernel
        nics = {link.name: link.altnames for link in kernel.links if link.name.startswith("ens")}
        up = frozenset(link.name for link in kernel.links if link.up)
        self.node.save(self.node.machine().but(nics=nics, up=up))


def _made_before(exchange: Exchange) -> tuple[str, ...]:
    return next((made for name, made in MADE_BEFORE.items() if exchange.name.startswith(name)), ())


def setups(name: str) -> dict[str, list[str]]:
    """What was done to the machine before each exchange of a file."""
    lines = (FIXTURES / "kernel" / name).read_text(encoding="utf-8").splitlines()
    return {data["name"]: data["kernel_setup"] for line in lines if (data := json.loads(line)).get("kernel_setup")}
