"""Workflow commands: read back as GitHub's runner reads them, they say what was meant and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pvenet.foreign import harmless
from pvenet.render.github import Annotation, Level, annotations_text, of_plan
from pvenet.render.gitlab import code_quality
from pvenet.spec.diagnostics import Diagnostic, FileDiagnostics, Position

if TYPE_CHECKING:
    from collections.abc import Mapping

PIECES = ["%", "%25", "%0A", "%0D", "%3A", "%2C", ":", "::", ",", "=", "\r", "\n", "#[", "a"]
TEXT = st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


def runner(line: str) -> tuple[str, Mapping[str, str], str]:
    """A command as the runner takes it apart: its word, its properties, its text."""
    found = re.fullmatch(r"::(\w+)(?: (.*?))?::(.*)", line)
    assert found, line
    pairs = (each.split("=", 1) for each in (found[2] or "").split(",") if each)
    properties = {name: unescaped(value, {"%3A": ":", "%2C": ","}) for name, value in pairs}
    return found[1], properties, unescaped(found[3], {})


def unescaped(text: str, more: Mapping[str, str]) -> str:
    for escape, letter in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(escape, letter)
    return text


@given(TEXT, TEXT, TEXT)
def test_an_annotation_is_one_command(text: str, title: str, name: str) -> None:
    """Whatever its texts hold: one line, and the runner reads back what was said."""
    file = f"a{name}".replace("/", "")
    at = Position(3, 5)
    lines = annotations_text([Annotation(level=Level.WARNING, text=text, title=title, file=file, position=at)])
    assert "\n" not in lines
    word, properties, said = runner(lines)
    assert (word, said) == ("warning", harmless(text))
    wanted = {"file": harmless(file), "line": "3", "col": "5", "title": harmless(title)}
    assert properties == {key: value for key, value in wanted.items() if value}


def test_the_worst_stands_first() -> None:
    """The runner shows ten of each kind; what is said twice is said once."""
    found = [Annotation(level=level, text=str(level)) for level in (Level.NOTICE, Level.ERROR, Level.WARNING) * 2]
    assert annotations_text(found).splitlines() == ["::error::error", "::warning::warning", "::notice::notice"]


def test_stdin_is_no_file() -> None:
    """What has no name in the repository is said of the job, without a line."""
    found = Annotation(level=Level.ERROR, text="x", file="stdin", position=Position(1, 1))
    assert annotations_text([found]) == "::error::x"


def test_a_file_is_named_as_the_forge_names_it() -> None:
    """From the top of the repository, without `./`: a forge finds no other name in its tree."""
    found = Annotation(level=Level.ERROR, text="x", file="./sites/../network.yaml", position=Position(2, 1))
    assert annotations_text([found]) == "::error file=network.yaml,line=2,col=1::x"
    diagnostic = Diagnostic(Position(2, 1), "x")
    (issue,) = code_quality([FileDiagnostics(file="./network.yaml", diagnostics=(diagnostic,))])
    assert issue["location"] == {"path": "network.yaml", "lines": {"begin": 2}}


def test_the_same_step_on_several_nodes_is_said_once() -> None:
    """At the line that makes it, with its risk as the level; a node that could not be read is an error."""
    step = {"action": "delete", "name": "vmbr9", "type": "bridge", "fields": {}, "risk": "guests"}
    data = {
        "file": "network.yaml",
        "nodes": [{"node": f"pve{number}", "steps": [step]} for number in range(9)],
        "errors": {"pve9": "pve9 does not answer"},
    }
    lines = annotations_text(of_plan(data, [], lambda *_: Position(4, 3))).splitlines()
    where = "::warning file=network.yaml,line=4,col=3,title=pvenet plan::pve0, pve1, pve2, pve3, pve4 and 4 more"
    assert lines == [
        "::error title=pve9::pve9 is not planned: pve9 does not answer",
        f"{where}: - bridge vmbr9  (risk: guests)",
    ]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y (line 3)", "y (line 4)"])), max_size=8))
def test_a_fingerprint_stays_when_lines_move(said: list[tuple[str, str]]) -> None:
    """The forge tells by it what is new; and no two issues of a report share one."""

    def report(shift: int) -> list[str]:
        found = [
            FileDiagnostics(
                file=file,
                diagnostics=(Diagnostic(Position(number + shift, 1), text.replace("line ", f"line {shift}")),),
            )
            for number, (file, text) in enumerate(said, start=1)
        ]
        return [issue["fingerprint"] for issue in code_quality(found)]

    assert report(0) == report(7)
    assert len(set(report(0))) == len(said)
