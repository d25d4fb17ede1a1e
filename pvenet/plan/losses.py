"""What PVE would lose while a plan is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.plan.changes import Update

if TYPE_CHECKING:
    from pvenet.plan.changes import Plan


def losses(plan: Plan) -> tuple[str, ...]:
    """What the updates of a plan would lose besides what they are for, a clause each."""
    return tuple(
        f"{step.name}: {loss}"
        for step in plan.steps
        if isinstance(step, Update)
        for loss in wire.losses(step.before, step.after)
    )
