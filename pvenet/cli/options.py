"""How commands declare their options: groups that several of them share are declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import Any, get_type_hints

import typer

from pvenet import errors
from pvenet.cli import completion
from pvenet.cli.answer import EVERY_FORMAT, FORMATS, STREAMS, SYNONYMS, Answer, formats_of
from pvenet.cli.completion import fixed, one, several
from pvenet.cli.context import Context
from pvenet.cli.help import OUTPUT, WHERE
from pvenet.settings import Options

Group = Mapping[str, inspect.Parameter]
"""Parameters of a command that it does not declare itself, by name."""
FILE = typer.Option(None, "--file", "-f", help="The network file; - is stdin; by default network.yaml.", metavar="FILE")
ALLOW_GUESTS = typer.Option(
    [],
    "--allow-guests",
    help="Go on even if it cuts off these running guests; a guest that starts later is not one of them.",
    metavar="all|ID[,ID]",
    autocompletion=one(fixed("all")),
)
SDN_LOCK = typer.Option(
    None,
    "--sdn-lock/--no-sdn-lock",
    help="Hold the cluster's SDN lock, if it is available, from before the first step to the verdict: meanwhile "
    "no SDN apply reloads a node.",
)
SAME_NODE = typer.Option(
    False,
    "--same-node",
    help="Take over the journals of a node of this name elsewhere: it is this one, whose certificate was renewed. "
    "Needed once.",
)


def seconds(given: float | None) -> float | None:
    """A number of seconds that somebody can wait for; the callback of an option."""
    if given is not None and not 1 <= given <= LONGEST:
        raise typer.BadParameter(f"is {given:g}, but must be 1 to {LONGEST} seconds")
    return given


LONGEST = 7 * 86400
"""Seconds that an option can ask for."""
_CONTEXT = inspect.Parameter("typer_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)


def _common(
    *,
    endpoint: list[str] = typer.Option(
        [],
        help="PVE's API, as in https://HOST:8006; or several.",
        metavar="URL[,URL]",
        rich_help_panel=WHERE,
    ),
    node: list[str] = typer.Option(
        [],
        help="The node; some commands take several, or all.",
        metavar="NAME[,NAME]",
        rich_help_panel=WHERE,
        autocompletion=several("node", completion.nodes),
    ),
    profile: str | None = typer.Option(
        None,
        help="The profile, as made by `pvenet login`; or several, or all: each leads to a place of its own.",
        metavar="NAME[,NAME]",
        rich_help_panel=WHERE,
        autocompletion=several("profile", completion.profiles),
    ),
    sim: Path | None = typer.Option(
        None, help="A simulated node, kept in this folder.", metavar="DIR", rich_help_panel=WHERE
    ),
    fault: list[str] = typer.Option(
        [],
        help="What goes wrong there: see `pvenet sim faults`.",
        metavar="KIND[=VALUE]@WHERE",
        rich_help_panel=WHERE,
        autocompletion=one(completion.faults),
    ),
    state_dir: Path | None = typer.Option(
        None, help="Where the journals are kept.", metavar="DIR", rich_help_panel=WHERE
    ),
    insecure: bool = typer.Option(
        False, "--insecure", help="Don't check the certificate, unless one is pinned. Dangerous.", rich_help_panel=WHERE
    ),
    json: bool = typer.Option(False, "--json", help="Print JSON.", rich_help_panel=OUTPUT),
    format: str = typer.Option(  # noqa: A002 - the option's name
        "",
        help="How to print data; json is --json, and text is table.",
        metavar="|".join(FORMATS),
        rich_help_panel=OUTPUT,
        autocompletion=one(fixed(*FORMATS)),
    ),
    quiet: bool = typer.Option(
        False,
        "--quiet",
        "-q",
        help="Print nothing but data, questions, warnings and errors.",
        rich_help_panel=OUTPUT,
    ),
    debug: bool = typer.Option(False, "--debug", help="Show every request on stderr.", rich_help_panel=OUTPUT),
) -> None: ...


def parameters(function: Callable[..., Any]) -> Group:
    """A function's parameters, with their types and as keywords."""
    hints = get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if hints[name] in (Path, Path | None, list[Path]):
            parameter.default.parser = parameter.default.parser or _path
    return {
        name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in inspect.signature(function).parameters.items()
    }


def _path(text: str) -> Path:
    """A path as it was given. Raises BadParameter for an empty one, which would be the folder that we stand in."""
    if not text:
        raise typer.BadParameter("is empty")
    return Path(text)


def to_write(text: str) -> Path:
    """The path of a file that is written. Raises BadParameter for an empty one, and for `-`, which is no stdout."""
    if text == "-":
        raise typer.BadParameter("names a file to write; - for stdout is not taken")
    return _path(text)


COMMON = parameters(_common)
"""The options that commands take, before their name or after it; what stands after wins."""
VALUED = frozenset(f"--{name.replace('_', '-')}" for name, each in COMMON.items() if each.annotation is not bool)
"""Those of them that take a value."""


def only(*names: str) -> Group:
    """The common options of a command which of those that say where takes these alone, and refuses the others.

    Before its name they may stand all the same: there they are said to whatever comes.
    """
    return {name: each for name, each in COMMON.items() if name in names or each.default.rich_help_panel != WHERE}


def command(
    function: Callable[..., None], *, common: Group = COMMON, forms: tuple[str, ...] = (), **groups: Group
) -> Callable[..., None]:
    """A function as Typer runs it; `forms`: the formats that it has besides, a row of `FORGED`.

    It is called with a `Context`. A parameter that is named like a group takes what was given of the group's options,
    as a dict.
    """
    own = {name: each for name, each in parameters(function).items() if name not in ("context", *groups)}
    common = _with_formats(common, (*FORMATS, *forms))

    def run(typer_context: typer.Context, **given: Any) -> None:
        _refuse_bytes(given)
        answer: Answer = typer_context.obj or Answer()
        options = _options(given, answer.before or Options())
        _refuse_format(options.form, typer_context.command_path.partition(" ")[2])
        answer.given = options
        answer.form, answer.streams = options.form, typer_context.info_name in STREAMS
        taken = {group: {name: given.pop(name) for name in members} for group, members in groups.items()}
        with Context(options, answer) as context:
            try:
                function(context, **given, **taken)
            except errors.Unreachable as error:
                raise context.pointed(error) from error.__cause__

    _declare(run, function, [*groups.values(), own, common])  # what it is about comes first
    return run


def _with_formats(common: Group, forms: tuple[str, ...]) -> Group:
    """The common options, of which --format takes what the command can print."""
    option = copy(common["format"].default)
    option.metavar, option.autocompletion = "|".join(forms), one(fixed(*forms))
    return {**common, "format": common["format"].replace(default=option)}


def _refuse_format(form: str, command: str) -> None:
    """Raises UsageError for a format that other commands have."""
    forms = formats_of(command)
    if form not in forms:
        raise errors.UsageError(f"`pvenet {command}` has no format {form}", hint=f"choose one of {', '.join(forms)}")


def _refuse_bytes(given: Mapping[str, Any]) -> None:
    """Raises UsageError for bytes that are no UTF-8; a path may have them, and stands for a file all the same."""
    for value in given.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and any("\ud800" <= letter <= "\udfff" for letter in text):
                raise errors.UsageError(f"{text!a} on the command line is not UTF-8", hint="nothing was sent")


def remembering(function: Callable[..., None]) -> Callable[..., None]:
    """The callback of the whole application, which keeps the options that stand before the command's name."""
    own = parameters(function)

    def run(typer_context: typer.Context, **given: Any) -> None:
        options = _options(given, Options())
        if isinstance(typer_context.obj, Answer):
            typer_context.obj.before = options
        function(**given)

    _declare(run, function, [own, COMMON])
    return run


def _options(given: dict[str, Any], before: Options) -> Options:
    """Take the common options out of what was given, over those that stand before."""
    common = {name: given.pop(name) for name in COMMON if name in given}
    for name in ("endpoint", "node"):  # without a word they would mean any place, or every node
        words(common.get(name), option=f"--{name}")
    if common.get("profile") == "":
        raise empty("--profile")
    if not all(text.strip() for text in common.get("fault", ())):
        raise empty("--fault")
    common["format"] = SYNONYMS.get(common["format"], common["format"])
    common["json"] = _wants_data(common["format"], json=common["json"])
    common |= {name: tuple(common[name]) for name in ("endpoint", "fault") if name in common}
    if "node" in common:
        common["node"] = ",".join(common["node"])
    return Options(**common).over(before)


def _wants_data(form: str, *, json: bool) -> bool:
    """Whether the answer is for a program. Raises UsageError for a format that there is not, or two."""
    if form and form not in EVERY_FORMAT:
        near = errors.nearest(form, EVERY_FORMAT)
        hint = f"did you mean {near}?" if near else f"choose one of {', '.join(FORMATS)}"
        raise errors.UsageError(f"there is no format {form}", hint=hint)
    if json and form not in ("", "json"):
        raise errors.UsageError(f"--json and --format {form} exclude each other", hint="leave one of them out")
    return json or form in ("json", "yaml")


def _declare(run: Callable[..., None], function: Callable[..., None], groups: list[Group]) -> None:
    """Show Typer the parameters of all groups."""
    shown = [_CONTEXT, *(parameter for group in groups for parameter in group.values())]
    # not functools.wraps, whose __wrapped__ would let inspect look through to the function
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}


def network_file(option: Path | None, argument: Path | None) -> Path:
    """The network file that was named either way, or the usual one. Raises UsageError for two."""
    if option and argument:
        raise errors.UsageError(f"{option} and {argument} are two files", hint="name one of them")
    return option or argument or Path("network.yaml")


def words(given: list[str] | None, *, option: str = "the list") -> tuple[str, ...] | None:
    """A list that was given with commas, blanks or repeated options; None where it was not given.

    Raises UsageError for one without a word: a shell's variable that is empty is no wish to clear anything.
    """
    if not given:
        return None
    found = tuple(word for text in given for word in text.replace(",", " ").split())
    if not found:
        raise empty(option)
    return found


def empty(what: str, hint: str = "leave it out, or give it a value") -> errors.UsageError:
    """The refusal of something that was given and says nothing."""
    return errors.UsageError(f"{what} is empty", hint=hint)
