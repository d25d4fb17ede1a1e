"""`pvenet apply -f FILE` and `pvenet apply PLAN`: many nodes, one after another or several at once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cli.output import painter, room, say
from pvenet.cli.plans import planned, plans_data, plans_text, refuse_unfinished, warn
from pvenet.cli.progress import progress
from pvenet.cli.prompt import Prompt
from pvenet.events import Row, Verdict
from pvenet.model import runs
from pvenet.render.values import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.stage import StageOptions
    from pvenet.cli.context import Context
    from pvenet.events import WouldSend
    from pvenet.fleet.book import RolloutBook
    from pvenet.fleet.course import Pace, Turn
    from pvenet.fleet.nodes import Fleet
    from pvenet.fleet.plans import FleetPlan
    from pvenet.fleet.rollout import Terms
    from pvenet.fleet.saved import Record
    from pvenet.fleet.stage import Summary
    from pvenet.spec.network_spec import NetworkSpec
    from pvenet.spec.node_plan import NodePlan
    from pvenet.spec.saved import Saved


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line says beside the options of any apply."""

    file: Path | None
    saved: Path | None
    pace: Pace
    lossy: bool = False
    yes: bool = False
    dry_run: bool = False
    stage_only: bool = False
    resume: bool = False


def roll_out(context: Context, request: Request, options: ApplyOptions) -> None:
    """Apply a file or a saved plan. Raises what the first node that fails raises, after the summary."""
    from pvenet.apply.stage import StageOptions
    from pvenet.fleet import rollout
    from pvenet.fleet.book import Rollouts
    from pvenet.fleet.resume import going_on
    from pvenet.fleet.saved import Record

    if not options.wait:
        raise errors.UsageError("with --no-wait nothing decides whether to go on to the next node", hint="leave it out")
    spec, saved = _read(request)
    state_dir = context.fleet.state_dir
    record = None
    if saved:
        go_on = going_on(Rollouts(state_dir), spec)
        record = Record(state_dir, saved.id) if request.resume else Record.unused(state_dir, saved.id, go_on=go_on)
    stage = StageOptions(lossy=request.lossy, adopt=options.adopt)
    terms = rollout.Terms(apply=options, stage=stage, pace=request.pace)
    with ExitStack() as kept:  # what belongs to this process until it ends
        run = _Run(context, request, terms, saved, record, kept)
        if request.resume:
            run.resume(spec)
        else:
            run.go(spec)


class _Run:
    """One rollout of the command line."""

    def __init__(
        self,
        context: Context,
        request: Request,
        terms: Terms,
        saved: Saved | None,
        record: Record | None,
        kept: ExitStack,
    ) -> None:
        self._context = context
        self._request = request
        self._terms = terms
        self._saved = saved
        self._record = record
        self._kept = kept
        self._book: RolloutBook | None = None
        self._done: tuple[Row, ...] = ()
        """What became of nodes before the rest was planned."""

    def resume(self, spec: NetworkSpec) -> None:
        """Go on with a rollout that has not come to its end."""
        from pvenet.fleet.book import Rollouts
        from pvenet.fleet.resume import release_locks, resumable

        context = self._context
        if not self._request.dry_run:
            release_locks(context.fleet, context.warn)
        rollouts = Rollouts(context.fleet.state_dir)
        anew = ["plan again"] if self._record and self._record.used else []  # it is good for once
        found = resumable(context.fleet, rollouts, spec, *anew)
        book = self._book = self._kept.enter_context(rollouts.taken_up(found))
        done = [each.node for each in book.now.members if each.done]
        before = f": {runs(done)} {'is' if len(done) == 1 else 'are'} done" if done else ""
        context.say(f"going on with the rollout {book.id}{before}")
        canary = self._terms.pace.canary or book.now.canary
        canary = "" if canary in done else canary
        self._terms = replace(self._terms, pace=replace(self._terms.pace, canary=canary))
        if book.now.unseen and not self._request.dry_run and not self._take_up(book):
            return
        if self._record and not self._request.dry_run:
            self._record.add(each.node for each in book.now.members if each.done)
        self.go(spec)

    def _take_up(self, book: RolloutBook) -> bool:
        """See what became of the nodes whose end was not seen; whether the rest may follow."""
        from pvenet.fleet.resume import take_up

        context, request = self._context, self._request
        with Prompt(yes=request.yes, json=context.options.json) as prompt:
            if not request.yes:
                prompt.confirm(
                    f"{runs([each.node for each in book.now.unseen])}: the end was not seen. Take it up first?"
                )
            with progress(context, sums_up=True) as listener:
                runtime = prompt.runtime(listener.emit)
                summary = take_up(context.fleet, book, self._terms.apply, runtime, announcer(context, prompt))
                if summary.failure:
                    book.end()
        self._done = tuple(row for row in summary.rows if row.verdict is not Verdict.NOTHING)
        if summary.failure:
            sum_up(context, summary, book.id, note=_what_it_was(book))
        return summary.failure is None

    def go(self, spec: NetworkSpec) -> None:
        """Plan, show, ask, and roll out."""
        from pvenet.fleet import rollout
        from pvenet.fleet.plans import refuse_stale

        context, request, terms = self._context, self._request, self._terms
        only = [each.node for each in self._book.now.left] if self._book else None
        seen_first = [each.node for each in self._book.now.unseen] if self._book else []
        if not request.stage_only:
            refuse_unfinished(context, spec, [name for name in spec.nodes if name not in seen_first])
        plan = planned(context, spec, update_hosts=terms.apply.update_hosts, only=only)
        plan, away = rollout.skipping(plan, terms.pace)
        refuse_stale(plan, self._saved)
        todo = rollout.ordered(plan, terms.pace.canary)
        warn(context, plan)
        for row in away:
            context.warn(f"{row.node} is skipped: {row.message.removeprefix('skipped: ')}")
        data, text = plans_data(plan), plans_text(plan)
        shown = context.emit_event("planned", data, "" if context.options.quiet and request.yes else text, depth=2)
        if todo and not shown and not request.yes:
            raise errors.NeedsConsent("what would change can't be shown; nothing was sent", hint="consent with --yes")
        if todo and terms.pace.canary and todo[0].node != terms.pace.canary:
            context.say(f"the canary {terms.pace.canary} is already as wanted")
        if request.stage_only:
            _stage(context, request, context.fleet, plan, terms.stage)
            return
        rollout.refuse_unapproved(todo, terms)
        if request.dry_run:
            _foresee(context, todo, terms.apply)
            return
        self._roll_out(plan, todo, away)

    def _roll_out(self, plan: FleetPlan, todo: Sequence[NodePlan], away: Sequence[Row]) -> None:
        """Ask, and then do it. Raises as `roll_out` does."""
        from pvenet.fleet import rollout

        context, request, terms = self._context, self._request, self._terms
        with Prompt(yes=request.yes, json=context.options.json) as prompt:
            if todo:
                prompt.confirm(f"Apply this to {counted(len(todo), 'node')} now?")
            book = self._kept_in(plan, todo, away)
            together = _at_once(context, todo, terms.pace) > 1
            with progress(context, sums_up=True, together=len(todo) if together else 0) as listener:
                runtime, announce = prompt.runtime(listener.emit), announcer(context, prompt, together=together)
                summary = rollout.roll_out(
                    context.fleet, todo, terms, runtime, announce, self._record, book, plan.spec.nodes
                )
                if book is not None:
                    book.end()
        summary = replace(summary, rows=(*self._done, *summary.rows, *away))
        sum_up(context, summary, book.id if book else "", note=_what_it_was(book))

    def _kept_in(self, plan: FleetPlan, todo: Sequence[NodePlan], away: Sequence[Row]) -> RolloutBook | None:
        """The record of it; none where there is nothing to do, and nothing was begun before."""
        from pvenet.fleet.book import Rollouts, digest

        names = [*(found.node for found in todo), *(row.node for row in away)]
        if self._book is not None:
            _note_as_it_should_be(self._book, [each.node for each in plan.nodes if each.node not in names])
        elif todo:
            rollouts = Rollouts(self._context.fleet.state_dir)
            begun = rollouts.begun(names, file=plan.spec.file, digest=digest(plan.spec), canary=self._terms.pace.canary)
            self._book = self._kept.enter_context(begun)
        return self._book


def _note_as_it_should_be(book: RolloutBook, nodes: Collection[str]) -> None:
    """Keep of nodes that were left of a rollout that nothing is to be done there: they are as the file says by now."""
    for each in book.now.left:
        if each.node in nodes:
            book.note(Row(node=each.node, verdict=Verdict.NOTHING, message="there is nothing to do"))


def _at_once(context: Context, todo: Sequence[NodePlan], pace: Pace) -> int:
    """How many nodes may be at work at once; says where that is fewer than was asked for."""
    clusters = {context.fleet.place(found.node) for found in todo}
    most = min(pace.at_once, len(todo))
    found = most if pace.in_cluster else min(most, len(clusters))
    if found < most:
        context.say(
            "members of one cluster are changed one after another; --parallel-in-cluster changes several at once"
        )
    return found


def _what_it_was(book: RolloutBook | None) -> str:
    """The rollout's ID, and what can be done with it; of one node `pvenet rollback` is enough."""
    if book is None or len(book.now.members) == 1:
        return ""
    go_on = "the same command with --resume goes on with it, " if book.now.left else ""
    return f"this was the rollout {book.id}: {go_on}`pvenet rollback --rollout {book.id}` undoes it"


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
    sum_up(context, summary, note=_what_next(summary, request))


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


def announcer(context: Context, prompt: Prompt, *, together: bool = False) -> Callable[[Turn], None]:
    """Says whose turn it is, unless each line says it; asks before the first node after the canary."""

    def announce(turn: Turn) -> None:
        if turn.after:
            _ask_to_go_on(prompt, turn.after, turn.of - 1)
        text = f"\n{turn.node}, {turn.number} of {turn.of}:" if turn.of > 1 and not together else ""
        context.emit_event("node", {"node": turn.node, "number": turn.number, "of": turn.of}, note=text)

    return announce


def _ask_to_go_on(prompt: Prompt, canary: str, others: int) -> None:
    try:
        prompt.confirm(f"{canary} is as wanted. Go on with {counted(others, 'node')} now?")
    except errors.NeedsConsent as error:
        raise type(error)(
            f"not agreed to go on after {canary}, which stays as it is now", hint="the summary says what was done"
        ) from None


def sum_up(context: Context, summary: Summary, rollout: str = "", *, note: str = "") -> None:
    """Say what became of the nodes; `rollout`: the ID that --rollout takes. Raises the failure."""
    from pvenet.render.events import summary_data
    from pvenet.render.node_plan import failures_text, rows_data, rows_text

    rows, failure = [replace(row, hint=context.lead(row.hint, row.node)) for row in summary.rows], summary.failure
    if failure:
        failure.hint = context.lead(failure.hint, summary.of)
    told = len(rows) > 1 and not (context.options.quiet and failure is None)
    text = "\n" + rows_text(rows, room(), painter()) if told else ""
    context.emit_event("summary", summary_data(rows_data(rows), failure, rollout), text, note=note)
    others = failures_text(rows, failure) if failure else ""
    if others and not context.answer.as_data:
        say(context.lead(others))
    if failure:
        raise failure
