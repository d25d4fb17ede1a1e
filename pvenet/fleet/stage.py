"""What was planned is staged on many nodes, and no node is reloaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.agreement import Missing, refuse
from pvenet.apply.stage import Staging, lossy
from pvenet.events import Row, Verdict
from pvenet.fleet.plans import stale
from pvenet.journal import not_ours_on
from pvenet.model import runs
from pvenet.node import strip_times
from pvenet.outcome import verdict_of
from pvenet.spec.node_plan import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pvenet.apply.stage import Staged, StageOptions
    from pvenet.fleet.nodes import Fleet
    from pvenet.journal import Journals
    from pvenet.node import Node
    from pvenet.spec.node_plan import NodePlan


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of the nodes, and what ended it before its end."""

    rows: tuple[Row, ...]
    failure: errors.PvenetError | None = None
    """The worst, where several have failed."""
    of: str = ""
    """The node whose failure that is; empty where it is none's."""


def refuse_unstageable(plans: Sequence[NodePlan], options: StageOptions, verb: str = "stage") -> None:
    """Raises what would stop the staging on a node, before anything is sent to any.

    What touches the management path, or guests, stops an apply, and no staging. `verb`: what is about to be done.
    """
    refuse_others(plans, options, verb)
    refuse(tuple(unagreed_losses(plans, options)))


def unagreed_losses(plans: Sequence[NodePlan], options: StageOptions) -> Iterator[Missing]:
    """What would be lost, on all nodes, unless that was agreed to."""
    found = [] if options.lossy else [lossy(plan.node, plan.losses) for plan in plans if plan.losses]
    if found:
        losses = [loss for each in found for loss in each.losses]
        yield Missing(
            refusal=errors.Lossy("\n".join(each.message for each in found), losses=losses),
            option="--lossy",
            instead="edit /etc/network/interfaces on the node instead",
        )


def refuse_others(plans: Sequence[NodePlan], options: StageOptions, verb: str) -> None:
    """Raises what pends on nodes and is not for us to build on, naming all of them."""
    if armed := [found.node for found in plans if found.pending and found.pending.armed]:
        raise errors.RefusedByPvenet(
            f"what is pending on {runs(armed)} is the way back of an apply that was armed and has not ended; "
            "nothing was sent",
            hint=f"`pvenet status --node {','.join(armed)}` says what to do",
        )
    others = {found.node: found.pending.changes for found in plans if found.pending and not found.pending.ours}
    if others and not options.adopt:
        raise not_ours_on(others, f"{verb} on top of them with --adopt")


def stage_all(fleet: Fleet, plans: Sequence[NodePlan], options: StageOptions) -> Summary:
    """Stage the plans of some nodes, one after another, up to the first that fails.

    What was staged before that stays: nothing of it is live.
    """
    rows: list[Row] = []
    for number, plan in enumerate(plans):
        try:
            _staged(fleet.node(plan.node), fleet.journals(plan.node), plan, options)
        except (errors.PvenetError, KeyboardInterrupt) as stop:
            error = stop if isinstance(stop, errors.PvenetError) else errors.Interrupted(f"interrupted at {plan.node}")
            rows.append(
                Row(
                    node=plan.node,
                    verdict=verdict_of(error),
                    message=error.message,
                    exit_code=error.exit_code,
                    hint=error.hint,
                )
            )
            rows += [Row(node=each.node, verdict=None) for each in plans[number + 1 :]]
            return Summary(rows=tuple(rows), failure=error, of=plan.node)
        rows.append(Row(node=plan.node, verdict=Verdict.STAGED, message="not live yet"))
    return Summary(rows=tuple(rows))


def _staged(node: Node, journals: Journals, plan: NodePlan, options: StageOptions) -> Staged:
    """Raises Stale where the node is no longer what it was when that was shown, and what staging raises."""
    with Staging(node, journals) as staging:
        refuse_changed(staging, plan)
        return staging.stage(plan.desired, options)


def refuse_changed(staging: Staging, plan: NodePlan) -> None:
    """Raises Stale where a node is no longer what it was when it was planned."""
    was = strip_times(plan.pending.changes) if plan.pending else None
    if fingerprint(staging.network) != plan.against or staging.reading.pending != was:
        raise stale(plan.node)
