"""One node's network through the API: read, stage, revert, reload, tasks.

Beside `pvenet.connection` the only place that may touch proxmoxer. What changes state is sent once; where its answer
is lost, `AnswerLost` says so and the caller looks what became of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pvenet import access, errors, wire
from pvenet.cluster import names, unknown_node
from pvenet.connection import AnswerLost, Connection
from pvenet.model import Bridge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.connection.answers import Answer
    from pvenet.model import Network

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


class Node:
    """One node's network. `timeout` is in seconds for one answer; None leaves it to the connection."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    # --- reading -----------------------------------------------------------------------------------------------------

    def read(self, *, timeout: float | None = None) -> Reading:
        """The network and what is pending. Raises PermissionMissing where the caller may not see the bridges.

        A node with no bridge at all costs one more request; any other none. Raises RefusedByPVE, Unreachable,
        AccessError.
        """
        reading = self.glance(timeout=timeout)
        self.refuse_hidden_in(reading, timeout=timeout)
        return reading

    def glance(self, *, timeout: float | None = None) -> Reading:
        """The same, perhaps without its bridges: what is pending is told whole to everybody. Raises as `read` does."""
        answer = self._ask(lambda: self.connection.get("nodes", self.name, "network", timeout=timeout), "Sys.Audit")
        entries = _entries(answer)
        changes = answer.field(answer.beside, "changes")
        return Reading(network=wire.network(entries), changes=changes or None, entries=tuple(entries))

    def permissions(self, *, timeout: float | None = None) -> access.Permissions:
        """The caller's privileges by path, and whether each is handed down (GET /access/permissions)."""
        answer = self.connection.get("access", "permissions", timeout=timeout)
        held = {path: replace(answer, data=privileges).object() for path, privileges in answer.object().items()}
        return {path: {name: answer.field(row, name) == "1" for name in row} for path, row in held.items()}

    def check_access(self) -> None:
        """Raises PermissionMissing for the first privilege that an apply needs and the caller lacks."""
        lacking = access.missing(self.permissions(), self.name)
        if lacking is not None:
            raise self._permission_missing(*lacking)

    def refuse_hidden_in(self, reading: Reading, *, timeout: float | None = None) -> None:
        """Raises PermissionMissing where a listing has no bridge because the caller may not see any."""
        if any(isinstance(interface, Bridge) for interface in reading.network.interfaces.values()):
            return
        if not access.sees_bridges(self.permissions(timeout=timeout)):
            raise self._permission_missing("SDN.Audit", access.ZONE)

    # --- staging -----------------------------------------------------------------------------------------------------

    def stage(self, request: wire.Request, *, timeout: float | None = None) -> None:
        """Send a staging call, once. Raises AnswerLost where it can't be known whether it acted."""
        path = ("nodes", self.name, *request.path)
        self._ask(lambda: self._send(request.method, path, request.form, timeout), "Sys.Modify")

    def revert(self, *, timeout: float | None = None) -> None:
        """Throw away all that is pending, whoever staged it (DELETE /nodes/{node}/network)."""
        try:
            self._ask(lambda: self._send("DELETE", ("nodes", self.name, "network"), {}, timeout), "Sys.Modify")
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
        if refusal.status == 500 and self.name not in (known := names(self.connection)):  # noqa: PLR2004
            return unknown_node(self.name, known)
        texts = [f"{key}: {text}".replace("\n", "\n  ") for key, text in refusal.errors.items()] or [refusal.message]
        return errors.RefusedByPVE(
            f"{self.name} refuses: {'; '.join(texts)}",
            hint="nothing changed; `pvenet list` shows what is there",
            status=refusal.status,
            errors=refusal.errors,
        )

    def _permission_missing(self, privilege: str, path: str) -> errors.PermissionMissing:
        return access.permission_missing(self.connection.credentials.user, privilege, path, self.name)


def strip_times(changes: str) -> str:
    """PVE's diff without the timestamps of its two header lines."""
    return re.sub(r"^((?:---|\+\+\+) [^\t\n]*)\t[^\n]*", r"\1", changes, flags=re.MULTILINE)


def _entries(answer: Answer) -> list[wire.Entry]:
    """The entries of a listing. Raises NotPVE for one that `wire` can't read at all."""
    entries = answer.rows()
    for entry in entries:
        if "\n" in answer.required(entry, "iface"):
            raise answer.malformed("an interface's name goes on over its line")
        for key in _LISTS:
            answer.values(entry, key)
        for key in _TEXTS:
            answer.field(entry, key)
        answer.number(entry, "priority")
    return entries


_LISTS = ("altnames", "families", "options", "options6")
_TEXTS = ("bond-primary", "ovs_bridge", "vlan-raw-device")


def _listed(answer: Answer, entry: Mapping[str, Any]) -> Task:
    # an entry's `status` is the exit text; a running task has RUNNING or none, and no endtime (pve-api#task-list)
    running = not answer.number(entry, "endtime")
    return Task(
        upid=answer.required(entry, "upid"),
        running=running,
        exitstatus="" if running else answer.field(entry, "status") or "unknown",
    )
