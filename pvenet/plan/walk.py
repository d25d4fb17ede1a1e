"""Walking changes in an order that keeps every rule, splitting one where the rules make a circle.

This knows nothing about networks but how an interface gives up members and takes them later: the rules are edges, and
`order` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from pvenet.changes import Change, Create, Delete, Update
from pvenet.model import Bond, Bridge, Interface, OvsBond, OvsBridge, canonical, natural
from pvenet.model.relations import with_kept_addresses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


class Until(Enum):
    """How much of the first of two changes has to be done before the second."""

    GIVEN_UP = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Edge:
    """One change before another."""

    first: Node
    then: Node
    until: Until
    joins: bool
    """Only the members that the second takes wait for this; without them it could go ahead."""

    @property
    def holds(self) -> bool:
        """Whether it still holds the second change up."""
        return not (self.first.done or (self.until is Until.GIVEN_UP and self.first.gave_up))


@dataclass(slots=True, eq=False)
class Node:
    """A change on its way."""

    before: Interface | None
    """What is there now; an intermediate update moves it."""
    after: Interface | None
    rank: int
    """What comes first where no edge decides."""
    renewed: Collection[str] = ()
    """The names that are deleted and created again, which are given up meanwhile."""
    waits: list[Edge] = field(default_factory=list)
    frees: list[Edge] = field(default_factory=list)
    blocked: int = 0
    """By how many edges it is still held up."""
    gave_up: bool = False
    done: bool = False

    @property
    def name(self) -> str:
        interface = self.after or self.before
        return interface.name if interface else ""

    @property
    def key(self) -> tuple[object, ...]:
        return self.rank, natural(self.name)

    def edge(self, then: Node, until: Until = Until.DONE, *, joins: bool = False) -> None:
        """This comes before the other one, or has at least given up by then."""
        if self is not then:
            edge = Edge(self, then, until, joins)
            self.frees.append(edge)
            then.waits.append(edge)
            then.blocked += 1

    def blocker(self) -> Edge | None:
        """One of the edges that block it."""
        while self.waits and not self.waits[-1].holds:
            self.waits.pop()
        return self.waits[-1] if self.waits else None


class Walk:
    """The changes one by one. Where all are blocked, one that lies on a circle is split."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._left = list(dict.fromkeys(nodes))
        self._ready = [(node.key, number, node) for number, node in enumerate(self._left) if not node.blocked]
        heapify(self._ready)
        self._count = len(self._left)
        self._left.reverse()

    def __iter__(self) -> Iterator[Change]:
        while self._ready or self._left:
            if self._ready:
                yield from self._finish(heappop(self._ready)[-1])
            elif self._left[-1].done:
                self._left.pop()
            else:
                yield from self._break(_circle(self._left[-1]))

    def _is_ready(self, node: Node) -> None:
        self._count += 1
        heappush(self._ready, (node.key, self._count, node))

    def _release(self, edges: Iterable[Edge]) -> None:
        for edge in edges:
            edge.then.blocked -= 1
            if not edge.then.blocked:
                self._is_ready(edge.then)

    def _finish(self, node: Node) -> Iterator[Change]:
        if node.done:
            return
        freed = [edge for edge in node.frees if edge.holds]
        node.done = True
        if node.before is None:
            if node.after is not None:
                yield Create(after=node.after)
        elif node.after is None:
            yield Delete(before=node.before)
        elif node.before != node.after:
            yield Update(before=node.before, after=node.after)
        self._release(freed)

    def _break(self, circle: list[Edge]) -> Iterator[Change]:
        """Open a circle: the first by name that can gives up first; else one takes its new members later."""
        givers = [edge.first for edge in circle if edge.until is Until.GIVEN_UP]
        takers = [edge.then for edge in circle if edge.joins]
        if givers:
            yield from self._give_up(min(givers, key=lambda node: natural(node.name)))
        elif takers:
            self._postpone(min(takers, key=lambda node: natural(node.name)))
        else:
            self._is_ready(circle[0].then)  # no order keeps all rules: PVE will say which

    def _give_up(self, node: Node) -> Iterator[Change]:
        freed = [edge for edge in node.frees if edge.holds and edge.until is Until.GIVEN_UP]
        node.gave_up = True
        if node.before is not None:
            left = _left_over(node.before, node.after, node.renewed)
            if left != node.before:
                yield Update(before=node.before, after=left)
            node.before = left
        self._release(freed)

    def _postpone(self, node: Node) -> None:
        """Split off the taking of new members as a change of its own, which only the edges to do with it hold up."""
        if node.after is None:
            return
        held = [edge for edge in node.waits if edge.joins]
        alone = _without_new_members(node.after, node.before, node.renewed)
        rest = Node(alone, node.after, node.rank, waits=held, blocked=sum(edge.holds for edge in held))
        node.waits = [edge for edge in node.waits if not edge.joins]
        node.blocked -= rest.blocked
        node.after = alone
        for edge in held:
            edge.then = rest
        node.edge(rest)
        self._left.insert(0, rest)
        if not node.blocked:
            self._is_ready(node)


def _circle(start: Node) -> list[Edge]:
    """The edges of a circle that holds a node up."""
    trail: dict[Node, Edge] = {}
    node = start
    while node not in trail:
        edge = node.blocker()
        if edge is None:  # pragma: no cover - a node that nothing blocks is ready
            break
        trail[node] = edge
        node = edge.first
    nodes = list(trail)
    return [trail[member] for member in nodes[nodes.index(node) :]]


def _left_over(before: Interface, after: Interface | None, renewed: Collection[str]) -> Interface:
    """What stays of an interface when it gives up all that it shall not keep, and takes nothing yet."""
    left = with_kept_addresses(before, after)
    return _without_new_members(left, after, renewed)


def _without_new_members(interface: Interface, other: Interface | None, renewed: Collection[str]) -> Interface:
    """An interface with only the slaves or ports that another state of it has too."""
    match interface:
        case Bond():
            slaves = _common(interface.slaves, other.slaves if isinstance(other, Bond) else (), renewed)
            primary = interface.primary if interface.primary in slaves else None
            return canonical(replace(interface, slaves=slaves, primary=primary))
        case OvsBond():
            slaves = _common(interface.slaves, other.slaves if isinstance(other, OvsBond) else (), renewed)
            return canonical(replace(interface, slaves=slaves))
        case Bridge():
            ports = _common(interface.ports, other.ports if isinstance(other, Bridge) else (), renewed)
            return canonical(replace(interface, ports=ports))
        case OvsBridge():
            ports = _common(interface.ports, other.ports if isinstance(other, OvsBridge) else (), renewed)
            return canonical(replace(interface, ports=ports))
        case _:
            return interface


def _common(names: tuple[str, ...], others: tuple[str, ...], renewed: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in others and name not in renewed)
