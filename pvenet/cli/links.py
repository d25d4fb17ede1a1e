"""`pvenet links`: what the kernel of a node has."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.completion import interfaces, several
from pvenet.cli.context import Context
from pvenet.cli.options import command, words
from pvenet.cli.output import painter

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.kernel.comparison import Comparison


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(links))


def links(
    context: Context,
    names: list[str] | None = typer.Argument(
        None,
        metavar="[IFACE]...",
        help="Only these, also by an altname; guests' links are shown only when named.",
        autocompletion=several("names", interfaces()),
    ),
    exit_code: bool = typer.Option(
        False, "--exit-code", help="Exit with 10 if anything differs, even what never fails an apply."
    ),
) -> None:
    """Show what the kernel has now, and how the file differs.

    The file is the one that is applied; what is only staged is not compared.

    $ pvenet links
    $ pvenet links bond0 --exit-code
    """
    node = context.node
    from pvenet.apply.links import look
    from pvenet.render.links import differing, doubled_warnings, links_text
    from pvenet.render.links_data import links_data

    comparison = look(node, context.journals, context.warn)
    named = words(names) or ()
    _check(comparison, named, node.name)
    chosen = comparison.every_name(named)
    for warning in doubled_warnings(comparison):
        context.warn(warning)
    width = get_terminal_size().columns
    context.emit(links_data(comparison, chosen, node=node.name), links_text(comparison, chosen, width, painter()))
    if exit_code and differing(comparison, chosen):
        raise errors.Differences("")


def _check(comparison: Comparison, names: Collection[str], node: str) -> None:
    """Raises UsageError for a name that neither the kernel nor the file has."""
    for name in names:
        if name not in comparison.names:
            hint = errors.did_you_mean(name, comparison.names, otherwise="`pvenet links` shows what is there")
            raise errors.UsageError(f"there is no link {name} on {node}", hint=hint)
