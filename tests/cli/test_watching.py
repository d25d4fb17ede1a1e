"""`pvenet status --watch`: what changes is said once, and it ends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pvenet.apply.status import Status
from pvenet.cli.context import Context
from pvenet.cli.watching import watched
from pvenet.settings import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

RUNS = Status(node="pve1", reachable=True, reloading=True, what="a reload runs")
WAITS = Status(node="pve1", reachable=True, busy=True, left=30.0, what="waits")
DONE = Status(node="pve1", reachable=True, what="nothing is pending")


def texts(found: list[Status]) -> str:
    return "\n".join(each.what for each in found)


def seen(*looks: Status) -> Callable[[], list[Status]]:
    """One look after another."""
    each: Iterator[Status] = iter(looks)
    return lambda: [next(each)]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pvenet.cli.watching.OFTEN", 0.0)


def test_a_change_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where only the seconds that are left go on; and when nothing goes on, it ends."""
    fewer = Status(node="pve1", reachable=True, busy=True, left=29.0, what="waits")
    assert watched(Context(Options()), seen(RUNS, RUNS, WAITS, fewer, DONE), texts) == [DONE]
    assert capsys.readouterr().out == "a reload runs\nwaits\nnothing is pending\n"


def test_a_node_that_does_not_answer_is_watched_still(capsys: pytest.CaptureFixture[str]) -> None:
    """It may come back."""
    away = Status(node="pve1", reachable=False, what="the node can't be queried")
    assert watched(Context(Options()), seen(away, away, DONE), texts) == [DONE]
    assert capsys.readouterr().out == "the node can't be queried\nnothing is pending\n"


def test_ctrl_c_ends_it_with_what_was_seen_last() -> None:
    """It is how one stops looking, and no error."""

    def look() -> list[Status]:
        if looks:
            return [looks.pop()]
        raise KeyboardInterrupt

    looks = [RUNS]
    assert watched(Context(Options()), look, texts) == [RUNS]


def test_on_a_command_line(tmp_path: Path, run: Callable[..., Ran]) -> None:
    """A node on which nothing happens is told once; with --json in a line."""
    ran = run("--sim", str(tmp_path / "lab"), "status", "--watch", "--json")
    assert (ran.code, len(ran.lines)) == (0, 1)
    assert ran.lines[0]["event"] == "status"
    assert ran.lines[0]["nodes"][0]["what"] == "nothing is pending"
