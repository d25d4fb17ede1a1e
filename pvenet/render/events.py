"""The events of an apply as JSON data, and an error in the place of an answer; and what is waited for, as a line."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pvenet.changes import change_data
from pvenet.events import Due
from pvenet.foreign import one_line
from pvenet.outcome import of_error
from pvenet.render.impact import impact_data
from pvenet.render.values import plain_value

if TYPE_CHECKING:
    from pvenet.errors import PvenetError
    from pvenet.events import Event, Waiting

NAMES = {
    "Ended": "end",
    "TaskEnded": "task_ended",
    "RollingBack": "rolling_back",
    "CheckedWith": "checked_with",
}
"""The events whose words are not those of their classes."""


def event_data(event: Event) -> dict[str, Any]:
    """An event as a line of `apply --json`; its kind stands under `event`."""
    kind = type(event).__name__
    data: dict[str, Any] = {"event": NAMES.get(kind, kind.lower()), "node": event.node or None}
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name == "exit_code":
            data["exit"] = value
        elif field.name == "impact":
            data |= impact_data(value)
        elif field.name == "steps":
            data["steps"] = [change_data(change) for change in value]
        elif field.name == "interfaces":
            data["interfaces"] = [{"name": each.name, "state": str(each.state)} for each in value]
        elif field.name != "node":
            data[field.name] = round(value, 3) if isinstance(value, float) else plain_value(value)
    return data


def error_data(error: PvenetError) -> dict[str, Any]:
    """What stands on stdout where the answer would have been."""
    return {"error": error.message, "hint": error.hint, "kind": error.kind, "exit": error.exit_code}


def failed_data(error: PvenetError, *, rollout: bool) -> dict[str, Any]:
    """The last event of a stream that an error has ended before it could end by itself."""
    return {"event": "summary", **summary_data([], error)} if rollout else event_data(of_error("", error))


def summary_data(rows: list[dict[str, Any]], failure: PvenetError | None, rollout: str = "") -> dict[str, Any]:
    """The last event of many nodes; `rollout`: the ID of what was kept of it, where something was."""
    return {
        "exit": failure.exit_code if failure else 0,
        "message": failure.message if failure else "",
        "hint": failure.hint if failure else "",
        "kind": failure.kind if failure else None,
        "rollout": rollout or None,
        "nodes": rows,
    }


LONG = 2.0
"""Seconds without an answer that are worth a word."""
_DUE = {Due.ROLLS_BACK: "rolls back", Due.GIVES_UP: "gives up", Due.DECIDES: "decides"}


def waiting_line(event: Waiting, since: float, silence: float = 0.0) -> str:
    """What is waited for, `since` seconds after it was said: how long already, and what happens when.

    `silence`: the seconds for which the answer to a request has been waited for. What may be cut where a terminal is
    narrow stands last.
    """
    quiet = event.silent + since if event.silent is not None else 0.0
    more = [cause] if (cause := _cause(event)) else []
    if quiet:
        parts = [f"{event.reason} for {max(quiet, silence):.0f} s"]
    elif silence >= LONG:
        parts, more = [f"no answer for {silence:.0f} s"], [event.reason, *more]
    else:
        parts = [f"{event.reason} ({event.elapsed + since:.0f} s)"]
    if event.due is not None and event.left is not None:
        parts.append(f"{_DUE[event.due]} in {max(0.0, event.left - since):.0f} s")
    return one_line(": ".join(["; ".join(parts), *more]))


def waiting_note(event: Waiting) -> str:
    """The same for a log, which says it once; when it is over, only of a silence."""
    detail = f": {cause}" if (cause := _cause(event)) else ""
    told = event.silent is not None and event.due is not None and event.left is not None
    due = f"; {_DUE[event.due]} in {event.left:.0f} s" if told and event.due else ""
    return one_line(f"{event.reason}{detail}{due}")


def _cause(event: Waiting) -> str:
    """Why it takes long, on a line: PVE says it on several."""
    return "; ".join(line.strip() for line in event.detail.splitlines() if line.strip())
