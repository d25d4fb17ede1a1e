"""What a forge shows of `check`, `plan` and `drift`: --format markdown, github and gitlab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from pvenet.cli.answer import FORGED
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

WRONG = "nodes:\n  pve1:\n    bond0: {type: bond, mode: balance-rr, slave: [ens38]}\n    vmbr0: {type: brigde}\n"


@pytest.fixture
def wrong(file: Path) -> Path:
    """A file with two things wrong beside one that is good."""
    path = file.with_name("wrong.yaml")
    path.write_text(WRONG)
    return path


def test_text_is_another_word_for_table(lab: Path, run: Run) -> None:
    """On every command, before its name and after it."""
    assert lab.exists()
    assert run("list", "--format", "text").out == run("list").out
    assert run("--format", "text", "list").out == run("list", "--format=table").out


@pytest.mark.parametrize("form", sorted({form for forms in FORGED.values() for form in forms}))
def test_a_format_of_some_commands_is_refused_by_the_others(lab: Path, run: Run, form: str) -> None:
    """With what there is instead, wherever it stands."""
    assert lab.exists()
    for words in (["list", "--format", form], ["--format", form, "list"]):
        ran = run(*words)
        assert (ran.code, ran.out) == (2, "")
        assert f"`pvenet list` has no format {form}" in ran.err
        assert "table, json, yaml" in ran.err


@pytest.mark.usefixtures("file", "wrong")
def test_check_takes_several_files(run: Run) -> None:
    """Each good one is said to be valid, what is wrong in any is one error, and the data is that of all."""
    ran = run("check", "network.yaml", "wrong.yaml")
    assert (ran.code, "network.yaml is valid: 2 nodes" in ran.err) == (3, True)
    assert "wrong.yaml is not valid for these nodes" in ran.err
    assert run("check", "network.yaml", "-f", "network.yaml").err.count("is valid") == 1
    data = run("check", "wrong.yaml", "network.yaml", "--json").data
    assert {(each["file"], each["line"]) for each in data} == {("wrong.yaml", 3), ("wrong.yaml", 4)}


@pytest.mark.usefixtures("wrong")
def test_check_annotates_lines_for_github(run: Run) -> None:
    """A command each, with file, line and column."""
    ran = run("check", "wrong.yaml", "network.yaml", "--format", "github")
    assert ran.code == 3
    assert ran.out.startswith("::error file=wrong.yaml,line=3,col=43::bond0: a bond has no key slave")
    assert all(line.startswith("::error file=wrong.yaml,line=") for line in ran.out.splitlines())
    assert run("check", "network.yaml", "--format", "github").out == ""


@pytest.mark.usefixtures("wrong")
def test_check_reports_code_quality_for_gitlab(run: Run) -> None:
    """An array, also where nothing is wrong; fingerprints stay when lines move."""
    ran = run("check", "wrong.yaml", "--format", "gitlab")
    assert (ran.code, len(ran.data)) == (3, 2)
    for issue in ran.data:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
    assert run("check", "network.yaml", "--format", "gitlab").data == []


@pytest.mark.usefixtures("wrong")
def test_a_file_that_cant_be_read_takes_no_report_away(run: Run, file: Path) -> None:
    """It is a problem of its own beside those of the others, whichever of them is named first; the worst code stays."""
    file.with_name("bin.yaml").write_bytes(b"nodes:\n  \xff: {}\n")
    for unread in ("bin.yaml", "nowhere.yaml"):
        for names in ((unread, "wrong.yaml"), ("wrong.yaml", "network.yaml", unread)):
            report = run("check", *names, "--format", "gitlab")
            places = [(each["location"]["path"], each["location"]["lines"]["begin"]) for each in report.data]
            assert (report.code, sorted(places)) == (3, sorted([(unread, 1), ("wrong.yaml", 3), ("wrong.yaml", 4)]))
            github = run("check", *names, "--format", "github")
            assert (
                sum(
                    line.startswith(f"::error file={unread},line=1,col=1::{unread} ") for line in github.out.split("\n")
                )
                == 1
            )
            assert github.out.count("::error file=wrong.yaml,") == 2
            assert {each["file"] for each in run("check", *names, "--json").data} == {unread, "wrong.yaml"}
            assert f"  {unread}:1:1: {unread} " in github.err
            assert "  wrong.yaml:3:43: bond0" in github.err


@pytest.mark.usefixtures("file")
def test_files_that_cant_be_read_are_wrong_usage(run: Run) -> None:
    """All of them are told; what can be read is said to be valid."""
    ran = run("check", "nowhere.yaml", "network.yaml", "elsewhere.yaml")
    assert (ran.code, "network.yaml is valid" in ran.err) == (2, True)
    assert "error: nowhere.yaml can't be read: No such file or directory\n  elsewhere.yaml can't be read" in ran.err
    assert "name the file with -f" in ran.err


def test_the_fingerprints_are_the_same_after_lines_were_put_above(wrong: Path, run: Run) -> None:
    """So that the forge does not take an old issue for a new one."""
    before = {each["fingerprint"] for each in run("check", "wrong.yaml", "--format", "gitlab").data}
    wrong.write_text(f"# a comment\n\n{WRONG}")
    assert {each["fingerprint"] for each in run("check", "wrong.yaml", "--format", "gitlab").data} == before


@pytest.mark.usefixtures("cluster", "file")
def test_plan_says_on_top_whom_it_hits(run: Run) -> None:
    """As Markdown, with a fold a node."""
    out = run("plan", "--format", "markdown").out
    assert out.startswith("### pvenet plan: 4 to create, 6 to change, 0 to delete on 2 of 2 nodes\n")
    assert "| <code>pve1</code> | 2 to create, 3 to change, 0 to delete | **management** | the management path |" in out
    assert out.count("<details>\n<summary>") == out.count("</details>") == 2


@pytest.mark.usefixtures("cluster", "file")
def test_plan_annotates_the_lines_that_make_the_steps(run: Run) -> None:
    """What is risky as a warning at its interface; what the defaults say once for all nodes."""
    lines = run("plan", "--format", "github").out.splitlines()
    assert lines[0].startswith("::warning file=network.yaml,line=7,col=5,title=pvenet plan::pve1: ~ bridge vmbr0")
    assert sum("+ bond bond0" in line for line in lines) == 1
    assert any(line.startswith("::notice file=network.yaml,line=3,col=3,") for line in lines)


@pytest.mark.usefixtures("cluster", "file")
def test_plan_counts_for_gitlab(run: Run) -> None:
    """The three numbers of the report of kind terraform."""
    assert run("plan", "--format", "gitlab").data == {"create": 4, "update": 6, "delete": 0}


@pytest.mark.usefixtures("cluster", "file")
@pytest.mark.parametrize("form", FORGED["plan"])
def test_a_saved_plan_is_shown_in_the_same_formats(run: Run, form: str) -> None:
    """So one reading of the nodes makes the artifact and all that is shown of it."""
    live = run("plan", "-o", "saved", "--format", form)
    ran = run("plan", "show", "saved", "--format", form)
    assert (live.code, ran.code) == (0, 0)
    if form == "markdown":
        assert ran.out.partition("|")[2] == live.out.partition("|")[2]
        assert "with the nodes as they were then" in ran.out
    elif form == "github":  # which lines made the steps is not saved
        steps = [{line.rpartition(": ")[2] for line in each.out.splitlines()} for each in (ran, live)]
        assert steps[0] == steps[1]
        assert "line=" not in ran.out
    else:
        assert ran.out == live.out


@pytest.mark.usefixtures("cluster", "file")
def test_a_saved_plan_that_was_changed_is_refused_in_any_format(run: Run, file: Path) -> None:
    """In a sentence, whatever was done to what only one of them shows."""
    assert run("plan", "-o", "saved").code == 0
    saved = file.with_name("saved")
    data = json.loads(saved.read_text())
    del data["nodes"][0]["losses"]
    saved.write_text(json.dumps(data))
    for form in FORGED["plan"]:
        ran = run("plan", "show", "saved", "--format", form)
        assert (ran.code, "saved was changed after it was saved" in ran.err) == (2, True)


@pytest.mark.usefixtures("cluster", "wrong")
def test_what_is_wrong_stands_where_the_plan_would(run: Run) -> None:
    """As Markdown in a block, as annotations at the lines; a report of numbers has no word for it."""
    markdown = run("plan", "wrong.yaml", "--format", "markdown")
    assert (markdown.code, markdown.out.startswith("### pvenet has no plan\n\n```text\nwrong.yaml is not")) == (3, True)
    github = run("plan", "wrong.yaml", "--format", "github").out
    assert [line[:33] for line in github.splitlines()] == [f"::error file=wrong.yaml,line={line},co" for line in (3, 4)]
    assert run("plan", "wrong.yaml", "--format", "gitlab").out == ""
    assert run("plan", "nowhere.yaml", "--format", "github").out.startswith("::error title=pvenet::nowhere.yaml can't")


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> str:
    """A node that does not answer, among others that do."""
    send = SimAdapter.send

    def gone(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        if "/nodes/pve2/network" in (request.url or ""):
            raise requests.ConnectionError("gone")
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", gone)
    return "pve2"


@pytest.mark.usefixtures("cluster", "file")
def test_a_node_that_is_not_read_is_told_in_every_format(run: Run, dead: str) -> None:
    """The others are planned all the same, and the exit code is that node's."""
    markdown, github = (run("plan", "--format", form) for form in ("markdown", "github"))
    assert (markdown.code, github.code) == (6, 6)
    saving = run("plan", "-o", "saved")
    assert (saving.code, "warning: no plan was saved in saved: it is for all nodes or none" in saving.err) == (6, True)
    assert "no plan was saved" not in markdown.err
    assert f"**Not read, so not planned**\n\n- <code>{dead}</code>: <code>" in markdown.out
    assert "on 1 of 2 nodes" in markdown.out
    assert github.out.startswith(f"::error title={dead}::{dead} is not planned: ")
