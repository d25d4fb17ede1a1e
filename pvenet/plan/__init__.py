"""What to change, in which order, what stands against it, what it puts at risk, and the restore plan. Pure."""

from pvenet.plan.changes import (
    Change,
    Create,
    Delete,
    Desired,
    FieldChange,
    Loss,
    Plan,
    Update,
    changed_fields,
    net_changes,
    outcome,
)
from pvenet.plan.inverse import Inverse, inverse
from pvenet.plan.order import plan
from pvenet.plan.problems import Problem, problems
from pvenet.plan.restore import RestorePlan, lost_for_good, restore_plan
from pvenet.plan.risk import ManagementPath, Risk, focused, management_path, removals_on, risks

__all__ = [
    "Change",
    "Create",
    "Delete",
    "Desired",
    "FieldChange",
    "Inverse",
    "Loss",
    "ManagementPath",
    "Plan",
    "Problem",
    "RestorePlan",
    "Risk",
    "Update",
    "changed_fields",
    "focused",
    "inverse",
    "lost_for_good",
    "management_path",
    "net_changes",
    "outcome",
    "plan",
    "problems",
    "removals_on",
    "restore_plan",
    "risks",
]
