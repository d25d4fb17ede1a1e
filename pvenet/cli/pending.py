"""`pvenet diff`, `pvenet apply` and `pvenet revert`: what is pending, and what becomes of it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import typer

from pvenet import errors
from pvenet.cli import dry_run as dry
from pvenet.cli.completion import fixed, nodes, one, several
from pvenet.cli.context import Context
from pvenet.cli.dry_run import DRY_RUN
from pvenet.cli.listing import read
from pvenet.cli.options import ALLOW_GUESTS, SDN_LOCK, command, empty, seconds
from pvenet.cli.output import stream
from pvenet.cli.several import diff_several, dry_revert_several, pending_on, revert_several


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for function in (diff, apply, revert):
        app.command()(command(function))


def diff(
    context: Context,
    exit_code: bool = typer.Option(False, "--exit-code", help="Exit with 10 if something is pending."),
) -> None:
    """Show what is pending: what it means, and PVE's own diff.

    With --node, of several nodes or of all.

    $ pvenet diff
    """
    if context.several:
        diff_several(context, exit_code=exit_code)
        return
    reading, name = read(context), context.node.name
    from pvenet.journal import ownership

    shown = pending_on(name, reading, ownership(context.journals.at(context.node), reading))
    context.emit(shown.data, shown.text, note=shown.note)
    if exit_code and shown.pending:
        raise errors.Differences("")


def apply(
    context: Context,
    *,
    saved: Path | None = typer.Argument(
        None, help="A saved plan; without it and without -f, what is pending.", metavar="[PLAN]"
    ),
    file: Path | None = typer.Option(
        None, "--file", "-f", help="A network file to apply, node after node; - is stdin.", metavar="FILE"
    ),
    canary: str | None = typer.Option(
        None, help="With a file or a saved plan: the node to begin with.", metavar="NODE", autocompletion=one(nodes)
    ),
    lossy: bool = typer.Option(
        False, "--lossy", help="With a file or a saved plan: go on even if the API loses something."
    ),
    parallel: int = typer.Option(
        1,
        help="With a file or a saved plan: change this many nodes at once, after the canary; within a cluster, "
        "one at a time.",
        metavar="N",
    ),
    parallel_in_cluster: bool = typer.Option(
        False, "--parallel-in-cluster", help="With --parallel: also several members of one cluster at once."
    ),
    max_failures: int = typer.Option(
        0, help="With a file or a saved plan: go on until more nodes than this have failed.", metavar="N"
    ),
    skip_unreachable: bool = typer.Option(
        False, "--skip-unreachable", help="With a file or a saved plan: leave out nodes that do not answer."
    ),
    resume: bool = typer.Option(
        False, "--resume", help="With a file or a saved plan: go on with its last rollout, which has not ended."
    ),
    wait: bool = typer.Option(True, "--wait/--no-wait", help="Wait until everything is up, or only start the reload."),
    timeout: float = typer.Option(
        60.0, callback=seconds, help="Seconds from the reload to the verdict.", metavar="SECONDS"
    ),
    on_failure: str = typer.Option(
        "rollback",
        help="If it fails, or its result is not known in time: put back what was there, or keep it.",
        metavar="rollback|keep",
        autocompletion=one(fixed("rollback", "keep")),
    ),
    confirm_within: float | None = typer.Option(
        None,
        callback=seconds,
        help="Roll back unless it is confirmed in time: here, or with `pvenet confirm`.",
        metavar="SECONDS",
    ),
    arm: bool = typer.Option(
        False,
        "--arm",
        help="Stage the way back when the reload has started, and revert it when the reload has ended and the node "
        "answers: meanwhile a power cycle boots the network from before. The price: meanwhile anybody's reload or "
        "SDN apply brings that "
        "back, too.",
    ),
    yes: bool = typer.Option(False, "--yes", "-y", help="Don't ask."),
    allow_management: bool = typer.Option(
        False, "--allow-management", help="Go on even if it touches the management path."
    ),
    allow_guests: list[str] = ALLOW_GUESTS,
    adopt: bool = typer.Option(False, "--adopt", help="Also apply pending changes that are not ours."),
    sdn_lock: bool | None = SDN_LOCK,
    update_hosts: bool = typer.Option(
        False,
        "--update-hosts",
        help="If the node's own address changes: also change its line of /etc/hosts, once the new address is verified.",
    ),
    verify: str | None = typer.Option(
        None,
        help="What decides that it is live: the kernel if it can be read (auto), always the kernel, or only the flags "
        "of the list.",
        metavar="auto|kernel|flags",
        autocompletion=one(fixed("auto", "kernel", "flags")),
    ),
    verify_with: str | None = typer.Option(
        None,
        help="Then run this, without a shell; any exit code but 0 rolls back. It gets PVENET_NODE, "
        "PVENET_ENDPOINT and PVENET_JOURNAL, but no secret.",
        metavar="COMMAND",
    ),
    require: list[str] = typer.Option(
        [],
        help="Fail if a bond gets no LACP partner, or a NIC no carrier, even if it never had one.",
        metavar="lacp|carrier",
        autocompletion=several("require", fixed("lacp", "carrier")),
    ),
    stage_only: bool = typer.Option(
        False, "--stage-only", help="With a file or a saved plan: stage its changes, and reload no node."
    ),
    dry_run: bool = DRY_RUN,
) -> None:
    """Make live what is pending, or a network file, and verify it.

    It reloads the node, waits until everything is up, and puts back what was there if that fails. A network file or
    a saved plan is applied on every node that it names, one after another unless --parallel says otherwise.

    $ pvenet apply
    $ pvenet apply --confirm-within 60
    $ pvenet apply -f network.yaml --canary pve1
    """
    from pvenet.apply.apply import apply as make_live
    from pvenet.apply.options import ApplyOptions
    from pvenet.cli import apply_options as words_of
    from pvenet.settings.profiles import secret_variables

    context.answer.rollout = bool(saved or file)
    if confirm_within is not None and not wait:
        raise errors.UsageError("with --no-wait nothing waits for a confirmation", hint="leave one of them out")
    if arm and not wait:
        raise errors.UsageError("with --no-wait nothing removes what --arm stages", hint="leave one of them out")
    if update_hosts and not wait:
        raise errors.UsageError("with --no-wait nothing changes /etc/hosts", hint="leave one of them out")
    check = words_of.verify_with(context, verify_with, wait=wait)
    options = ApplyOptions(
        timeout=timeout,
        wait=wait,
        on_failure=words_of.on_failure_by(on_failure),
        confirm_within=confirm_within,
        arm=arm,
        adopt=adopt,
        allow_management=allow_management,
        allow_guests=words_of.allowed_guests(allow_guests),
        verify=words_of.verify_by(context, verify, wait=wait),
        require=words_of.required(require, wait=wait),
        verify_with=check,
        withheld=secret_variables(os.environ) if check else frozenset(),
        update_hosts=update_hosts,
        sdn_lock=words_of.holds_sdn_lock(context, sdn_lock, wait=wait),
    )
    if canary is not None and not canary.strip():
        raise empty("--canary")
    pace = words_of.paced(
        parallel,
        in_cluster=parallel_in_cluster,
        max_failures=max_failures,
        skip_unreachable=skip_unreachable,
        canary=canary or "",
    )
    words_of.refuse_reloading(options, stage_only=stage_only, canary=canary is not None, named=bool(saved or file))
    if dry_run:
        context.hold()
    if saved or file:
        from pvenet.cli.rollout import Request, roll_out

        asked = Request(
            file=file,
            saved=saved,
            pace=pace,
            lossy=lossy,
            yes=yes,
            dry_run=dry_run,
            stage_only=stage_only,
            resume=resume,
        )
        roll_out(context, asked, options)
        return
    words_of.refuse_many(pace, lossy=lossy, resume=resume)
    if dry_run:
        dry.apply(context, options)
        return
    node, journals = context.node, context.journals
    from pvenet.cli.progress import progress
    from pvenet.cli.prompt import Prompt

    with Prompt(yes=yes, json=context.options.json) as prompt, progress(context, asks=not yes) as listener:
        make_live(node, journals, options, prompt.runtime(listener.emit))
    if not wait and listener.upid:
        stream(listener.upid)


def revert(
    context: Context,
    discard: bool = typer.Option(False, "--discard", help="Also discard changes that are not ours."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Don't ask; only a revert on several nodes asks."),
    dry_run: bool = DRY_RUN,
) -> None:
    """Throw away what is pending.

    With --node, on several nodes or on all.

    $ pvenet revert
    """
    if dry_run:
        context.hold()
    if context.several:
        (dry_revert_several if dry_run else partial(revert_several, yes=yes))(context, discard=discard)
        return
    if dry_run:
        dry.revert(context, discard=discard)
        return
    node, journals = context.node, context.journals
    from pvenet.apply.revert import revert as throw_away

    reverted = throw_away(node, journals, discard=discard, warn=context.warn)
    note = f"reverted what was pending on {node.name}" if reverted else f"nothing is pending on {node.name}"
    context.emit_done({"node": node.name, "reverted": reverted}, note=note)
