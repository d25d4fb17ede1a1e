"""`pvenet list` and `pvenet show`."""

from __future__ import annotations

import typer

from pvenet.cli.common import Where, at_node, options, out, painter, say


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("list")(options()(list_))
    app.command("show")(options()(show))


def list_(where: Where) -> None:
    """List a node's interfaces, with what is staged."""
    with at_node(where) as (node, place):
        from pvenet.render.network import network_data, table
        from pvenet.render.values import as_json

        reading = node.read()
        if place.json:
            out(as_json(network_data(reading.network)))
            return
        out(table(reading.network, painter()))
        if reading.changes is not None:
            say(f"changes are pending on {node.name}: the list shows them as if they were live; see `pvenet diff`")


def show(where: Where, name: str = typer.Argument(..., metavar="IFACE", help="The interface.")) -> None:
    """Show one interface, all that is known of it."""
    with at_node(where) as (node, place):
        from pvenet import edit
        from pvenet.model import Link
        from pvenet.render.network import details, interface_data
        from pvenet.render.values import as_json

        reading = node.read()
        interface = edit.find(reading.network, node.name, name)
        link = reading.network.links.get(name, Link())
        out(as_json(interface_data(interface, link)) if place.json else details(interface, link))
