"""`pvenet guests`: who hangs where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.completion import interfaces, several
from pvenet.cli.context import Context
from pvenet.cli.options import command, words
from pvenet.cli.output import painter, room

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pvenet.impact import NodeGuests


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(guests))


def guests(
    context: Context,
    bridges: list[str] | None = typer.Argument(
        None,
        metavar="[BRIDGE]...",
        help="Only these bridges and vnets.",
        autocompletion=several("bridges", interfaces("bridge", "OVSBridge")),
    ),
) -> None:
    """Show which guests are on which bridge.

    On every node, unless --node names some.

    $ pvenet guests vmbr0 --node pve1
    """
    fleet = context.fleet
    from pvenet.cli.counting import counting
    from pvenet.fleet.guests import guests as read
    from pvenet.fleet.nodes import known, refuse, unheard
    from pvenet.render.guests import guests_data, guests_text
    from pvenet.render.impact import unknown_lines

    nodes = known(fleet, context.named)
    with counting(len(nodes)) as count:
        answered, failed = read(fleet, nodes, count)
    failed |= unheard(fleet, context.named)
    found, named = list(answered.values()), words(bridges) or ()
    if not failed:
        _check(found, named)
    for warning in (warning for each in found for warning in each.warnings):
        context.warn(warning)
    data = {"nodes": guests_data(found, named), "errors": {name: error.message for name, error in failed.items()}}
    note = "\n".join(unknown_lines([lack for each in found for lack in each.unknown]))
    context.emit(data, guests_text(found, named, room(), painter()), note=note)
    refuse(failed)


def _check(found: Sequence[NodeGuests], names: Collection[str]) -> None:
    """Raises UsageError for a bridge that no node has; where a node does not show all its bridges, it may be there."""
    there = {bridge for each in found for bridge in each.bridges}
    for name in names if all(each.listed for each in found) else ():
        if name not in there:
            hint = errors.did_you_mean(name, there, otherwise="`pvenet guests` shows what is there")
            nodes = ", ".join(each.node for each in found[:9])
            raise errors.UsageError(f"there is no bridge or vnet {name} on {nodes}", hint=hint)
