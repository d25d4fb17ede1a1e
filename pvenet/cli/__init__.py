"""The command line: parse, call, print, exit. It decides nothing. One module a group of commands."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path

import typer
from typer.exceptions import TyperException

from pvenet import errors
from pvenet.cli import (
    completion,
    config,
    doctor,
    drift,
    files,
    guests,
    history,
    links,
    lint,
    listing,
    login,
    nics,
    pending,
    plans,
    recovery,
    renamed,
    sim,
    staging,
    topics,
    tree,
    waiting,
)
from pvenet.cli.answer import Answer, foreseen
from pvenet.cli.help import Application
from pvenet.cli.leading import leading
from pvenet.cli.options import VALUED, remembering
from pvenet.cli.output import LIVE, flush, give_up, out, say
from pvenet.cli.usage import wrong
from pvenet.render.foreign import guarded

app = Application(
    name="pvenet",
    text="""Change the network of Proxmox VE nodes.

    See what would change, apply it live, wait until it is up. Everything can be tried on a simulated node:

    $ pvenet --sim /tmp/lab list
    """,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for commands in (
    staging,
    listing,
    links,
    nics,
    guests,
    tree,
    doctor,
    pending,
    renamed,
    files,
    lint,
    plans,
    drift,
    recovery,
    waiting,
    history,
    login,
    topics,
):
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
        False, "--version", "-V", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None: ...


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; the exit code. The one place that turns an error into text, or into data."""
    words = sys.argv[1:] if arguments is None else arguments
    if completion.asked():
        with suppress(Exception):  # whatever is wrong, a word about it would stand in the line that is typed
            return _run(words, Answer())
        return 1
    answer = foreseen(words, VALUED)
    try:
        done = _run(words, answer)
    except errors.PvenetError as error:
        return _complain(error, answer)
    except BrokenPipeError:  # nobody reads on; say nothing about it
        give_up("stdout")
        return 1
    except Exception as error:  # noqa: BLE001 - the last door: whatever is wrong ends in a sentence
        from pvenet.unexpected import frames, unexpected

        if "--debug" in words:
            say(frames(error))
        return _complain(unexpected(error), answer)
    return done


def _run(words: list[str], answer: Answer) -> int:
    """The exit code of a command line. Raises whatever ended it."""
    command = app.built("".join(words[:1]))
    try:
        try:
            done = command.main(args=words, prog_name="pvenet", standalone_mode=False, obj=answer)
        finally:
            LIVE.close()
            flush()  # of what Typer wrote a part may wait, also where it failed: Python would end with 120
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a noun without its verb: the help is the answer
            say(f"{error}")
            answer.failed(errors.UsageError("the command is not complete", hint="the help is on stderr"))
            return errors.UsageError.exit_code
        raise wrong(error) from None
    except (KeyboardInterrupt, typer.Abort):
        done = errors.Interrupted.exit_code
    if done == errors.Interrupted.exit_code:  # what typer makes of a Ctrl-C, too; whatever writes hears it before
        raise errors.Interrupted("interrupted", hint="`pvenet status` shows the state of a node")
    return done if isinstance(done, int) else 0


def _complain(error: errors.PvenetError, answer: Answer) -> int:
    """Say what is wrong on stderr, for people, and where data was wanted on stdout, for programs; the exit code."""
    answer.failed(error)
    if error.message:
        say(guarded(error.message if error.is_answer else f"error: {error.message}"))
        if error.hint:
            hint = leading(error.hint, answer.given) if answer.given else error.hint
            say(f"\n{guarded(f'hint: {hint}')}")
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
