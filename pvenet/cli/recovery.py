"""`pvenet status`, `pvenet rollback` and `pvenet confirm`: for whoever comes after an apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli import dry_run as dry
from pvenet.cli.completion import journals, one, rollouts
from pvenet.cli.context import Context
from pvenet.cli.dry_run import DRY_RUN
from pvenet.cli.options import ALLOW_GUESTS, SAME_NODE, SDN_LOCK, command, empty, seconds
from pvenet.foreign import indented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.apply.status import Status


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for function in (status, rollback, confirm):
        app.command()(command(function))


def status(
    context: Context,
    watch: bool = typer.Option(
        False,
        "--watch",
        help="Print it again whenever it changes, until no reload is running and no pvenet is at work on it.",
    ),
    same_node: bool = SAME_NODE,
) -> None:
    """Show the state of a node, and what to do.

    It says what is pending and whose it is, and whether an apply was left without a verdict.

    $ pvenet status
    $ pvenet status --watch
    """
    fleet = context.fleet
    context.tells_renames = context.tells_way_back = True
    from dataclasses import asdict

    from pvenet.apply.status import status as stand
    from pvenet.fleet.nodes import named_or_all, refuse, unheard

    nodes = named_or_all(fleet, context.named)

    def told(found: list[Status]) -> str:
        several = len(found) > 1
        return "\n".join(context.lead(_text(each), each.node if several else "") for each in found)

    unread: dict[str, errors.PvenetError] = {}

    def look() -> list[Status]:
        found = []
        for node in nodes:
            try:
                found.append(stand(node, fleet.journals(node.name), same_node=same_node, aside=watch))
            except errors.JournalUnreadable as error:
                if len(nodes) == 1:
                    raise
                unread[node.name] = error
        return found

    if watch:
        from pvenet.cli.watching import watched

        context.answer.streams = True

        found = watched(context, look, told)
    else:
        found = look()
        context.emit([asdict(each) for each in found], told(found), depth=2)
    _refuse_unheard(found)
    refuse({**unread, **unheard(fleet, context.named)})


def _refuse_unheard(found: list[Status]) -> None:
    """Raises what stands for nodes that can't be asked."""
    unheard = [each for each in found if each.exit or not each.reachable]
    told = any(each.todo for each in unheard)
    hint = "the text above says what to do" if told else "`pvenet doctor` looks for what stands in the way"
    if away := [each.node for each in found if not each.reachable]:
        raise errors.Unreachable(f"{', '.join(away)} can't be reached", hint=hint)
    if mute := [each.node for each in found if each.exit]:
        message = f"{', '.join(mute)} can't be queried"
        match max(each.exit for each in found):
            case errors.AccessError.exit_code:
                raise errors.AccessError(message, hint=hint)
            case errors.RefusedByPVE.exit_code:
                raise errors.RefusedByPVE(message, hint=hint, status=500)
            case _:
                raise errors.PvenetError(message, hint=hint)


def _text(found: Status) -> str:
    """How a node stands, in lines."""
    lines = [f"{found.node}: {found.what}"]
    if found.busy and "another pvenet" not in found.what:
        lines.append("  another pvenet is at work on it")
    if found.problem:
        lines += [f"  {line}" for line in found.problem.splitlines()]
    if found.left is not None:
        lines.append(f"  it is rolled back in {found.left:.0f} s; `pvenet confirm --extend 60` gives it more time")
    lines += [f"  {line}" for line in found.todo.splitlines()]
    if found.journal:
        lines.append(f"  journal: {found.journal} ({(found.state or '').replace('_', ' ')})")
    if found.upid and found.state in ("reloading", "rolling_back"):
        lines.append(f"  task: {found.upid}")
    further = (found.nics, found.hosts, found.sdn_lock, found.elsewhere)
    lines += [f"  {line}" for text in further for line in text.splitlines()]
    return "\n".join(indented(line) for line in lines)


def rollback(
    context: Context,
    journal: str | None = typer.Argument(
        None,
        help="The journal to roll back, by its number in `pvenet history` or its name; by default the newest.",
        metavar="[JOURNAL]",
        autocompletion=one(journals),
    ),
    *,
    rollout: str | None = typer.Option(
        None,
        help="Put back what a whole rollout has changed, the last node first; `pvenet history` shows its ID.",
        metavar="ID",
        autocompletion=one(rollouts),
    ),
    timeout: float = typer.Option(
        60.0,
        callback=seconds,
        help="Seconds to wait for a running reload, and then until what was there is back.",
        metavar="SECONDS",
    ),
    yes: bool = typer.Option(False, "--yes", "-y", help="Don't ask."),
    allow_management: bool = typer.Option(
        False, "--allow-management", help="Go on even if it touches the management path."
    ),
    allow_guests: list[str] = ALLOW_GUESTS,
    sdn_lock: bool | None = SDN_LOCK,
    same_node: bool = SAME_NODE,
    dry_run: bool = DRY_RUN,
) -> None:
    """Put back what was there before, and verify it.

    What was staged is reverted; what was applied is undone with another reload.

    $ pvenet rollback
    $ pvenet rollback --rollout r1
    """
    if journal is not None and not journal.strip():
        raise empty("the name of the journal", "omit it for the newest one")
    if rollout is not None:
        _refuse_beside(rollout, {"a journal": journal, "--same-node": same_node, "--dry-run": dry_run})
        context.answer.rollout = True
    if dry_run:
        context.hold()
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.resume import roll_back
    from pvenet.cli.apply_options import allowed_guests, holds_sdn_lock, verify_by
    from pvenet.cli.progress import progress
    from pvenet.cli.prompt import Prompt

    options = ApplyOptions(
        timeout=timeout,
        allow_management=allow_management,
        allow_guests=allowed_guests(allow_guests),
        verify=verify_by(context),
        sdn_lock=holds_sdn_lock(context, sdn_lock),
    )
    if rollout is not None:
        from pvenet.cli.undo import undo

        undo(context, rollout.strip(), options, yes=yes)
        return
    node, journals = context.node, context.journals
    if dry_run:
        dry.rollback(context, options, name=journal or "", same_node=same_node)
        return
    with Prompt(yes=yes, json=context.options.json) as prompt, progress(context, asks=not yes) as listener:
        roll_back(node, journals, options, prompt.runtime(listener.emit), name=journal or "", same_node=same_node)


def _refuse_beside(rollout: str, others: Mapping[str, object]) -> None:
    """Raises UsageError for what does not go with a whole rollout, and for no name of one."""
    if not rollout.strip():
        raise empty("--rollout", "`pvenet history` lists them")
    if given := [what for what, said in others.items() if said]:
        raise errors.UsageError(
            f"--rollout applies to all of its nodes, {given[0]} does not", hint="leave one of them out"
        )


def confirm(
    context: Context,
    extend: float | None = typer.Option(
        None,
        callback=seconds,
        help="Don't confirm yet: give whoever decides so many more seconds, here or where `apply` waits.",
        metavar="SECONDS",
    ),
    same_node: bool = SAME_NODE,
    dry_run: bool = DRY_RUN,
) -> None:
    """Keep what was applied.

    For an apply with --confirm-within, or a rollback that should not go on.

    $ pvenet confirm
    $ pvenet confirm --extend 120
    """
    if dry_run:
        if extend is not None:
            raise errors.UsageError("--extend and --dry-run don't go together", hint="leave one of them out")
        context.hold()
        dry.confirm(context, same_node=same_node)
        return
    from pvenet.apply import keep as keeping

    try:
        node, journals = context.node, context.journals
    except errors.UsageError as error:
        if not context.named and (found := keeping.waiting(context.fleet.state_dir)):
            error.hint = f"choose one with --node; waiting to be confirmed: {', '.join(found)}"
        raise
    if extend is not None:
        left = keeping.extend(node, journals, extend, same_node=same_node)
        data = {"node": node.name, "confirmed": False, "left": round(left, 3)}
        context.emit_done(data, note=f"what was applied on {node.name} is rolled back in {left:.0f} s unless confirmed")
        return
    keep = keeping.confirm
    kept = keep(node, journals, same_node=same_node, warn=lambda text: context.warn(indented(text)))
    data = {"node": node.name, "confirmed": True, "journal": kept.id}
    context.emit_done(data, note=f"confirmed: what was applied on {node.name} stays")
