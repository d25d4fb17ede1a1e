"""The events of an apply as JSON data."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pvenet.render.changes import change_data
from pvenet.render.impact import impact_data
from pvenet.render.values import plain_value

if TYPE_CHECKING:
    from pvenet.events import Event


def event_data(event: Event) -> dict[str, Any]:
    """An event as a line of `apply --json`; its kind stands under `event`."""
    names = {
        "Ended": "end",
        "TaskEnded": "task_ended",
        "RollingBack": "rolling_back",
        "CheckedWith": "checked_with",
    }
    kind = type(event).__name__
    data: dict[str, Any] = {"event": names.get(kind, kind.lower())}
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name == "exit_code":
            data["exit"] = value
        elif field.name == "impact":
            data |= impact_data(value)
        elif field.name == "steps":
            data["steps"] = [change_data(change) for change in value]
        else:
            data[field.name] = round(value, 3) if isinstance(value, float) else plain_value(value)
    return data
