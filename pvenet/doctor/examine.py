"""The whole look: the way in once, then each node, several at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.doctor.entry import entry_findings
from pvenet.doctor.node import node_findings, not_looked_at
from pvenet.fleet.nodes import known, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from pvenet.doctor.finding import Finding
    from pvenet.fleet.nodes import Fleet

    Counting: TypeAlias = Callable[[int], AbstractContextManager[Callable[[int], None]]]


def examine(fleet: Fleet, wanted: Sequence[str], counting: Counting) -> tuple[Finding, ...]:
    """Everything found, in the order in which it is read; `wanted` names the nodes, of which none is all.

    `counting` hears how many nodes there are, and what it gives how many are through. Raises UsageError for a node that
    is not there.
    """
    entry = entry_findings(fleet.connection, fleet.state_dir)
    found = list(entry.found)
    if not entry.lost:
        try:
            nodes = known(fleet, wanted)
        except errors.UsageError:
            raise
        except errors.PvenetError as error:
            entry.give_up(error.message)
        else:
            with counting(len(nodes)) as count:
                done, failed = visit(fleet, nodes, lambda node: node_findings(node, fleet.journals(node.name)), count)
            lost = {name: not_looked_at(name, error.message) for name, error in failed.items()}
            return (*found, *(each for name in nodes for each in (done | lost)[name]))
    for name in wanted or (None,):
        found += not_looked_at(name, entry.lost.removeprefix("not checked: "))
    return tuple(found)
