"""A rollout: what was planned is applied node after node, and no further than the first that fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply import ApplyOptions, Runtime, StageOptions, Staging, apply, revert
from pvenet.apply.stage import lossy
from pvenet.events import Reloading, Row, Verdict
from pvenet.fleet.plans import stale
from pvenet.journal import not_ours
from pvenet.outcome import verdict_of
from pvenet.plan import Risk
from pvenet.spec.node_plan import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pvenet.events import Ended, Event
    from pvenet.fleet.nodes import Fleet
    from pvenet.fleet.plans import FleetPlan
    from pvenet.fleet.saved import Record
    from pvenet.journal import Journals
    from pvenet.node import Node
    from pvenet.spec.node_plan import NodePlan


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What was agreed to beforehand, for every node."""

    apply: ApplyOptions
    stage: StageOptions
    canary: str = ""
    """The node to begin with."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Whose turn it is."""

    node: str
    number: int
    """Counted from 1."""
    of: int
    after: str = ""
    """The canary that has gone well just before; empty where there was none."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of the nodes, and what ended the rollout before its end."""

    rows: tuple[Row, ...]
    failure: errors.PvenetError | None = None


def ordered(plan: FleetPlan, canary: str) -> tuple[NodePlan, ...]:
    """The nodes that would change, in the file's order and the canary first. Raises UsageError for another canary."""
    todo = [each for each in plan.nodes if each.plan or each.ours]
    if canary and canary not in (names := [each.node for each in todo]):
        there = f"the nodes are {', '.join(names)}" if names else "there is nothing to do"
        raise errors.UsageError(f"the canary {canary} is no node that would change", hint=there)
    return tuple(sorted(todo, key=lambda each: each.node != canary))


def refuse_unapproved(plans: Sequence[NodePlan], terms: Terms) -> None:
    """Raises what would stop a node on the way, before anything is sent to any."""
    for found in plans:
        if found.pending is not None and not found.ours and not terms.stage.adopt:
            raise not_ours(found.node, found.pending, "apply on top of them with --adopt")
        if found.losses and not terms.stage.lossy:
            raise lossy(found.node, found.losses)
    risky = [found for found in plans if Risk.MANAGEMENT in found.risks]
    if risky and not terms.apply.allow_management:
        ways = [f"{found.node}: {' on '.join(found.management.chain)} ({found.management.reason})" for found in risky]
        raise errors.ManagementRisk(
            "this touches the way to\n  " + "\n  ".join(ways) + "\nnothing was sent",
            hint="if that is meant, add --allow-management",
        )


def roll_out(  # noqa: PLR0913, PLR0917 - each is another's
    fleet: Fleet,
    plans: Sequence[NodePlan],
    terms: Terms,
    runtime: Runtime,
    announce: Callable[[Turn], None] = lambda _: None,
    record: Record | None = None,
) -> Summary:
    """Apply the plans of some nodes, one after another, up to the first that fails.

    `announce` is called before each node; what it raises ends the rollout with that node untouched. Consent was given
    beforehand: the runtime is not asked. Raises PvenetError where the record of a saved plan can't be written.
    """
    rows: list[Row] = []
    failure: errors.PvenetError | None = None
    for result in _results(fleet, plans, terms, replace(runtime, confirm=lambda _: False), announce):
        if isinstance(result, errors.PvenetError):
            failure = result
            continue
        rows.append(result)
        if record and result.verdict == Verdict.APPLIED:
            record.write([row.node for row in rows if row.verdict == Verdict.APPLIED])
    return Summary(rows=tuple(rows), failure=failure)


def _results(
    fleet: Fleet, plans: Sequence[NodePlan], terms: Terms, runtime: Runtime, announce: Callable[[Turn], None]
) -> Iterator[Row | errors.PvenetError]:
    """What becomes of each node, as it becomes so; of one that fails the row, then its error, then the untouched."""
    for number, plan in enumerate(plans):
        after = terms.canary if number == 1 else ""
        begun = False
        try:
            announce(Turn(node=plan.node, number=number + 1, of=len(plans), after=after))
            begun = True
            ended = _change(fleet.node(plan.node), fleet.journals(plan.node), plan, terms, runtime)
        except (errors.PvenetError, KeyboardInterrupt) as stop:
            error = stop if isinstance(stop, errors.PvenetError) else _interrupted(plan.node)
            if begun:
                yield _failed(plan.node, error)
            yield error
            yield from (Row(node=each.node, verdict=None) for each in plans[number + begun :])
            return
        yield Row(node=plan.node, verdict=ended.verdict, message=ended.message)


def _change(node: Node, journals: Journals, plan: NodePlan, terms: Terms, runtime: Runtime) -> Ended:
    """Stage what was shown and make it live. What is staged and does not go live is taken back, where nothing else is.

    Raises Stale where the node is no longer what it was when that was shown, and what staging and applying raise.
    """
    sent = False

    def emit(event: Event) -> None:
        nonlocal sent
        sent = sent or isinstance(event, Reloading)
        runtime.emit(event)

    with Staging(node, journals) as staging:
        if fingerprint(staging.network) != plan.against:
            raise stale(node.name)
        staged = staging.stage(plan.desired, terms.stage)
    try:
        return apply(node, journals, terms.apply, replace(runtime, emit=emit))
    except (errors.PvenetError, KeyboardInterrupt) as error:
        left = staged.plan and plan.pending is None and not sent and not isinstance(error, errors.StateUnknown)
        problem = _take_back(node, journals) if left else ""
        if problem and isinstance(error, errors.PvenetError):
            still = f"and what was staged on {node.name} is still pending: {problem}"
            raise error.with_message(f"{error.message}\n{still}") from error
        raise


def _take_back(node: Node, journals: Journals) -> str:
    """Revert what never went live: left there it would, with the next reboot. What stands against that, or nothing."""
    try:
        revert(node, journals, discard=False)
    except errors.PvenetError as error:
        return error.message
    return ""


def _failed(node: str, error: errors.PvenetError) -> Row:
    """The row of a node that an error has ended."""
    return Row(node=node, verdict=verdict_of(error), message=error.message, exit_code=error.exit_code)


def _interrupted(node: str) -> errors.Interrupted:
    return errors.Interrupted(f"interrupted before {node}; what was applied before stays")
