"""What changes: `+` made, `~` changed, `-` removed; PVE's own diff beside it; and both as JSON data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.model import kind_of
from pvenet.plan import Create, Delete, Update
from pvenet.render.foreign import one_line
from pvenet.render.values import plain_value, said, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.model import Interface
    from pvenet.plan import Change, Problem
    from pvenet.render.values import Paint


def changes_text(changes: Iterable[Change], paint: Paint) -> str:
    """What changes, semantically: `+` made, `~` changed with the old and the new value, `-` removed."""
    return "\n".join(_change_text(change, paint) for change in changes)


def _change_text(change: Change, paint: Paint) -> str:
    match change:
        case Create():
            fields = ", ".join(_field(field, getattr(change.after, field)) for field in said(change.after))
            return paint(f"+ {_title(change.after)}", "green") + (f": {fields}" if fields else "")
        case Delete():
            return paint(f"- {_title(change.before)}", "red")
        case Update():
            fields = ", ".join(
                f"{field.field.replace('_', '-')} {text(field.before) or 'none'} -> {text(field.after) or 'none'}"
                for field in change.fields()
            )
            return paint(f"~ {_title(change.after)}", "yellow") + (f": {fields}" if fields else "")


def pending_text(changes: str, paint: Paint) -> str:
    """PVE's own diff, coloured."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return "\n".join(
        paint(line, colours[line[0]]) if line[:1] in colours and line[:3] not in ("+++", "---") else line
        for line in changes.rstrip("\n").split("\n")
    )


def change_data(change: Change) -> dict[str, Any]:
    """A change as `diff --json` gives it in `steps`: each field with what it was and what it becomes."""
    pairs: dict[str, tuple[object, object]]
    match change:
        case Create():
            value, action = change.after, "create"
            pairs = {field: (None, getattr(value, field)) for field in said(value)}
        case Update():
            value, action = change.after, "update"
            pairs = {field.field: (field.before, field.after) for field in change.fields()}
        case Delete():
            value, action = change.before, "delete"
            pairs = {field: (getattr(value, field), None) for field in said(value)}
    return {
        "action": action,
        "name": value.name,
        "type": kind_of(value),
        "fields": {
            field: {"before": plain_value(before), "after": plain_value(after)}
            for field, (before, after) in pairs.items()
        },
    }


def diff_data(node: str, pending: str | None, steps: Iterable[Change], *, ours: bool) -> dict[str, Any]:
    """What `diff --json` prints."""
    return {
        "node": node,
        "pending": pending is not None,
        "ours": ours,
        "changes": pending,
        "steps": [change_data(change) for change in steps],
    }


def staged_data(node: str, steps: Iterable[Change], warnings: Iterable[Problem], *, pending: bool) -> dict[str, Any]:
    """What `create`, `set` and `delete` print with `--json`."""
    return {
        "node": node,
        "steps": [change_data(step) for step in steps],
        "warnings": [_problem_data(problem) for problem in warnings],
        "pending": pending,
    }


def _problem_data(problem: Problem) -> dict[str, Any]:
    """A warning about what was staged."""
    return {key: getattr(problem, key) for key in ("interface", "field", "value", "message", "nearest")}


def _title(interface: Interface) -> str:
    return one_line(f"{kind_of(interface)} {interface.name}")


def _field(name: str, value: object) -> str:
    word = name.replace("_", "-")
    return word if value is True else f"{word} {text(value)}"
