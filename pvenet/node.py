"""One node's network through the API: read, stage, revert, reload, tasks.

What changes state is sent once; where its answer is lost, `AnswerLost` says so and the caller looks what became of it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from pvenet import access, errors, wire
from pvenet.cluster import names, unknown_node
from pvenet.connection import AnswerLost, Connection, NodeNotReached

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.connection.answers import Answer
    from pvenet.model import Network

RELOAD = "srvreload"
"""The type of the reload's task (GET /nodes/{node}/tasks)."""

LOOKUP_FAILED = 500
"""HTTP's status for a node whose name does not resolve, among other things (pve-api#nodes)."""


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

    @property
    def line_ends(self) -> tuple[str, ...]:
        """Warnings about text of the file that ifupdown2 may run as a command."""
        return wire.line_ends(self.network)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task's state (GET /nodes/{node}/tasks/{upid}/status)."""

    upid: str
    running: bool
    exitstatus: str = ""
    """`OK`, `WARNINGS: n`, or the error's text; empty while it runs."""

    @property
    def ok(self) -> bool:
        """It has ended and did not fail; warnings are in its log (pve-api#warnings-pass)."""
        return not self.running and (self.exitstatus == "OK" or self.exitstatus.startswith("WARNINGS"))


@dataclass
class Reporting:
    """Who asks a node for its report, whatever the connection: one at a time, and nobody after one was lost."""

    lock: Lock = field(default_factory=Lock)
    lost: errors.PvenetError | None = None
    """Why no further report is asked for."""


class Node:
    """One node's network. `timeout` is in seconds for one answer; None leaves it to the connection."""

    def __init__(self, connection: Connection, name: str, reporting: Reporting | None = None) -> None:
        self.connection = connection
        self.name = name
        self._met = False
        """It has answered, so that there is a node of this name."""
        self.reporting = reporting or Reporting()

    def another(self) -> Node:
        """The same node over one more connection, for what is asked beside everything else."""
        return Node(self.connection.another(), self.name, self.reporting)

    # --- reading -----------------------------------------------------------------------------------------------------

    def read(self, *, timeout: float | None = None) -> Reading:
        """The network and what is pending. Raises PermissionMissing where the caller may not see all the bridges.

        A listing in which bridges may be missing costs one more request; any other none. Raises RefusedByPVE,
        Unreachable, AccessError, and UsageError for a node that is not there.
        """
        reading = self.glance(timeout=timeout)
        self.refuse_hidden_in(reading, timeout=timeout)
        return reading

    def glance(self, *, timeout: float | None = None) -> Reading:
        """The same, perhaps without its bridges: what is pending is told whole to everybody. Raises as `read` does."""
        answer = self._ask(lambda: self._get("network", timeout=timeout), "Sys.Audit")
        entries = _entries(answer)
        changes = _as_diff(answer.field(answer.beside, "changes"))
        reading = Reading(network=wire.network(entries), changes=changes or None, entries=tuple(entries))
        self.note(reading)
        return reading

    def note(self, found: object) -> None:
        """Tell whoever listens what was read."""
        if self.connection.noted:
            self.connection.noted(self.name, found)

    def permissions(self, *, path: str = "", timeout: float | None = None) -> access.Permissions:
        """The caller's privileges, as `permissions` reads them."""
        return permissions(self.connection, path=path, timeout=timeout)

    def check_access(self) -> None:
        """Raises PermissionMissing for the first privilege that an apply needs and the caller lacks."""
        lacking = access.missing(self.permissions(), self.name)
        if lacking is not None:  # on a node that is not there nobody has a right of its own
            unknown = self._unknown() if lacking[1] != access.ZONE else None
            raise unknown or self._permission_missing(*lacking)

    def hidden_in(
        self, reading: Reading, *, timeout: float | None = None, thorough: bool = False
    ) -> errors.PermissionMissing | None:
        """What the caller lacks to see bridges that a listing seems to be without; `thorough` as in `suspicion`."""
        places = [int(entry["priority"]) for entry in reading.entries if entry.get("priority")]
        why = access.suspicion(reading.network, places, reading.changes or "", thorough=thorough)
        hidden = why and access.hiding(self.permissions(timeout=timeout))
        return self._permission_missing("SDN.Audit", hidden, why=why) if hidden and why else None

    def refuse_hidden_in(self, reading: Reading, *, timeout: float | None = None) -> None:
        """Raises PermissionMissing where a listing seems to be without bridges, and the caller may not see all."""
        lacking = self.hidden_in(reading, timeout=timeout)
        if lacking is not None:
            raise lacking

    def refuse_hidden(self, name: str) -> None:
        """Raises PermissionMissing where an interface that is not listed is a bridge that the caller may not see.

        A single interface is told to everybody who has Sys.Audit on the node (pve-api#hidden-bridges).
        """
        try:
            answer = self.connection.get("nodes", self.name, "network", name)
        except (errors.RefusedByPVE, errors.UsageError):  # there is none, or it can be no name
            return
        if answer.field(answer.object(), "type") == "bridge":
            raise self._permission_missing("SDN.Audit", access.bridge_path(name))

    def refuse_taken(self, name: str) -> None:
        """Raises PermissionMissing where a name that PVE calls taken may be a bridge's that is not shown to us."""
        try:
            held = self.permissions()
        except errors.PvenetError:  # then PVE's own words have to do
            return
        if not access.sees(held, name):
            raise self._permission_missing("SDN.Audit", access.bridge_path(name))

    # --- staging -----------------------------------------------------------------------------------------------------

    def stage(self, request: wire.Request, *, timeout: float | None = None) -> None:
        """Send a staging call, once. Raises AnswerLost where it can't be known whether it acted."""
        path = ("nodes", self.name, *request.path)
        self._ask(lambda: self._send(request.method, path, request.form, timeout), "Sys.Modify")

    def revert(self, *, timeout: float | None = None) -> None:
        """Throw away all that is pending, whoever staged it (DELETE /nodes/{node}/network)."""
        try:
            self._ask(lambda: self.connection.delete("nodes", self.name, "network", timeout=timeout), "Sys.Modify")
        except AnswerLost:
            if self.read(timeout=timeout).changes is not None:
                raise

    # --- applying ----------------------------------------------------------------------------------------------------

    def reload(self, *, timeout: float | None = None) -> str:
        """Make what is pending live (PUT /nodes/{node}/network); the task's UPID.

        Raises AnswerLost where it can't be known whether the reload was started; never sends it twice.
        """
        path = ("nodes", self.name, "network")
        answer = self._ask(lambda: self.connection.put(*path, timeout=timeout, acts_first=True), "Sys.Modify")
        upid: str = answer.text()
        if not upid.startswith("UPID:"):
            raise answer.malformed("no task is named")
        return upid

    def reloads(self, *, timeout: float | None = None) -> Mapping[str, Task]:
        """The reload tasks that the node lists, running and ended, by UPID."""
        answer = self._get("tasks", typefilter=RELOAD, source="all", limit=50, timeout=timeout)
        tasks = [_listed(answer, entry) for entry in answer.rows() if entry.get("type") == RELOAD]
        return {task.upid: task for task in tasks}

    def task(self, upid: str, *, timeout: float | None = None) -> Task:
        """A task's state now."""
        answer = self._get("tasks", upid, "status", timeout=timeout)
        data = answer.object()
        status = answer.required(data, "status")
        if status not in ("running", "stopped"):
            raise answer.malformed("the task neither runs nor has ended")
        running = status == "running"
        return Task(upid=upid, running=running, exitstatus="" if running else _ended(answer, data, "exitstatus"))

    def log(self, upid: str, *, timeout: float | None = None) -> tuple[str, ...]:
        """A task's log, a line each."""
        answer = self._get("tasks", upid, "log", limit=500, timeout=timeout)
        return tuple(answer.field(line, "t") for line in answer.rows())

    # --- beneath -----------------------------------------------------------------------------------------------------

    def _get(self, *path: str, timeout: float | None, **query: str | int) -> Answer:
        """Read something of the node's."""
        try:
            answer = self.connection.get("nodes", self.name, *path, timeout=timeout, **query)
        except NodeNotReached as error:
            raise self._unknown() or error from None
        except errors.RefusedByPVE as error:
            raise (self._unknown() if error.status == LOOKUP_FAILED else None) or error from None
        self._met = True
        return answer

    def _unknown(self) -> errors.UsageError | None:
        """The error for a node that is not there, where a failure may come from that.

        Of a node that has answered once nobody is asked.
        """
        if self._met:
            return None
        known: tuple[str, ...] = ()
        with suppress(errors.PvenetError):
            known = names(self.connection)
        self._met = self.name in known
        return unknown_node(self.name, known) if known and not self._met else None

    def _send(self, method: str, path: tuple[str, ...], form: wire.Form, timeout: float | None) -> Any:
        match method:
            case "POST":
                return self.connection.post(*path, form=form, timeout=timeout)
            case "PUT":
                return self.connection.put(*path, form=form, timeout=timeout)
            case _:
                return self.connection.delete(*path, timeout=timeout)

    def _ask(self, send: Callable[[], Any], privilege: str) -> Any:
        try:
            return send()
        except errors.RefusedByPVE as refusal:
            raise self.explained(refusal, privilege) from None

    def explained(self, refusal: errors.RefusedByPVE, privilege: str = "Sys.Modify") -> errors.PvenetError:
        """A refusal in words about this node, with what to do."""
        if refusal.status == 403:  # noqa: PLR2004 - HTTP's own number
            return self._permission_missing(privilege, f"/nodes/{self.name}")
        if refusal.status == LOOKUP_FAILED and (unknown := self._unknown()) is not None:
            return unknown
        texts = [f"{key}: {text}".replace("\n", "\n  ") for key, text in refusal.errors.items()] or [refusal.message]
        return errors.RefusedByPVE(
            f"{self.name} refuses: {'; '.join(texts)}",
            hint="nothing changed; `pvenet list` shows what is there",
            status=refusal.status,
            errors=refusal.errors,
        )

    def _permission_missing(self, privilege: str, path: str, *, why: str = "") -> errors.PermissionMissing:
        return access.permission_missing(self.connection.credentials.user, privilege, path, self.name, why=why)


def permissions(connection: Connection, *, path: str = "", timeout: float | None = None) -> access.Permissions:
    """The caller's privileges by path, and whether each is handed down (GET /access/permissions).

    `path`: only what is held there, with what comes from above (pve-api#permissions-call).
    """
    answer = connection.get("access", "permissions", timeout=timeout, **({"path": path} if path else {}))
    held = {path: replace(answer, data=privileges).object() for path, privileges in answer.object().items()}
    return {path: {name: answer.field(row, name) == "1" for name in row} for path, row in held.items()}


def strip_times(changes: str) -> str:
    """PVE's diff without the timestamps of its two header lines."""
    return re.sub(r"^((?:---|\+\+\+) [^\t\n]*)\t[^\n]*", r"\1", changes, flags=re.MULTILINE)


def _as_diff(changes: str) -> str:
    """PVE's diff, in which a line that no diff has is set in: nobody can take it for one of ours."""
    return re.sub(r"^(?=[^ +\-@\\\n])", "  ", changes, flags=re.MULTILINE)


def _ended(answer: Answer, row: Mapping[str, Any], key: str) -> str:
    """How a task has ended; what goes on over its line is set in, as in a refusal."""
    return answer.field(row, key).replace("\n", "\n  ") or "unknown"


def _entries(answer: Answer) -> list[wire.Entry]:
    """The entries of a listing. Raises NotPVE for one that `wire` can't read at all."""
    entries = answer.rows()
    why = wire.unreadable(entries)
    if why:
        raise answer.malformed(why)
    return entries


def _listed(answer: Answer, entry: Mapping[str, Any]) -> Task:
    # an entry's `status` is the exit text; a running task has RUNNING or none, and no endtime (pve-api#task-list)
    running = not answer.number(entry, "endtime")
    return Task(
        upid=answer.required(entry, "upid"),
        running=running,
        exitstatus="" if running else _ended(answer, entry, "status"),
    )
