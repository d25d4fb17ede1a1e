"""Nodes whose apply has no verdict yet."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.unfinished import meet
from pvenet.journal import ARMS, UNFINISHED, YES, State, nodes
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.fleet.nodes import Fleet
    from pvenet.journal import Journal

NO_END = frozenset({State.RELOADING, *ARMS, *UNFINISHED})
"""The states of a journal whose apply has no verdict yet."""


def without_verdict(fleet: Fleet, names: Iterable[str]) -> dict[str, Journal]:
    """Those of the nodes whose apply has no verdict yet, each with its journal; none whose name is not clear."""
    kept = frozenset(nodes(fleet.state_dir))
    clear = fleet.unambiguous(name for name in names if name in kept)
    return {name: found for name in clear if (found := unfinished(fleet, name)) is not None}


def unfinished(fleet: Fleet, name: str) -> Journal | None:
    """The youngest journal of a node whose apply has no verdict yet."""
    node = Node(fleet.place(name), name)
    journals = fleet.journals(name).at(node)
    with suppress(errors.PvenetError):  # whoever can't be asked is met again
        meet(node, journals, *NO_END)
    found = [each for each in journals.all() if each.state in NO_END and journals.word(each) != YES]
    return found[-1] if found else None
