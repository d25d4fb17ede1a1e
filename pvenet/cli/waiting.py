"""`pvenet wait` and `pvenet rescue`: for whoever comes back to an apply that was left, or to a node that is lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from pvenet.cli.context import Context
from pvenet.cli.options import ALLOW_GUESTS, SAME_NODE, command, seconds

if TYPE_CHECKING:
    from pvenet.apply.rescue import Rescue


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for function in (wait, rescue):
        app.command()(command(function))


def wait(
    context: Context,
    *,
    timeout: float | None = typer.Option(
        None, callback=seconds, help="Seconds from now to the verdict.", metavar="SECONDS"
    ),
    on_failure: str | None = typer.Option(
        None,
        help="If it fails, or its result is not known in time: put back what was there, or keep it.",
        metavar="rollback|keep",
    ),
    confirm_within: float | None = typer.Option(
        None,
        callback=seconds,
        help="Roll back unless it is confirmed in time: here, or with `pvenet confirm`.",
        metavar="SECONDS",
    ),
    allow_guests: list[str] = ALLOW_GUESTS,
    verify: str | None = typer.Option(
        None,
        help="What decides that it is live: the kernel if it can be read (auto), always the kernel, or only the flags "
        "of the list.",
        metavar="auto|kernel|flags",
    ),
    verify_with: str | None = typer.Option(
        None,
        help="Then run this, without a shell; any exit code but 0 rolls back.",
        metavar="COMMAND",
    ),
    require: list[str] = typer.Option(
        [],
        help="Fail if a bond gets no LACP partner, or a NIC no carrier.",
        metavar="lacp|carrier",
    ),
    same_node: bool = SAME_NODE,
) -> None:
    """Wait for a reload that was left, and end as its apply would have.

    Whether it was left by Ctrl-C, by --no-wait or by a terminal that was closed: it is verified, and rolled back if
    it fails, by what the apply knew and was told. Each option overrides what it was told.

    $ pvenet wait
    """
    node, journals = context.node, context.journals
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.wait import Said
    from pvenet.apply.wait import wait as take_up
    from pvenet.cli import apply_options as words_of
    from pvenet.cli.progress import progress
    from pvenet.cli.prompt import Prompt
    from pvenet.settings.profiles import secret_variables

    check = words_of.verify_with(context, verify_with, wait=True)
    options = ApplyOptions(
        verify=words_of.verify_by(context),
        verify_with=() if verify_with is not None else check,
        withheld=secret_variables(os.environ) if check else frozenset(),
    )
    said = Said(
        timeout=timeout,
        on_failure=words_of.on_failure_by(on_failure) if on_failure is not None else None,
        confirm_within=confirm_within,
        allow_guests=words_of.allowed_guests(allow_guests) if allow_guests else None,
        verify=words_of.verify_by(context, verify) if verify is not None else None,
        require=words_of.required(require, wait=True) if require else None,
        verify_with=check if verify_with is not None else None,
    )
    with Prompt(yes=True, json=context.options.json) as prompt, progress(context) as listener:
        take_up(node, journals, options, prompt.runtime(listener.emit), said=said, same_node=same_node)


def rescue(context: Context) -> None:
    """Print the smallest interfaces file that brings a node back.

    It holds the management path as it was before the last change from here, and is meant to be typed at the
    node's console.

    $ pvenet rescue
    """
    fleet = context.fleet
    from dataclasses import asdict

    from pvenet.apply.rescue import rescue as smallest
    from pvenet.cluster import not_one
    from pvenet.fleet.nodes import named_or_all, refuse, unheard

    nodes = named_or_all(fleet, context.named)
    if len(nodes) != 1:
        raise not_one(context.named, [node.name for node in nodes])
    found = smallest(nodes[0], fleet.journals(nodes[0].name))
    context.emit(asdict(found), found.file.rstrip("\n"), note=_how(found), depth=None)
    refuse(unheard(fleet, context.named))


def _how(found: Rescue) -> str:
    """What to do with the file, in lines."""
    what = "this was there before the last change from here" if found.journal else f"{found.node} lists this now"
    if found.lacked:
        what = f"the last change from here made this, as there was no {', no '.join(found.lacked)} before it"
    lines = [
        "",
        f"at the console of {found.node}, as root: keep a copy of /etc/network/interfaces,",
        "write this there instead, and run",
        "  rm -f /etc/network/interfaces.new",
        "  ifreload -a",
        f"{what}: {found.reason}",
    ]
    if found.macs:
        lines.append("its NICs and their MACs; where `ip link` shows a MAC under another name, write that name")
        lines += [f"  {each}" for each in found.macs]
    if found.unsure:
        lines.append(f"PVE does not list all of {', '.join(found.unsure)}: compare that with the file there")
    if found.left_out:
        lines.append(f"left out, and without a network until the whole file is back: {', '.join(found.left_out)}")
    if found.journal:
        lines.append(f"all that was there before is in\n  {found.journal}")
    return "\n".join(lines)
