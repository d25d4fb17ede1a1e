"""Waiting for a task, and only for the task: while a reload runs, pvenet lists no interface (facts, section 11).

No answer is a state and not an error: a reload may cut the very connection that asked for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.events import Event, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.connection import AnswerLost
    from pvenet.node import Node, Task

SHORTEST = 0.1
LONGEST = 2.0
"""Seconds between two looks at a task: a short one's end is noticed at once, a long one's is not hurried."""
PATIENCE = 15.0
"""Seconds for one answer while a reload runs; a living node was seen to take 6.4 (facts, section 16)."""
LISTED_WITHIN = 10.0
"""Seconds after which a reload that the node's tasks don't list was not started."""


def _yes(_question: str) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The clock, the person, and who listens."""

    tell: Callable[[Event], None]
    ask: Callable[[str], bool] = _yes
    """Get consent: returns whether somebody was asked (False: consent was given beforehand). Raises NeedsConsent."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def interval(elapsed: float) -> float:
    """Seconds until the next look at a task that has run for `elapsed`."""
    return min(LONGEST, max(SHORTEST, elapsed * 0.07))


def wait_for_task(node: Node, upid: str, around: Surroundings, *, since: float, deadline: float) -> Task:
    """The ended task. Raises StateUnknown at the deadline; `since` is when the reload was sent."""
    heard = around.clock()
    while True:
        silence = ""
        try:
            task = node.task(upid, timeout=_patience(around, deadline))
            if not task.running:
                return task
            heard = around.clock()
        except (errors.Unreachable, errors.AuthenticationFailed) as error:
            # a pveproxy that restarts refuses, or knows no ticket for a moment
            node.connection.fresh()
            silence = f"no answer for {around.clock() - heard:.0f} s ({error.message})"
        elapsed = around.clock() - since
        if around.clock() >= deadline:
            raise _given_up(node, upid, silence, elapsed)
        around.tell(Waiting(reason=silence or f"the reload of {node.name} runs", elapsed=elapsed))
        around.sleep(min(interval(elapsed), max(0.0, deadline - around.clock())))


def wait_until_idle(node: Node, around: Surroundings, timeout: float) -> frozenset[str]:
    """The UPIDs of the node's reloads, once none of them runs. Raises StateUnknown after `timeout` seconds."""
    begun = around.clock()
    while True:
        tasks = node.reloads()
        running = [upid for upid, task in tasks.items() if task.running]
        if not running:
            return frozenset(tasks)
        elapsed = around.clock() - begun
        if elapsed >= timeout:
            raise errors.StateUnknown(
                f"a reload that somebody else started on {node.name} still runs after {elapsed:.0f} s",
                hint=f"wait for its task, then try again:\n  {running[0]}",
            )
        around.tell(Waiting(reason=f"another reload runs on {node.name}", elapsed=elapsed))
        around.sleep(interval(elapsed))


def find_reload(node: Node, around: Surroundings, known: frozenset[str], lost: AnswerLost, deadline: float) -> str:
    """The task of a reload whose answer was lost: the one by our user that was not known before.

    Raises Unreachable where the node answers and the reload was never started, StateUnknown where nobody can tell.
    """
    begun = around.clock()
    heard = False
    while around.clock() < deadline:
        try:
            new = [upid for upid in node.reloads(timeout=_patience(around, deadline)) if upid not in known]
            mine = [upid for upid in new if f":{node.connection.credentials.user}:" in upid]
            if mine:
                return mine[0]
            heard = True
        except errors.Unreachable:
            node.connection.fresh()
        elapsed = around.clock() - begun
        if heard and elapsed > LISTED_WITHIN:
            raise errors.Unreachable(
                f"the reload did not reach {node.name}: {lost.message}; what is pending stays pending", hint=lost.hint
            )
        around.tell(Waiting(reason="the answer to the reload was lost; looking for its task", elapsed=elapsed))
        around.sleep(interval(elapsed))
    raise errors.StateUnknown(
        f"the answer to the reload of {node.name} was lost, and the node does not answer: {lost.message}",
        hint=f"when it answers again: `pvenet diff --node {node.name}` shows whether the changes are still pending",
    )


def _patience(around: Surroundings, deadline: float) -> float:
    return max(1.0, min(PATIENCE, deadline - around.clock()))


def _given_up(node: Node, upid: str, silence: str, elapsed: float) -> errors.StateUnknown:
    what = f"{node.name} gives {silence}" if silence else f"the reload of {node.name} still runs"
    return errors.StateUnknown(
        f"{what} after {elapsed:.0f} s; its task is\n  {upid}",
        hint=f"it is not called back. Look later with `pvenet diff --node {node.name}` and `pvenet list`; "
        "wait longer next time with --timeout",
    )
