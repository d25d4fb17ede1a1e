"""What to change, in which order, what stands against it, what it puts at risk, and the restore plan. Pure."""

from pvenet.plan.inverse import Inverse, inverse
from pvenet.plan.order import plan, plan_and_outcome
from pvenet.plan.problems import Problem, problems
from pvenet.plan.restore import RestorePlan, lost_for_good, restore_plan
from pvenet.plan.risk import ManagementPath, Risk, focused, management_path, removals_on, risks

__all__ = [
    "Inverse",
    "ManagementPath",
    "Problem",
    "RestorePlan",
    "Risk",
    "focused",
    "inverse",
    "lost_for_good",
    "management_path",
    "plan",
    "plan_and_outcome",
    "problems",
    "removals_on",
    "restore_plan",
    "risks",
]
