"""Waiting for a task, and only for the task: while a reload runs, pvenet lists no interface (facts, section 11).

No answer is a state and not an error: a reload may cut the very connection that asked for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.events import Event, Waiting
from pvenet.node import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.node import Node

SHORTEST = 0.1
LONGEST = 2.0
"""Seconds between two looks at a task: a short one's end is noticed at once, a long one's is not hurried."""
PATIENCE = 15.0
"""Seconds for one answer while a reload runs; a living node was seen to take 6.4 (facts, section 16)."""
LISTED_WITHIN = 10.0
"""Seconds after which a reload that the node's tasks don't list is looked for in what is pending."""

Answer = TypeVar("Answer")


def _yes(_question: str) -> bool:
    return False


def _silence(_left: float, seconds: float) -> bool | None:
    time.sleep(seconds)
    return None


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The clock, the person, and who listens."""

    emit: Callable[[Event], None]
    confirm: Callable[[str], bool] = _yes
    """Get consent: returns whether somebody was asked (False: consent was given beforehand). Raises NeedsConsent."""
    await_confirmation: Callable[[float, float], bool | None] = _silence
    """Wait some seconds for a person to say that a change may stay: yes, no, or None for nothing yet. The first number
    is how many are left in all."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """The time between a reload and the last moment at which its verdict is waited for."""

    since: float
    at: float
    """When it is over, by the clock."""


def utc_now() -> str:
    """Now, as a journal writes it; to read, never to compare."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def interval(elapsed: float) -> float:
    """Seconds until the next look at a task that has run for `elapsed`."""
    return min(LONGEST, max(SHORTEST, elapsed * 0.07))


def patience(runtime: Runtime, deadline: Deadline) -> float:
    """Seconds that one answer may take."""
    return max(1.0, min(PATIENCE, deadline.at - runtime.clock()))


def answered(node: Node, ask: Callable[[], Answer], runtime: Runtime, deadline: Deadline, *, what: str) -> Answer:
    """An answer, however long the node gives none. Raises StateUnknown at the deadline, saying `what` is open.

    Every error counts as silence: a pveproxy that restarts refuses, knows no ticket, or can't ask its daemon.
    """
    heard = runtime.clock()
    while True:
        try:
            return ask()
        except errors.PvenetError as error:
            now = runtime.clock()
            if now >= deadline.at:
                raise errors.StateUnknown(
                    f"{node.name} gives no answer for {now - heard:.0f} s ({error.message}); {what}",
                    hint="nothing is called back. When it answers again, look with "
                    f"`pvenet diff --node {node.name}` and `pvenet list`",
                ) from error
            pause(runtime, deadline, f"no answer from {node.name}: {error.message}", interval(now - heard))


def wait_for_task(node: Node, upid: str, runtime: Runtime, deadline: Deadline, *, forgotten: bool = False) -> Task:
    """The ended task; the node may have `forgotten` it. Raises StateUnknown at the deadline."""
    what = f"its task is\n  {upid}"

    def ask() -> Task:
        try:
            return node.task(upid, timeout=patience(runtime, deadline))
        except errors.RefusedByPVE as refusal:
            if forgotten and refusal.status == 400:  # noqa: PLR2004 - HTTP's own number
                return Task(upid=upid, running=False)
            raise

    while True:
        task = answered(node, ask, runtime, deadline, what=what)
        if not task.running:
            return task
        elapsed = runtime.clock() - deadline.since
        if runtime.clock() >= deadline.at:
            raise errors.StateUnknown(
                f"the reload of {node.name} still runs after {elapsed:.0f} s; {what}",
                hint=f"it is not called back. Look later with `pvenet diff --node {node.name}` and `pvenet list`; "
                "wait longer next time with --timeout",
            )
        pause(runtime, deadline, f"the reload of {node.name} runs", interval(elapsed))


def wait_until_idle(node: Node, runtime: Runtime, timeout: float) -> frozenset[str]:
    """The UPIDs of the node's reloads, once none of them runs; before a reload of ours. Raises StateUnknown."""
    begun = runtime.clock()
    while True:
        tasks = node.reloads()
        running = [upid for upid, task in tasks.items() if task.running]
        if not running:
            return frozenset(tasks)
        elapsed = runtime.clock() - begun
        if elapsed >= timeout:
            raise errors.StateUnknown(
                f"a reload that somebody else started on {node.name} still runs after {elapsed:.0f} s; "
                "nothing was sent",
                hint=f"wait for its task, then try again:\n  {running[0]}",
            )
        runtime.emit(Waiting(reason=f"another reload runs on {node.name}", elapsed=elapsed))
        runtime.sleep(min(interval(elapsed), max(0.0, begun + timeout - runtime.clock())))


def wait_for_others(node: Node, runtime: Runtime, deadline: Deadline) -> tuple[frozenset[str], bool]:
    """The same after a reload of ours, of which nothing is live before theirs has ended; and whether one ran."""
    waited = False
    what = "somebody else's reload runs there, and what was pending is in the live file and not live"
    while True:
        tasks = answered(node, lambda: node.reloads(timeout=patience(runtime, deadline)), runtime, deadline, what=what)
        running = [upid for upid, task in tasks.items() if task.running]
        if not running:
            return frozenset(tasks), waited
        waited = True
        elapsed = runtime.clock() - deadline.since
        if runtime.clock() >= deadline.at:
            raise errors.StateUnknown(
                f"after {elapsed:.0f} s {what}",
                hint=f"when its task has ended, `ifreload -a` on {node.name} makes it live:\n  {running[0]}",
            )
        pause(runtime, deadline, f"another reload runs on {node.name}", interval(elapsed))


def find_reload(
    node: Node, runtime: Runtime, deadline: Deadline, *, known: frozenset[str], pending: str | None
) -> str | None:
    """The task of a reload whose answer was lost: the one by our user that was not known before.

    None where it was not started: the node lists no such task, and what was pending still is (a reload consumes it
    at once). That is looked at only when the lists have had their time, because a listing during a reload freezes the
    flags. Raises StateUnknown where nobody can tell.
    """
    begun = runtime.clock()
    looked = False
    while True:
        tasks = answered(
            node, lambda: node.reloads(timeout=patience(runtime, deadline)), runtime, deadline, what=_WHETHER_IT_STARTED
        )
        mine = [upid for upid in tasks if upid not in known and f":{node.connection.credentials.user}:" in upid]
        if mine:
            return mine[0]
        elapsed = runtime.clock() - begun
        late = runtime.clock() >= deadline.at
        if pending is not None and not looked and (late or elapsed > LISTED_WITHIN):
            looked = True
            now = answered(
                node,
                lambda: node.read(timeout=patience(runtime, deadline)),
                runtime,
                deadline,
                what=_WHETHER_IT_STARTED,
            )
            if now.pending == pending:
                return None
        if late:
            raise errors.StateUnknown(
                f"the answer to the reload of {node.name} was lost, and no task of it is listed",
                hint=f"`pvenet diff --node {node.name}` shows whether the changes are still pending",
            )
        pause(runtime, deadline, "the answer to the reload was lost; looking for its task", interval(elapsed))


_WHETHER_IT_STARTED = "the answer to the reload was lost, and it may have been started"


def pause(runtime: Runtime, deadline: Deadline, reason: str, seconds: float) -> None:
    """Say what is waited for, and wait; never past the deadline."""
    runtime.emit(Waiting(reason=reason, elapsed=runtime.clock() - deadline.since))
    runtime.sleep(min(seconds, max(0.0, deadline.at - runtime.clock())))
