"""The progress of several nodes at once: a live line for each on a terminal, its name before each line of a log."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from pvenet import errors, events
from pvenet.cli import terminal as one
from pvenet.cli import together
from pvenet.cli.output import LIVE
from pvenet.render.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable

WAITS = events.Waiting(reason="the reload runs", elapsed=3.0, left=57.0, due=events.Due.ROLLS_BACK, node="pve1")
FAILED = events.Ended(
    node="pve2", verdict=events.Verdict.ROLLED_BACK, exit_code=8, message="bond0 is down\nrolled back and verified"
)

LEFT = events.Ended(
    node="pve1",
    verdict=events.Verdict.UNKNOWN,
    exit_code=9,
    message="stopped waiting; the reload of pve1 goes on as task\n  UPID:pve1:",
)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said; and what the live lines have come to, last."""
    found: list[str] = []
    monkeypatch.setattr(LIVE, "show", lambda text: found.append(f"live: {text()}"))
    return found


def test_a_terminal_has_a_line_for_each_node_at_work(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    """From its first event to its last, and a count above them; when all have ended only that is left."""
    monkeypatch.setattr(one, "lively", lambda: True)
    told = together.Together(lambda _: None, plain, nodes=2)
    told.emit(events.Warned(text="the quorum", node="pve2"))
    told.emit(WAITS)
    assert said[-1] == ("live: 0 of 2 nodes have ended\npve2  begins\npve1  the reload runs (3 s); rolls back in 57 s")
    told.emit(FAILED)
    told.emit(events.Ended(node="pve1", verdict=events.Verdict.APPLIED, exit_code=0, message="applied"))
    assert said[-1] == "live: 2 of 2 nodes have ended"


def test_a_log_says_of_each_line_whose_it_is(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    """What is waited for once, and how each ended; why one has failed is said below, once."""
    monkeypatch.setattr(one, "lively", lambda: False)
    told = together.Together(said.append, plain, nodes=2)
    for event in (
        WAITS,
        WAITS,
        events.RollingBack(node="pve2", reason="bond0 is down", journal="j"),
        FAILED,
        LEFT,
        events.Warned(text="interrupted: pve3 will not be started"),
    ):
        told.emit(event)
    assert said == [
        "pve1: the reload runs",
        "pve2: rolling back: putting back what was on pve2 before",
        "pve2: rolled back, see below",
        "pve1: unknown, see below",
        "warning: interrupted: pve3 will not be started",
    ]


@pytest.mark.parametrize("listener", [partial(one.Terminal, sums_up=True), partial(together.Together, nodes=2)])
def test_why_one_has_failed_is_said_where_nothing_is_summed_up(
    said: list[str], listener: Callable[..., one.Terminal]
) -> None:
    """As where the rollout's record can't be written, or something is wrong inside pvenet; else it is said below."""
    told = listener(said.append, plain)
    told.emit(FAILED)
    full = errors.PvenetError("the disk is full")
    told.__exit__(type(full), full, None)
    assert said[-1] == "pve2: bond0 is down\npve2: rolled back and verified"
    said.clear()
    with listener(said.append, plain) as told:
        told.emit(FAILED)
    assert not [line for line in said if "bond0" in line]


def test_one_after_the_other_each_that_has_failed_has_a_word(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    """As in a rollout of several at once; the reason is said below the summary."""
    monkeypatch.setattr(one, "lively", lambda: False)
    told = one.Terminal(said.append, plain, sums_up=True)
    told.emit(FAILED)
    assert said == ["rolled back, see below"]
