"""The command line: parse, call, print, exit. It decides nothing. One module a group of commands."""

from __future__ import annotations

import gc
import os
import re
import sys
from pathlib import Path

import typer
from typer.exceptions import TyperException

from pvenet import errors
from pvenet.cli import (
    config,
    doctor,
    files,
    guests,
    links,
    listing,
    login,
    pending,
    plans,
    recovery,
    sim,
    staging,
    tree,
)
from pvenet.cli.answer import Answer, foreseen
from pvenet.cli.options import VALUED, remembering
from pvenet.cli.output import flush, give_up, out, say
from pvenet.render.foreign import guarded

app = typer.Typer(
    name="pvenet",
    help="Change the network of Proxmox VE nodes: see what would change, apply it live, wait until it is up.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try it without any node: pvenet --sim /tmp/lab list",
)
for commands in (staging, listing, links, guests, tree, doctor, pending, files, plans, recovery, login):
    commands.register(app)
for group in (config, sim):
    app.add_typer(group.app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        out(f"pvenet {version('pvenet')}")
        raise typer.Exit


@app.callback()
@remembering
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None: ...


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; the exit code. The one place that turns an error into text, or into data."""
    words = sys.argv[1:] if arguments is None else arguments
    answer = foreseen(words, VALUED)
    try:
        done = _run(words, answer)
    except errors.PvenetError as error:
        return _complain(error, answer)
    except BrokenPipeError:  # nobody reads on; say nothing about it
        give_up("stdout")
        return 1
    except Exception as error:  # noqa: BLE001 - the last door: whatever is wrong ends in a sentence
        from pvenet.cli.unexpected import frames, unexpected

        if "--debug" in words:
            say(frames(error))
        return _complain(unexpected(error), answer)
    return done


def _run(words: list[str], answer: Answer) -> int:
    """The exit code of a command line. Raises whatever ended it."""
    command = typer.main.get_command(app)
    try:
        try:
            done = command.main(args=words, prog_name="pvenet", standalone_mode=False, obj=answer)
        finally:
            flush()  # of what Typer wrote a part may wait, also where it failed: Python would end with 120
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a noun without its verb: the help is the answer
            say(f"{error}")
            answer.failed(errors.UsageError("the command is not complete", hint="the help is on stderr"))
            return errors.UsageError.exit_code
        raise _usage(error) from None
    except (KeyboardInterrupt, typer.Abort):
        done = errors.Interrupted.exit_code
    if done == errors.Interrupted.exit_code:  # what typer makes of a Ctrl-C, too; whatever writes hears it before
        raise errors.Interrupted("interrupted", hint="`pvenet status` says how a node stands")
    return done if isinstance(done, int) else 0


_BLANK = re.compile(r"'\s*' is not ")
"""How Typer begins to say that nothing is no number, or none of its words."""


def _usage(error: TyperException) -> errors.UsageError:
    """A wrong command line, with the help that belongs to where it went wrong."""
    context = getattr(error, "ctx", None)
    if possible := getattr(error, "possibilities", None):  # by Typer's rule the dashes make any short name near
        wanted = getattr(error, "option_name", "").lstrip("-")
        vars(error)["possibilities"] = [each for each in possible if errors.nearest(wanted, [each.lstrip("-")])]
    if _BLANK.match(getattr(error, "message", "")):
        vars(error)["message"] = "it is empty"
    command_path = context.command_path if context else "pvenet"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return errors.UsageError(message.rstrip("."), hint=f"`{command_path} --help` shows how")


def _complain(error: errors.PvenetError, answer: Answer) -> int:
    """Say what is wrong on stderr, for people, and where data was wanted on stdout, for programs; the exit code."""
    answer.failed(error)
    if error.message:
        say(guarded(f"error: {error.message}"))
        if error.hint:
            say(f"\n{guarded(f'hint: {error.hint}')}")
    return error.exit_code


def entry() -> None:
    """The `pvenet` command."""
    gc.set_threshold(50_000)  # it lives for moments, and importing makes much that is no garbage
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was started with that one closed
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf8"))  # noqa: SIM115 - as long as it lives
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # for what Typer writes by itself
    sys.exit(main())
