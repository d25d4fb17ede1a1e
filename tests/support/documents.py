"""README and the pages of `pvenet help`: their parts, and the tables that are made of the code."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import answers
from paths import ROOT

from pvenet import cli, errors
from pvenet.cli.help import parted
from pvenet.cli.options import COMMON
from pvenet.cli.reference import exit_codes as codes
from pvenet.cli.reference import families
from pvenet.render.prometheus import NAMES
from pvenet.sim.faults import usage

if TYPE_CHECKING:
    from collections.abc import Iterator

README = ROOT / "README.md"
HELP = Path(str(resources.files("pvenet") / "help"))
PAGES = sorted(HELP.glob("*.md"))
DOCUMENTS = [README, *PAGES]
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf8")


def blocks(document: Path, language: str) -> list[str]:
    """What stands in the blocks of a language, which is "" where none is named."""
    return [found["body"] for found in BLOCK.finditer(text_of(document)) if found["language"] == language]


def prose(document: Path) -> str:
    """All but the blocks."""
    return BLOCK.sub("", text_of(document))


def page(topic: str) -> Path:
    return HELP / f"{topic}.md"


# --- tables ---


def table(document: Path, head: str) -> str:
    """The table of a document that begins with this line."""
    (found,) = re.findall(rf"^{re.escape(head)}\n(?:\|.*\n)*", text_of(document), re.MULTILINE)
    return str(found)


def replace_table(document: Path, text: str) -> None:
    """Write a table anew, in the place of the one that begins with the same line."""
    whole = text_of(document)
    old = table(document, text.partition("\n")[0])
    document.write_text(whole.replace(old, text), encoding="utf8")


def _table(head: str, rows: Iterator[tuple[str, ...]]) -> str:
    columns = head.count("|") - 1
    return "".join(f"{line}\n" for line in [head, "|---" * columns + "|", *(f"| {' | '.join(row)} |" for row in rows)])


def exit_codes() -> str:
    """The table of exit codes, from the classes."""
    kinds = {family.exit_code: _kinds(family) for family in families()}
    rows = ((f"{code}", meaning, kinds.get(code, "")) for code, _, meaning in codes())
    return _table("| exit | meaning | `kind` in JSON |", rows)


def _kinds(family: type[errors.PvenetError]) -> str:
    """What the errors of a family are called in JSON."""
    own = [family]
    for kind in own:  # it grows while it is walked
        own += [each for each in kind.__subclasses__() if "exit_code" not in vars(each)]
    return " ".join(f"`{each.kind}`" for each in own if each.__module__ == "pvenet.errors")


def faults() -> str:
    """The table of what can go wrong on a simulated node, from the catalogue."""
    return _table("| fault | what happens |", ((f"`{_cell(fault)}`", _cell(about)) for fault, about in usage()))


def options() -> str:
    """The table of the options that say where a command goes and how it answers."""
    root: Any = cli.application()
    rows = ((_words(each), each.help or "") for each in root.params if each.name in COMMON)
    return _table("| option | meaning |", rows)


def json_of_commands() -> str:
    """The table of what each command prints as JSON, from the schemas."""
    return _table("| command | JSON |", answers.rows())


def json_of_events() -> str:
    """The table of the events, from the same."""
    return _table("| event | its fields |", answers.event_rows())


def commands(group: Any = None, path: str = "pvenet") -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    group = group or cli.application()
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def what_commands_do() -> str:
    """The table of all commands: their arguments, and what they do."""
    rows = []
    for words, command in commands():
        arguments = [_cell(each.metavar or each.name.upper()) for each in own(command) if not _is_option(each)]
        rows.append((f"`{' '.join([words, *arguments])}`", parted(command.help).summary.rstrip(".")))
    return _table("| command | what it does |", iter(rows))


def options_of_commands() -> str:
    """The table of the options that a command has for itself."""
    rows = (
        (f"`{words}`", " ".join(_name(each) for each in own(command) if _is_option(each)))
        for words, command in commands()
    )
    return _table("| command | its own options |", (row for row in rows if row[1]))


def parse(line: str) -> None:
    """Raises TyperException for words after `pvenet` that are no command line; they are not run."""
    command: Any = cli.application()
    context, words = None, shlex.split(line, comments=True)
    if set(words) <= {option for each in command.params if not each.expose_value for option in each.opts}:
        return  # what acts as soon as it is parsed: completion would be installed
    while True:
        context = command.make_context(command.name, words, parent=context)
        if not hasattr(command, "commands"):
            return
        _, command, words = command.resolve_command(context, [*context._protected_args, *context.args])


def options_at(words: list[str]) -> set[str]:
    """The options that are known after these words of a sentence. Raises KeyError for no command of ours."""
    command: Any = cli.application()
    known: set[str] = set()
    for word in words:
        known |= {option for each in command.params for option in (*each.opts, *each.secondary_opts, "--help")}
        if hasattr(command, "commands") and word.islower() and not word.startswith("-"):
            command = command.commands[word]
    return known | {option for each in command.params for option in (*each.opts, *each.secondary_opts)}


def own(command: Any) -> list[Any]:
    """The parameters of a command that not every command has."""
    shared = {option for parameter in cli.application().params for option in parameter.opts}
    return [parameter for parameter in command.params if not set(parameter.opts) & (shared | {"--help"})]


def _is_option(parameter: Any) -> bool:
    return str(parameter.opts[0]).startswith("-")


def _name(parameter: Any) -> str:
    name = max(parameter.opts, key=len)
    return f"`{name}/{parameter.secondary_opts[0]}`" if parameter.secondary_opts else f"`{name}`"


def _words(parameter: Any) -> str:
    """An option with what it takes."""
    name = max(parameter.opts, key=len)
    return f"`{name} {_cell(parameter.metavar)}`" if parameter.metavar else f"`{name}`"


def _cell(text: str) -> str:
    """A text that ends no cell of a table."""
    return text.replace("|", "\\|")


def metrics() -> str:
    """The table of what `drift --prometheus` writes."""
    return _table("| metric | meaning |", ((f"`{name}`", about) for name, about in NAMES.items()))


TABLES = {
    "commands": (page("commands"), what_commands_do),
    "options of commands": (page("commands"), options_of_commands),
    "options": (page("settings"), options),
    "exit codes": (page("exit-codes"), exit_codes),
    "faults": (page("faults"), faults),
    "metrics": (page("dashboards"), metrics),
    "answers": (page("json"), json_of_commands),
    "events": (page("json"), json_of_events),
}
"""The tables that are made of the code: where each stands, and what makes it."""
