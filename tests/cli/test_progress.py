"""Progress while an apply waits: a line a reason in a log, one live line on a terminal."""

from __future__ import annotations

import os
import pty
import re
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from pvenet import errors
from pvenet.cli.counting import counting
from pvenet.cli.live import LiveLine
from pvenet.cli.output import LIVE
from pvenet.cli.terminal import Terminal
from pvenet.events import Due, Reloading, RollingBack, Shown, TaskEnded, Verified, Waiting
from pvenet.plan.path_effect import PathEffect
from pvenet.plan.risk import Risk
from pvenet.render.events import waiting_line

if TYPE_CHECKING:
    from collections.abc import Iterator


RUNS, SILENCE = "the reload of pve1 is running", "no answer from pve1: https://[fd00::1]:8006 did not answer in time"


def plain(text: str, _style: str) -> str:
    return text


def everything(terminal: int) -> str:
    """All that was written to a terminal, which is closed."""
    shown = b""
    with suppress(OSError):  # there is no more
        while more := os.read(terminal, 65536):
            shown += more
    os.close(terminal)
    return shown.decode()


@contextmanager
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Stderr as a terminal of 80 columns, for as long as that; what leads to what it was told."""
    here, there = pty.openpty()
    with os.fdopen(there, "w", encoding="utf8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "80")
        yield here


def test_the_line_says_what_happens_when() -> None:
    """Seconds that go on, both ways, and the trouble behind a silence last, where it may be cut."""
    runs = Waiting(reason=RUNS, elapsed=5.0, left=55.0, due=Due.ROLLS_BACK)
    assert waiting_line(runs, 2.0) == "the reload of pve1 is running (7 s); rolls back in 53 s"
    silent = Waiting(reason="no answer from pve1", elapsed=9, detail="refused", silent=5.0, left=2.0, due=Due.GIVES_UP)
    assert waiting_line(silent, 1.0) == "no answer from pve1 for 6 s; gives up in 1 s: refused"
    assert waiting_line(silent, 9.0).startswith("no answer from pve1 for 14 s; gives up in 0 s")


def test_an_answer_that_does_not_come_is_said_before_it_is_given_up() -> None:
    """A request may be under way for many seconds, in which no event says so."""
    runs = Waiting(reason=RUNS, elapsed=0.0, left=60.0, due=Due.ROLLS_BACK)
    assert waiting_line(runs, 7.0, 7.0) == "no answer for 7 s; rolls back in 53 s: the reload of pve1 is running"


def test_a_request_that_takes_its_time_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing within a second; then a line that counts, and is gone when something is said."""
    drawn: list[str] = []
    now = [0.0]
    live = LiveLine(drawn.append, lambda: now[0])
    monkeypatch.setattr(live, "_begin", lambda: None)
    with live.request("https://pve1:8006"):
        for now[0] in (0.9, 1.2, 2.4):
            live._update()
    with live.saying("nothing is pending\n"):
        pass
    live._update()
    assert drawn == ["waiting for https://pve1:8006 (1 s)", "waiting for https://pve1:8006 (2 s)", ""]


def test_nothing_is_drawn_behind_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed there would be written over."""
    drawn: list[str] = []
    now = [0.0]
    live = LiveLine(drawn.append, lambda: now[0])
    monkeypatch.setattr(live, "_begin", lambda: None)
    with live.saying("Apply this to pve1 now? [y/N] "):
        pass
    with live.request("https://pve1:8006"):
        now[0] = 9.0
        live._update()
    assert drawn == []


def test_what_is_waited_for_after_an_answer_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question's line has ended with what was typed."""
    drawn: list[str] = []
    now = [0.0]
    live = LiveLine(drawn.append, lambda: now[0])
    monkeypatch.setattr(live, "_begin", lambda: None)
    with live.saying("Apply this to pve1 now? [y/N] "):
        pass
    live.answered()
    with live.request("https://pve1:8006"):
        now[0] = 3.0
        live._update()
    assert drawn == ["waiting for https://pve1:8006 (3 s)"]


def test_why_it_was_rolled_back_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """When that begins; the end is what became of it."""
    monkeypatch.setenv("TERM", "dumb")
    said: list[str] = []
    error = errors.RolledBack("bond0 is down\nrolled back and verified on pve1: bond0")
    with suppress(errors.RolledBack), Terminal(said.append, plain) as terminal:
        terminal.emit(RollingBack(node="pve1", reason="bond0 is down", journal=""))
        raise error
    assert said == ["bond0 is down\nrolling back: putting back what was on pve1 before"]
    assert error.message == "rolled back and verified on pve1: bond0"


def test_the_line_of_the_log_that_the_verdict_says_is_not_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else that a failed reload says is."""
    monkeypatch.setenv("TERM", "dumb")
    said: list[str] = []
    log = ("warning: ens38: no such device", "error: bond0: it failed", "TASK ERROR: command 'ifreload -a' failed")
    with Terminal(said.append, plain) as terminal:
        terminal.emit(TaskEnded(upid="UPID", exitstatus="exit code 1", log=log))
    assert said == ["  warning: ens38: no such device"]


def test_a_line_that_is_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wrap, and could not be taken away."""
    with on_terminal(monkeypatch) as here:
        LIVE.show(lambda: "no answer " * 20)
        LIVE.end()
    lines = everything(here).split("\x1b[G\x1b[K")
    assert lines[-1] == ""
    assert {len(line) for line in lines} == {0, 79}


def waiting(*reasons: str) -> list[Waiting]:
    return [Waiting(reason=reason, elapsed=float(at)) for at, reason in enumerate(reasons)]


def test_a_log_says_a_reason_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silence is said as every reason is, and a poll's hundredth look at the same is not."""
    monkeypatch.setenv("TERM", "dumb")
    said: list[str] = []
    with Terminal(said.append, plain) as terminal:
        for event in waiting(RUNS, RUNS, SILENCE, SILENCE, RUNS, SILENCE):
            terminal.emit(event)
    assert said == [RUNS, SILENCE]


def test_where_nothing_has_to_be_up_no_empty_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is up is named, and nothing is no name."""
    monkeypatch.setenv("TERM", "dumb")
    said: list[str] = []
    with Terminal(said.append, plain) as terminal:
        terminal.emit(Verified(gone=("bond0",)))
        terminal.emit(Verified(active=("ens33", "vmbr0")))
    assert said == ["active: ens33, vmbr0"]


def test_a_live_line_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason and the seconds since the reload, which go on; it makes way for whatever else is said."""
    here, there = pty.openpty()
    said: list[str] = []
    with os.fdopen(there, "w", encoding="utf8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        with Terminal(said.append, plain) as terminal:
            terminal.emit(Waiting(reason=SILENCE, elapsed=15.2))
            time.sleep(1.2)
            terminal.emit(Reloading(node="pve1", upid="UPID"))
    counted = re.findall(rf"{re.escape(SILENCE)} \((\d+) s\)", everything(here))
    assert int(counted[0]) >= 15
    assert int(counted[-1]) > int(counted[0])
    assert said == ["reloading the network of pve1"]


def test_an_error_leaves_no_count_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is clear again where its message begins."""
    here, there = pty.openpty()
    with os.fdopen(there, "w", encoding="utf8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", "xterm")
        with suppress(ZeroDivisionError), counting(3) as count:
            count(2)
            raise ZeroDivisionError
    assert everything(here) == "\x1b[G\x1b[Kread 2 of 3 nodes\x1b[G\x1b[K"


@pytest.mark.parametrize("asks", [True, False])
def test_a_diff_is_folded_for_a_question_alone(monkeypatch: pytest.MonkeyPatch, *, asks: bool) -> None:
    """Where nobody is asked, as in a dry run, no key shows the rest of it."""
    diff = "--- a\n+++ b\n@@ -1,1 +1,60 @@\n" + "".join(f"+line {number}\n" for number in range(60))
    said: list[str] = []
    with on_terminal(monkeypatch), Terminal(said.append, plain, asks=asks) as terminal:
        terminal.emit(Shown(node="pve1", steps=(), changes=diff, risk=Risk.NONE, ours=True, effect=PathEffect.NONE))
    assert ("`pvenet diff` shows them)" in "".join(said)) is asks
    assert ("line 59" in "".join(said)) is not asks
