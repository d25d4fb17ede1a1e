"""The cells of the fault matrix: which fault befalls which request of which scenario."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from itertools import chain, count, product
from typing import TYPE_CHECKING, TypeVar

from fault_foreign import EDITS
from fault_kernel import wanted
from fault_matrix import LAYOUTS, Cell, Walk
from fault_scenarios import KERNEL_SCENARIOS, SCENARIOS
from fault_verdict import wrong, wrong_again

from pvenet.sim.faults import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fault_truth import Described

BY_TURNS = (("drop-before", "drop-after", "restart"), ("{status}", "{status}=after"), ("delay=6.4", "delay=50"))
"""Faults that are one and the same to a read, which changes nothing: a write meets each, a read one of them in turn."""
ANYWHERE = (
    *("reboot", "foreign-revert", "foreign-reload", *EDITS),
    *("lacks=Sys.Modify", "lacks=Sys.Audit", "lacks=SDN.Audit & lacks=SDN.Use"),
)
"""Faults that are something else at each request."""
AT_A_WRITE = ("locked",)
AT_A_RELOAD = (
    *("reload-fails", "reload-fails=2", "reload-fails=89", "reload-fails=0:bond0 : error: bond0: no "),
    *("reload-lies", "reload-lies=89", "reload-hangs", "task-late", "task-late=15", "never-up=bond0", "freeze"),
    *("drop-after & task-late=4", "drop-after & task-late=20", "drop-before & task-late"),
    *("path-lost=5", "path-lost=40", "path-lost", "node-lost=5", "node-lost=40", "node-lost"),
)
"""Faults of the first write or reload from a request on: the same at each request before it, told once."""
FULL = "PVENET_MATRIX" in os.environ
"""Every cell; else a read meets every second fault in turn, on a bad day a write every fourth, a read every eighth, and
half as many where it is armed, unconfirmed or rolled back; somebody else's edit meets them all, or every second one."""
UNDISTURBED = "freeze@9999"
REPORTS = ("report-slow=10", "report-slow=29", "report-odd", "report-too-late")
"""Faults of whoever asks the kernel."""
EARLY = ("no-", "partner-", "lacp-", "report-")
"""Kinds that need no reload."""
HOWS = ("--verify kernel", "--require lacp", "--verify flags", "--require carrier", "--arm")
WITH = (
    *("drop-after", "597", "delay=50", "restart", "reload-fails", "lacks=Sys.Audit", "path-lost=20"),
    *("foreign-edit", "foreign-comment=bond0", "foreign-set=vmbr0:mtu=1400", "foreign-reload"),
)
"""What may come on top of a fault of the kernel."""
Some = TypeVar("Some")


class Matrix:
    """The cells of one scenario over one layout, on top of the faults that make it what it is."""

    def __init__(self, scenario: str, layout: str, place: Path, base: tuple[str, ...] = ()) -> None:
        self.scenario = Cell(scenario=scenario, layout=layout, faults=(*base, UNDISTURBED))
        self.base = base
        self.place = place
        self.number = count()
        self.turn = list(product((*SCENARIOS, *KERNEL_SCENARIOS), LAYOUTS)).index((scenario, layout))
        clean = Walk(cell=replace(self.scenario, faults=(UNDISTURBED,)), folder=place / "clean").run()
        self.goal: Described = clean.witness.reloads[0][1] if clean.witness.reloads else clean.settled.live
        self.told = Walk(cell=self.scenario, folder=place / "told", keep=place / "kept").run()

    @property
    def short(self) -> bool:
        """What is its own is a few requests, each of which meets every fault."""
        return self.scenario.scenario == "revert"

    @property
    def rare(self) -> bool:
        """It is much like another one, or long."""
        return (self.told.as_guests or self.told.asked) and not self.short

    def cells(self) -> Iterator[Cell]:
        """Every cell; where there is a base, at the requests after its reload."""
        witness = self.told.witness
        reloads = [number for number, _ in witness.reloads]
        last = reloads[0] if reloads else self.told.snapshots[-1].count + 1
        first = reloads[0] + 1 if self.base else last if self.told.as_guests else 1
        for at in range(first, witness.count + 1):
            if witness.repeats(at):
                continue
            faults = _faults(at + self.turn, write=at in witness.writes, reload=at in reloads)
            step = 1 if FULL else self._step(at)
            taken = set(faults[(at + self.turn) % step :: step])
            taken |= self._edits(at)
            for text in sorted(taken, key=faults.index):
                words = text.format(status=595 + (at + self.turn) % 5).split(" & ")
                yield replace(self.scenario, faults=(*self.base, *(f"{word}@{at}" for word in words)))

    def _step(self, at: int) -> int:
        """How many faults of a request go by for one that is taken."""
        if self.short:
            return 1
        rare = 2 if self.rare else 1
        if at in [number for number, _ in self.told.witness.reloads]:
            return rare
        return rare * (4 if self.base or self.rare else 1) * (1 if at in self.told.witness.writes else 2)

    def _edits(self, at: int) -> set[str]:
        """What somebody else stages at a request: everything at a write, else two in turn; armed, every second time."""
        kinds = list(EDITS)
        if FULL or self.short or (at in self.told.witness.writes and not self.rare):
            return set(kinds)
        return {kinds[at % len(kinds)], kinds[(at + 3) % len(kinds)]} if not self.rare or at % 2 else set()

    def complaints(self, cell: Cell) -> tuple[list[str], Walk]:
        """What is wrong with a cell; nothing is what it should be."""
        folder = self.place / str(next(self.number))
        named = cell.fault.address is not None  # it counts from the last command
        start = [kept for kept in self.told.snapshots if named or kept.count < cell.fault.at][-1]
        walk = Walk(cell=cell, folder=folder, start=start).run()
        try:
            found = wrong(walk, self.goal)
            if walk.done[-1].code and "reload-hangs" not in {parse(fault).kind for fault in cell.faults}:
                walk.again()
                found += wrong_again(walk)
            return found, walk
        finally:
            shutil.rmtree(folder)


class KernelMatrix(Matrix):
    """The cells of a scenario whose faults no flag shows: the kernel has something else, or can't be asked."""

    def __init__(self, scenario: str, place: Path) -> None:
        super().__init__(scenario, "one", place)
        self.lacks = tuple(dict.fromkeys(_lacks(self.goal)))
        self.slow = ("lacp-takes=5", "lacp-takes=30", "lacp-takes=60") if "no-partner=bond0" in self.lacks else ()

    def cells(self) -> Iterator[Cell]:
        """Alone, by how the kernel is wanted, from before the baseline, in the rollback, and with something else."""
        every = (*self.lacks, *self.slow, *REPORTS)
        for number, fault in enumerate(every):
            yield self._cell(f"{fault}@PUT network")
            for how in HOWS if FULL else (HOWS[(number + self.turn) % len(HOWS)],):
                yield self._cell(f"{fault}@PUT network", how=how)
        for fault in self._some([each for each in every if each.startswith(EARLY)]):
            yield self._cell(f"{fault}@GET access/permissions")
        for fault in REPORTS:
            yield from (self._cell(f"{fault}@GET report+{nth}") for nth in (1, 2, 3))
            yield self._cell(f"{fault}@GET report+2", how="--verify kernel")
        for first, second in self._some(list(product(self.lacks, (*self.lacks, *REPORTS))), 17):
            yield self._cell(f"{first}@PUT network", f"{second}@PUT network")
        for first, second in self._some(list(product(self.lacks, (*self.lacks, *self.slow, *REPORTS))), 13):
            yield self._cell(f"{first}@PUT network", f"{second}@PUT network+2")
        yield from self._with_answers()

    def _with_answers(self) -> Iterator[Cell]:
        """A fault of the kernel, and a bad answer or somebody's edit at one of the requests from the reload on."""
        witness = self.told.witness
        requests = [at for at in range(witness.reloads[0][0], witness.count + 1) if not witness.repeats(at)]
        for fault, at, other in self._some(list(product(self.lacks, requests, WITH)), 83):
            yield self._cell(f"{fault}@PUT network", f"{other}@{at}")

    def _cell(self, *faults: str, how: str = "") -> Cell:
        return replace(self.scenario, faults=faults, how=how)

    def _some(self, found: list[Some], step: int = 2) -> list[Some]:
        return found if FULL else found[self.turn % step :: step]


def _lacks(goal: Described) -> Iterator[str]:
    """Whatever a kernel can lack of a file."""
    named = {name: dict(values) for name, values in goal.items()}
    for fact in sorted(wanted(goal)):
        match fact.what:
            case "carrier":
                yield f"no-carrier={fact.name}"
            case "partner":
                yield from (f"no-partner={fact.name}", f"partner-splits={fact.name}")
            case "member":
                bond = named[fact.name].get("type") == "bond"
                yield f"{'not-joined' if bond else 'port-missing'}={fact.value}"
            case "mtu":
                yield f"mtu-stays={fact.name}"
            case "address":
                yield f"address-missing={fact.name}"
            case "gateway":
                yield "route-missing"
            case _:
                pass


def _faults(turn: int, *, write: bool, reload: bool) -> list[str]:
    turns = [list(kinds) if write or reload else [kinds[turn % len(kinds)]] for kinds in BY_TURNS]
    return [*chain(*turns), *ANYWHERE, *(AT_A_WRITE if write else ()), *(AT_A_RELOAD if reload else ())]
