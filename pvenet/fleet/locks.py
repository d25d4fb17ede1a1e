"""The SDN lock of each cluster of a rollout, held by the rollout: from its first node there to its last."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from pvenet.apply.sdn_lock import SdnLock
from pvenet.journal import utc_now

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType
    from typing import Self

    from pvenet.apply.runtime import Runtime
    from pvenet.connection import Connection
    from pvenet.fleet.nodes import Fleet


class SdnLocks:
    """At most one a cluster, whose members all stand under it: none of them takes one itself."""

    def __init__(self, fleet: Fleet, names: Collection[str], runtime: Runtime, *, wanted: bool) -> None:
        self._fleet = fleet
        self._left = {*names}
        """The nodes that have not ended."""
        self._runtime = runtime
        self._wanted = wanted
        self._held: dict[Connection, tuple[Lock, SdnLock]] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._held:
            _, (_, lock) = self._held.popitem()
            lock.__exit__(kind, error, trace)

    def take(self, node: str) -> None:
        """Take the lock of a node's cluster, unless it is held from here already; who comes second waits for that."""
        if not self._wanted:
            return
        place, state_dir = self._fleet.place(node), self._fleet.state_dir
        with self._lock:
            if place not in self._held:
                made = SdnLock(place.another(), state_dir, self._runtime, wanted=True, now=utc_now())
                self._held[place] = (Lock(), made)
            busy, lock = self._held[place]
        with busy:
            lock.take()

    def ended(self, node: str) -> None:
        """A node has ended; after the last one of its cluster the lock is released."""
        self._left.discard(node)
        place = self._fleet.place(node)
        if place in self._held and not any(self._fleet.place(name) is place for name in self._left):
            _, lock = self._held.pop(place)
            lock.__exit__(None, None, None)
