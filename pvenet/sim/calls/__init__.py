"""The calls that the API knows: a table of paths, and what each needs before it runs."""

from __future__ import annotations

from pvenet.sim.calls import (
    accounts,
    apt,
    cluster,
    enter,
    guests,
    hosts,
    node_kernel,
    node_network,
    node_tasks,
    sdn,
    tokens,
)
from pvenet.sim.calls.base import DAEMONS, Answer, Asked, Caches, Call, Gate

__all__ = ["DAEMONS", "Answer", "Asked", "Caches", "Call", "Gate", "find"]

TABLE: tuple[Call, ...] = (
    *enter.CALLS,
    *cluster.CALLS,
    *node_network.CALLS,
    *node_tasks.CALLS,
    *node_kernel.CALLS,
    *guests.CALLS,
    *hosts.CALLS,
    *apt.CALLS,
    *sdn.CALLS,
    *accounts.CALLS,
    *tokens.CALLS,
)


def find(method: str, path: str) -> tuple[Call | None, dict[str, str]]:
    """The call of this path, and what stands in the path's places. A slash at the end is tolerated (B027)."""
    parts = [part for part in path.split("/") if part]
    for call in TABLE:
        if call.method == method and (found := call.match(parts)) is not None:
            return call, found
    return None, {}
