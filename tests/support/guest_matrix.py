"""The fault matrix of guests and the cluster: who comes, goes or is lost at each request of an apply, a cell each.

What was said is judged by what the simulated nodes tell somebody else afterwards.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from housed import housed
from lab import OURS, Lab
from recorder import connection
from switched import with_switch, with_vnet

from pvenet import errors
from pvenet.impact import AllowedGuests
from pvenet.model import BondMode
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.kernel.bridges import GUEST_PORT
from pvenet.sim.machine.kernel import kernel_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pvenet.changes import Desired
    from pvenet.model import Network

NETSTAT, RELOAD = "GET netstat", "PUT network"
GUESTS = ("101:web:vmbr1:20", "102:db:vmbr1,firewall", "205:proxy:vmbr1,ct", "110:old:vmbr1,stopped", "300:mail:vmbr0")
HERE = frozenset({101, 102, 205, 300})
"""Those who run."""
AGREED = frozenset({101, 102, 205})
MEANWHILE = ("guest-starts=110", "guest-stops=101", "guest-migrates=101", "guest-stops=300", "guest-migrates=205")
"""At any request."""
BY_RELOAD = ("guest-lost=101", "guest-lost=102", "guest-lost=300", "link-lost=0 & link-lost=1", "link-lost=1")


def _changed(name: str, **fields: object) -> Callable[[Network], Desired]:
    return lambda network: {name: replace(network.interfaces[name], **fields)}  # type: ignore[arg-type]


SCENARIOS: Mapping[str, Callable[[Network], Desired]] = {
    "interrupts": _changed("bond0", mode=BondMode.ACTIVE_BACKUP),
    "widens": _changed("vmbr1", ports=("bond0", "ens37")),
    "unplugs": _changed("vmbr1", ports=()),
    "removes": lambda _network: {"vmbr1": None},
    "management": _changed("vmbr0", ports=("ens33", "ens37")),
    "interrupts vnet1": _changed("bond0", mode=BondMode.ACTIVE_BACKUP),
    "unplugs vnet1": _changed("vmbr1", ports=()),
    "interrupts vmbr2": _changed("vmbr2", mtu=1400),
    "removes vmbr2": lambda _network: {"vmbr2": None},
}
"""By what is done to the guests, and on which bridge they are, where that is not vmbr1."""
CUTS = frozenset({"unplugs", "removes"})


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Who is where on pve1, as it and its kernel tell somebody else."""

    running: frozenset[int]
    hanging: frozenset[int]
    quorate: bool

    @property
    def lost(self) -> frozenset[int]:
        """Who ran before, still does, and hangs on no bridge."""
        return (self.running & HERE) - self.hanging


class GuestMatrix:
    """The cells of one scenario."""

    def __init__(self, scenario: str, place: Path) -> None:
        self.does, _, bridge = scenario.partition(" ")
        self._place = place
        self._number = 0
        guests = tuple(guest.replace("vmbr1", bridge or "vmbr1") for guest in GUESTS)
        make = {"vnet1": with_vnet, "vmbr2": with_switch}.get(bridge, housed)
        staged = Lab(make(place / "staged", guests, ()))
        self.before = staged.live
        staged.stage(SCENARIOS[scenario](staged.node.read().network))
        self.wanted = staged.pending
        clean = self._lab()
        self.code, self.message = self._apply(clean)
        self.requests = clean.sent

    def cells(self, step: int = 1) -> Iterator[tuple[str, ...]]:
        """What comes and goes at each request, or at every so many in turn, and what the reload does; then both."""
        for number, fault in enumerate(MEANWHILE):
            yield from ((f"{fault}@{at}",) for at in range(1 + number % step, len(self.requests) + 1, step))
        after = self.requests.index(RELOAD) + 2
        for fault in BY_RELOAD:
            own = tuple(f"{word}@{RELOAD}" for word in fault.split(" & "))
            yield own
            yield (f"guest-stops=101@{after}", *own)

    def complaints(self, cell: tuple[str, ...]) -> list[str]:
        """What is wrong with what was said; nothing is what it should be."""
        lab = self._lab()
        lab.order(*cell)
        code, message = self._apply(lab)
        try:
            return [f"exit {code}: {text}: {message}" for text in self._wrong(lab, cell, code, message)]
        finally:
            shutil.rmtree(lab.folder)

    def _lab(self) -> Lab:
        self._number += 1
        folder = self._place / str(self._number)
        shutil.copytree(self._place / "staged", folder)
        return Lab(folder)

    def _apply(self, lab: Lab) -> tuple[int, str]:
        try:
            allowed = AllowedGuests(vmids=AGREED)
            lab.apply(allow_guests=allowed, allow_management=self.does == "management")
        except errors.PvenetError as error:
            return error.exit_code, error.message
        return 0, lab.end.message

    def _wrong(self, lab: Lab, cell: tuple[str, ...], code: int, message: str) -> Iterator[str]:
        judge = {0: self._applied, 7: self._refused, 8: self._rolled_back}.get(code)
        if judge is None:
            yield "ends otherwise"
        else:
            yield from judge(lab, cell, message)

    def _applied(self, lab: Lab, cell: tuple[str, ...], _message: str) -> Iterator[str]:
        truth = tell(lab)
        agreed = AGREED if self.does in CUTS else frozenset()
        if lost := truth.lost - agreed:
            yield f"applied, and {sorted(lost)} are lost"
        if self.does == "management" and not truth.quorate:
            yield "applied, and the quorum is gone"
        if lab.live != self.wanted:
            yield "applied, and the file is another"
        if self._came_in_time(lab, cell):
            yield "applied, and nobody has agreed to 110"

    def _rolled_back(self, lab: Lab, cell: tuple[str, ...], message: str) -> Iterator[str]:
        named = [vmid for vmid in HERE if f"guest {vmid}" in message]
        if not any("-lost=" in fault for fault in cell):
            yield "a healthy change was rolled back"
        if not named and "the cluster has lost its quorum" not in message:
            yield "rolled back, and nobody is named"
        if not set(named) <= tell(lab).lost:
            yield f"rolled back for {named}, who are not all lost"
        if interfaces(lab.live) != interfaces(self.before) or lab.pending:
            yield "rolled back, and the file is another"

    def _refused(self, lab: Lab, cell: tuple[str, ...], _message: str) -> Iterator[str]:
        if lab.reloads or not self._came(cell):
            yield "refused without a reason"

    def _came(self, cell: tuple[str, ...]) -> bool:
        """Whether somebody whom nobody has agreed to runs on what is cut."""
        return self.does in CUTS and cell[0].startswith("guest-starts")

    def _came_in_time(self, lab: Lab, cell: tuple[str, ...]) -> bool:
        """The same before the last look at who runs: what comes later nobody can see, nor be asked about."""
        asked = [at for at, text in enumerate(lab.sent[: lab.sent.index(RELOAD)], start=1) if text == NETSTAT]
        return self._came(cell) and int(cell[0].rpartition("@")[2]) <= max(asked)


def interfaces(text: str) -> list[str]:
    """A file without PVE's remarks, its empty lines and the order of its stanzas."""
    return sorted(line for line in text.splitlines() if line and not line.startswith(("#", "source")))


def hanging(lab: Lab) -> frozenset[int]:
    """Who has a port on a bridge, as the kernel of pve1 has it: no call shows that of a vnet."""
    node = lab.adapter.sim.node("pve1")
    links = kernel_of(node, node.advance(lab.time.now), lab.time.now).links
    ports = [GUEST_PORT.fullmatch(link.name) for link in links if not (link.master or "fwbr").startswith("fwbr")]
    return frozenset(int(port["vmid"] or port["vmid_behind"]) for port in ports if port)


def tell(lab: Lab) -> Truth:
    """What pve1 tells somebody else now."""
    adapter = SimAdapter(lab.folder, clock=lab.time.clock, sleep=lab.time.sleep)
    other = connection(adapter, OURS, "sim", clock=lab.time.clock)
    status = other.get("cluster", "status").rows()
    return Truth(
        running=frozenset(int(row["vmid"]) for row in other.get("nodes", "pve1", "netstat").rows()),
        hanging=hanging(lab),
        quorate=all(row["quorate"] for row in status if row["type"] == "cluster"),
    )
