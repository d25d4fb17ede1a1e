"""A wrong command line: what is wrong with it, and the word that was probably meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.model import BOND_MODE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_VALUE = re.compile(
    r"(?P<sign>['\"])(?P<word>.*)(?P=sign) is not (?:a valid (?P<kind>\w+)|one of (?P<words>.*))", re.DOTALL
)
"""How Typer says that a word is not of a type, or not one of those that there are."""
_KINDS = {"int": "a whole number", "float": "a number"}
_EXTRA = re.compile(r"Got unexpected extra argument\(s\) \((?P<words>.*)\)", re.DOTALL)

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
    message = getattr(error, "message", "").rstrip(".")
    if getattr(error, "param", None) is not None:
        return _no_value(error, message, path, shows)
    if option := getattr(error, "option_name", None):
        takes = "takes no value" if "not take" in message else "needs a value"
        return errors.UsageError(f"{option} {takes}", hint=shows)
    if found := _EXTRA.fullmatch(message):
        return errors.UsageError(
            f"`{path}` has no use for {found['words']}", hint=_surplus(context, found["words"], shows)
        )
    return errors.UsageError(f"`{path}` needs a command" if message == "Missing command" else message, hint=shows)


def _no_value(error: Any, message: str, path: str, shows: str) -> errors.UsageError:
    """An argument that is missing, or a value that an option or an argument can't have."""
    name = _named(error.param, error.ctx)
    if not message:
        return errors.UsageError(f"`{path}` needs {name}", hint=shows)
    if not (found := _NO_VALUE.fullmatch(message)):
        return errors.UsageError(f"{name} {message}", hint=shows)  # our own, which say it so
    word = found["word"]
    if not word.strip():
        return errors.UsageError(f"{name} is empty", hint=shows)
    if found["kind"]:
        return errors.UsageError(
            f"{name} is {word}, but must be {_KINDS.get(found['kind'], found['kind'])}", hint=shows
        )
    *choices, last = re.findall(r"'([^']+)'", found["words"])
    begun = [each for each in (*choices, last) if each.startswith(word)]
    hint = errors.did_you_mean(word, [*choices, last], otherwise=shows, aliases=BOND_MODE_NUMBERS)
    if len(begun) > 1:
        hint = f"did you mean {', '.join(begun[:-1])} or {begun[-1]}?"
    return errors.UsageError(f"{name} is {word}, but must be {', '.join(choices)} or {last}", hint=hint)


def _named(parameter: Any, context: Any) -> str:
    """An option by its longest name, an argument as the help has it, by the first word for it."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return re.sub(r"[\[\].]| \|.*", "", parameter.make_metavar(context))


def _surplus(context: Any, words: str, shows: str) -> str:
    """Whoever names a node as other tools want it, where a command takes no argument, means the option.

    Where a node is named already the word means something else.
    """
    takes = any(each.param_type_name == "argument" for each in context.command.params)
    named = context.params.get("node") or context.find_root().params.get("node")
    node = not takes and not named and " " not in words and "--node" in _options(context.command)
    return f"did you mean `{context.command_path} --node {words}`?" if node else shows


def refuse_swallowed(context: Any, command: Any, words: Iterable[str]) -> None:
    """Raises UsageError for an option before another one, which would be taken for its value; `--name=--value` is one.

    What follows the name of a command within a group is that command's.
    """
    named = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    takes = {name for name, each in named.items() if name.startswith("-") and not getattr(each, "is_flag", True)}
    options = {*(name for name in named if name.startswith("-")), *context.help_option_names}
    left = iter(words)
    for word in left:
        if word == "--" or (hasattr(command, "commands") and not word.startswith("-")):
            return
        if word in takes and next(left, "").partition("=")[0] in options:
            raise errors.UsageError(f"{word} needs a value", hint=f"`{context.command_path} --help` shows how")


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
