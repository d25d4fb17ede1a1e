"""`pvenet help`: the pages of `pvenet/help/` on the terminal, and the help of every command."""

from __future__ import annotations

import io
import re
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import typer

from pvenet import errors
from pvenet.cli import completion
from pvenet.cli.completion import one
from pvenet.cli.help import write_commands, write_rows
from pvenet.cli.output import colourful, holds, out, styled
from pvenet.cli.pages import pages, topics
from pvenet.cli.usage import no_command
from pvenet.foreign import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDEST = 100
"""Columns of a page; longer lines are hard to read."""
_DRAWN = "•━┏┓┗┛┃▌─│"
"""What a page that is drawn for a terminal is drawn with."""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("help")(help_)


def help_(
    typer_context: typer.Context,
    words: list[str] | None = typer.Argument(
        None,
        metavar="[TOPIC | COMMAND...]",
        help="A page's name, or the words of a command.",
        show_default=False,
        autocompletion=one(completion.topics),
    ),
) -> None:
    """Show a page about one task, or the help of a command.

    Without arguments, list all pages.

    $ pvenet help
    $ pvenet help exit-codes
    $ pvenet help bond create
    """
    root: Any = typer_context.find_root()
    if not words:
        out(_contents(root))
    elif words[0] in root.command.commands:
        out(_of_command(root, words))
    else:
        _show(_page(root, "-".join(words).lower()))


def _contents(root: Any) -> str:
    formatter = root.make_formatter()
    formatter.write_usage("pvenet help", "[TOPIC | COMMAND...]")
    with formatter.section("Topics"):
        write_rows(formatter, topics().items())
    write_commands(formatter, root.command, headings=True)
    return str(formatter.getvalue()).rstrip("\n")


def _of_command(root: Any, words: Sequence[str]) -> str:
    """The help of a command. Raises UsageError where there is none of these words."""
    context = root
    for word in words:
        there = getattr(context.command, "commands", {})
        if not there:
            raise errors.UsageError(f"`{context.command_path}` has no commands of its own", hint="leave out the rest")
        if word not in there:
            raise no_command(context, word)
        context = type(context)(there[word], info_name=word, parent=context)
    return str(context.get_help()).rstrip("\n")


def _page(root: Any, name: str) -> str:
    """A page's text. Raises UsageError, with the nearest page or command, where there is none of this name."""
    found = dict(pages())
    if name in found:
        return found[name]
    hint = errors.did_you_mean(
        name, [*found, *root.command.commands], shown="`pvenet help {}`", otherwise="`pvenet help` lists them"
    )
    raise errors.UsageError(f"there is no help on {name}", hint=hint)


def _show(text: str) -> None:
    """A page, drawn where stdout is a terminal that can show that."""
    if not (colourful() and holds(_DRAWN)):
        out(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    drawn = io.StringIO()
    width = min(get_terminal_size().columns, _WIDEST)
    theme = Theme({"markdown.code": "cyan"})  # rich's own has a black background, also on a white terminal
    console = Console(file=drawn, force_terminal=True, color_system="standard", width=width, theme=theme)
    console.print(Markdown(harmless(text), code_theme="ansi_dark", hyperlinks=False))
    lines = "\n".join(line.rstrip() for line in drawn.getvalue().splitlines())
    styled(re.sub(r"\n{3,}", "\n\n", lines))
