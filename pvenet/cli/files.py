"""`pvenet check`, `pvenet schema` and `pvenet export`: the network file by itself."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.answer import FORGED
from pvenet.cli.context import Context
from pvenet.cli.options import command, network_file, only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.spec.diagnostics import Diagnostic
    from pvenet.spec.network_spec import NetworkSpec


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(command(check, common=only(), forms=FORGED["check"]))  # which meets no node
    app.command()(command(schema, common=only()))  # likewise
    app.command()(command(export))


def check(
    context: Context,
    named: list[Path] = typer.Argument([], help="The files.", metavar="[FILE]...", show_default=False),
    file: list[Path] = typer.Option(
        [], "--file", "-f", help="The same; - is stdin; by default network.yaml.", metavar="FILE"
    ),
) -> None:
    """Check a network file by itself, without any node; or several.

    $ pvenet check network.yaml
    $ pvenet check network.yaml --format github
    """
    from pvenet.render.github import annotations_text, of_files
    from pvenet.render.gitlab import code_quality
    from pvenet.render.values import as_json
    from pvenet.spec.diagnostics import FileDiagnostics
    from pvenet.spec.load import refuse_all

    unread: dict[str, errors.UsageError] = {}
    files = [_examined(each, unread) for each in dict.fromkeys([*named, *file]) or [network_file(None, None)]]
    found = [FileDiagnostics(file=spec.file, diagnostics=tuple(diagnostics)) for spec, diagnostics in files]
    notes = [f"warning: {each.text(of.file)}" for of in found for each in of.diagnostics if each.warning]
    valid = [spec for spec, diagnostics in files if all(each.warning for each in diagnostics)]
    context.emit(
        [{"file": of.file, **each.data()} for of in found for each in of.diagnostics],
        note="\n".join([*notes, *map(_valid, valid)]),
        forms={
            "github": lambda: annotations_text(of_files(found)),
            "gitlab": lambda: as_json(code_quality(found)),
        },
    )
    with meets_no_node():
        if any(of.file not in unread for of in found for each in of.diagnostics if not each.warning):
            refuse_all(found)
    for first in unread.values():
        raise first.with_message("\n  ".join(each.message for each in unread.values()))


def _examined(path: Path, unread: dict[str, errors.UsageError]) -> tuple[NetworkSpec, list[Diagnostic]]:
    """What a file wants, and what is wrong with it; that it can't be read is one thing more, and kept by its name."""
    from pvenet.spec.diagnostics import NOWHERE, Diagnostic
    from pvenet.spec.load import called
    from pvenet.spec.load import check as examined
    from pvenet.spec.network_spec import NetworkSpec

    try:
        return examined(path)
    except errors.UsageError as error:
        unread[called(path)] = error
        return NetworkSpec(file=called(path), nodes={}), [Diagnostic(NOWHERE, error.message)]


@contextmanager
def meets_no_node() -> Iterator[None]:
    """An invalid file is refused by a command that has nothing to send to any node."""
    from pvenet.spec.diagnostics import InvalidFile

    try:
        yield
    except InvalidFile as error:
        error.hint = "no node was asked; with `pvenet schema`, an editor checks a file as you type"
        raise


def _valid(spec: NetworkSpec) -> str:
    from pvenet.foreign import one_line
    from pvenet.render.values import counted

    count = sum(len(node.interfaces) for node in spec.nodes.values())
    return f"{one_line(spec.file)} is valid: {counted(len(spec.nodes), 'node')}, {counted(count, 'interface')}"


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

    As JSON (--format json) it is a network file, too, and warns of what the YAML has in comments; `export --json`
    prints what `list` gives.

    $ pvenet export > network.yaml
    """
    fleet = context.fleet
    from pvenet.cli.counting import counting
    from pvenet.fleet.nodes import known, read, refuse, unheard
    from pvenet.render.network import network_data
    from pvenet.spec.export import exported, exported_data, unheld

    names = known(fleet, context.named)
    with counting(len(names)) as count:
        found, failed = read(fleet, names, lambda _, reading: reading, count)
    networks = {name: reading.network for name, reading in found.items()}
    match context.options.format:
        case "json":
            context.answer.data(exported_data(networks))
            for node, network in networks.items():
                for each in unheld(network):
                    context.warn(f"{node}: {each}")
        case "" if context.options.json:
            context.emit({name: network_data(network) for name, network in networks.items()})
        case _:  # the file is YAML
            context.answer.text(exported(networks).rstrip("\n"))
    for name in (name for name, reading in found.items() if reading.changes is not None):
        note = f"changes are pending on {name}: the file shows them as if they were live; see `pvenet diff`"
        context.say(context.lead(note, name if len(names) > 1 else ""))
    refuse({**failed, **unheard(fleet, context.named)})
