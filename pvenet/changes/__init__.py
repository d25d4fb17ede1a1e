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
    felt,
    net_changes,
    outcome,
    same_kind,
)
from pvenet.changes.data import change_data, said

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
    "change_data",
    "changed_fields",
    "changes_of",
    "differences",
    "felt",
    "net_changes",
    "outcome",
    "said",
    "same_kind",
]
