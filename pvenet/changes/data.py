"""A change as JSON data: as it is printed, and kept in a saved plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.changes.change import Create, Delete, Update
from pvenet.model import kind_of, own_first
from pvenet.plain import plain

if TYPE_CHECKING:
    from pvenet.changes.change import Change
    from pvenet.model import Interface


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
        "fields": {field: {"before": plain(before), "after": plain(after)} for field, (before, after) in pairs.items()},
    }


def said(interface: Interface) -> list[str]:
    """The fields that say something: neither unset nor empty, and no flag that is off."""
    return [field for field in own_first(type(interface)) if getattr(interface, field) not in (None, "", (), False)]
