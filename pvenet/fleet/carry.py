"""Making it so on many nodes: one after another, and no further than the first that fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply import ApplyOptions, Runtime, StageOptions, Staging, apply, revert
from pvenet.events import Reloading, Row
from pvenet.journal import not_ours
from pvenet.outcome import verdict_of
from pvenet.plan import Risk
from pvenet.spec.node_plan import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pvenet.events import Ended, Event
    from pvenet.journal import Journals
    from pvenet.node import Node
    from pvenet.spec.node_plan import NodePlan


@dataclass(frozen=True, kw_only=True)
class Job:
    """One node, and what was shown that would happen to it."""

    node: Node
    journals: Journals
    node_plan: NodePlan


def refuse_unagreed(node_plans: Sequence[NodePlan], options: ApplyOptions, consent: StageOptions) -> None:
    """Raises what would stop a node on the way, before anything is sent to any."""
    for found in node_plans:
        if found.pending is not None and not found.ours and not consent.adopt:
            raise not_ours(found.node, found.pending, "apply on top of them with --adopt")
        if found.losses and not consent.lossy:
            raise errors.Lossy(
                f"the API can't change this on {found.node} without a loss:\n  " + "\n  ".join(found.losses),
                hint="edit /etc/network/interfaces on the node instead, or accept the loss with --lossy",
                losses=found.losses,
            )
    risky = [found for found in node_plans if Risk.MANAGEMENT in found.risks]
    if risky and not options.allow_management:
        ways = [f"{found.node}: {' on '.join(found.management.chain)} ({found.management.reason})" for found in risky]
        raise errors.ManagementRisk(
            "this touches the way to\n  " + "\n  ".join(ways) + "\nnothing was sent",
            hint="if that is meant, add --allow-management",
        )


def carry_out(
    jobs: Sequence[Job],
    options: ApplyOptions,
    consent: StageOptions,
    runtime: Runtime,
    go_on: Callable[[int], None] = lambda _: None,
) -> Iterator[Row | errors.PvenetError]:
    """What becomes of each node, as it becomes so; where one fails, its error after its row, then the untouched ones.

    `go_on(number)` is called before each job; what it raises ends the work with that job untouched.
    """
    for number, job in enumerate(jobs):
        begun = False
        try:
            go_on(number)
            begun = True
            ended = make_so(job, options, consent, runtime)
        except (errors.PvenetError, KeyboardInterrupt) as stop:
            error = stop if isinstance(stop, errors.PvenetError) else _interrupted(job.node.name)
            if begun:
                yield _failed(job.node.name, error)
            yield error
            yield from (Row(node=each.node.name, verdict=None) for each in jobs[number + begun :])
            return
        yield Row(node=job.node.name, verdict=ended.verdict, message=ended.message)


def make_so(job: Job, options: ApplyOptions, consent: StageOptions, runtime: Runtime) -> Ended:
    """Stage what was shown and make it live. What is staged and does not go live is taken back, where nothing else is.

    Raises Stale where the node is no longer what it was when that was shown, and what staging and applying raise.
    """
    sent = False

    def tell(event: Event) -> None:
        nonlocal sent
        sent = sent or isinstance(event, Reloading)
        runtime.emit(event)

    with Staging(job.node, job.journals) as staging:
        if fingerprint(staging.network) != job.node_plan.against:
            raise stale(job.node.name)
        staged = staging.stage(job.node_plan.desired, consent)
    try:
        return apply(job.node, job.journals, options, replace(runtime, emit=tell))
    except (errors.PvenetError, KeyboardInterrupt) as error:
        if staged.plan and job.node_plan.pending is None and not sent and not isinstance(error, errors.StateUnknown):
            _take_back(job, error)
        raise


def stale(node: str) -> errors.Stale:
    """The refusal of what was planned against something else."""
    return errors.Stale(
        f"{node} is no longer what it was when this was planned; nothing was sent to it", hint="plan again"
    )


def _take_back(job: Job, error: BaseException) -> None:
    """Revert what never went live: left there it would, with the next reboot."""
    try:
        revert(job.node, job.journals, discard=False)
    except errors.PvenetError as second:
        if isinstance(error, errors.PvenetError):
            error.message += f"\nand what was staged on {job.node.name} is still pending: {second.message}"


def _failed(node: str, error: errors.PvenetError) -> Row:
    return Row(node=node, verdict=verdict_of(error), message=error.message, exit_code=error.exit_code)


def _interrupted(node: str) -> errors.Interrupted:
    return errors.Interrupted(f"interrupted before {node}; what was applied before stays")
