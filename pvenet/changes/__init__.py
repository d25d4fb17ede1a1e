"""What a change of an interface is, and what a network is after some. Pure."""

from pvenet.changes.change import (
    Change,
    Create,
    Delete,
    Desired,
    FieldChange,
    Loss,
    Plan,
    Update,
    advance,
    changed_fields,
    changes_of,
    differences,
    net_changes,
    outcome,
    same_kind,
)

__all__ = [
    "Change",
    "Create",
    "Delete",
    "Desired",
    "FieldChange",
    "Loss",
    "Plan",
    "Update",
    "advance",
    "changed_fields",
    "changes_of",
    "differences",
    "net_changes",
    "outcome",
    "same_kind",
]
