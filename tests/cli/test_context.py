"""What commands work with: one connection, made when it is needed, and one way to answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pvenet.cli.context import Context
from pvenet.connection import Connection
from pvenet.settings import Options

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("given", "out", "err"),
    [
        ({"text": "text"}, "text\n", ""),
        ({"note": "note"}, "", "note\n"),
        ({"text": "text", "note": "note\nnote"}, "text\n", "note\nnote\n"),
        ({}, "", ""),
    ],
)
def test_an_answer_is_text_and_a_note_or_data(
    capsys: pytest.CaptureFixture[str], given: dict[str, Any], out: str, err: str
) -> None:
    """Text on stdout and talk on stderr; with --json the data alone, whatever the text is."""
    Context(Options()).emit({"a": 1}, **given)
    assert capsys.readouterr() == (out, err)
    Context(Options(json=True)).emit({"a": 1}, **given)
    printed = capsys.readouterr()
    assert (json.loads(printed.out), printed.err) == ({"a": 1}, "")


def test_nothing_is_connected_before_it_is_asked_for(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that needs no node closes nothing, and one that does closes what it opened, once."""
    closed: list[Connection] = []
    monkeypatch.setattr(Connection, "close", lambda self: closed.append(self))  # noqa: PLW0108 - a method needs a self
    with Context(Options()):
        pass
    assert not closed
    with Context(Options(sim=lab)) as context:
        assert context.node.connection is context.connection
        assert context.journals.node == "pve1"
    assert closed == [context.connection]


def test_options_after_a_command_win_over_those_before_it() -> None:
    """One by one; what was not given leaves the other as it is."""
    before = Options(node="a", endpoint=("x",), debug=True)
    assert Options(node="b", json=True).over(before) == Options(node="b", endpoint=("x",), json=True, debug=True)
    assert Options().over(before) == before
