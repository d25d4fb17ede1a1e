"""What is looked at before each node of a rollout: whether what was done so far has left its cluster as it was."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cluster import standing
from pvenet.fleet.course import Halted
from pvenet.fleet.unfinished import unfinished
from pvenet.journal import MEANINGS
from pvenet.model import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pvenet.apply.runtime import Runtime
    from pvenet.cluster import Cluster
    from pvenet.connection import Connection
    from pvenet.fleet.nodes import Fleet
    from pvenet.node import Node


class Precautions:
    """The nodes that one rollout is about, be there something to do or not, and how their clusters stood at first."""

    def __init__(self, fleet: Fleet, names: Collection[str], at_work: Callable[[], Collection[str]]) -> None:
        self._fleet = fleet
        self._names = tuple(names)
        self._at_work = at_work
        self._first: dict[Connection, Cluster] = {}
        self._lock = Lock()

    def look(self, node: Node, runtime: Runtime) -> None:
        """Raises Halted where a node that was changed before has no verdict yet, and where the cluster has lost its
        quorum, or a member, since the rollout has come to it; Unreachable where nobody answers.
        """
        self._refuse_unfinished(node)
        place = self._fleet.place(node.name)
        now = standing(node.connection)
        with self._lock:
            first = self._first.get(place)
            if first is None:
                self._first[place] = now
        if first is not None:
            self._refuse_worse(node, first, now)
        elif now.quorate is False:
            runtime.warn(f"the cluster of {node.name} has no quorum, and had none before the rollout reached it")

    def _refuse_unfinished(self, node: Node) -> None:
        place = self._fleet.place(node.name)
        for name in self._names:
            if name == node.name or name in self._at_work() or self._fleet.place(name) is not place:
                continue
            if (found := unfinished(self._fleet, name)) is not None:
                raise _halted(
                    f"{name}: {MEANINGS[found.state].what}; {node.name} was not started",
                    hint=f"`pvenet status --node {name}` shows the state of the node, and what to do",
                )

    def _refuse_worse(self, node: Node, first: Cluster, now: Cluster) -> None:
        if first.quorate and now.quorate is False:
            raise _halted(
                f"the cluster of {node.name} has lost its quorum since the rollout started; {node.name} was not "
                "started",
                hint="`pvenet doctor` looks for the reason; `pvenet rollback --node NODE` puts back what was on a node "
                "before",
            )
        if gone := set(now.offline) - {*first.offline, *self._at_work(), node.name}:
            names = [member.name for member in now.members if member.name in gone]
            answer = "answers" if len(names) == 1 else "answer"
            raise _halted(
                f"{runs(names)} no longer {answer} the other members of the cluster; {node.name} was not started",
                hint=f"`pvenet doctor --node {names[0]}` looks for the reason",
            )


def _halted(message: str, hint: str) -> Halted:
    return Halted(errors.RefusedByPvenet(message, hint=hint))
