"""On which processor threads read that take turns anyway."""

from __future__ import annotations

import os
import sys
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from pvenet.parallel import together

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform != "linux":
    pytest.skip("only Linux binds threads to processors", allow_module_level=True)

THREADS = 3


def where(*, at_once: int = THREADS, ask: Callable[[int], set[int]] = os.sched_getaffinity) -> list[set[int]]:
    """The processors that each of some threads may run on; all of them run at once."""
    meet = Barrier(at_once)

    def look(_: int) -> set[int]:
        meet.wait(10)
        return ask(0)

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


@pytest.mark.parametrize("what", ["sched_getaffinity", "sched_setaffinity"])
def test_a_system_that_forbids_it_is_no_matter(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Be it the question, or to be bound to a processor that was taken away meanwhile: they read where they are."""

    def refused(*_: object) -> None:
        raise PermissionError

    ours, ask = os.sched_getaffinity(0), os.sched_getaffinity
    monkeypatch.setattr(os, what, refused)
    assert where(ask=ask) == [ours] * THREADS
