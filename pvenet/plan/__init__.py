"""What to change, in which order, what stands against it, what it puts at risk, and the way back. Pure."""

from pvenet.plan.changes import (
    Change,
    Create,
    Delete,
    Desired,
    FieldChange,
    Plan,
    Update,
    net_changes,
    outcome,
)
from pvenet.plan.inverse import Inverse, Loss, inverse
from pvenet.plan.order import plan
from pvenet.plan.problems import Problem, problems
from pvenet.plan.risk import Management, Risk, focused, management, risk, risks

__all__ = [
    "Change",
    "Create",
    "Delete",
    "Desired",
    "FieldChange",
    "Inverse",
    "Loss",
    "Management",
    "Plan",
    "Problem",
    "Risk",
    "Update",
    "focused",
    "inverse",
    "management",
    "net_changes",
    "outcome",
    "plan",
    "problems",
    "risk",
    "risks",
]
