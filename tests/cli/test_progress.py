"""Progress while an apply waits: a line a reason in a log, one live line on a terminal."""

from __future__ import annotations

import os
import pty
import re
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pvenet.cli.progress import Terminal, counting
from pvenet.events import Reloading, Verified, Waiting

if TYPE_CHECKING:
    import pytest

RUNS, SILENCE = "the reload of pve1 runs", "no answer from pve1: https://[fd00::1]:8006 did not answer in time"


def plain(text: str, _style: str) -> str:
    return text


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
        stderr.flush()
        shown = os.read(here, 65536).decode()
    os.close(here)
    counted = re.findall(rf"{re.escape(SILENCE)} \((\d+) s\)", shown)
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
        shown = os.read(here, 65536).decode()
    os.close(here)
    assert shown == "\x1b[G\x1b[Kread 2 of 3 nodes\x1b[G\x1b[K"
