"""The command line: parse, call, print, exit. It decides nothing. One module a group of commands."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.exceptions import TyperException

from pvenet import errors
from pvenet.cli import completion
from pvenet.cli.answer import Answer, command_of, foreseen
from pvenet.cli.help import HEADINGS, Application
from pvenet.cli.leading import leading
from pvenet.cli.options import VALUED, remembering
from pvenet.cli.output import LIVE, flush, give_up, out, say
from pvenet.cli.usage import wrong
from pvenet.foreign import guarded


def application(word: str = "") -> Any:
    """The application as it is run; where a word names a command, with that one alone, which takes less time."""
    app = Application(
        name="pvenet",
        text="""Change the network of Proxmox VE nodes.

        See what would change, apply it live, wait until it is up. Everything can be tried on a simulated node:

        $ pvenet --sim /tmp/lab list
        """,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(remembering(root))
    homes = {name: module for commands in HEADINGS.values() for name, module in commands.items()}
    word = "" if word == "help" else word  # which is about all of them
    for module in [homes[word]] if word in homes else dict.fromkeys(homes.values()):
        import_module(f"pvenet.cli.{module}").register(app)
    return app.built(word)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        out(f"pvenet {version('pvenet')}")
        raise typer.Exit


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
            return _run(words, Answer(), completion.before_cursor())
        return 1
    answer = foreseen(words, VALUED)
    try:
        done = _run(words, answer, words)
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


def _run(words: list[str], answer: Answer, naming: list[str]) -> int:
    """The exit code of a command line, whose command is named among some words. Raises whatever ended it."""
    try:
        command = application(command_of(naming, VALUED))
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
    """Run the command line that the process was started with, and exit with its code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was started with that one closed
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf8"))  # noqa: SIM115 - as long as it lives
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # for what Typer writes by itself
    sys.exit(main())
