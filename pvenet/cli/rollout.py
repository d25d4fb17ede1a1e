"""`pvenet apply -f FILE` and `pvenet apply PLAN`: many nodes, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cli.output import painter
from pvenet.cli.plans import planned, plans_text, warn
from pvenet.cli.progress import progress
from pvenet.cli.prompt import Prompt
from pvenet.events import Verdict
from pvenet.render.values import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.stage import StageOptions
    from pvenet.cli.context import Context
    from pvenet.events import WouldSend
    from pvenet.fleet.nodes import Fleet
    from pvenet.fleet.plans import FleetPlan
    from pvenet.fleet.rollout import Turn
    from pvenet.fleet.stage import Summary
    from pvenet.spec.network_spec import NetworkSpec
    from pvenet.spec.node_plan import NodePlan
    from pvenet.spec.saved import Saved


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line says beside the options of any apply."""

    file: Path | None
    saved: Path | None
    canary: str = ""
    lossy: bool = False
    yes: bool = False
    dry_run: bool = False
    stage_only: bool = False


def roll_out(context: Context, request: Request, options: ApplyOptions) -> None:
    """Apply a file or a saved plan. Raises what the first node that fails raises, after the summary."""
    from pvenet.apply.stage import StageOptions
    from pvenet.fleet import rollout
    from pvenet.fleet.plans import refuse_stale
    from pvenet.fleet.saved import Record

    if not options.wait:
        raise errors.UsageError("with --no-wait nothing decides whether to go on to the next node", hint="leave it out")
    spec, saved = _read(request)
    fleet = context.fleet
    record = Record.unused(fleet.state_dir, saved.id) if saved else None
    plan = planned(context, spec, update_hosts=options.update_hosts)
    refuse_stale(plan, saved)
    todo = rollout.ordered(plan, request.canary)
    warn(context, plan)
    data, text = plans_text(plan)
    shown = context.emit_event("planned", data, "" if context.options.quiet and request.yes else text)
    if todo and not shown and not request.yes:
        raise errors.NeedsConsent("what would change can't be shown; nothing was sent", hint="consent with --yes")
    if todo and request.canary and todo[0].node != request.canary:
        context.say(f"the canary {request.canary} is already as wanted")
    terms = rollout.Terms(
        apply=options, stage=StageOptions(lossy=request.lossy, adopt=options.adopt), canary=request.canary
    )
    if request.stage_only:
        _stage(context, request, fleet, plan, terms.stage)
        return
    rollout.refuse_unapproved(todo, terms)
    if request.dry_run:
        _foresee(context, todo, options)
        return
    with Prompt(yes=request.yes, json=context.options.json) as prompt:
        if todo:
            prompt.confirm(f"Apply this to {counted(len(todo), 'node')} now?")
        with progress(context) as listener:
            runtime = prompt.runtime(listener.emit)
            summary = rollout.roll_out(fleet, todo, terms, runtime, _announcer(context, prompt), record)
    _sum_up(context, summary)


def _foresee(context: Context, todo: Sequence[NodePlan], options: ApplyOptions) -> None:
    """What would be sent, node after node."""
    from pvenet.apply.dry_run import of_plan, of_reload, with_lock

    each = [request for found in todo for request in (*of_plan(found.node, found.plan), of_reload(found.node))]
    _unsent(context, with_lock(each, wanted=options.sdn_lock))
    if todo and (options.arm or options.update_hosts):
        context.say("what --arm and --update-hosts send depends on what each node lists then, and is not shown")


def _unsent(context: Context, requests: Sequence[WouldSend]) -> None:
    from pvenet.cli import dry_run
    from pvenet.render.events import summary_data

    data, text = dry_run.requests(requests)
    context.emit_event("requests", data, f"\n{text}", note=dry_run.NOTHING_SENT)
    context.emit_event("summary", summary_data([], None))


def _stage(context: Context, request: Request, fleet: Fleet, plan: FleetPlan, options: StageOptions) -> None:
    """Stage a file on its nodes, reload none, and say what comes next."""
    from pvenet.fleet.stage import refuse_unstageable, stage_all

    todo = [found for found in plan.nodes if found.plan]
    refuse_unstageable(todo, options)
    if request.dry_run:
        from pvenet.apply.dry_run import of_plan

        _unsent(context, [each for found in todo for each in of_plan(found.node, found.plan)])
        return
    summary = stage_all(fleet, todo, options)
    _sum_up(context, summary, note=_what_next(summary, request))


def _what_next(summary: Summary, request: Request) -> str:
    staged = [row.node for row in summary.rows if row.verdict is Verdict.STAGED]
    if not staged:
        return "" if summary.failure else "nothing to stage"
    where = f"--node {staged[0] if len(staged) == 1 else 'NODE'}"
    every = f"`pvenet apply -f {request.file}`" if request.file else f"`pvenet apply {request.saved}`"
    return (
        f"staged on {', '.join(staged)}, not live yet: `pvenet diff {where}` shows it, `pvenet apply {where}` makes it "
        f"live{f', {every} on all of them' if len(staged) > 1 and not summary.failure else ''}"
    )


def _read(request: Request) -> tuple[NetworkSpec, Saved | None]:
    from pvenet.spec.load import load
    from pvenet.spec.saved import read

    if request.saved and request.file:
        raise errors.UsageError("-f FILE and a saved plan exclude each other", hint="leave one of them out")
    if request.saved:
        saved = read(request.saved)
        return saved.spec, saved
    if request.file is None:  # pragma: no cover - the caller has one of the two
        raise errors.UsageError("no file")
    return load(request.file), None


def _announcer(context: Context, prompt: Prompt) -> Callable[[Turn], None]:
    """Says whose turn it is; asks before the first node after the canary."""

    def announce(turn: Turn) -> None:
        if turn.after:
            _ask_to_go_on(prompt, turn.after, turn.of - 1)
        text = f"\n{turn.node}, {turn.number} of {turn.of}:" if turn.of > 1 else ""
        context.emit_event("node", {"node": turn.node, "number": turn.number, "of": turn.of}, note=text)

    return announce


def _ask_to_go_on(prompt: Prompt, canary: str, others: int) -> None:
    try:
        prompt.confirm(f"{canary} is as wanted. Go on with {counted(others, 'node')} now?")
    except errors.NeedsConsent as error:
        raise type(error)(
            f"not agreed to go on after {canary}, which stays as it is now", hint="the summary says what was done"
        ) from None


def _sum_up(context: Context, summary: Summary, note: str = "") -> None:
    from pvenet.render.events import summary_data
    from pvenet.render.node_plan import rows_data, rows_text

    rows, failure = summary.rows, summary.failure
    told = len(rows) > 1 and not (context.options.quiet and failure is None)
    text = "\n" + rows_text(rows, painter()) if told else ""
    context.emit_event("summary", summary_data(rows_data(rows), failure), text, note=note)
    if failure:
        raise failure
