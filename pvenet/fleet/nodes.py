"""Which nodes there are, and reading them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.cluster import names, unknown_node
from pvenet.fleet.parallel import parallel
from pvenet.journal import Journals, nodes
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pvenet.connection import Connection
    from pvenet.node import Reading

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The nodes that a connection leads to, and where their journals are kept."""

    connection: Connection
    state_dir: Path
    elsewhere: Mapping[str, Connection] = field(default_factory=dict)
    """The nodes of other clusters, by name, each with the connection that leads there."""

    def place(self, name: str) -> Connection:
        """The connection that leads to a node, which is the same for all members of a cluster."""
        return self.elsewhere.get(name, self.connection)

    def node(self, name: str) -> Node:
        """A node, over a connection of its own."""
        return Node(self.place(name).another(), name)

    def journals(self, name: str, *, rollout: str = "") -> Journals:
        """A node's journals; those that are begun belong to a rollout, where one is named."""
        return Journals(self.state_dir, name, rollout=rollout)


def known(fleet: Fleet, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted nodes, or all of them. Raises UsageError for one that is not there."""
    there = names(fleet.connection)
    for name in wanted:
        if name not in there:
            raise unknown_node(name, there)
    return tuple(wanted) or there


def one_or_all(fleet: Fleet, name: str) -> list[Node]:
    """The node that is named, or all of them; where nobody answers, those that have journals here."""
    if name:
        return [Node(fleet.connection, name)]
    try:
        found = names(fleet.connection)
    except errors.Unreachable:
        found = nodes(fleet.state_dir)
        if not found:
            raise
    return [Node(fleet.connection, each) for each in found]


def read(
    fleet: Fleet, wanted: Sequence[str], use: Callable[[Node, Reading], T], count: Callable[[int], None]
) -> tuple[dict[str, T], dict[str, errors.PvenetError]]:
    """What `use` makes of each node's network, and why it could not; both in the order of the names.

    `count` hears how many nodes have answered.
    """
    return visit(fleet, wanted, lambda node: use(node, node.read()), count)


def visit(
    fleet: Fleet, wanted: Sequence[str], use: Callable[[Node], T], count: Callable[[int], None]
) -> tuple[dict[str, T], dict[str, errors.PvenetError]]:
    """The same of each node, of which nothing has been read."""
    found: dict[str, T] = {}
    failed: dict[str, errors.PvenetError] = {}
    for name, result in parallel(fleet.connection, wanted, use):
        if isinstance(result, errors.PvenetError):
            failed[name] = result
        else:
            found[name] = result
        count(len(found) + len(failed))
    return _in_order(found, wanted), _in_order(failed, wanted)


def _in_order(found: Mapping[str, T], wanted: Sequence[str]) -> dict[str, T]:
    return {name: found[name] for name in wanted if name in found}


def refuse(failed: Mapping[str, errors.PvenetError]) -> None:
    """Raises the first of the errors that nodes had, telling all of them, each by its node."""
    for first in failed.values():
        raise first.with_message("\n  ".join(f"{name}: {error.message}" for name, error in failed.items()))
