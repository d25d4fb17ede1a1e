"""Which nodes there are, and reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.cluster import names, not_one, unknown_node
from pvenet.fleet.parallel import parallel
from pvenet.journal import Journals, nodes
from pvenet.node import Node
from pvenet.parallel import once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pvenet.connection import Connection
    from pvenet.fleet.places import Places
    from pvenet.node import Reading

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The nodes of one place, or of several, and where their journals are kept."""

    connection: Connection
    """To the one place, or to the first of several."""
    state_dir: Path
    places: Places | None = None
    """All of them, where there are several."""

    @property
    def connections(self) -> Mapping[str, Connection]:
        """One to each place, by profile; to the one place without a name."""
        return self.places.connections if self.places else {"": self.connection}

    @property
    def silent(self) -> Mapping[str, errors.PvenetError]:
        """Why places of several did not say which nodes they have, by profile."""
        return self.places.silent if self.places else {}

    def names(self) -> tuple[str, ...]:
        """The names of all nodes, as far as places have answered. Raises what stands against it where none has."""
        return self.places.names() if self.places else names(self.connection)

    def place(self, name: str) -> Connection:
        """The connection that leads to a node, which is the same for all members of a cluster."""
        return self.connection if self.places is None else self.places.of(name) or self._former(name, self.places)

    def _former(self, name: str, places: Places) -> Connection:
        """Where a node may be that nobody knows now: the silent place to which its journals belong, if any does."""
        silent = [places.connections[profile] for profile in places.silent] or [self.connection]
        mine = (each for each in silent if _has_journals(self.journals(name).at(Node(each, name))))
        return next(mine, silent[0])

    def lost(self, name: str) -> errors.PvenetError | None:
        """Why nobody knows where a node is; None where that is known, or there is only one place."""
        return self.places.lost(name) if self.places else None

    def refuse_ambiguous(self, wanted: Iterable[str]) -> None:
        """Raises UsageError for a name that nodes of two places have."""
        if self.places:
            self.places.refuse_ambiguous(wanted)

    def unambiguous(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names that nodes of two places do not have."""
        return tuple(name for name in names if self.places is None or not self.places.is_ambiguous(name))

    def node(self, name: str) -> Node:
        """A node, over a connection of its own."""
        return Node(self.place(name).another(), name)

    def journals(self, name: str, *, rollout: str = "") -> Journals:
        """A node's journals; those that are begun belong to a rollout, where one is named."""
        return Journals(self.state_dir, name, rollout=rollout)


def _has_journals(journals: Journals) -> bool:
    return bool(journals.all() or journals.likely())


def known(fleet: Fleet, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted nodes, or all of them.

    Raises UsageError for one that is not there, or is the name of two. One that may be at a place which does not answer
    is let through: it fails when it is read.
    """
    there = fleet.names()
    for name in wanted:
        if name not in there and fleet.lost(name) is None:
            raise unknown_node(name, there)
    fleet.refuse_ambiguous(wanted or there)
    return tuple(wanted) or there


def only_one(fleet: Fleet, named: Sequence[str]) -> Node:
    """The one node that is named, or the only one that there is. Raises UsageError where that is not one."""
    there = tuple(named) or fleet.names()
    if len(there) != 1:
        raise not_one(named, there)
    refuse(unheard(fleet, named))
    (name,) = _meant(fleet, there)
    return Node(fleet.place(name), name)


def _meant(fleet: Fleet, wanted: Sequence[str]) -> tuple[str, ...]:
    """The same as `known` of named nodes, also where nobody answers."""
    try:
        return known(fleet, wanted)
    except errors.UsageError:
        raise
    except errors.PvenetError:
        return tuple(wanted)


def unheard(fleet: Fleet, wanted: Sequence[str]) -> dict[str, errors.PvenetError]:
    """Where all nodes are wanted, which none is: why places did not say which nodes they have, by what they are."""
    silent = {} if wanted else fleet.silent
    return {f"profile {profile}": error for profile, error in silent.items()}


def named_or_all(fleet: Fleet, wanted: Sequence[str]) -> list[Node]:
    """The nodes that are named, or all of them; where nobody answers, those that have journals here."""
    if wanted:
        found = _meant(fleet, wanted) if fleet.places else tuple(wanted)
        return [Node(fleet.place(name), name) for name in found]
    try:
        found = known(fleet, ())
    except errors.Unreachable:
        found = nodes(fleet.state_dir)
        if not found:
            raise
    else:
        found = (*found, *(name for name in nodes(fleet.state_dir) if fleet.lost(name) and _is_former(fleet, name)))
    return [Node(fleet.place(each), each) for each in found]


def _is_former(fleet: Fleet, name: str) -> bool:
    """Whether journals of a node that nobody knows now are of a place that is silent."""
    return _has_journals(fleet.journals(name).at(Node(fleet.place(name), name)))


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
    failed = {name: error for name in wanted if (error := fleet.lost(name)) is not None}
    for name, result in parallel(fleet.place, [name for name in wanted if name not in failed], use):
        if isinstance(result, errors.PvenetError):
            failed[name] = result
        else:
            found[name] = result
        count(len(found) + len(failed))
    return _in_order(found, wanted), _in_order(failed, wanted)


def each_place(fleet: Fleet, read: Callable[[Connection], T]) -> Callable[[Node], T]:
    """Something that is read once of each place, over the connection of the first of its nodes that wants it.

    What it raises each of the place's nodes hears. It may be asked for in any thread.
    """
    kept = {place: once(read) for place in fleet.connections.values()}
    return lambda node: kept[fleet.place(node.name)](node.connection)


def its_place(fleet: Fleet, read: Callable[[Connection], T]) -> Callable[[Node], T]:
    """The same; of the one place it is read at once, and what it raises is raised here."""
    if fleet.places:
        return each_place(fleet, read)
    there = read(fleet.connection)
    return lambda _: there


def _in_order(found: Mapping[str, T], wanted: Sequence[str]) -> dict[str, T]:
    return {name: found[name] for name in wanted if name in found}


def refuse(failed: Mapping[str, errors.PvenetError]) -> None:
    """Raises the first of the errors that nodes had, telling all of them, each by its node."""
    for first in failed.values():
        raise first.with_message("\n  ".join(f"{name}: {error.message}" for name, error in failed.items()))
