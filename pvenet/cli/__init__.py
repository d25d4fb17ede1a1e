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
from pvenet.cli import config, files, listing, pending, plans, recovery, sim, staging
from pvenet.cli.options import remembering

app = typer.Typer(
    name="pvenet",
    help="Change the network of Proxmox VE nodes: see what would change, apply it live, wait until it is up.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try it without any node: pvenet --sim /tmp/lab list",
)
for commands in (staging, listing, pending, files, plans, recovery):
    commands.register(app)
for group in (config, sim):
    app.add_typer(group.app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"pvenet {version('pvenet')}")  # noqa: T201 - the data that was asked for
        raise typer.Exit


@app.callback()
@remembering
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None: ...


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; the exit code. The one place that turns an error into text."""
    command = typer.main.get_command(app)
    try:
        done = command.main(args=arguments, prog_name="pvenet", standalone_mode=False)
    except errors.PvenetError as error:
        return _complain(error)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a noun without its verb: the help is the answer
            sys.stderr.write(f"{error}\n")
            return errors.UsageError.exit_code
        return _complain(_usage(error))
    except (KeyboardInterrupt, typer.Abort):
        done = errors.Interrupted.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads on; say nothing about it
        return 1
    if done == errors.Interrupted.exit_code:  # what typer makes of a Ctrl-C, too; whatever writes hears it before
        return _complain(errors.Interrupted("interrupted", hint="`pvenet status` says how a node stands"))
    return done if isinstance(done, int) else 0


def _usage(error: TyperException) -> errors.UsageError:
    """A wrong command line, with the help that belongs to where it went wrong."""
    context = getattr(error, "ctx", None)
    command_path = context.command_path if context else "pvenet"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return errors.UsageError(message.rstrip("."), hint=f"`{command_path} --help` shows how")


def _complain(error: errors.PvenetError) -> int:
    if error.message:
        text = f"error: {error.message}\n" + (f"\nhint: {error.hint}\n" if error.hint else "")
        with suppress(OSError):  # the terminal may have gone; the exit code still tells
            sys.stderr.write(text)
            sys.stderr.flush()
    return error.exit_code


def entry() -> None:
    """The `pvenet` command."""
    gc.set_threshold(50_000)  # it lives for moments, and importing makes much that is no garbage
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was started with that one closed
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf8"))  # noqa: SIM115 - as long as it lives
    sys.exit(main())
