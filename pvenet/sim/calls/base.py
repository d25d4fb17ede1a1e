"""What a call is, what it is asked with, what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from pvenet.sim.corosync.membership import Membership
from pvenet.sim.interfaces import Host, Parsed, parse
from pvenet.sim.schema import Refused, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.sim.access.users import Identity, Users
    from pvenet.sim.config import SimConfig
    from pvenet.sim.http.frame import Kind
    from pvenet.sim.kernel.value import Kernel
    from pvenet.sim.machine.backend import Orders
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.state import Node, Sim


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Data, and what stands beside it."""

    data: Any = None
    siblings: Mapping[str, Any] = field(default_factory=dict)
    way: Kind = "json"
    """How it came: another process or node may have made it."""
    later: Callable[[], Any] | None = None
    """Gives the data where that takes time, in which nobody holds the folder."""
    work: float = 0.0
    """Seconds for which it occupies a worker of the daemon, before it comes."""

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)


NO_QUORUM_SECONDS = 9.93
"""How long is waited for a lock of the cluster before it is given up (K4-two-nodes-069)."""
DAEMONS = 3
"""Workers of the privileged daemon. pve-api#report-occupies."""


class Caches:
    """Parsed files that server processes keep, each its own, until a file changes (pve-api#frozen-flags)."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str], tuple[object, Parsed]] = {}
        self._daemon = 0
        """Which of the daemon's workers answers next."""

    def forget(self) -> None:
        self._kept.clear()

    def next_daemon(self) -> None:
        """What comes after a refusal meets another worker (K1-hotplug-bridges-016)."""
        self._daemon = (self._daemon + 1) % DAEMONS

    def handed(self, node: NodeFolder, host: Host) -> Parsed:
        """The file as the daemon's worker knows it that answers. pve-api#bridges-cache."""
        return self.parsed(-1 - self._daemon, node, host)

    def parsed(self, worker: int, node: NodeFolder, host: Host) -> Parsed:
        """The file as this worker knows it: with the flags of the moment when it was parsed."""
        mark = node.mark()
        kept = self._kept.get((worker, node.name))
        if kept is None or kept[0] != mark:
            kept = (mark, parse(node.text(), host))
            self._kept[worker, node.name] = kept
        return kept[1]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """All that a call may look at."""

    sim: Sim
    config: SimConfig
    users: Users
    identity: Identity
    params: dict[str, Any]
    found: dict[str, str]
    """What stands in the places of the path, the node apart."""
    now: float
    local: str
    node_or_none: Node | None
    machine_or_none: Machine | None
    caches: Caches
    worker: int
    orders: Orders

    @property
    def node(self) -> Node:
        if self.node_or_none is None:
            raise LookupError("a call without {node} in its path asks for the node")
        return self.node_or_none

    @property
    def machine(self) -> Machine:
        if self.machine_or_none is None:
            raise LookupError("a call without {node} in its path asks for the machine")
        return self.machine_or_none

    @property
    def host(self) -> Host:
        return self.sim.host_of(self.machine, self.config)

    def parsed(self) -> Parsed:
        """The file as it is now."""
        return parse(self.node.text(), self.host)

    def seen(self) -> Parsed:
        """The file as the worker that answers knows it."""
        if not self.config.workers:
            return self.parsed()
        return self.caches.parsed(self.worker % self.config.workers, self.node, self.host)

    def handed(self) -> Parsed:
        """The file as the worker of the daemon knows it, which lists bridges and stages."""
        return self.caches.handed(self.node, self.host) if self.config.workers else self.parsed()

    @property
    def membership(self) -> Membership:
        """The cluster as the node sees it that was asked."""
        return Membership.of(self.sim, self.local, self.now)

    def kernel(self) -> Kernel:
        """What the kernel has now."""
        return self.node.backend.kernel(self.node, self.machine, self.now)

    def differs(self, name: str) -> bool:
        """Whether a parameter says otherwise than the path."""
        return str(self.params[name]) != self.found[name]

    def may(self, privilege: str, path: str) -> bool:
        return privilege in self.users.privileges(self.identity, path)

    def need(self, privilege: str, path: str = "") -> None:
        """Raises PVE's 403 (A040); the node's own path unless told otherwise."""
        path = path or f"/nodes/{self.node.name}"
        if not self.may(privilege, path):
            raise Refused(403, f"Permission check failed ({path}, {privilege})")

    def need_quorum(self, lock: str, doing: str) -> None:
        """Raises PVE's refusal, by the lock that can't be had, where the cluster writes nothing. pve-api#no-quorum."""
        if not self.membership.quorate():
            raise Refused(500, f"{doing}: cfs-lock '{lock}' error: no quorum!", seconds=NO_QUORUM_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A privilege that is asked for before the node is looked for (K1-bridges-026)."""

    privilege: str
    place: Callable[[Mapping[str, str]], str]
    """Where it is needed, by what stands in the path; empty where nothing can grant it."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One method of one path."""

    method: str
    path: str
    run: Callable[[Asked], Answer]
    schema: Schema | None = field(default_factory=Schema)
    """Its parameters; None where the call checks them itself."""
    privilege: str | None = None
    """Needed on the node."""
    gate: Gate | None = None
    """Needed elsewhere."""
    switch: str = ""
    """The switch of the sim's configuration without which there is no such call."""
    protected: bool = False
    """Answered by the privileged daemon: the server hands it over."""
    open: bool = False
    """For everybody, without a ticket."""

    def match(self, parts: list[str]) -> dict[str, str] | None:
        pattern = [part for part in self.path.split("/") if part]
        if len(pattern) != len(parts):
            return None
        found: dict[str, str] = {}
        for want, part in zip(pattern, parts, strict=True):
            if want.startswith("{"):
                found[want[1:-1]] = part
            elif want != part:
                return None
        # B024: a name with a blank is no name in any path
        return None if any(" " in part for part in found.values()) else found
