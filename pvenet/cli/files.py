"""`pvenet check`, `pvenet schema` and `pvenet export`: the network file by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pvenet.cli.common import Where, connected, counted, options, out, say

if TYPE_CHECKING:
    from pvenet.model import Network
    from pvenet.node import Node

FILE = typer.Option(Path("network.yaml"), "--file", "-f", help="The network file; - is stdin.", metavar="FILE")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (check, schema, export):
        app.command()(options()(command))


def check(where: Where, file: Path = FILE) -> None:
    """Check a network file by itself, without any node."""
    from pvenet.render.values import as_json
    from pvenet.spec.load import check as examined
    from pvenet.spec.load import refuse

    spec, diagnostics = examined(file)
    if where.json:
        out(as_json([{"file": spec.file, **diagnostic.data()} for diagnostic in diagnostics]))
    else:
        for diagnostic in diagnostics:
            if diagnostic.warning:
                say(f"warning: {diagnostic.text(spec.file)}")
    refuse(diagnostics, spec.file)
    if not where.json:
        count = sum(len(node.interfaces) for node in spec.nodes.values())
        say(f"{spec.file} is well: {counted(len(spec.nodes), 'node')}, {counted(count, 'interface')}")


def schema(where: Where) -> None:  # noqa: ARG001 - every command takes where it goes
    """Print the JSON Schema of a network file, for editors."""
    from pvenet.render.values import as_json
    from pvenet.spec.schema import schema as made

    out(as_json(made()))


def export(where: Where) -> None:
    """Print the network as it is, as a network file."""
    with connected(where) as (connection, place):
        from pvenet import errors
        from pvenet.cli.fleet import chosen, known, looked, refuse
        from pvenet.render.network import network_data
        from pvenet.render.values import as_json
        from pvenet.spec.export import exported

        def look(node: Node) -> tuple[Network, bool]:
            reading = node.read()
            return reading.network, reading.changes is not None

        found = looked(connection, place, known(connection, chosen(place)), look)
        read = {name: result for name, result in found.items() if not isinstance(result, errors.PvenetError)}
        if place.json:
            out(as_json({name: network_data(network) for name, (network, _) in read.items()}))
        else:
            out(exported({name: network for name, (network, _) in read.items()}).rstrip("\n"))
        for name in (name for name, (_, pending) in read.items() if pending):
            say(f"changes are pending on {name}: the file has them as if they were live; see `pvenet diff`")
        refuse({name: result for name, result in found.items() if isinstance(result, errors.PvenetError)})
