"""How help is written: what a command does, its examples, then its options; what all commands take stands last, once.

A docstring is the help of its command. Its first paragraph is the summary that lists show; a paragraph that begins with
`$ ` is an example, and stands as it is written.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from pvenet.cli.installing import install_or_say
from pvenet.cli.output import out
from pvenet.cli.usage import no_command, refuse_swallowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from typer.models import CommandFunctionType, CommandInfo

HEADINGS: Mapping[str, Mapping[str, str]] = {
    "Look": {
        "list": "listing",
        "show": "listing",
        "tree": "tree",
        "links": "links",
        "nics": "nics",
        "guests": "guests",
        "diff": "pending",
        "status": "recovery",
    },
    "Change (staged until it is applied)": {
        "bond": "staging",
        "bridge": "staging",
        "vlan": "staging",
        "eth": "staging",
        "ovs-bridge": "staging",
        "ovs-bond": "staging",
        "ovs-port": "staging",
        "renamed": "renamed",
    },
    "Apply": {"apply": "pending", "confirm": "recovery", "wait": "waiting"},
    "Undo": {"revert": "pending", "rollback": "recovery", "history": "history", "rescue": "waiting"},
    "Network files, for one node or the whole fleet": {
        "plan": "plans",
        "drift": "drift",
        "check": "files",
        "lint": "lint",
        "export": "files",
        "schema": "files",
    },
    "Settings and access": {"login": "login", "logout": "login", "doctor": "doctor", "config": "config"},
    "Learn and rehearse": {"help": "topics", "sim": "sim"},
}
"""Under which heading a newcomer looks for a command, in the order in which help has them; and the module of each, of
which only that of the command that is run is loaded."""
WHERE = "Where"
OUTPUT = "Output"
_OWN = "Options"
_NO_BREAK = "\xa0"
_WIDEST = 30
"""Columns of the left side of a list; what is longer has a line of its own."""


@dataclass(frozen=True, kw_only=True)
class Help:
    """A docstring, taken apart."""

    summary: str
    more: tuple[str, ...]
    examples: tuple[str, ...]
    """Each as it is written: command lines, and perhaps what they print."""


def parted(text: str | None) -> Help:
    """The parts of a command's help."""
    paragraphs = inspect.cleandoc(text or "").split("\n\n")
    said = [" ".join(each.split()) for each in paragraphs if not each.startswith("$ ")]
    return Help(
        summary=said[0] if said else "",
        more=tuple(said[1:]),
        examples=tuple(each for each in paragraphs if each.startswith("$ ")),
    )


def examples_of(command: Any) -> Iterator[str]:
    """The examples of a command; of a group without any, those of its commands."""
    own = parted(command.help).examples
    yield from own
    if not own:
        for each in getattr(command, "commands", {}).values():
            yield from parted(each.help).examples


def headed(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of commands under their headings; the table's order is that of the help."""
    known = list(names)
    found = {heading: [name for name in members if name in known] for heading, members in HEADINGS.items()}
    found["More"] = [name for name in known if not any(name in members for members in HEADINGS.values())]
    return {heading: members for heading, members in found.items() if members}


def write_rows(formatter: Any, rows: Iterable[tuple[str, str]], *, least: int = 0) -> None:
    """A list of two columns, of which nothing is cut. Typer's own breaks words at their hyphens: `--sdn-` `lock`."""
    listed = list(rows)
    column = min(max(least, *(len(name) for name, _ in listed)), _WIDEST) + 2
    indent = " " * formatter.current_indent
    for name, text in listed:
        first, *rest = _wrapped(text, formatter.width - column - formatter.current_indent) or [""]
        if len(name) > column - 2:
            formatter.buffer.append(f"{indent}{name}\n")
            name = ""  # noqa: PLW2901 - its text begins beneath it
        formatter.buffer.append(f"{indent}{name:{column}}{first}".rstrip() + "\n")
        for line in rest:
            formatter.buffer.append(f"{indent}{'':{column}}{line}\n")


def write_text(formatter: Any, text: str) -> None:
    """A paragraph."""
    indent = " " * formatter.current_indent
    lines = _wrapped(text, formatter.width - formatter.current_indent)
    formatter.buffer.append("".join(f"{indent}{line}\n" for line in lines))


def _wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, which has no-break spaces where no line may end; what is there to be typed has them, too."""
    kept = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", _NO_BREAK), text)
    lines = textwrap.wrap(kept, width, break_on_hyphens=False, break_long_words=False)
    return [line.replace(_NO_BREAK, " ") for line in lines]


def write_commands(formatter: Any, group: Any, *, headings: bool) -> None:
    """A group's commands with their summaries, under their headings."""
    shown = {name: each for name, each in group.commands.items() if not each.hidden}
    for heading, names in (headed(shown) if headings else {"Commands": list(shown)}).items():
        with formatter.section(heading):
            rows = [(name, parted(shown[name].help).summary) for name in names]
            write_rows(formatter, rows, least=max(map(len, shown)))


def _write_described(self: Any, formatter: Any) -> None:
    """What a command does, and its examples."""
    found = parted(self.help)
    for paragraph in (found.summary, *found.more):
        formatter.write_paragraph()
        with formatter.indentation():
            write_text(formatter, paragraph)
    examples = list(examples_of(self))
    if examples:
        lines = "\n".join(examples).split("\n")
        with formatter.section("Examples" if sum(line.startswith("$ ") for line in lines) > 1 else "Example"):
            formatter.buffer.append("".join(f"  {line}\n" for line in lines))


def _write_parameters(self: Any, ctx: Any, formatter: Any) -> None:
    """Arguments and options, each under its heading: what all commands take comes last."""
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], _OWN: []}
    for parameter in self.get_params(ctx):
        if record := parameter.get_help_record(ctx):
            own = "Arguments" if parameter.param_type_name == "argument" else _OWN
            sections.setdefault(getattr(parameter, "rich_help_panel", None) or own, []).append(record)
    for heading in sorted(filter(sections.get, sections), key=lambda each: (each == OUTPUT, each == WHERE)):
        with formatter.section(heading):
            write_rows(formatter, sections[heading])


def _shown(option: Any) -> Any:
    """The option --help, whose text is written as all data is: Typer's own says nothing of a full disk."""
    if option is not None:
        option.callback = _show
    return option


def _show(ctx: Any, _parameter: Any, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        out(ctx.get_help())
        ctx.exit()


def _write_reference(formatter: Any) -> None:
    """What help says of every command: the variables of the environment, and the exit codes in short."""
    from pvenet.cli.reference import exit_codes, variables

    for heading, text in (
        ("Environment", " ".join(variables())),
        ("Exit codes", ", ".join(f"{code} {words}".replace(" ", _NO_BREAK) for code, words, _ in exit_codes())),
    ):
        with formatter.section(heading):
            write_text(formatter, text)
    formatter.write_paragraph()
    write_text(formatter, "`pvenet help` lists pages about single tasks; each command has its own --help.")


class Command(TyperCommand):
    """A command with this help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer's, which forgets of some mistakes where they were made, and takes an option for another's value."""
        refuse_swallowed(ctx, self, args)
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            if getattr(error, "ctx", self) is None:
                vars(error)["ctx"] = ctx
            raise

    def get_help_option(self, ctx: Any) -> Any:
        """As Typer's, written by us."""
        return _shown(super().get_help_option(ctx))

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - nothing is cut
        """What lists and shells show of it."""
        return parted(self.help).summary.rstrip(".")

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Its description and its examples."""
        _write_described(self, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Its arguments and options."""
        _write_parameters(self, ctx, formatter)


class Group(TyperGroup):
    """A group of commands with this help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer's, which takes an option for another's value."""
        refuse_swallowed(ctx, self, args)
        return super().parse_args(ctx, args)

    def get_help_option(self, ctx: Any) -> Any:
        """As Typer's, written by us."""
        return _shown(super().get_help_option(ctx))

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - nothing is cut
        """What lists and shells show of it."""
        return parted(self.help).summary.rstrip(".")

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Its description and its examples."""
        _write_described(self, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Its commands, then its options."""
        write_commands(formatter, self, headings=ctx.parent is None)
        _write_parameters(self, ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer's, with our own word about one that is not there."""
        if args[0] in self.commands or args[0].startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise no_command(ctx, args[0])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Beneath the help of the whole application: what the environment can say, and the exit codes."""
        if ctx.parent is None:
            _write_reference(formatter)


class Application(typer.Typer):
    """Commands with this help, or a group of them."""

    def __init__(self, *, name: str, text: str, **settings: Any) -> None:
        super().__init__(name=name, help=text, cls=Group, no_args_is_help=True, rich_markup_mode=None, **settings)

    def command(self, name: str | None = None, **given: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """As Typer's."""
        return super().command(name, **{"cls": Command, **given})

    def built(self, word: str) -> Any:
        """The application as it is run; where a word names a command, with that one alone, which takes less time."""
        part = copy(self)
        part.registered_commands = [each for each in self.registered_commands if _name_of(each) == word]
        part.registered_groups = [
            each for each in self.registered_groups if each.typer_instance and each.typer_instance.info.name == word
        ]
        one = part.registered_commands or part.registered_groups
        command = typer.main.get_command(part if one else self)
        for parameter in command.params:
            if parameter.name == "install_completion" and parameter.callback:
                parameter.callback = install_or_say(parameter.callback)
        return command


def _name_of(command: CommandInfo) -> str:
    """The name of a command, which is its function's where it has none of its own."""
    return command.name or typer.main.get_command_name(command.callback.__name__ if command.callback else "")
