"""`pvenet status`, `pvenet rollback` and `pvenet confirm`: for whoever comes after an apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.asking import Person
from pvenet.cli.common import Where, at_node, at_nodes, journals, options, out, painter, say

if TYPE_CHECKING:
    from pvenet.apply import Status


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (status, rollback, confirm):
        app.command()(options()(command))


def status(where: Where) -> None:
    """Say how a node stands: what is pending, whose it is, which journal is open, and what to do."""
    with at_nodes(where) as (nodes, place):
        from dataclasses import asdict

        from pvenet.apply import status as stand
        from pvenet.render.values import as_json

        found = [stand(node, journals(place, node)) for node in nodes]
        if place.json:
            out(as_json([asdict(each) for each in found]))
        else:
            out("\n".join(_told(each) for each in found))
    away = [each.node for each in found if not each.reachable]
    if away:
        raise errors.Unreachable(f"{', '.join(away)} can't be reached", hint="the text above says what to do")


def _told(found: Status) -> str:
    """How a node stands, in lines."""
    lines = [f"{found.node}: {found.what}"]
    if found.busy:
        lines.append("  another pvenet is at work on it")
    if found.problem:
        lines += [f"  {line}" for line in found.problem.splitlines()]
    lines += [f"  {line}" for line in found.todo.splitlines()]
    if found.journal:
        lines.append(f"  journal: {found.journal} ({found.state})")
    if found.upid and found.state in ("reloading", "rolling_back"):
        lines.append(f"  task: {found.upid}")
    return "\n".join(lines)


def rollback(
    where: Where,
    journal: str = typer.Argument(
        "", help="The journal of what shall be put back; the youngest where it is left out.", metavar="[JOURNAL]"
    ),
    *,
    timeout: float = typer.Option(60.0, min=1.0, help="Seconds to wait for a reload that runs.", metavar="SECONDS"),
    yes: bool = typer.Option(False, "--yes", "-y", help="Don't ask."),
    allow_management: bool = typer.Option(
        False, "--allow-management", help="Also where it touches the node's own path."
    ),
) -> None:
    """Put back what was there before: revert what was staged, or undo what was applied with a reload, and verify."""
    with at_node(where) as (node, place):
        from pvenet.apply import ApplyOptions, Runtime, roll_back
        from pvenet.cli.telling import Lines, Terminal

        wanted = ApplyOptions(timeout=timeout, allow_management=allow_management)
        with Person(yes=yes, json=place.json) as person, Lines() if place.json else Terminal(say, painter()) as ear:
            runtime = Runtime(emit=ear.hear, confirm=person.ask)
            roll_back(node, journals(place, node), wanted, runtime, name=journal)


def confirm(where: Where) -> None:
    """Say that what was applied with --confirm-within may stay, or that a rollback is not to go on."""
    with at_node(where) as (node, place):
        from pvenet.apply import confirm as keep
        from pvenet.render.values import as_json

        kept = keep(node, journals(place, node))
        if place.json:
            out(as_json({"node": node.name, "confirmed": True, "journal": kept.id}))
        else:
            say(f"confirmed: what was applied on {node.name} stays")
