"""`pvenet nics`: the cards behind the names."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import TYPE_CHECKING

from pvenet.cli.context import Context
from pvenet.cli.options import command
from pvenet.cli.output import painter

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(nics))


def nics(context: Context) -> None:
    """Show a node's NICs: MAC, other names, who uses each.

    With what each was called when pvenet saw it under another name, and what the file names that is not there.

    $ pvenet nics
    """
    node = context.node
    from pvenet.apply.nics import look
    from pvenet.render.nics import nics_data, nics_text

    sight = look(node, context.journals, context.warn)
    context.tells_renames = True
    hint = "`pvenet renamed` plans the change of every stanza that names them" if sight.renames else ""
    text = nics_text(sight, get_terminal_size().columns, painter())
    context.emit(nics_data(node.name, sight), text, note=hint)
