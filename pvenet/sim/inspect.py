"""A sim inspected from outside, for a person: the state of each node, its links, its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.machine.advance import reloading
from pvenet.sim.machine.network_state import NetworkState, state_of
from pvenet.sim.machine.tasks import Task, TaskFolder

if TYPE_CHECKING:
    from pvenet.sim.state import Sim


@dataclass(frozen=True, kw_only=True)
class NodeView:
    """What there is to see of a node."""

    name: str
    state: NetworkState
    online: bool
    address: str
    links: dict[str, bool]
    """NICs and virtual links, and whether they are up."""
    tasks: tuple[Task, ...]
    """The newest first."""


def inspect(sim: Sim, now: float) -> list[NodeView]:
    """Every node of a sim as it is now."""
    with sim.held():
        return [_node(sim, name, now) for name in sim.nodes]


def _node(sim: Sim, name: str, now: float) -> NodeView:
    node = sim.node(name)
    machine = node.advance(now)
    return NodeView(
        name=name,
        state=state_of(staged=node.staged.exists(), reloading=reloading(node, machine, now)),
        online=machine.online and not machine.silent(now),
        address=machine.ip,
        links={link: link in machine.up for link in sorted({*machine.nics, *machine.made})},
        tasks=tuple(task for _number, task in TaskFolder(node.tasks).all()),
    )
