"""A client that may die at any request and any write of its journal, as by kill -9; for the random commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from fault_matrix import Cell, Walk, Witness
from killed import Killed

from pvenet.journal import Journal, Journals

if TYPE_CHECKING:
    from pathlib import Path

    import requests

    from pvenet.node import Node


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

    fate = Fate()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.fate.moment()
        answer = super().send(request, *args, **kwargs)
        self.fate.moment()
        return answer


class MortalJournals(Journals):
    """Journals of a process that may die before a write, or after it."""

    fate: Fate

    def at(self, node: Node, *, same_node: bool = False) -> Self:
        bound = super().at(node, same_node=same_node)
        bound.fate = self.fate
        return bound

    def write(self, journal: Journal, *, so: str = "") -> Journal:
        self.fate.moment()
        super().write(journal, so=so)
        self.fate.moment()
        return journal


class MortalWalk(Walk):
    """Commands of mortal processes at one simulated node, whose clock they share."""

    def __init__(self, folder: Path) -> None:
        super().__init__(cell=Cell(scenario="guests", layout="one", faults=()), folder=folder, make=MortalWitness)
        self.fate = Fate()
        assert isinstance(self.witness, MortalWitness)
        self.witness.fate = self.fate

    @property
    def free(self) -> bool:
        return False

    def client(self) -> tuple[Node, Journals]:
        node, plain = super().client()
        journals = MortalJournals(plain.folder.parent.parent, plain.node)
        journals.fate = self.fate
        return node, journals

    def trouble(self, faults: tuple[str, ...], *, dies: int = 0) -> None:
        """What befalls the next command; requests and moments count from its first."""
        self.witness.acts.clear()
        self.witness.begun.clear()
        self.witness.made_by_others.clear()
        self.cell = Cell(scenario="guests", layout="one", faults=faults)
        self.witness.order(faults, first=self.witness.count + 1)
        self.fate.left, self.fate.dead = dies, False
