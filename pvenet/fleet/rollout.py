"""A rollout: what was planned is applied on many nodes, and no further than was agreed to when one fails."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.apply.agreement import Missing, refuse
from pvenet.apply.apply import apply
from pvenet.apply.revert import revert
from pvenet.apply.stage import Staging
from pvenet.events import Reloading, Shown, Verdict
from pvenet.fleet.course import Course, Pace, Skipped, skipped
from pvenet.fleet.ends import Ends
from pvenet.fleet.locks import SdnLocks
from pvenet.fleet.places import is_away
from pvenet.fleet.precautions import Precautions
from pvenet.fleet.stage import refuse_changed, refuse_others, unagreed_losses
from pvenet.node import strip_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.apply.stage import Staged, StageOptions
    from pvenet.events import Ended, Event, Row
    from pvenet.fleet.book import RolloutBook
    from pvenet.fleet.course import Turn
    from pvenet.fleet.nodes import Fleet
    from pvenet.fleet.plans import FleetPlan
    from pvenet.fleet.saved import Record
    from pvenet.fleet.stage import Summary
    from pvenet.impact import AllowedGuests
    from pvenet.journal import Journals
    from pvenet.node import Node
    from pvenet.spec.node_plan import NodePlan

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What was agreed to beforehand, for every node."""

    apply: ApplyOptions
    stage: StageOptions
    pace: Pace = field(default_factory=Pace)


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


def skipping(plan: FleetPlan, pace: Pace) -> tuple[FleetPlan, tuple[Row, ...]]:
    """The plan without the nodes that can't be reached, where that is agreed to, and what is said of these.

    The canary is never left out, nor are all of them.
    """
    away = {name: error for name, error in plan.failed.items() if is_away(error) and name != pace.canary}
    if not pace.skip_unreachable or not plan.nodes:
        return plan, ()
    rest = {name: error for name, error in plan.failed.items() if name not in away}
    return replace(plan, failed=rest), tuple(skipped(name, error) for name, error in away.items())


def refuse_unapproved(plans: Sequence[NodePlan], terms: Terms) -> None:
    """Raises what would stop a node on the way, before anything is sent to any; all that was not agreed to at once."""
    refuse_others(plans, terms.stage, "apply")
    paths = () if terms.apply.allow_management else _touched(plans)
    refuse([*unagreed_losses(plans, terms.stage), *paths, *_cut(plans, terms.apply.allow_guests)])


def _touched(plans: Sequence[NodePlan]) -> Iterator[Missing]:
    """The management paths that are touched, of all nodes."""
    paths = [(found.node, path) for found in plans for path in found.touched_paths]
    touched = dict.fromkeys(f"\n  {node}: {' on '.join(path.chain)} ({path.reason})" for node, path in paths)
    if touched:
        refusal = errors.ManagementRisk(f"this touches the management path of{''.join(touched)}")
        yield Missing(refusal=refusal, option="--allow-management")


def _cut(plans: Sequence[NodePlan], agreed: AllowedGuests) -> Iterator[Missing]:
    """The guests that run and would be cut, on any node, unless that was agreed to for each."""
    cut = {found.node: [vmid for vmid in found.impact.guests_cut if not agreed.covers(vmid)] for found in plans}
    told = [
        f"{found.node}: {', '.join(map(found.impact.named, cut[found.node]))}" for found in plans if cut[found.node]
    ]
    if told:
        everybody = sorted({vmid for found in plans for vmid in found.impact.guests_cut})
        refusal = errors.GuestRisk("this cuts running guests on\n  " + "\n  ".join(told))
        yield Missing(refusal=refusal, option=f"--allow-guests {','.join(map(str, everybody))}")


def roll_out(  # noqa: PLR0913, PLR0917 - each is another's
    fleet: Fleet,
    plans: Sequence[NodePlan],
    terms: Terms,
    runtime: Runtime,
    announce: Callable[[Turn], None] = lambda _: None,
    record: Record | None = None,
    book: RolloutBook | None = None,
    beside: Iterable[str] = (),
) -> Summary:
    """Apply the plans of some nodes, as many at once as the terms say, up to the first that fails.

    `announce` is called before each node; what it raises ends the rollout with that node untouched. Consent was given
    beforehand: the runtime is not asked. `book` keeps how far it has come; where that, or the record of a saved plan,
    can't be written, no further node is begun. `beside`: nodes at which there is nothing to do; none is begun while the
    apply of one of them has no verdict.
    """
    by_name = {plan.node: plan for plan in plans}
    own = replace(terms, apply=replace(terms.apply, sdn_lock=False))

    def work(name: str, runtime: Runtime) -> Ended:
        node, journals = fleet.node(name), fleet.journals(name, rollout=book.id if book else "")
        try:
            _reached(terms.pace, lambda: precautions.look(node, runtime))
            locks.take(name)
            return _told(runtime, lambda kept: _change(node, journals, by_name[name], own, kept))
        finally:
            node.connection.close()

    def noted(row: Row) -> None:
        locks.ended(row.node)
        if book:
            book.note(row)
        if record and row.verdict == Verdict.APPLIED:
            record.add([row.node])

    course = Course(
        names=tuple(by_name),
        pace=terms.pace,
        cluster=fleet.place,
        work=work,
        runtime=book.listening(runtime) if book else runtime,
        announce=announce,
        begun=book.begin if book else lambda _: None,
        noted=noted,
    )
    precautions = Precautions(fleet, dict.fromkeys((*by_name, *fleet.unambiguous(beside))), lambda: course.at_work)
    with SdnLocks(fleet, by_name, course.steady, wanted=terms.apply.sdn_lock) as locks:
        return course.run()


def _reached(pace: Pace, ask: Callable[[], T]) -> T:
    """What is asked before anything is sent to a node. Raises Skipped where nobody answers, if that was agreed to."""
    try:
        return ask()
    except errors.Unreachable as error:
        if pace.skip_unreachable and is_away(error):
            raise Skipped(error) from error
        raise


def _told(runtime: Runtime, change: Callable[[Runtime], Ended]) -> Ended:
    """A change whose end is told as it is when what did not go live was taken back."""
    ends = Ends(runtime)
    try:
        ended = change(ends.runtime)
    except errors.PvenetError as error:
        ends.tell(error)
        raise
    except KeyboardInterrupt:
        ends.tell()
        raise
    ends.tell()
    return ended


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

    with ExitStack() as stack:
        staging = _reached(terms.pace, lambda: stack.enter_context(Staging(node, journals)))
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
