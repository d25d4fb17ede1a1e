"""`pvenet wait` and `pvenet rescue`: for whoever comes back to an apply that was left, or to a node that is lost."""

from __future__ import annotations

import os

import typer

from pvenet.cli.context import Context
from pvenet.cli.options import ALLOW_GUESTS, SAME_NODE, command, seconds


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(command(wait))


def wait(
    context: Context,
    *,
    timeout: float = typer.Option(60.0, callback=seconds, help="Seconds from now to the verdict.", metavar="SECONDS"),
    on_failure: str = typer.Option(
        "rollback",
        help="Where it fails, or nobody can tell in time: put back what was there, or keep it.",
        metavar="rollback|keep",
    ),
    confirm_within: float | None = typer.Option(
        None,
        callback=seconds,
        help="Roll back unless somebody says in time that it may stay: here, or with `pvenet confirm`.",
        metavar="SECONDS",
    ),
    allow_guests: list[str] = ALLOW_GUESTS,
    verify: str | None = typer.Option(
        None,
        help="What says that it is live: the kernel where it can be asked (auto), the kernel or nothing, or the list's "
        "flags alone.",
        metavar="auto|kernel|flags",
    ),
    verify_with: str | None = typer.Option(
        None,
        help="Then run this, without a shell; anything but exit 0, and it is rolled back.",
        metavar="COMMAND",
    ),
    require: list[str] = typer.Option(
        [],
        help="Fail where a bond gets no LACP partner, or a NIC no carrier.",
        metavar="lacp|carrier",
    ),
    same_node: bool = SAME_NODE,
) -> None:
    """Wait for a reload that was left (Ctrl-C, --no-wait, a closed terminal), and end as its apply would have.

    Example: pvenet apply --no-wait, then pvenet wait
    """
    node, journals = context.node, context.journals
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.wait import wait as take_up
    from pvenet.cli import apply_options as words_of
    from pvenet.cli.progress import progress
    from pvenet.cli.prompt import Prompt
    from pvenet.settings.profiles import secret_variables

    check = words_of.verify_with(context, verify_with, wait=True)
    options = ApplyOptions(
        timeout=timeout,
        on_failure=words_of.on_failure_by(on_failure),
        confirm_within=confirm_within,
        allow_guests=words_of.allowed_guests(allow_guests),
        verify=words_of.verify_by(context, verify),
        require=words_of.required(require, wait=True),
        verify_with=check,
        withheld=secret_variables(os.environ) if check else frozenset(),
    )
    with Prompt(yes=True, json=context.options.json) as prompt, progress(context) as listener:
        take_up(node, journals, options, prompt.runtime(listener.emit), same_node=same_node)
