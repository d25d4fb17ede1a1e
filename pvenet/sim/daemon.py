"""The privileged daemon behind the server: three workers of each node, and what waits for one of them.

The server hands a call over and gives up after 30 s; what it handed over happens all the same. pve-api#report-cut-off.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.calls import DAEMONS, find
from pvenet.sim.http.frame import Request, split_target

if TYPE_CHECKING:
    from pvenet.sim.faults.scene import Scene

PATIENCE = 30.0
"""Seconds of silence after which the server answers 596 itself."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A call that nobody waits for any more, and when it happens."""

    when: float
    request: Request
    scene: Scene


class Daemon:
    """Who works until when, by node."""

    def __init__(self) -> None:
        self._until: dict[str, list[float]] = {}
        self._kept: list[Kept] = []
        self._guard = threading.Lock()

    def busy(self, now: float) -> bool:
        """Whether any worker of any node has something to do."""
        with self._guard:
            return any(until > now for workers in self._until.values() for until in workers)

    def wait(self, node: str, now: float) -> float:
        """Seconds until a worker of this node is free."""
        with self._guard:
            return max(0.0, min(self._workers(node)) - now)

    def occupy(self, node: str, start: float, seconds: float) -> None:
        """One worker has this to do."""
        with self._guard:
            workers = self._workers(node)
            workers[workers.index(min(workers))] = start + seconds

    def keep(self, kept: Kept) -> None:
        """Remember a call that was given up."""
        with self._guard:
            self._kept.append(kept)

    def due(self, now: float) -> list[Kept]:
        """The calls whose time has come, each once and the earliest first."""
        with self._guard:
            due = sorted((kept for kept in self._kept if kept.when <= now), key=lambda kept: kept.when)
            self._kept = [kept for kept in self._kept if kept.when > now]
        return due

    def _workers(self, node: str) -> list[float]:
        return self._until.setdefault(node, [0.0] * DAEMONS)


def waits(request: Request) -> bool:
    """Whether a worker has to be free for this; polls of tasks were answered at once. pve-api#report-occupies."""
    path = split_target(request.target)[0].split("/")[3:]
    call, _found = find(request.method, "/".join(path))
    return call is not None and call.protected and "tasks" not in path
