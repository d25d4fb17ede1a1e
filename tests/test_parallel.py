"""On which processor threads read that take turns anyway."""

from __future__ import annotations

import os
import sys
from threading import Barrier

import pytest

from pvenet.parallel import together

if sys.platform != "linux":
    pytest.skip("only Linux binds threads to processors", allow_module_level=True)

THREADS = 3


def where(*, at_once: int = THREADS) -> list[set[int]]:
    """The processors that each of some threads may run on; all of them run at once."""
    meet = Barrier(at_once)

    def look(_: int) -> set[int]:
        meet.wait(10)
        return os.sched_getaffinity(0)

    return [found for _, found in together(range(at_once), look, at_once=at_once) if isinstance(found, set)]


def test_all_read_on_one_processor_and_nobody_else_is_bound_to_it() -> None:
    """It is one that the process may use, and the threads alone stay there."""
    ours = os.sched_getaffinity(0)
    first, *others = where()
    assert len(first) == 1
    assert first <= ours
    assert others == [first] * (THREADS - 1)
    assert os.sched_getaffinity(0) == ours


def test_one_alone_is_not_bound() -> None:
    """It hands over to nobody."""
    assert where(at_once=1) == [os.sched_getaffinity(0)]


def test_threads_that_run_at_once_are_not_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a Python without the lock: one processor would make them wait."""
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert where() == [os.sched_getaffinity(0)] * THREADS


def test_a_processor_that_is_taken_away_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """They read where they are."""

    def gone(*_: object) -> None:
        raise OSError

    ours = os.sched_getaffinity(0)
    monkeypatch.setattr(os, "sched_setaffinity", gone)
    assert where() == [ours] * THREADS
