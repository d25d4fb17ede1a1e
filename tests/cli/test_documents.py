"""What README and the pages of `pvenet help` say is so: their sessions run, their tables are generated.

UPDATE=1 writes anew what the sessions show and what the tables say.
"""

from __future__ import annotations

import os
import re
import tarfile
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import answers
import documents
import pytest
from documents import DOCUMENTS, HELP, PAGES, README, TABLES
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from mypy import api as mypy
from network_file import EXAMPLE
from sessions import Session

from pvenet.settings.profiles import KEYS
from pvenet.settings.sources import GROUPS
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran

by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)


@by_name
def test_the_sessions_run_as_they_are_shown(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each console block's commands print what the document shows, one after another, beginning with nothing."""
    monkeypatch.chdir(tmp_path)
    text = documents.text_of(document)
    session = Session(monkeypatch)
    played = session.play(text)
    if os.environ.get("UPDATE"):
        document.write_text(played, encoding="utf8")
        text = played
    assert played == text
    assert session.ran == sum(block.count("\n$ ") + 1 for block in documents.blocks(document, "console"))


@by_name
def test_what_no_test_runs_is_said(document: Path) -> None:
    """A page with blocks that are not run says so, once; and the commands in them have the options that they name."""
    plain = documents.blocks(document, "")
    if document != README:
        assert " ".join(documents.prose(document).split()).count("No test runs the commands") == bool(plain)
    lines = [line for block in plain for line in block.splitlines()]
    for line in lines:
        if found := re.search(r"(?:^|\s)pvenet ((?:(?! # ).)+)", line):
            documents.parse(found[1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_begins_with_its_title_and_what_it_is_for(page: Path) -> None:
    """`pvenet help` lists pages by their titles; one sentence follows. No page is called as a command is."""
    title, blank, sentence, after = documents.text_of(page).split("\n")[:4]
    assert title.startswith("# ")
    assert (blank, after) == ("", "")
    assert sentence.endswith(".")
    assert len(sentence) <= 140
    assert not any(words.split()[1] == page.stem for words, _ in documents.commands())


@by_name
def test_commands_options_and_topics_that_are_named_are_there(document: Path) -> None:
    """Whatever a sentence calls `pvenet ...` is a command with these options, and `pvenet help` has what it shows."""
    helped = {"", "TOPIC"} | {page.stem for page in PAGES}
    helped |= {words.partition(" ")[2] for words, _ in documents.commands()}
    every = {
        option
        for _, command in documents.commands()
        for each in command.params
        for option in (*each.opts, *each.secondary_opts)
    }
    for code in re.findall(r"`([^`]+)`", documents.prose(document)):
        words = BRACKETED.sub("", code).split()
        if words[:2] == ["pvenet", "help"]:
            assert " ".join(words[2:]) in helped, code
        elif words[:1] == ["pvenet"]:
            assert set(re.findall(r"--[a-z][\w-]*", code)) <= documents.options_at(words[1:]), code
        elif not ELSEWHERE.match(code):
            assert set(re.findall(r"--[a-z][\w-]*", code)) <= every, code


BRACKETED = re.compile(r"\[[^]]*\]")
"""What may stand there, in the reference: no word of a command."""
ELSEWHERE = re.compile(r"pip |scripts/")
"""Begins what has options of its own."""


@by_name
def test_links_lead_somewhere(document: Path) -> None:
    """A document or an image that is linked is in the repository."""
    text = documents.prose(document)
    for link in re.findall(r"\]\(([^)#:]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        assert (document.parent / "".join(link)).exists(), link


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    """At most 180 lines, and a link to each page."""
    text = documents.text_of(README)
    assert len(text.splitlines()) <= 180
    for page in PAGES:
        assert f"(pvenet/help/{page.name})" in text, page.name


def test_the_pages_are_installed_with_the_package(tmp_path: Path) -> None:
    """A wheel and a source distribution have every page and picture, where `importlib.resources` finds them."""
    where: dict[str, Any] = {"directory": str(tmp_path), "versions": ["standard"]}
    wheel = next(WheelBuilder(str(README.parent)).build(**where))
    source = next(SdistBuilder(str(README.parent)).build(**where))
    files = {path for path in HELP.rglob("*") if path.is_file()}
    wanted = {f"pvenet/help/{path.relative_to(HELP)}" for path in files}
    assert files >= set(PAGES)
    with ZipFile(wheel) as opened:
        assert wanted <= set(opened.namelist())
    with tarfile.open(source) as archive:
        assert wanted <= {name.partition("/")[2] for name in archive.getnames()}


def test_the_network_file_is_what_the_tests_use() -> None:
    """The example of the network file's page is the one that the loader is held to."""
    assert documents.blocks(documents.page("network-file"), "yaml") == [EXAMPLE]


def test_the_python_example_runs(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library does the same by the same names."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(python(), names)
    assert str(getattr(names["end"], "verdict", "")) == "applied"
    assert "iface vmbr2" in (lab / "pve1/etc/network/interfaces").read_text()


def test_the_python_example_is_short_and_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most eight lines, and a strict type checker has nothing to say."""
    example = tmp_path / "example.py"
    example.write_text(python())
    assert len([line for line in python().splitlines() if line]) <= 8
    monkeypatch.chdir(README.parent)
    printed, trouble, code = mypy.run(["--strict", str(example)])
    assert code == 0, printed + trouble


def python() -> str:
    """The example of the library."""
    (block,) = documents.blocks(documents.page("python"), "python")
    return block


@pytest.mark.parametrize("name", TABLES)
def test_a_generated_table_is_up_to_date(name: str) -> None:
    """The tables are what the code says."""
    page, generate = TABLES[name]
    if os.environ.get("UPDATE"):
        documents.replace_table(page, generate())
    assert documents.table(page, generate().partition("\n")[0]) == generate()


def test_every_setting_is_documented() -> None:
    """Each variable has a row with its keys in a profile."""
    table = documents.table(documents.page("settings"), "| variable | key of a profile | meaning |")
    found = re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE)
    rows = {name: set(re.findall(r"`(\w+)`", keys)) for name, keys in found}
    names = {name for group in GROUPS.values() for name in group}
    wanted = {name: {key for key, variable in KEYS.items() if variable == name} for name in names}
    assert rows == {**wanted, "PVENET_PROFILE": set()}


REQUESTS = {
    "list": ["list"],
    "show": ["show", "vmbr0"],
    "diff": ["diff"],
    "bond create": ["bond", "create", "--slaves", "ens38,ens39"],
    "bridge create": ["bridge", "create", "--ports", "bond0"],
    "apply": ["apply", "--yes"],
    "bridge set": ["bridge", "set", "vmbr1", "--comments", "x"],
    "apply --arm": ["apply", "--yes", "--arm"],
    "bridge delete": ["bridge", "delete", "vmbr1"],
    "revert": ["revert"],
}


def test_the_requests_are_as_many_as_the_page_says(
    lab: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command sends a request that its job does not need; the page's table is counted here."""
    seen: list[str] = []
    send = SimAdapter.send

    def counted(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        path = (request.url or "").partition("/api2/json")[2].partition("?")[0]
        seen.append(f"{request.method} {re.sub('UPID:[^/]*', 'UPID', path)}".replace("/nodes/pve1/", ""))
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", counted)
    rows = []
    for command, words in REQUESTS.items():
        seen.clear()
        assert run("--node", "pve1", *words).code == 0
        rows.append(f"| `{command}` | {len(seen)} | {', '.join(seen)} |")
    assert lab.exists()
    head = "| command | requests | which |"
    text = "".join(f"{line}\n" for line in [head, "|---|---|---|", *rows])
    page = documents.page("requests")
    if os.environ.get("UPDATE"):
        documents.replace_table(page, text)
    assert documents.table(page, head) == text


def test_every_command_is_documented() -> None:
    """A command and each of its options has a help text."""
    for words, command in documents.commands():
        assert command.help, words
        for parameter in command.params:
            if "--help" not in parameter.opts:
                assert parameter.help, (words, parameter.name)


def test_fields_that_are_explained_are_printed() -> None:
    """What the page of JSON says of a field is about one that some command prints."""
    table = documents.table(documents.page("json"), "| field | what it says |")
    explained = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert explained
    assert explained <= answers.every_field()
