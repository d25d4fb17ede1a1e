"""One node's network through the API: read, stage, revert, reload, tasks.

Beside `pvenet.connection` the only place that may touch proxmoxer. What changes state is sent once; where its answer
is lost, the methods here settle by reading what became of it, or say that it can't be known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pvenet import errors, wire
from pvenet.connection import AnswerLost, Connection
from pvenet.model import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.connection.answers import Answer
    from pvenet.model import Interface, Network

Permissions = Mapping[str, Mapping[str, bool]]
"""Privileges by path; true for one that is handed down to the paths beneath."""

RELOAD = "srvreload"
"""The type of the reload's task (GET /nodes/{node}/tasks)."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """GET /nodes/{node}/network: the staged view where there is one, and PVE's diff of it."""

    network: Network
    changes: str | None
    """PVE's text, whole; None where nothing is pending."""
    entries: tuple[wire.Entry, ...]

    @property
    def pending(self) -> str | None:
        """The pending diff without its timestamps, so that two readings of one state are equal."""
        return strip_times(self.changes) if self.changes else None


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task's state (GET /nodes/{node}/tasks/{upid}/status)."""

    upid: str
    running: bool
    exitstatus: str = ""
    """`OK`, `WARNINGS: n`, or the error's text; empty while it runs."""

    @property
    def ok(self) -> bool:
        """It has ended and did not fail; warnings are in its log (facts, section 10)."""
        return not self.running and (self.exitstatus == "OK" or self.exitstatus.startswith("WARNINGS"))


@dataclass(frozen=True, kw_only=True)
class Member:
    """A node as the cluster knows it."""

    name: str
    online: bool
    address: str | None = None


class Node:
    """One node's network."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    # --- reading -----------------------------------------------------------------------------------------------------

    def read(self, *, timeout: float | None = None) -> Reading:
        """The network and what is pending. Raises RefusedByPVE, Unreachable, AccessError."""
        answer = self._ask(lambda: self.connection.get("nodes", self.name, "network", timeout=timeout), "Sys.Audit")
        entries = _entries(answer)
        changes = answer.field(answer.beside, "changes")
        return Reading(network=wire.network(entries), changes=changes or None, entries=tuple(entries))

    def permissions(self) -> Permissions:
        """The caller's privileges by path, and whether each is handed down (GET /access/permissions)."""
        answer = self.connection.get("access", "permissions")
        held = {path: replace(answer, data=privileges).object() for path, privileges in answer.object().items()}
        return {path: {name: answer.field(row, name) == "1" for name in row} for path, row in held.items()}

    # --- staging -----------------------------------------------------------------------------------------------------

    def create(self, after: Interface) -> None:
        """Stage a new interface (POST /nodes/{node}/network)."""
        self._stage(
            lambda: self.connection.post("nodes", self.name, "network", form=wire.create_form(after)),
            lambda network: _same(network, after),
            f"{after.name} was not created on {self.name}",
        )

    def update(self, before: Interface, after: Interface) -> None:
        """Stage a change of an interface (PUT /nodes/{node}/network/{iface})."""
        self._stage(
            lambda: self.connection.put(
                "nodes", self.name, "network", after.name, form=wire.update_form(before, after)
            ),
            lambda network: _same(network, after),
            f"{after.name} was not changed on {self.name}",
        )

    def delete(self, name: str) -> None:
        """Stage the removal of an interface (DELETE /nodes/{node}/network/{iface})."""
        self._stage(
            lambda: self.connection.delete("nodes", self.name, "network", name),
            lambda network: name not in network.interfaces,
            f"{name} was not deleted on {self.name}",
        )

    def revert(self) -> None:
        """Throw away all that is pending, whoever staged it (DELETE /nodes/{node}/network)."""
        try:
            self._ask(lambda: self.connection.delete("nodes", self.name, "network"), "Sys.Modify")
        except AnswerLost:
            if self.read().changes is not None:
                raise

    def _stage(self, send: Callable[[], Any], done: Callable[[Network], bool], failed: str) -> None:
        """Send a staging call once. A lost answer is settled by reading whether it acted."""
        try:
            self._ask(send, "Sys.Modify")
        except AnswerLost as lost:
            self.connection.fresh()
            try:
                network = self.read().network
            except errors.Unreachable as error:  # not as if it had not been sent
                raise errors.Unreachable(f"{lost.message}, then: {error.message}", hint=error.hint) from None
            if not done(network):
                raise errors.Unreachable(f"{failed}: {lost.message}", hint=lost.hint) from None

    # --- applying ----------------------------------------------------------------------------------------------------

    def reload(self) -> str:
        """Make what is pending live (PUT /nodes/{node}/network); the task's UPID.

        Raises AnswerLost where it can't be known whether the reload was started; never sends it twice.
        """
        answer = self._ask(lambda: self.connection.put("nodes", self.name, "network"), "Sys.Modify")
        upid: str = answer.text()
        if not upid.startswith("UPID:"):
            raise answer.malformed("no task is named")
        return upid

    def reloads(self, *, timeout: float | None = None) -> Mapping[str, Task]:
        """The reload tasks that the node lists, running and ended, by UPID."""
        answer = self.connection.get(
            "nodes", self.name, "tasks", typefilter=RELOAD, source="all", limit=50, timeout=timeout
        )
        tasks = [_listed(answer, entry) for entry in answer.rows() if entry.get("type") == RELOAD]
        return {task.upid: task for task in tasks}

    def task(self, upid: str, *, timeout: float | None = None) -> Task:
        """A task's state now."""
        answer = self.connection.get("nodes", self.name, "tasks", upid, "status", timeout=timeout)
        data = answer.object()
        status = answer.required(data, "status")
        if status not in ("running", "stopped"):
            raise answer.malformed("the task neither runs nor has ended")
        running = status == "running"
        return Task(
            upid=upid, running=running, exitstatus="" if running else answer.field(data, "exitstatus") or "unknown"
        )

    def log(self, upid: str, *, timeout: float | None = None) -> tuple[str, ...]:
        """A task's log, a line each."""
        answer = self.connection.get("nodes", self.name, "tasks", upid, "log", limit=500, timeout=timeout)
        return tuple(answer.field(line, "t") for line in answer.rows())

    # --- beneath -----------------------------------------------------------------------------------------------------

    def _ask(self, send: Callable[[], Any], privilege: str) -> Any:
        try:
            return send()
        except errors.RefusedByPVE as refusal:
            raise self._explained(refusal, privilege) from None

    def _explained(self, refusal: errors.RefusedByPVE, privilege: str) -> errors.PvenetError:
        if refusal.status == 403:  # noqa: PLR2004 - HTTP's own number
            return permission_missing(self.connection, privilege, f"/nodes/{self.name}", self.name)
        if refusal.status == 500 and self.name not in (known := names(self.connection)):  # noqa: PLR2004
            return unknown_node(self.name, known)
        texts = [f"{key}: {text}" for key, text in refusal.errors.items()] or [refusal.message]
        return errors.RefusedByPVE(
            f"{self.name} refuses: {'; '.join(texts)}",
            hint="nothing changed; `pvenet list` shows what is there",
            status=refusal.status,
            errors=refusal.errors,
        )


def members(connection: Connection) -> tuple[Member, ...]:
    """The cluster's nodes with their addresses (GET /cluster/status); empty without Sys.Audit on `/`."""
    try:
        answer = connection.get("cluster", "status")
    except errors.RefusedByPVE:
        return ()
    return tuple(
        Member(
            name=answer.required(entry, "name"),
            online=answer.field(entry, "online") == "1",
            address=answer.field(entry, "ip") or None,
        )
        for entry in answer.rows()
        if entry.get("type") == "node"
    )


def names(connection: Connection) -> tuple[str, ...]:
    """The names of the cluster's nodes (GET /nodes)."""
    answer = connection.get("nodes")
    return tuple(sorted(answer.required(entry, "node") for entry in answer.rows()))


def highly_available(connection: Connection, node: str) -> tuple[str, ...]:
    """The HA services that are active on a node (GET /cluster/ha/status/current); none where that can't be read."""
    try:
        answer = connection.get("cluster", "ha", "status", "current")
        return tuple(
            sorted(
                answer.field(entry, "sid")
                for entry in answer.rows()
                if (entry.get("type"), entry.get("node")) == ("service", node)
                and answer.field(entry, "state") in _HA_ACTIVE
            )
        )
    except errors.PvenetError:
        return ()


_HA_ACTIVE = frozenset({"started", "starting", "migrate", "relocate", "recovery", "error", "freeze"})


def fingerprints(connection: Connection) -> Mapping[str, str]:
    """The SHA-256 of each node's certificate, by the node's name, as the cluster knows it (GET /nodes)."""
    answer = connection.get("nodes")
    found = {answer.required(entry, "node"): answer.field(entry, "ssl_fingerprint") for entry in answer.rows()}
    return {name: fingerprint for name, fingerprint in found.items() if fingerprint}


def unknown_node(name: str, known: tuple[str, ...]) -> errors.UsageError:
    """The error for a node that the cluster does not have."""
    return errors.UsageError(f"there is no node {name}", hint=f"the nodes here are: {', '.join(known)}")


def permission_missing(connection: Connection, privilege: str, path: str, node: str) -> errors.PermissionMissing:
    """The error for a missing privilege, with the lines that grant a role that has all of them."""
    who = connection.credentials.user
    kind = "--tokens" if "!" in who else "--users"
    return errors.PermissionMissing(
        f"{who} lacks {privilege} on {path} (node {node})",
        hint="on the node, as root:\n"
        "  pveum role add PvenetAdmin --privs Sys.Audit,Sys.Modify,SDN.Audit\n"
        f"  pveum acl modify /nodes/{node} {kind} '{who}' --roles PvenetAdmin\n"
        f"  pveum acl modify /sdn/zones/localnetwork {kind} '{who}' --roles PvenetAdmin",
        privilege=privilege,
        path=path,
    )


def strip_times(changes: str) -> str:
    """PVE's diff without the timestamps of its two header lines."""
    return re.sub(r"^((?:---|\+\+\+) [^\t\n]*)\t[^\n]*", r"\1", changes, flags=re.MULTILINE)


def _same(network: Network, wanted: Interface) -> bool:
    found = network.interfaces.get(wanted.name)
    return found is not None and canonical(found) == canonical(wanted)


def _entries(answer: Answer) -> list[wire.Entry]:
    """The entries of a listing. Raises NotPVE for one that `wire` can't read at all."""
    entries = answer.rows()
    for entry in entries:
        answer.required(entry, "iface")
        for key in _LISTS:
            answer.values(entry, key)
        for key in _TEXTS:
            answer.field(entry, key)
        answer.number(entry, "priority")
    return entries


_LISTS = ("altnames", "families", "options", "options6")
_TEXTS = ("bond-primary", "ovs_bridge", "vlan-raw-device")


def _listed(answer: Answer, entry: Mapping[str, Any]) -> Task:
    # an entry's `status` is the exit text; a running task has RUNNING or none, and no endtime (facts, section 10)
    running = not answer.number(entry, "endtime")
    return Task(
        upid=answer.required(entry, "upid"),
        running=running,
        exitstatus="" if running else answer.field(entry, "status") or "unknown",
    )
