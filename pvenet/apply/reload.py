"""The reload and what comes of it: sent once, its task waited for, the node verified.

From the moment it is sent there is no way back to "nothing happened" but by proof: every trouble after that ends in a
verdict about the node or in StateUnknown, never in the error that the trouble would have been before.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import refuse_hidden
from pvenet.apply.arm import Arming
from pvenet.apply.course import Course, how_far
from pvenet.apply.leftover import drop_staged
from pvenet.apply.refresh import Refresh
from pvenet.apply.sending import Sending
from pvenet.apply.verify import Expectation, Judgement, judge
from pvenet.apply.wait import (
    Deadline,
    Runtime,
    answered,
    interval,
    patience,
    pause,
    wait_for_others,
    wait_for_task,
)
from pvenet.events import Ended, Reloading, TaskEnded, Verdict, Verified, Waiting
from pvenet.journal import State, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.apply.logbook import Logbook
    from pvenet.connection.endpoint import Endpoint
    from pvenet.node import Node, Reading, Task
    from pvenet.plan import Change

EXIT_ALREADY_RUNNING = "exit code 89"
"""ifreload's way to say that another one runs: ours has consumed the staging and applied nothing (facts, 16)."""


class Reload:
    """One reload, from its journal to its verdict."""

    def __init__(  # noqa: PLR0913 - what a reload is about, and three that say how
        self,
        node: Node,
        book: Logbook,
        runtime: Runtime,
        *,
        timeout: float,
        course: Course | None = None,
        door: Endpoint | None = None,
    ) -> None:
        self._node = node
        self.book = book
        self._runtime = runtime
        self._timeout = timeout
        self._course = course or Course()
        self._door = door
        """Where the node has to answer in the end; through its peers alone is not as it was."""
        self._deadline = Deadline(since=0.0, at=0.0)
        self._sending = Sending(node, runtime, self._told_once)
        self.warned = False
        """Somebody has pressed Ctrl-C once, and was told what is under way."""
        self.abandoned = False
        """A person has stopped waiting: nothing more is to be done."""
        self._repeated = False
        self._task: Task | None = None
        self._log: tuple[str, ...] | None = None

    def carry_out(
        self, expectation: Expectation, changes: Sequence[Change], known: frozenset[str], *, wait: bool
    ) -> Ended:
        """Send it and say how it ended. Raises ApplyFailed and StateUnknown; others where it was not started."""
        self._arming = Arming(self._node, self.book, self._runtime, self._course.inverse, expectation)
        self._start(known)
        if not wait:
            message = f"the reload was sent to {self._node.name}, and nobody waits for it"
            return self._end(Verdict.UNKNOWN, message)
        while True:
            try:
                return self._concluded(expectation, changes)
            except KeyboardInterrupt:
                self._told_once()

    @property
    def sent(self) -> bool:
        """It may have been started: nothing has proved that it did not arrive."""
        return self._sending.sent

    def given_up(self) -> errors.StateUnknown:
        """Waiting was given up by a person."""
        self.abandoned = True
        upid = self.book.journal.upid
        what = f"goes on as task\n  {upid}" if upid else "may have been started: its answer was not waited for"
        return errors.StateUnknown(
            f"waiting was given up; the reload of {self._node.name} {what}",
            hint=f"when it has ended, look with `pvenet diff --node {self._node.name}` and `pvenet list`; "
            f"what was there before is in\n  {self.book.path}",
        )

    def _told_once(self) -> None:
        """The first Ctrl-C says what is under way, the second stops waiting."""
        if self.warned:
            raise self.given_up()
        self.warned = True
        self.book.warn(
            f"the reload of {self._node.name} is under way and can't be called back; Ctrl-C again stops waiting for it"
        )

    # --- sending -----------------------------------------------------------------------------------------------------

    def _start(self, known: frozenset[str]) -> None:
        self.book.record(must=self._course.must_record, state=self._course.under_way)
        since = self._runtime.clock()
        self._deadline = Deadline(since=since, at=since + self._timeout)
        try:
            self._take(self._sending.send(self._deadline, known, self.book.journal.pending))
        except BaseException:
            if not self.sent:  # as before, for a second apply
                self.book.record(state=self._course.unsent)
            raise

    def _take(self, upid: str) -> None:
        self._task = None
        self.book.record(upid=upid)
        self._runtime.emit(Reloading(node=self._node.name, upid=upid))

    # --- the end of it -----------------------------------------------------------------------------------------------

    def _concluded(self, expectation: Expectation, changes: Sequence[Change]) -> Ended:
        """Wait, verify, judge; after a Ctrl-C it goes on where it was."""
        task = self._ended()
        while EXIT_ALREADY_RUNNING in task.exitstatus and self._repeat(task):
            task = self._ended()
        log = self._told(task)
        self._arming.disarm(self._deadline)
        reading = self._looked(expectation, believed=not task.ok)
        judgement = judge(expectation, reading.network)
        if not task.ok:
            raise self._failed(f"the reload of {self._node.name} failed: {task.exitstatus}; {how_far(judgement)}", log)
        if not judgement.good and reading.pending is not None:
            raise self._hidden(judgement)
        if not judgement.good:
            raise self._failed(f"the reload of {self._node.name} ended well, but {how_far(judgement)}", log)
        self._through_the_door(log)
        if judgement.more and reading.pending is None:
            self.book.warn(f"somebody else's {', '.join(judgement.more)} went live with it")
        return self._applied(expectation, changes, judgement)

    def _ended(self) -> Task:
        if self._task is None:
            self._arming.arm(self._deadline)
            self._task = wait_for_task(self._node, self.book.journal.upid or "", self._runtime, self._deadline)
        return self._task

    def _repeat(self, task: Task) -> bool:
        """Another ifreload ran: ours took the staging and applied nothing. Wait for it, look, reload once more.

        Whether that was done: more than once only where a task says who was in the way, because an ifreload that
        somebody runs on the console, or one that hangs with its lock held, shows in none.
        """
        self.book.warn(f"another reload was running on {self._node.name}; reloading once more when it has ended")
        self._arming.disarm(self._deadline)  # or the second reload would make the way back live
        known, waited = wait_for_others(self._node, self._runtime, self._deadline)
        if self._repeated and not waited:
            return False
        if self._read().pending is not None:
            raise self._failed(
                f"another reload was running on {self._node.name}, ours applied nothing ({task.exitstatus}), and "
                "somebody has staged something new meanwhile: reloading again would make that live, too",
                (),
                hint="ask who; then `pvenet apply --adopt` makes all of it live",
            )
        self._repeated = True
        try:
            upid = self._sending.send(self._deadline, known, None, again=True)
        except errors.StateUnknown:
            raise
        except errors.PvenetError as error:
            raise self._failed(
                f"another reload was running on {self._node.name}, ours applied nothing ({task.exitstatus}), and a "
                f"second one could not be sent: {error.message}",
                (),
            ) from error
        self._take(upid)
        return True

    def _told(self, task: Task) -> tuple[str, ...]:
        """The task's log; told once, and missed by nobody where it can't be had."""
        if self._log is None:
            try:
                self._log = self._node.log(task.upid, timeout=patience(self._runtime, self._deadline))
            except errors.PvenetError as error:
                self._log = ()
                self.book.warn(f"the log of the reload can't be read: {error.message}")
            self._runtime.emit(TaskEnded(upid=task.upid, exitstatus=task.exitstatus, log=self._log))
            for line in self._log:
                if task.ok and (" warning: " in line or " error: " in line):  # facts 14: an error need not fail it
                    self.book.warn(f"the reload says: {line.strip()}")
        return self._log

    def _looked(self, expectation: Expectation, *, believed: bool) -> Reading:
        """What the node lists; flags that are down after a failed task are believed as they are."""
        elapsed = self._runtime.clock() - self._deadline.since
        self._runtime.emit(Waiting(reason="looking at the interfaces", elapsed=elapsed))
        refresh = Refresh(self._node, self._runtime, read=self._read, note=self._refreshing)
        reading = self._read() if believed else refresh.settled(expectation, self._deadline)
        if reading.pending is not None:
            self.book.warn(f"something new is pending on {self._node.name}: somebody staged it after the reload")
        return reading

    def _read(self) -> Reading:
        what = f"its reload has ended and was not verified; its task is\n  {self.book.journal.upid}"
        return answered(self._node, self._seen, self._runtime, self._deadline, what=what)

    def _seen(self) -> Reading:
        reading = self._node.read(timeout=patience(self._runtime, self._deadline))
        refuse_hidden(self._node, reading)  # a privilege may go at any time, and bridges with it
        return reading

    def _through_the_door(self, log: Sequence[str]) -> None:
        """The endpoint that answered before still answers; it has until the deadline. Raises ApplyFailed."""
        connection = self._node.connection
        if self._door is None or connection.endpoint == self._door:
            return
        begun = self._runtime.clock()
        while not connection.answers(self._door, timeout=patience(self._runtime, self._deadline)):
            elapsed = self._runtime.clock() - begun
            if self._runtime.clock() >= self._deadline.at:
                raise self._failed(
                    f"everything is up on {self._node.name}, as {connection.endpoint} sees it; but {self._door} "
                    f"gives no answer for {elapsed:.0f} s",
                    log,
                )
            pause(self._runtime, self._deadline, f"{self._door} does not answer yet", interval(elapsed))

    def _refreshing(self, name: str) -> None:
        """A no-op that is about to be staged and taken back stands in the journal, as every write does."""
        self.book.record(steps=(*self.book.journal.steps, Step(action="refresh", name=name)), behind=True)

    # --- verdicts ----------------------------------------------------------------------------------------------------

    def _applied(self, expectation: Expectation, changes: Sequence[Change], judgement: Judgement) -> Ended:
        for name in judgement.excused:
            self.book.warn(f"{name} {self._course.excuse}")
        self._runtime.emit(Verified(active=tuple(sorted(expectation.active)), gone=tuple(sorted(expectation.gone))))
        self._close(self._course.done)
        names = ", ".join(change.name for change in changes) or "what was pending"
        return self._end(self._course.verdict, f"{self._course.words} on {self._node.name}: {names}")

    def _failed(self, message: str, log: Sequence[str], hint: str = "") -> errors.ApplyFailed:
        self._close(State.FAILED)
        return errors.ApplyFailed(message, hint=hint or self._way_back(), log=log)

    def _hidden(self, judgement: Judgement) -> errors.StateUnknown:
        """The node lists what is staged, not what is live: with something new staged, a difference proves nothing."""
        return errors.StateUnknown(
            f"the reload of {self._node.name} ended well and can't be verified: somebody has staged something new, and "
            f"with that the node says: {how_far(judgement)}",
            hint="ask who; when it is applied or reverted, look with `pvenet list`",
        )

    def _way_back(self) -> str:
        return (
            "a failed reload takes nothing back (`pvenet revert` neither): the new file is in place.\n"
            f"`pvenet list --node {self._node.name}` shows how far it came; change what is wrong and `pvenet apply` "
            "again,\nor run `ifreload -a` on the node.\n"
            f"what was there before is in\n  {self.book.path}"
        )

    # --- beneath -----------------------------------------------------------------------------------------------------

    def _close(self, state: State) -> None:
        """End the journal, and those whose staging went live with it."""
        self.book.record(state=state)
        with suppress(errors.PvenetError):  # they would be found stale later
            drop_staged(self._node, self.book.journals)

    def _end(self, verdict: Verdict, message: str) -> Ended:
        elapsed = self._runtime.clock() - self._deadline.since
        return Ended(node=self._node.name, verdict=verdict, exit_code=0, message=message, elapsed=elapsed)
