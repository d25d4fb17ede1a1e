"""What a reload is for, and how far it came, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.events import Verdict
from pvenet.journal import State

if TYPE_CHECKING:
    from pvenet.apply.verify import Judgement
    from pvenet.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Course:
    """What a reload is for: what its journal says before, during and after it, and how it is told."""

    must_record: bool = True
    """Without a journal on disk it is not begun; a way back is."""
    unsent: State = State.STAGING
    under_way: State = State.RELOADING
    done: State = State.APPLIED
    verdict: Verdict = Verdict.APPLIED
    words: str = "applied and verified"
    inverse: Plan | None = None
    """What to arm it with: staged once the reload has taken what was pending, reverted before it is verified."""
    excuse: str = "has autostart and is not active; it was not before, and nothing here touches it"


def how_far(judgement: Judgement) -> str:
    """What a node lacks, in words."""
    parts = []
    if judgement.down:
        parts.append(f"not active: {', '.join(judgement.down)}")
    if judgement.different:
        parts.append(f"not configured as it was pending: {', '.join(judgement.different)}")
    if judgement.there:
        parts.append(f"still there: {', '.join(judgement.there)}")
    return "; ".join(parts) or "every interface is up as it should be"
