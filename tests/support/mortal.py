"""A client that may die at any request and any write of its journal, as by kill -9; for the story machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conftest import FakeTime
from fault_matrix import Cell, Walk, Witness

from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token
from pvenet.journal import Journal, Journals
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import requests

    from pvenet.node import Node

HERE = "pve1.invalid"


class Killed(BaseException):
    """The process is gone; nothing of it runs any more."""


@dataclass
class Fate:
    """When a process dies: it counts its requests and its journal's writes, each before it happens and after."""

    left: int = 0
    """Moments to live; 0: it lives on."""
    dead: bool = False

    def moment(self) -> None:
        """Raises Killed in the last moment, and ever after: no handler of a dead process does anything."""
        if self.left:
            self.left -= 1
            self.dead = not self.left
        if self.dead:
            raise Killed


class MortalWitness(Witness):
    """Requests of a process that may die before they are sent, or before their answer is read."""

    fate: Fate

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.fate.moment()
        answer = super().send(request, *args, **kwargs)
        self.fate.moment()
        return answer


class MortalJournals(Journals):
    """Journals of a process that may die before a write, or after it."""

    fate: Fate

    def write(self, journal: Journal) -> Journal:
        self.fate.moment()
        super().write(journal)
        self.fate.moment()
        return journal


class MortalWalk(Walk):
    """Commands of mortal processes at one simulated node, whose clock they share."""

    def __init__(self, folder: Path) -> None:
        super().__init__(cell=Cell(story="guests", layout="one", faults=()), folder=folder)
        self.time = FakeTime(now=self.time.now)
        self.fate = Fate()
        self.witness = MortalWitness(folder, self.time)
        self.witness.fate = self.fate

    def client(self) -> tuple[Node, Journals]:
        node, plain = super().client()
        journals = MortalJournals(self.folder / "state", plain.node)
        journals.fate = self.fate
        return node, journals

    def trouble(self, faults: tuple[str, ...], *, dies: int = 0) -> None:
        """What befalls the next command; requests and moments count from its first."""
        self.witness.acts.clear()
        self.witness.made_by_others.clear()
        here = [f"{name}@{int(at) + self.witness.count}" for name, at in (fault.rsplit("@", 1) for fault in faults)]
        self.cell = Cell(story="guests", layout="one", faults=tuple(here))
        self.witness.order(self.cell.faults)
        self.fate.left, self.fate.dead = dies, False

    def somebody(self, method: str, *path: str, form: Mapping[str, str | int] | None = None) -> None:
        """A request by somebody else."""
        user = "ops@pve!net"
        adapter = SimAdapter(self.folder, clock=self.time.clock, sleep=self.time.sleep)
        token = Token(id=user, secret=str(adapter.sim.users().tokens[user]["secret"]))
        connection = Connection([Endpoint(host=HERE, adapter=adapter)], token, clock=self.time.clock)
        parts = ("nodes", "pve1", "network", *path)
        match method:
            case "POST":
                connection.post(*parts, form=form or {})
            case "PUT":
                connection.put(*parts, form=form)
            case _:
                connection.delete(*parts)
