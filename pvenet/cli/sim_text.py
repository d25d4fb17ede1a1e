"""What `pvenet sim` prints about simulated nodes and rehearsed files: text for people, flat data for scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pvenet import times
from pvenet.render.changes import pending_text
from pvenet.render.values import aligned, headed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.render.values import Paint
    from pvenet.sim.inspect import NodeView
    from pvenet.sim.interfaces import Interface
    from pvenet.sim.machine.tasks import Task
    from pvenet.sim.rehearse import Note, Rehearsal

LAST_TASKS = 5


def node_data(view: NodeView, now: float) -> dict[str, Any]:
    """A node as `sim show --json` gives it."""
    return {
        "node": view.name,
        "state": view.state.value,
        "online": view.online,
        "address": view.address,
        "up": [link for link, up in view.links.items() if up],
        "down": [link for link, up in view.links.items() if not up],
        "tasks": [_task_data(task, now) for task in view.tasks[:LAST_TASKS]],
    }


def _task_data(task: Task, now: float) -> dict[str, Any]:
    running = task.running(now)
    return {
        "upid": task.upid,
        "type": task.name.type,
        "user": task.name.user,
        "start": task.start,
        "seconds": None if running else round(task.duration, 3),
        "status": "running" if running else task.exitstatus,
        "log": task.lines(now),
    }


def node_text(view: NodeView, now: float, paint: Paint) -> str:
    """A node as `sim show` tells it."""
    data = node_data(view, now)
    place = "online" if view.online else "unreachable"
    rows = [(word, " ".join(data[word])) for word in ("up", "down") if data[word]]
    rows += [("task", _task_text(task)) for task in data["tasks"]]
    head = paint(view.name, "bold") + f": {view.state.value}, {place}, {view.address}"
    return "\n".join([head, *(f"  {line}" for line in aligned(rows).splitlines())]) if rows else head


def _task_text(task: dict[str, Any]) -> str:
    begun = times.local(datetime.fromtimestamp(task["start"], UTC).isoformat(), seconds=True)
    return f"{begun}, {task['type']} of {task['user']}: {task['status']}"


def file_data(file: str, node: str | None, found: Rehearsal) -> dict[str, Any]:
    """A file as `sim check --json` gives it."""
    return {
        "node": node,
        "file": file,
        "refused": found.refused,
        "changes": found.changes and printable(found.changes),
        "interfaces": [_interface_data(each) for each in found.parsed.interfaces.values()],
        "notes": [{"line": note.line, "name": note.name, "text": printable(note.text)} for note in found.notes],
    }


def _interface_data(interface: Interface) -> dict[str, Any]:
    return {
        "name": interface.name,
        "type": interface.type,
        "autostart": interface.autostart,
        "stanzas": list(_stanzas(interface)),
        "on": [*interface.ports, *([interface.raw_device] if interface.raw_device else [])],
    }


def _stanzas(interface: Interface) -> Iterator[str]:
    if interface.place is None:
        return  # a NIC that the file does not name
    for family in interface.families:
        method = interface.text("method6" if family == "inet6" else "method")
        yield f"{family} {method}" if family else "without a family"


def file_text(file: str, found: Rehearsal, paint: Paint) -> str:
    """A file as `sim check` tells it: the kinds, the notes, the diff of the first write."""
    head = ("name", "type", "autostart", "stanzas", "on")
    rows = [
        (
            *(str(data[key]) for key in ("name", "type")),
            "yes" if data["autostart"] else "no",
            ", ".join(data["stanzas"]),
            " ".join(data["on"]),
        )
        for data in map(_interface_data, found.parsed.interfaces.values())
    ]
    parts = [f"{file}, as PVE reads it:\n{headed([head, *rows], paint)}"]
    if found.notes:
        parts.append("\n".join(["Worth knowing:", *(f"  {_note_text(note)}" for note in found.notes)]))
    if found.changes:
        parts.append(
            "The first write, whatever it is for, changes this as well:\n" + pending_text(found.changes, paint)
        )
    return printable("\n\n".join(parts))


def _note_text(note: Note) -> str:
    place = f"line {note.line}, {note.name}" if note.line and note.name else note.name or f"line {note.line}"
    return f"{place}: {note.text}"


def printable(text: str) -> str:
    """A file's text for a terminal: bytes that are no UTF-8 show as what they are not."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
