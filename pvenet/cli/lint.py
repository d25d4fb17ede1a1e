"""`pvenet lint`: what is legal in a network, and seldom meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli import completion
from pvenet.cli.completion import several
from pvenet.cli.context import Context
from pvenet.cli.files import meets_no_node
from pvenet.cli.options import command, words

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.render.lint import Told


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(lint))


def lint(
    context: Context,
    named: Path | None = typer.Argument(None, help="The same as -f FILE.", metavar="[FILE]"),
    file: Path | None = typer.Option(
        None, "--file", "-f", help="A network file, without asking any node; - is stdin.", metavar="FILE"
    ),
    ignore: list[str] | None = typer.Option(
        None,
        "--ignore",
        help="Leave these rules out; a file can also say so itself.",
        metavar="RULE[,RULE]",
        autocompletion=several("rules", completion.rules),
    ),
    *,
    exit_code: bool = typer.Option(False, "--exit-code", help="Exit with 10 if something is found."),
) -> None:
    """Look for what is legal in a network, and seldom meant.

    MTUs that do not fit, bonds that differ from their peers, VLANs that one node lacks: in a network file, or without
    one on every node, unless --node names some. `pvenet help lint-rules` lists all rules, each with an example.

    $ pvenet lint network.yaml
    $ pvenet lint --node pve1,pve2
    """
    ignored = _rules(words(ignore, option="--ignore") or ())
    if file and named:
        raise errors.UsageError(f"{file} and {named} are two files", hint="name one of them")
    given = file or named
    found = _in_file(context, given, ignored) if given else _on_nodes(context, ignored)
    if exit_code and found:
        raise errors.Differences("")


def _rules(names: Collection[str]) -> Collection[str]:
    """Raises UsageError for a rule that there is not."""
    from pvenet.lint import RULES

    for name in names:
        if name not in RULES:
            hint = errors.did_you_mean(name, RULES, otherwise="`pvenet help lint-rules` lists all rules")
            raise errors.UsageError(f"there is no rule {name}", hint=hint)
    return names


def _in_file(context: Context, file: Path, ignored: Collection[str]) -> bool:
    """Whether something is found. Raises InvalidNetwork for a file that can't be."""
    from pvenet.render.lint import lint_data, lint_summary, lint_text
    from pvenet.settings.read import node_names
    from pvenet.spec.linting import lint_file
    from pvenet.spec.load import load

    with meets_no_node():
        spec = load(file)
    nodes = node_names(context.options.node or "")
    for name in nodes:
        if name not in spec.nodes:
            hint = errors.did_you_mean(name, spec.nodes, otherwise=f"it has {', '.join(spec.nodes) or 'none'}")
            raise errors.UsageError(f"{spec.file} has no node {name}", hint=hint)
    made = lint_file(spec, nodes, ignored)
    note = lint_summary(made.found, spec.file, made.ignored)
    context.emit(lint_data(made.found, spec.file), lint_text(made.found, spec.file), note=note)
    return bool(made.found)


def _on_nodes(context: Context, ignored: Collection[str]) -> bool:
    """The same of live nodes. Raises what the first raises that could not be read, after the others."""
    fleet = context.fleet
    from pvenet.cli.counting import counting
    from pvenet.fleet.linting import read_nodes
    from pvenet.fleet.nodes import known, refuse, unheard
    from pvenet.lint import find
    from pvenet.render.impact import unknown_lines
    from pvenet.render.lint import lint_data, lint_summary, lint_text

    names = known(fleet, context.named)
    with counting(len(names)) as count:
        live = read_nodes(fleet, names, count)
    for warning in live.warnings:
        context.warn(warning)
    every = find(live.nodes)
    found: list[Told] = [(each, None) for each in every if each.rule not in ignored]
    notes = [
        *unknown_lines(live.unknown),
        *(context.lead(_pending(name), name if len(names) > 1 else "") for name in live.pending),
    ]
    if live.nodes.networks:
        notes.append(lint_summary(found, ", ".join(live.nodes.networks), len(every) - len(found)))
    context.emit(lint_data(found, None), lint_text(found, ""), note="\n".join(notes))
    refuse({**live.failed, **unheard(fleet, context.named)})
    return bool(found)


def _pending(node: str) -> str:
    return f"changes are pending on {node}, checked as if they were live; see `pvenet diff`"
