"""The README's generated parts, and its sessions taken apart."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import typer
from paths import ROOT

from pvenet import cli, errors
from pvenet.cli import reference as reference_of
from pvenet.cli.help import parted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = ROOT / "README.md"


def section(name: str, path: Path = README) -> str:
    """What stands between the marks of the README, or of another page."""
    return path.read_text(encoding="utf8").split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0].strip()


def replace(name: str, text: str, path: Path = README) -> None:
    """Write a generated part anew."""
    whole = path.read_text(encoding="utf8")
    head, rest = whole.split(f"<!-- {name} -->")
    tail = rest.split(f"<!-- /{name} -->")[1]
    path.write_text(f"{head}<!-- {name} -->\n{text}\n<!-- /{name} -->{tail}", encoding="utf8")


def exit_codes() -> str:
    """The table of exit codes, from the classes."""
    kinds = {family.exit_code: words(family) for family in reference_of.families()}
    lines = [f"| {code} | {meaning} | {kinds.get(code, '')} |" for code, _, meaning in reference_of.exit_codes()]
    return "\n".join(["| exit | meaning | `kind` in JSON |", "|---|---|---|", *lines])


def words(family: type[errors.PvenetError]) -> str:
    """What the errors of a family are called in JSON."""
    own = [each for each in family.__subclasses__() if "exit_code" not in vars(each)]
    return " ".join(f"`{each.kind}`" for each in (family, *own) if each.__module__ == "pvenet.errors")


def commands(group: Any = None, path: str = "pvenet") -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    group = group or typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def reference() -> str:
    """A line a command: its arguments, what it does, its own options."""
    root = {option for parameter in typer.main.get_command(cli.app).params for option in parameter.opts}
    lines = []
    for words, command in commands():
        own = [parameter for parameter in command.params if not set(parameter.opts) & (root | {"--help"})]
        arguments = [_argument(parameter) for parameter in own if not parameter.opts[0].startswith("-")]
        options = [_option(parameter) for parameter in own if parameter.opts[0].startswith("-")]
        summary = parted(command.help).summary.rstrip(".")
        lines.append(f"| `{' '.join([words, *arguments])}` | {summary} | {' '.join(options)} |")
    return "\n".join(["| command | | its own options |", "|---|---|---|", *lines])


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _option(parameter: Any) -> str:
    name = max(parameter.opts, key=len)
    if parameter.secondary_opts:
        return f"`{name}/{parameter.secondary_opts[0]}`"
    return f"`{name}`"


def yaml() -> list[str]:
    """The blocks of YAML."""
    return re.findall(r"^```yaml\n(.*?)^```", README.read_text(encoding="utf8"), re.MULTILINE | re.DOTALL)


def python() -> str:
    """The example of the library."""
    (block,) = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf8"), re.MULTILINE | re.DOTALL)
    return str(block)


def sessions() -> Iterator[list[tuple[list[str], str]]]:
    """The console blocks: the words of each command, and what it prints."""
    for block in re.findall(r"^```console\n(.*?)^```", README.read_text(encoding="utf8"), re.MULTILINE | re.DOTALL):
        yield [
            (shlex.split(command), output)
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
        ]


def matches(printed: str, shown: str) -> bool:
    """Whether a README's output is what was printed: `...` stands for any lines, seconds for any seconds."""
    pattern = r"(?:.*\n)*".join(re.escape(part) for part in f"{shown.strip()}\n".split("...\n"))
    pattern = re.sub(r"\\\(\d+\\\.\d\\ s\\\)", lambda _: r"\(\d+\.\d s\)", pattern)
    return re.fullmatch(pattern, f"{printed.strip()}\n") is not None
