"""Help helps: each command has its heading, an example that is right, and nothing that is cut or does not fit."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import documents
import pytest

from pvenet import cli
from pvenet.cli.help import HEADINGS, examples_of, parted
from pvenet.cli.options import COMMON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran

ROOT: Any = cli.application()


def helped(group: Any = ROOT, path: str = "pvenet") -> Iterator[tuple[str, Any]]:
    """Everything that has a help: commands and their groups, each by its words."""
    yield path, group
    for name, each in getattr(group, "commands", {}).items():
        yield from helped(each, f"{path} {name}")


HELPED = dict(helped())
COMMANDS = dict(documents.commands())
EXAMPLES = [
    line.removeprefix("$ ")
    for words, each in HELPED.items()
    for example in (examples_of(each) if each is ROOT or words in COMMANDS else ())
    for line in example.splitlines()
    if line.startswith("$ ")
]


def squeezed(text: str) -> str:
    """A text without its line ends and indents."""
    return " ".join(text.split())


def section(text: str, heading: str) -> str:
    """What stands beneath a heading of a help."""
    found = re.search(rf"^{re.escape(heading)}:\n((?:  .*\n)*)", text, re.MULTILINE)
    return found[1] if found else ""


def test_every_command_stands_under_one_heading() -> None:
    """A newcomer finds each command in the one place where they look for it; the table names none that is not there."""
    headed = [name for names in HEADINGS.values() for name in names]
    assert sorted(headed) == sorted(ROOT.commands)


def test_the_help_of_pvenet_shows_each_heading_with_its_commands(run: Callable[..., Ran]) -> None:
    """With the whole of what each of them does."""
    out = run("--help").out
    for heading, names in HEADINGS.items():
        shown = squeezed(section(out, heading))
        for name in names:
            assert squeezed(f"{name} {parted(ROOT.commands[name].help).summary}") in shown
    assert "More:" not in out


@pytest.mark.parametrize("words", HELPED)
def test_every_help_has_an_example(words: str, run: Callable[..., Ran]) -> None:
    """Of the command itself, and as it can be typed."""
    shown = section(run(*words.split()[1:], "--help").out, "Example") or section(
        run(*words.split()[1:], "--help").out, "Examples"
    )
    lines = [line for line in shown.splitlines() if line.startswith("  $ ")]
    assert lines
    assert all(line.startswith("  $ pvenet") for line in lines)
    assert any(line.startswith(f"  $ {words}") for line in lines)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_accepted(example: str) -> None:
    """The parser takes it, with all its words, as the command whose help shows it."""
    words = shlex.split(example.partition(" > ")[0])[1:]
    context = ROOT.make_context("pvenet", words)
    while hasattr(context.command, "commands"):
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    assert context.command_path in COMMANDS
    assert context.args == []


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("words", HELPED)
def test_every_help_fits(words: str, columns: int, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than the terminal, no description is cut, and no option is broken at a hyphen."""
    monkeypatch.setenv("COLUMNS", f"{columns}")
    ran = run(*words.split()[1:], "--help")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) < columns
    assert not re.search(r"--[a-z-]*-\n", ran.out)
    for parameter in HELPED[words].params:
        assert squeezed(parameter.help) in squeezed(ran.out)
    for paragraph in (parted(HELPED[words].help).summary, *parted(HELPED[words].help).more):
        assert paragraph in squeezed(ran.out)


@pytest.mark.parametrize("words", COMMANDS)
def test_what_all_commands_take_stands_once_and_last(words: str, run: Callable[..., Ran]) -> None:
    """Beneath all that is the command's own."""
    out = run(*words.split()[1:], "--help").out
    common = {f"--{name.replace('_', '-')}" for name in COMMON}
    offered = [option for each in COMMANDS[words].params for option in each.opts if option in common]
    tail = "\n".join(filter(None, (section(out, "Where"), f"Output:\n{section(out, 'Output')}")))
    assert out.endswith(tail if offered else section(out, "Options"))
    for option in offered:
        assert len(re.findall(rf"^  (?:-., )?{option}\b", out, re.MULTILINE)) == 1
        assert re.search(rf"^  (?:-., )?{option}\b", tail, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("sim init", {"--node"}),
        ("sim serve", {"--fault"}),
        ("sim faults", set()),
        ("sim show", {"--node"}),
        ("sim check", {"--node"}),
        ("check", set()),
        ("schema", set()),
        ("help", set()),
        ("logout", {"--profile"}),
    ],
)
def test_a_command_offers_what_concerns_it(words: str, where: set[str], run: Callable[..., Ran]) -> None:
    """What goes to no node has no options that say to which."""
    shown = section(run(*words.split(), "--help").out, "Where")
    assert set(re.findall(r"^  (--[a-z-]+)", shown, re.MULTILINE)) == where


def test_what_does_not_concern_a_command_is_refused_after_it(run: Callable[..., Ran], tmp_path: Any) -> None:
    """And may stand before it, where an alias of a shell has it."""
    ran = run("sim", "init", f"{tmp_path}/a", "--profile", "lab")
    assert ran.code == 2
    assert ran.err == "error: `pvenet sim init` has no use for --profile\n\nhint: leave it out\n"
    assert not (tmp_path / "a").exists()
    assert run("--profile", "lab", "--sim", f"{tmp_path}/b", "sim", "init", f"{tmp_path}/a").code == 0
    assert (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_the_help_says_what_the_environment_can(run: Callable[..., Ran]) -> None:
    """Every variable that is a setting."""
    from pvenet.settings.sources import GROUPS

    shown = section(run("--help").out, "Environment").split()
    assert set(shown) == {name for names in GROUPS.values() for name in names} | {"PVENET_PROFILE"}


def test_the_help_says_the_exit_codes(run: Callable[..., Ran]) -> None:
    """Each with a word or two, which no line breaks apart."""
    shown = section(run("--help").out, "Exit codes")
    assert squeezed(shown).startswith("0 done, 1 failed, 2 usage, 3 invalid network, 4 refused by PVE, 5 access,")
    assert squeezed(shown).endswith("9 state unknown, 10 differences, 130 interrupted")
    assert not re.search(r"\d$", shown, re.MULTILINE)


def test_the_version_has_a_short_option(run: Callable[..., Ran]) -> None:
    """`-V` is `--version`."""
    assert run("-V").out == run("--version").out != ""


def test_a_command_is_built_alone_as_it_is_among_all() -> None:
    """What is run is what help shows; a word that names none, and `help` itself, need all of them."""
    assert cli.application("nope").commands.keys() == cli.application("help").commands.keys() == ROOT.commands.keys()
    for name in ROOT.commands.keys() - {"help"}:
        alone = cli.application(name)
        assert alone.commands.keys() == {name}
        assert written(alone.commands[name]) == written(ROOT.commands[name])
        assert written(alone) == (*written(ROOT)[:-1], {name: written(ROOT.commands[name])})


@pytest.mark.parametrize("asking", [("-h",), ("--help",), ("-qh",), ("--node", "pve1", "-h")])
def test_help_that_is_asked_for_before_a_command_is_about_all_of_them(
    run: Callable[..., Ran], asking: tuple[str, ...]
) -> None:
    """Whatever command comes behind it."""
    assert run(*asking, "list").out == run("--help").out


def written(command: Any) -> tuple[Any, ...]:
    """A command and those beneath it as plain data."""
    inner = {name: written(each) for name, each in getattr(command, "commands", {}).items()}
    return (
        command.name,
        command.help,
        [(each.name, each.opts, getattr(each, "help", "")) for each in command.params],
        inner,
    )
