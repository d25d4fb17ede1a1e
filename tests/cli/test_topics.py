"""`pvenet help`: the pages, on a terminal and in a pipe."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from hatchling.build import build_wheel
from paths import ROOT

from pvenet import cli
from pvenet.cli.pages import topics

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

PAGES = sorted(Path(f"{resources.files('pvenet')}").glob("help/*.md"))


def test_help_lists_topics_and_commands(run: Callable[..., Ran]) -> None:
    """Each page with its title, each command with what it does."""
    out = run("help").out
    for name, title in topics().items():
        assert f"  {name}" in out
        assert title in out
    assert "  exit-codes" in out
    assert "List a node's interfaces" in out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_can_be_shown(page: Path, run: Callable[..., Ran]) -> None:
    """By its name, as plain text where it is piped; it begins with its title, and no command has its name."""
    ran = run("help", page.stem)
    assert ran.code == 0
    assert ran.out.startswith(f"# {topics()[page.stem]}\n")
    assert "<!--" not in ran.out
    assert "\x1b" not in ran.out
    assert page.stem not in cli.application().commands


def test_a_page_is_drawn_on_a_terminal(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """In bold and colours, as wide as the terminal."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    out = run("help", "exit-codes").out
    assert "\x1b[1;4mExit codes\x1b[0m" in out
    assert not any(line.endswith(" ") for line in out.splitlines())
    assert "| exit |" not in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "| exit |" in run("help", "exit-codes").out


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that the tests write, the only one that there is."""
    (tmp_path / "help").mkdir()
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    return tmp_path / "help" / "page.md"


def test_a_link_to_another_page_is_the_command_that_shows_it(page: Path, run: Callable[..., Ran]) -> None:
    """Nobody can follow a link to a file from a terminal; other links stay."""
    page.write_text("# A page\n\nSee [undo](undo.md), [this](undo.md#how) and [PVE](https://example.org/a.md).\n")
    out = run("help", "page").out
    assert "See undo (`pvenet help undo`), this (`pvenet help undo`) and [PVE](https://example.org/a.md)." in out
    assert topics() == {"page": "A page"}


def test_nothing_of_a_page_rules_the_terminal(
    page: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own control characters are shown, drawn or not: only our drawing passes."""
    monkeypatch.setenv("TERM", "xterm")
    page.write_text("# A page\n\nred \x1b[31m, title \x1b]0;x\x07, `code \x1b[32m`\n")
    assert "\x1b" not in run("help", "page").out
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    drawn = run("help", "page").out
    assert "\x1b[1;4mA page" in drawn
    for ruling in ("\x1b[31m", "\x1b[32m", "\x1b]", "\x07"):
        assert ruling not in drawn


def test_a_page_may_be_named_in_words(run: Callable[..., Ran]) -> None:
    """As people say it."""
    assert run("help", "Exit", "codes").out == run("help", "exit-codes").out


@pytest.mark.parametrize("words", [["bond", "create"], ["apply"], ["sim"], ["help"]], ids=" ".join)
def test_help_shows_the_help_of_a_command(words: list[str], run: Callable[..., Ran]) -> None:
    """The same as the command's own `--help`."""
    assert run("help", *words).out == run(*words, "--help").out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["exit-code"], "did you mean `pvenet help exit-codes`?"),
        (["aply"], "did you mean `pvenet help apply`?"),
        (["bond", "creat"], "did you mean `pvenet bond create`?"),
        (["apply", "bond"], "leave out the rest"),
        (["xyzzy"], "`pvenet help` lists them"),
    ],
)
def test_a_mistyped_topic_names_the_nearest(words: list[str], hint: str, run: Callable[..., Ran]) -> None:
    """Be it a page or a command."""
    ran = run("help", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(f"hint: {hint}\n")


def test_the_pages_are_in_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever installs it has them."""
    monkeypatch.chdir(ROOT)
    with ZipFile(tmp_path / build_wheel(f"{tmp_path}")) as wheel:
        assert {f"pvenet/help/{page.name}" for page in PAGES} <= set(wheel.namelist())
    assert PAGES
