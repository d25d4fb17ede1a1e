"""What the README says is so: its sessions run, its tables are generated."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
import readme
from mypy import api as mypy
from network_file import EXAMPLE

from pvenet import cli
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran


def test_the_sessions_run_as_they_are_shown(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each console block's commands print what the README shows, one after another on one simulated node."""
    monkeypatch.chdir(tmp_path)
    assert lab.name == "lab"
    (tmp_path / "network.yaml").write_text(readme.yaml()[1])
    ran = 0
    for session in readme.sessions():
        for words, shown in session:
            if words[0] == "export":
                monkeypatch.setenv(*words[1].split("="))
                continue
            cli.main(words[1:])
            printed = capfd.readouterr()
            assert readme.matches(printed.out + printed.err, shown), printed.out + printed.err
            ran += 1
    assert ran >= 6


def test_the_network_file_is_what_the_tests_use() -> None:
    """The README's example is the one that the loader is held to."""
    assert readme.yaml()[0] == EXAMPLE


def test_the_python_example_runs(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library does the same by the same names."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(readme.python(), names)
    assert str(getattr(names["end"], "verdict", "")) == "applied"
    assert "iface vmbr2" in (lab / "pve1/etc/network/interfaces").read_text()


def test_the_python_example_is_short_and_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most eight lines, and a strict type checker has nothing to say."""
    example = tmp_path / "example.py"
    example.write_text(readme.python())
    assert len([line for line in readme.python().splitlines() if line]) <= 8
    monkeypatch.chdir(readme.README.parent)
    printed, trouble, code = mypy.run(["--strict", str(example)])
    assert code == 0, printed + trouble


@pytest.mark.parametrize(
    ("name", "generate"), [("exit codes", readme.exit_codes), ("help", readme.reference)], ids=["exit codes", "help"]
)
def test_a_generated_part_is_up_to_date(name: str, generate: Callable[[], str]) -> None:
    """The tables are what the code says; UPDATE=1 writes them anew."""
    if os.environ.get("UPDATE"):
        readme.replace(name, generate())
    assert readme.section(name) == generate()


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


def test_the_requests_are_as_many_as_the_readme_says(
    lab: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command sends a request that its job does not need; the README's table is counted here."""
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
    text = "\n".join(["| command | requests | |", "|---|---|---|", *rows])
    if os.environ.get("UPDATE"):
        readme.replace("requests", text)
    assert readme.section("requests") == text


def test_every_command_is_documented() -> None:
    """A command and each of its options has a help text."""
    for words, command in readme.commands():
        assert command.help, words
        for parameter in command.params:
            if "--help" not in parameter.opts:
                assert parameter.help, (words, parameter.name)


def test_the_json_of_every_command_is_described() -> None:
    """Who parses it finds its fields; what is said of `create` is said of every kind's."""
    table = readme.README.read_text(encoding="utf8").partition("| command | JSON |")[2].partition("\n\n")[0]
    described = {
        word for row in re.findall(r"^\| (`[^|]*`) \|", table, re.MULTILINE) for word in re.findall(r"`(.+?)`", row)
    }
    for words, command in readme.commands():
        last = words.split()[-1]
        if any("--json" in parameter.opts for parameter in command.params) and words.split()[1] not in UNDESCRIBED:
            assert last in described, words


UNDESCRIBED = {"sim", "config", "schema"}
"""Those whose output is for people, or a schema."""
