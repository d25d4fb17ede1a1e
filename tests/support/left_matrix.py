"""The fault matrix from the reload on, with an apply that is left: by --no-wait, or killed at its reload.

Somebody else takes it up at once. Every cell has to end as it does where the apply waits itself.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fault_cells import AT_A_RELOAD, KernelMatrix, Matrix
from fault_matrix import Walk, Witness
from killed import Killed

from pvenet.apply.apply import apply
from pvenet.apply.options import ApplyOptions
from pvenet.apply.wait import wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests
    from fault_matrix import Cell, Snapshot

    from pvenet.journal import Journals
    from pvenet.node import Node

WAYS = ("--no-wait", "killed")
"""How an apply is left."""


class DeadlyWitness(Witness):
    """Requests of a process that is killed when its reload has arrived, before it reads the answer."""

    deadly = False

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        deadly = self.deadly and request.method == "PUT" and str(request.url).endswith("nodes/pve1/network")
        try:
            return super().send(request, *args, **kwargs)
        finally:
            if deadly:
                self.deadly = False
                raise Killed


class LeftWalk(Walk):
    """One run of a scenario whose apply is left, and taken up by another process."""

    def __init__(self, way: str, **cell: Any) -> None:
        self.way = way
        super().__init__(**cell, make=DeadlyWitness)

    def _apply(self, node: Node, journals: Journals) -> None:
        assert isinstance(self.witness, DeadlyWitness)
        self.witness.deadly = self.way == "killed"
        options = replace(self.options, wait=self.witness.deadly)
        with suppress(Killed):
            apply(node, journals, options, self.lab.runtime(), now=self.lab.stamp())
        self.events.clear()
        wait(*self.client(), ApplyOptions(), self.lab.runtime())


class LeftMatrix(Matrix):
    """The cells of one scenario, each ended three times."""

    def at_reload(self) -> Iterator[Cell]:
        """Whatever befalls the reload itself, or its answer."""
        for fault in ("drop-before", "drop-after", "restart", "596", "596=after", *AT_A_RELOAD):
            yield replace(self.scenario, faults=tuple(f"{word}@PUT network" for word in fault.split(" & ")))

    def differences(self, cell: Cell) -> list[str]:
        """How the ends of an apply that is left differ from that of one that waits; nothing is what it should be."""
        meant = self._ended(Walk, cell)
        found = {way: self._ended(partial(LeftWalk, way), cell) for way in WAYS}
        return [f"{cell}: {way}: {end}, and not {meant}" for way, end in found.items() if end[:2] != meant[:2]]

    def _ended(self, make: Any, cell: Cell) -> tuple[int, str, str]:
        folder = self.place / str(next(self.number))
        start: Snapshot = self.told.snapshots[-1]
        done = make(cell=cell, folder=folder, start=start).run().done[-1]
        shutil.rmtree(folder)
        return done.code, str(done.end.verdict) if done.end else "", done.message


class LeftKernelMatrix(LeftMatrix, KernelMatrix):
    """The same of faults of the kernel."""

    def __init__(self, scenario: str, place: Path) -> None:
        KernelMatrix.__init__(self, scenario, place)

    def named(self) -> Iterator[Cell]:
        """Those whose faults name their requests. One at a number meets another request where two processes ask."""
        for cell in self.cells():
            if not any(fault.rpartition("@")[2].isdecimal() for fault in cell.faults):
                yield cell
