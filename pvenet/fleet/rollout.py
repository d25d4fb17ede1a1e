"""A rollout: what was planned is applied node after node, and no further than the first that fails."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.apply import apply
from pvenet.apply.sdn_lock import SdnLock
from pvenet.apply.stage import Staging, revert
from pvenet.events import Reloading, Row, Shown, Verdict
from pvenet.fleet.stage import Summary, refuse_changed, refuse_unstageable
from pvenet.journal import utc_now
from pvenet.node import strip_times
from pvenet.outcome import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.apply.stage import Staged, StageOptions
    from pvenet.events import Ended, Event
    from pvenet.fleet.nodes import Fleet
    from pvenet.fleet.plans import FleetPlan
    from pvenet.fleet.saved import Record
    from pvenet.impact import AllowedGuests
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


def ordered(plan: FleetPlan, canary: str) -> tuple[NodePlan, ...]:
    """The nodes that would change, in the file's order and the canary first, unless it is as it should be already.

    Raises UsageError for a canary that is none of the nodes.
    """
    names = [each.node for each in plan.nodes]
    if canary and canary not in names:
        meant = errors.did_you_mean(canary, names)
        there = f"{meant} the nodes are {', '.join(names)}".lstrip() if names else "there is none"
        raise errors.UsageError(f"the canary {canary} is not one of the nodes to be changed", hint=there)
    todo = [each for each in plan.nodes if each.goes_live]
    return tuple(sorted(todo, key=lambda each: each.node != canary))


def refuse_unapproved(plans: Sequence[NodePlan], terms: Terms) -> None:
    """Raises what would stop a node on the way, before anything is sent to any."""
    refuse_unstageable(plans, terms.stage, "apply")
    paths = [(found.node, path) for found in plans for path in found.touched_paths]
    if paths and not terms.apply.allow_management:
        touched = dict.fromkeys(f"{node}: {' on '.join(path.chain)} ({path.reason})" for node, path in paths)
        raise errors.ManagementRisk(
            "this touches the management path of\n  " + "\n  ".join(touched) + "\nnothing was sent",
            hint="if that is intended, add --allow-management",
        )
    _refuse_guests(plans, terms.apply.allow_guests)


def _refuse_guests(plans: Sequence[NodePlan], agreed: AllowedGuests) -> None:
    """Raises GuestRisk for guests that run and would be cut, on any node, unless that was agreed to for each."""
    cut = {found.node: [vmid for vmid in found.impact.guests_cut if not agreed.covers(vmid)] for found in plans}
    told = [
        f"{found.node}: {', '.join(map(found.impact.named, cut[found.node]))}" for found in plans if cut[found.node]
    ]
    if told:
        everybody = sorted({vmid for found in plans for vmid in found.impact.guests_cut})
        raise errors.GuestRisk(
            "this cuts running guests on\n  " + "\n  ".join(told) + "\nnothing was sent",
            hint=f"if that is intended, add --allow-guests {','.join(map(str, everybody))}",
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
    with _locked(fleet, plans, terms, runtime) as each:
        for result in _results(fleet, plans, each, runtime, announce):
            if isinstance(result, errors.PvenetError):
                failure = result
                continue
            rows.append(result)
            if record and result.verdict == Verdict.APPLIED:
                record.write([row.node for row in rows if row.verdict == Verdict.APPLIED])
    return Summary(rows=tuple(rows), failure=_with_changed(failure, rows))


@contextmanager
def _locked(fleet: Fleet, plans: Sequence[NodePlan], terms: Terms, runtime: Runtime) -> Iterator[Terms]:
    """The cluster's SDN lock for all nodes, where it is wanted; the terms of each of them, which takes none itself."""
    wanted = terms.apply.sdn_lock and bool(plans)
    with SdnLock(fleet.connection, fleet.state_dir, runtime, wanted=wanted, now=utc_now()) as lock:
        lock.take()
        yield replace(terms, apply=replace(terms.apply, sdn_lock=False))


def _with_changed(failure: errors.PvenetError | None, rows: Sequence[Row]) -> errors.PvenetError | None:
    """What an interrupt leaves behind: the nodes that were changed before it stay so."""
    changed = ", ".join(row.node for row in rows if row.verdict == Verdict.APPLIED)
    if not changed or not isinstance(failure, errors.Interrupted):
        return failure
    return failure.with_message(f"{failure.message}\napplied before that, and stays: {changed}")


def _results(
    fleet: Fleet, plans: Sequence[NodePlan], terms: Terms, runtime: Runtime, announce: Callable[[Turn], None]
) -> Iterator[Row | errors.PvenetError]:
    """What becomes of each node, as it becomes so; of one that fails the row, then its error, then the untouched."""
    for number, plan in enumerate(plans):
        after = terms.canary if number == 1 and plans[0].node == terms.canary else ""
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
    about_to: str | None = None

    def emit(event: Event) -> None:
        nonlocal sent, about_to
        sent = sent or isinstance(event, Reloading)
        about_to = strip_times(event.changes) if isinstance(event, Shown) else about_to
        runtime.emit(event)

    def confirm(_: str) -> bool:
        """Approval was given beforehand, to what was shown then."""
        if about_to != staged.pending:
            raise errors.NotOurs(
                f"something else was staged on {node.name} in the meantime; it was not reloaded",
                hint=f"`pvenet diff --node {node.name}` shows what is pending",
                changes=about_to or "",
            )
        return False

    with Staging(node, journals) as staging:
        refuse_changed(staging, plan)
        staged = staging.stage(plan.desired, terms.stage)
    try:
        ended = apply(node, journals, terms.apply, replace(runtime, emit=emit, confirm=confirm))
    except (errors.PvenetError, KeyboardInterrupt) as error:
        if not staged.plan or plan.pending or sent or isinstance(error, errors.StateUnknown):
            raise
        problem = _take_back(node, journals, staged)
        if isinstance(error, KeyboardInterrupt | errors.Interrupted):
            left = "is still pending" if problem else "was removed again"
            raise errors.Interrupted(f"interrupted; what was staged on {node.name} {left}{problem}") from None
        if problem:
            still = f"and what was staged on {node.name} is still pending{problem}"
            raise error.with_message(f"{error.message}\n{still}") from error
        raise
    if ended.verdict is Verdict.NOTHING and staged.pending:
        raise errors.Stale(
            f"what was staged on {node.name} is not pending any more: somebody has applied or reverted it",
            hint="plan again",
        )
    return ended


def _take_back(node: Node, journals: Journals, staged: Staged) -> str:
    """Revert what never went live: left there it would, with the next reboot. What stands against that, or nothing."""
    try:
        if node.glance().pending != staged.pending:
            return ": somebody else has staged something there, too"
        revert(node, journals, discard=False)
    except errors.PvenetError as error:
        return f": {error.message}"
    return ""


def _failed(node: str, error: errors.PvenetError) -> Row:
    """The row of a node that an error has ended."""
    return Row(node=node, verdict=verdict_of(error), message=error.message, exit_code=error.exit_code)


def _interrupted(node: str) -> errors.Interrupted:
    return errors.Interrupted(
        f"interrupted at {node}", hint=f"`pvenet status --node {node}` shows the state of the node"
    )
