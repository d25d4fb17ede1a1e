"""`pvenet list` and `pvenet show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pvenet.cli.completion import interfaces, one
from pvenet.cli.context import Context
from pvenet.cli.options import command
from pvenet.cli.output import painter

if TYPE_CHECKING:
    from pvenet.node import Reading


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("list")(command(list_))
    app.command("show")(command(show))


def list_(context: Context) -> None:
    """List a node's interfaces, with what is staged."""
    reading = read(context, thorough=True)
    from pvenet.render.network import network_data, table

    note = f"changes are pending on {context.node.name}: the list shows them as if they were live; see `pvenet diff`"
    pending = reading.changes is not None
    for text in reading.line_ends:
        context.warn(text)
    context.emit(network_data(reading.network), table(reading.network, painter()), note=note if pending else "")


def show(
    context: Context,
    name: str = typer.Argument(..., metavar="IFACE", help="The interface.", autocompletion=one(interfaces())),
) -> None:
    """Show one interface, all that is known of it."""
    network = read(context).network
    from pvenet import edit
    from pvenet.model import Link
    from pvenet.render.network import details, interface_data

    if name not in network.interfaces:
        context.node.refuse_hidden(name)
    interface = edit.find(network, context.node.name, name)
    link = network.links.get(name, Link())
    context.emit(interface_data(interface, link), details(interface, link))


def read(context: Context, *, thorough: bool = False) -> Reading:
    """The node's network as far as the caller may see it; with a warning where it may not be as it seems."""
    node, journals = context.node, context.journals
    from pvenet.apply.listing import listed

    reading, warnings = listed(node, journals, thorough=thorough)
    for warning in warnings:
        context.warn(warning)
    return reading
