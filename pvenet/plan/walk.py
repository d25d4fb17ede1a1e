"""Walking changes in an order that keeps every rule, splitting an update where the rules make a circle.

This knows nothing about networks but how an interface gives up: the rules are edges, and `order` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from pvenet.model import Bond, Bridge, Interface, settled
from pvenet.plan.changes import Change, Create, Delete, Update
from pvenet.plan.relations import natural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator


@dataclass(slots=True, eq=False)
class Node:
    """A change on its way."""

    before: Interface | None
    """What is there now; an intermediate update moves it."""
    after: Interface | None
    rank: int
    """What comes first where no edge decides."""
    renewed: Collection[str] = ()
    """The names that are deleted and created again, which an intermediate update gives up too."""
    waits: list[tuple[Node, bool]] = field(default_factory=list)
    """Who comes before it, and whether it is enough that they give up."""
    early: list[Node] = field(default_factory=list)
    """Who waits for it to give something up."""
    late: list[Node] = field(default_factory=list)
    """Who waits for it to be done."""
    blocked: int = 0
    """By how many it is still held up."""
    gave_up: bool = False
    done: bool = False

    @property
    def name(self) -> str:
        interface = self.after or self.before
        return interface.name if interface else ""

    @property
    def key(self) -> tuple[object, ...]:
        return self.rank, natural(self.name)

    def edge(self, then: Node, *, early: bool = False) -> None:
        """This comes before the other one; early: at least it has given up by then."""
        if self is not then:
            (self.early if early else self.late).append(then)
            then.waits.append((self, early))
            then.blocked += 1

    def hindrance(self) -> tuple[Node, bool] | None:
        """One of those that it waits for, and whether it is enough that they give up."""
        while self.waits:
            first, early = self.waits[-1]
            if not (first.done or (early and first.gave_up)):
                return first, early
            self.waits.pop()
        return None


def walk(nodes: Iterable[Node]) -> Iterator[Change]:
    """The changes one by one. Where all are blocked, one that lies on a circle gives up first."""
    left = list(dict.fromkeys(nodes))
    ready = [(node.key, number, node) for number, node in enumerate(left) if not node.blocked]
    numbers = {node: number for number, node in enumerate(left)}
    heapify(ready)
    left.reverse()
    while ready or left:
        if ready:
            node = heappop(ready)[-1]
            if node.done:
                continue
            yield from _finish(node)
            freed = node.late if node.gave_up else node.early + node.late
        elif left[-1].done:
            left.pop()
            continue
        else:
            node, gives_up = _breaker(left[-1])
            freed = node.early if gives_up else []
            if gives_up:
                yield from _give_up(node)
            else:
                heappush(ready, (node.key, numbers[node], node))  # no order keeps all rules: PVE will say which
        for other in freed:
            other.blocked -= 1
            if not other.blocked and not other.done:
                heappush(ready, (other.key, numbers[other], other))


def _breaker(start: Node) -> tuple[Node, bool]:
    """Of a circle that holds a node up, the first by name that can open it by giving up; else any, and False."""
    trail: dict[Node, bool] = {}
    node = start
    while node not in trail:
        found = node.hindrance()
        if found is None:
            return node, False
        trail[node] = found[1]
        node = found[0]
    circle = list(trail)[list(trail).index(node) :]
    openers = [node.hindrance() for node in circle]
    able = [opener[0] for opener in openers if opener and opener[1]]
    return (min(able, key=lambda node: natural(node.name)), True) if able else (node, False)


def _finish(node: Node) -> Iterator[Change]:
    node.done = True
    if node.before is None:
        if node.after is not None:
            yield Create(after=node.after)
    elif node.after is None:
        yield Delete(before=node.before)
    elif node.before != node.after:
        yield Update(before=node.before, after=node.after)


def _give_up(node: Node) -> Iterator[Change]:
    node.gave_up = True
    if node.before is not None:
        left = _left_over(node.before, node.after, node.renewed)
        if left != node.before:
            yield Update(before=node.before, after=left)
        node.before = left


def _left_over(before: Interface, after: Interface | None, renewed: Collection[str]) -> Interface:
    """What stays of an interface when it gives up all that it shall not keep, and takes nothing yet."""
    left = replace(
        before,
        cidr=before.cidr if after and after.cidr else None,
        gateway=before.gateway if after and after.cidr and after.gateway else None,
        cidr6=before.cidr6 if after and after.cidr6 else None,
        gateway6=before.gateway6 if after and after.cidr6 and after.gateway6 else None,
    )
    match left:
        case Bond():
            stay = _staying(left.slaves, after.slaves if isinstance(after, Bond) else (), renewed)
            return settled(replace(left, slaves=stay, primary=left.primary if left.primary in stay else None))
        case Bridge():
            stay = _staying(left.ports, after.ports if isinstance(after, Bridge) else (), renewed)
            return settled(replace(left, ports=stay))
        case _:
            return left


def _staying(old: tuple[str, ...], new: tuple[str, ...], renewed: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in old if name in new and name not in renewed)
