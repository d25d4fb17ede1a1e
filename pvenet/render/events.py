"""The events of an apply as JSON data, and an error in the place of an answer."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pvenet.outcome import of_error
from pvenet.render.changes import change_data
from pvenet.render.impact import impact_data
from pvenet.render.values import plain_value

if TYPE_CHECKING:
    from pvenet.errors import PvenetError
    from pvenet.events import Event

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


def summary_data(rows: list[dict[str, Any]], failure: PvenetError | None) -> dict[str, Any]:
    """The last event of many nodes."""
    return {
        "exit": failure.exit_code if failure else 0,
        "message": failure.message if failure else "",
        "hint": failure.hint if failure else "",
        "kind": failure.kind if failure else None,
        "nodes": rows,
    }
