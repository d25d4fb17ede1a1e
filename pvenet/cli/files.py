"""`pvenet check`, `pvenet schema` and `pvenet export`: the network file by itself."""

from __future__ import annotations

from pathlib import Path

import typer

from pvenet.cli.context import Context
from pvenet.cli.options import FILE, NAMED_FILE, command, network_file, only


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for function in (check, schema):  # which meet no node
        app.command()(command(function, common=only()))
    app.command()(command(export))


def check(context: Context, named: Path | None = NAMED_FILE, file: Path | None = FILE) -> None:
    """Check a network file by itself, without any node.

    $ pvenet check network.yaml
    """
    from pvenet.render.values import counted
    from pvenet.spec.load import check as examined
    from pvenet.spec.load import refuse

    spec, diagnostics = examined(network_file(file, named))
    warnings = [f"warning: {each.text(spec.file)}" for each in diagnostics if each.warning]
    data = [{"file": spec.file, **each.data()} for each in diagnostics]
    if any(not each.warning for each in diagnostics):
        context.emit(data, note="\n".join(warnings))
        refuse(diagnostics, spec.file)
    count = sum(len(node.interfaces) for node in spec.nodes.values())
    valid = f"{spec.file} is valid: {counted(len(spec.nodes), 'node')}, {counted(count, 'interface')}"
    context.emit(data, note="\n".join([*warnings, valid]))


def schema(
    context: Context,
    output: str | None = typer.Option(
        None,
        help="The schema of what this command prints with --json, as in 'bond create'; or error.",
        metavar="COMMAND",
    ),
) -> None:
    """Print the JSON Schema of a network file, for editors.

    Or of what a command prints with --json, for scripts.

    $ pvenet schema > network.schema.json
    $ pvenet schema --output list
    """
    if output is None:
        from pvenet.spec.schema import schema as made

        data = made()
    else:
        from pvenet.cli.schemas import output_schema

        data = output_schema(output)
    if not context.answer.as_data:
        context.answer.form = "json"
    context.answer.data(data)


def export(context: Context) -> None:
    """Print the current network as a network file.

    With --format json it is a network file, too; --json prints what `list` gives.

    $ pvenet export > network.yaml
    """
    fleet = context.fleet
    from pvenet.cli.progress import counting
    from pvenet.fleet.nodes import known, read, refuse
    from pvenet.render.network import network_data
    from pvenet.settings.read import node_names
    from pvenet.spec.export import exported, exported_data

    names = known(fleet, node_names(context.settings.node))
    with counting(len(names)) as count:
        found, failed = read(fleet, names, lambda _, reading: reading, count)
    networks = {name: reading.network for name, reading in found.items()}
    match context.options.format:
        case "json":
            context.answer.data(exported_data(networks))
        case "" if context.options.json:
            context.emit({name: network_data(network) for name, network in networks.items()})
        case _:  # the file is YAML
            context.answer.text(exported(networks).rstrip("\n"))
    for name in (name for name, reading in found.items() if reading.changes is not None):
        context.say(f"changes are pending on {name}: the file shows them as if they were live; see `pvenet diff`")
    refuse(failed)
