"""A wrong command line: what is wrong with it, and the word that was probably meant."""

from __future__ import annotations

import re
from typing import Any

from pvenet import errors
from pvenet.model import BOND_MODE_NUMBERS

_BLANK = re.compile(r"'\s*' is not ")
"""How Typer begins to say that nothing is no number, or none of its words."""
_NO_CHOICE = re.compile(r"'(?P<word>.*)' is not one of ", re.DOTALL)

ELSEWHERE = {
    "add": "create",
    "new": "create",
    "remove": "delete",
    "rm": "delete",
    "change": "set",
    "edit": "set",
    "modify": "set",
    "update": "set",
    "interfaces": "list",
    "ls": "list",
    "nic": "eth",
    "reload": "apply",
    "discard": "revert",
    "undo": "rollback",
}
"""What other tools call our commands."""


def wrong(error: Any) -> errors.UsageError:
    """What Typer found wrong, with the help that belongs to where it went wrong."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "pvenet"
    shows = f"`{path} --help` shows how"
    if option := getattr(error, "option_name", None) if hasattr(error, "possibilities") else None:
        return no_option(context, option, shows)
    message = getattr(error, "message", "")
    if _BLANK.match(message):
        error.message = "it is empty"
    elif (found := _NO_CHOICE.match(message)) and (choices := re.findall(r"'([^']+)'", message[found.end() :])):
        begun = [each for each in choices if found["word"] and each.startswith(found["word"])]
        shows = errors.did_you_mean(found["word"], choices, otherwise=shows, aliases=BOND_MODE_NUMBERS)
        if len(begun) > 1:
            shows = f"did you mean {', '.join(begun[:-1])} or {begun[-1]}?"
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    return errors.UsageError(text.rstrip("."), hint=shows)


def no_option(context: Any, option: str, shows: str) -> errors.UsageError:
    """There is no such option; the nearest by its letters, as the dashes make any two short names alike."""
    mine = _options(context.command)
    path = context.command_path
    if option not in mine and option in _options(context.find_root().command):
        return errors.UsageError(f"`{path}` has no use for {option}", hint="leave it out")
    hint = errors.did_you_mean(option.lstrip("-"), (each.lstrip("-") for each in mine), shown="--{}", otherwise=shows)
    return errors.UsageError(f"`{path}` has no option {option}", hint=hint)


def no_command(context: Any, word: str) -> errors.UsageError:
    """There is no such command; the nearest of those that there are, or the one of that name in a group of them."""
    path, commands, verb = context.command_path, context.command.commands, ELSEWHERE.get(word, word)
    hint = errors.did_you_mean(word, commands, shown=f"`{path} {{}}`", aliases=ELSEWHERE)
    within = [f"`{path} {name} {verb}`" for name, each in commands.items() if verb in getattr(each, "commands", ())]
    if within:
        hint = f"did you mean {within[0]}?" if len(within) == 1 else f"of what? as in {within[0]}"
    elif f"--{word}" in _options(context.command):
        hint = f"did you mean `{path} --{word}`?"
    return errors.UsageError(f"`{path}` has no command {word}", hint=hint or f"`{path} --help` lists them")


def _options(command: Any) -> list[str]:
    """The long options of a command."""
    written = (each for parameter in command.params for each in (*parameter.opts, *parameter.secondary_opts))
    return [each for each in (*written, "--help") if each.startswith("--")]
