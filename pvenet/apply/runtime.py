"""What an apply needs from outside: a clock, a sleep, a person, a listener; and waiting with them.

While a reload runs, pvenet asks for its task and lists no interface (pve-api#never-list). No answer is a state and not
an error: a reload may cut the very connection that asked for it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.apply.heard import Heard
from pvenet.connection.session import LONGEST_ANSWER, READ_TIMEOUT
from pvenet.events import Due, Event, Waiting, Warned
from pvenet.node import Task
from pvenet.outcome import ended

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pvenet.events import Ended
    from pvenet.node import Node
    from pvenet.outcome import Outcome

SHORTEST = 0.1
LONGEST = 2.0
"""Seconds between two looks at a task: a short one's end is noticed at once, a long one's is not hurried."""

Answer = TypeVar("Answer")


def _agreed(_question: str) -> bool:
    return False


def _silence(_left: float, seconds: float) -> bool | None:
    time.sleep(seconds)
    return None


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The clock, the person, and who listens."""

    emit: Callable[[Event], None]
    confirm: Callable[[str], bool] = _agreed
    """Get approval: returns whether somebody was asked (False: it was given beforehand). Raises NeedsConsent."""
    await_confirmation: Callable[[float, float], bool | None] = _silence
    """Wait some seconds for a person to say that a change may stay: yes, no, or None for nothing yet. The first number
    is how many are left in all."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    heard: Heard = field(default_factory=Heard)
    """What was told so far, for the last event."""

    def of(self, node: str) -> Runtime:
        """The same for one node: each event names it, and is remembered."""
        heard = Heard()

        def told(event: Event) -> None:
            if not event.node:
                event = replace(event, node=node)
            heard.hear(event, self.clock())
            self.emit(event)

        return replace(self, emit=told, heard=heard)

    def warn(self, text: str) -> None:
        """Tell what a person should know."""
        self.emit(Warned(text=text))

    def unfailing(self) -> Runtime:
        """The same from the reload on, when a listener that fails must stop nothing."""
        emit = self.emit

        def heard(event: Event) -> None:
            with suppress(Exception):
                emit(event)

        return replace(self, emit=heard)

    def deadline(self, seconds: float, due: Due = Due.GIVES_UP) -> Deadline:
        """So many seconds from now, and what happens then."""
        now = self.clock()
        return Deadline(runtime=self, since=now, at=now + seconds, due=due)


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """The time by which a verdict is due."""

    runtime: Runtime
    since: float
    """When it began, by the clock."""
    at: float
    """When it is over, by the clock."""
    due: Due = Due.GIVES_UP
    """What happens then."""

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return self.runtime.clock() - self.since

    @property
    def left(self) -> float:
        """Seconds until it is over; 0 when it is."""
        return max(0.0, self.at - self.runtime.clock())

    @property
    def over(self) -> bool:
        return self.runtime.clock() >= self.at

    @property
    def answer(self) -> float:
        """Seconds that one answer may take."""
        return max(1.0, min(LONGEST_ANSWER, self.left))

    @property
    def request(self) -> float:
        """Seconds that the answer to a reload may take: it is sent once, and not given up before it has to be."""
        return max(1.0, min(READ_TIMEOUT, self.left))

    def say(self, reason: str, *, detail: str = "", silent: float | None = None, until: float | None = None) -> None:
        """Say what is waited for, and what happens when: what is due at the deadline, or a decision at `until`, by the
        clock.
        """
        left, due = (self.left, self.due) if until is None else (max(0.0, until - self.runtime.clock()), Due.DECIDES)
        self.runtime.emit(
            Waiting(reason=reason, elapsed=self.elapsed, detail=detail, silent=silent, left=left, due=due)
        )

    def pause(self, reason: str, seconds: float, *, until: float | None = None) -> None:
        """Say what is waited for, and wait; never past the deadline."""
        self.say(reason, until=until)
        self.rest(seconds)

    def rest(self, seconds: float) -> None:
        """Wait, and never past the deadline."""
        self.runtime.sleep(min(seconds, self.left))


class Interrupts:
    """The Ctrl-Cs of one stretch of work: the first says what is under way, the second gives it up."""

    def __init__(self, runtime: Runtime, notice: str) -> None:
        self._runtime = runtime
        self._notice = notice
        self.told = False
        self.given_up = False

    def heard(self) -> bool:
        """Another one; whether that is the second."""
        if self.told:
            self.given_up = True
        else:
            self.told = True
            self._runtime.warn(self._notice)
        return self.given_up


def conclude(node: str, runtime: Runtime, run: Callable[[], Outcome]) -> Ended:
    """Run to the end, and tell it whatever it is. Raises what the outcome stands for, or what `run` raised."""
    try:
        outcome: Outcome | errors.PvenetError = run()
    except errors.PvenetError as raised:
        outcome = raised
    end, error = ended(node, outcome)
    end = runtime.heard.completed(end, runtime.clock())
    runtime.unfailing().emit(end)
    if error is not None:
        raise error
    return end


def interval(elapsed: float) -> float:
    """Seconds until the next look at a task that has run for `elapsed`."""
    return min(LONGEST, max(SHORTEST, elapsed * 0.07))


def answered(node: Node, request: Callable[[], Answer], deadline: Deadline, *, what: str) -> Answer:
    """An answer, however long the node gives none. Raises StateUnknown at the deadline, saying `what` is open.

    Every error counts as silence: a pveproxy that restarts refuses, knows no ticket, or can't ask its daemon.
    """
    clock = deadline.runtime.clock
    heard = clock()
    while True:
        try:
            return request()
        except errors.PvenetError as error:
            silent = clock() - heard
            if deadline.over:
                raise errors.StateUnknown(
                    f"{node.name} has not answered for {silent:.0f} s ({error.message}); {what}",
                    hint=f"nothing is cancelled. `pvenet wait --node {node.name}` goes on waiting, and ends with the "
                    "verdict",
                ) from error
            deadline.say(f"no answer from {node.name}", detail=error.message, silent=silent)
            deadline.rest(interval(silent))


def wait_for_task(
    node: Node, upid: str, deadline: Deadline, *, forgotten: bool = False, so_far: Callable[[], str] = str
) -> Task:
    """The ended task; the node may have `forgotten` it. Raises StateUnknown at the deadline.

    `so_far` says in words how far the reload has come, or nothing.
    """
    what = f"its task is\n  {upid}"

    def request() -> Task:
        try:
            return node.task(upid, timeout=deadline.answer)
        except errors.RefusedByPVE as refusal:
            if forgotten and refusal.status == 400:  # noqa: PLR2004 - HTTP's own number
                return Task(upid=upid, running=False)
            raise

    while True:
        task = answered(node, request, deadline, what=what)
        if not task.running:
            return task
        if deadline.over:
            raise errors.StateUnknown(
                f"the reload of {node.name} is still running after {deadline.elapsed:.0f} s; {what}",
                hint=f"it is not cancelled. `pvenet wait --node {node.name}` goes on waiting, and ends with the "
                "verdict; wait longer next time with --timeout",
            )
        far = so_far()
        deadline.pause(f"the reload of {node.name} is running{far and f'; {far}'}", interval(deadline.elapsed))


def wait_until_idle(
    node: Node, runtime: Runtime, timeout: float, *, ours: Collection[str] = frozenset()
) -> frozenset[str]:
    """The UPIDs of the node's reloads, once none of them runs; before a reload of ours. Raises StateUnknown.

    `ours`: those that were started from here, and left. Nothing is listed before: a listing during a reload would
    freeze the flags (pve-api#never-list).
    """
    deadline = runtime.deadline(timeout)
    while True:
        tasks = node.reloads()
        running = [upid for upid, task in tasks.items() if task.running]
        if not running:
            return frozenset(tasks)
        mine = running[0] in ours
        if deadline.over:
            whose = (
                f"the reload of {node.name} that was started from here"
                if mine
                else f"a reload that somebody else started on {node.name}"
            )
            todo = (
                f"`pvenet wait --node {node.name}` waits for its end and verifies it" if mine else "wait for its task"
            )
            raise errors.StateUnknown(
                f"{whose} is still running after {deadline.elapsed:.0f} s; nothing was sent",
                hint=f"{todo}, then try again:\n  {running[0]}",
            )
        which = "the last reload from here is still running" if mine else "another reload is running"
        deadline.pause(f"{which} on {node.name}", interval(deadline.elapsed))


def wait_for_others(node: Node, deadline: Deadline) -> tuple[frozenset[str], bool]:
    """The same after a reload of ours, of which nothing is live before theirs has ended; and whether one ran."""
    waited = False
    what = "somebody else's reload is running there, and what was pending is in the applied file but not live"
    while True:
        tasks = answered(node, lambda: node.reloads(timeout=deadline.answer), deadline, what=what)
        running = [upid for upid, task in tasks.items() if task.running]
        if not running:
            return frozenset(tasks), waited
        waited = True
        if deadline.over:
            raise errors.StateUnknown(
                f"after {deadline.elapsed:.0f} s {what}",
                hint=f"when its task has ended, `ifreload -a` on {node.name} makes it live:\n  {running[0]}",
            )
        deadline.pause(f"another reload is running on {node.name}", interval(deadline.elapsed))
