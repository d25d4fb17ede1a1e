"""The reload and what comes of it: sent once, its task waited for; then the node is verified.

From the moment it is sent there is no way back to "nothing happened" but by proof: every trouble after that ends in an
outcome, never in the error that the trouble would have been before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.arm import Arming
from pvenet.apply.runtime import Interrupts, wait_for_others, wait_for_task
from pvenet.apply.send import Sender, find_reload
from pvenet.apply.verification import Purpose, Verification
from pvenet.events import Reloading, TaskEnded
from pvenet.journal import MEANINGS
from pvenet.node import Task
from pvenet.outcome import Applied, Failed, Sent, Unknown
from pvenet.unexpected import unexpected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pvenet.apply.bystanders import Lost
    from pvenet.apply.kernel import KernelLooks
    from pvenet.apply.runtime import Runtime
    from pvenet.apply.verify import Expectation
    from pvenet.changes import Change
    from pvenet.connection.endpoint import Endpoint
    from pvenet.journal import OpenJournal
    from pvenet.node import Node

    Start = Callable[[frozenset[str] | None], None]

EXIT_ALREADY_RUNNING = "exit code 89"
"""ifreload's way to say that another one runs: ours has consumed the staging and applied nothing (pve-api#exit-89)."""


def not_arrived(node: str) -> errors.Unreachable:
    """A reload that was left before anybody knew whether it reaches the node."""
    return errors.Unreachable(
        f"the reload did not reach {node}; what is pending stays pending", hint="`pvenet apply` sends it again"
    )


class Reload:
    """One reload, from its journal to its outcome."""

    def __init__(  # noqa: PLR0913 - what a reload is about, and three that say how
        self,
        node: Node,
        book: OpenJournal,
        runtime: Runtime,
        *,
        timeout: float,
        purpose: Purpose,
        interrupts: Interrupts | None = None,
        routes: tuple[Endpoint, ...] = (),
        looks: KernelLooks | None = None,
        lost: Lost | None = None,
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime.unfailing()
        self._timeout = timeout
        self._purpose = purpose
        self._looks = looks
        self._interrupts = interrupts or Interrupts(
            runtime,
            f"the reload of {node.name} is under way and can't be cancelled; Ctrl-C again stops waiting for it",
        )
        self._sender = Sender(node, runtime, self._interrupted)
        self._deadline = runtime.deadline(timeout, purpose.due)
        self._repeated = False
        self._left = False
        """It was sent by a process that waits for it no more."""
        self._found = False
        """The journal names its task, and not one before it."""
        self._task: Task | None = None
        self._log: tuple[str, ...] | None = None
        self._verification = Verification(node, book, self._runtime, purpose, routes=routes, looks=looks, lost=lost)

    def run(
        self, expectation: Expectation, changes: Sequence[Change], known: frozenset[str], *, wait: bool
    ) -> Applied | Sent | Failed | Unknown:
        """Send it and say how it ended. Raises what stands against it where it was not started.

        `known`: the reload tasks that the node listed before.
        """
        return self._run(expectation, changes, self._start, known, wait=wait)

    def take_up(
        self, expectation: Expectation, changes: Sequence[Change], known: frozenset[str] | None
    ) -> Applied | Sent | Failed | Unknown:
        """Say how one ended that was sent before, by a process that waits for it no more.

        `known`: the reload tasks that the node listed before; None where nobody has kept them. Raises Unreachable where
        it did not reach the node.
        """
        return self._run(expectation, changes, self._take_over, known, wait=True)

    def _run(
        self,
        expectation: Expectation,
        changes: Sequence[Change],
        start: Start,
        known: frozenset[str] | None,
        *,
        wait: bool,
    ) -> Applied | Sent | Failed | Unknown:
        self._arming = Arming(self._node, self._book, self._runtime, self._purpose.inverse, expectation)
        try:
            self._started(start, known)
            return self._ended_somehow(expectation, changes) if wait else self._unattended()
        except errors.ApplyFailed as error:
            return Failed(message=error.message, hint=error.hint, log=error.log)
        except errors.StateUnknown as error:
            return Unknown(message=error.message, hint=error.hint, given_up=self._interrupts.given_up)
        except KeyboardInterrupt:  # between two looks; what was sent is not forgotten
            if not self.sent:
                raise
            return self.given_up()
        except Exception as bug:  # whatever is wrong with pvenet itself, what was sent needs a verdict
            if not self.sent:
                raise
            if isinstance(bug, errors.PvenetError):
                return Unknown(message=bug.message, hint=bug.hint)
            return Unknown(message=unexpected(bug).message, hint=f"its journal is\n  {self._book.path}")
        finally:
            self._verification.end()

    def _started(self, start: Start, known: frozenset[str] | None) -> None:
        """Start it, and know its task; once it may have been sent a Ctrl-C is counted, and the first stops nothing."""
        try:
            start(known)
        except KeyboardInterrupt:
            if not self.sent:
                raise
            self._interrupted()
            self._started(self._find, known)

    def _ended_somehow(self, expectation: Expectation, changes: Sequence[Change]) -> Applied | Failed | Unknown:
        while True:
            try:
                return self._concluded(expectation, changes)
            except KeyboardInterrupt:
                self._interrupted()

    def _unattended(self) -> Sent:
        message = f"the reload was sent to {self._node.name}, and this command does not wait for it; `pvenet wait` does"
        return Sent(message=message, elapsed=self._deadline.elapsed)

    @property
    def sent(self) -> bool:
        """It may have been started: nothing has proved that it did not arrive."""
        return self._sender.sent

    def given_up(self) -> Unknown:
        """Waiting was given up by a person."""
        upid = self._book.now.upid
        how = "has ended and was not verified; it was" if self._task else "goes on as"
        what = f"{how} task\n  {upid}" if upid else "may have started: pvenet stopped waiting before it answered"
        todo = MEANINGS[self._book.now.state].todo or "`pvenet status` shows the state of the node"
        return Unknown(
            message=f"stopped waiting; the reload of {self._node.name} {what}",
            hint=f"{todo};\nits journal is\n  {self._book.path}",
            given_up=True,
        )

    def _interrupted(self) -> None:
        """A Ctrl-C. Raises StateUnknown at the second."""
        if self._interrupts.heard():
            end = self.given_up()
            raise errors.StateUnknown(end.message, hint=end.hint)

    # --- sending -----------------------------------------------------------------------------------------------------

    def _start(self, known: frozenset[str] | None) -> None:
        self._book.record(must=not self._purpose.restores, state=self._purpose.during)
        self._deadline = self._verification.deadline = self._runtime.deadline(self._timeout, self._purpose.due)
        self._deadline.say(f"sending the reload to {self._node.name}")
        try:
            self._take(self._sender.send(self._deadline, known or frozenset(), self._book.now.pending))
        except BaseException:
            if not self.sent:  # as before, for a second apply
                self._book.record(state=self._purpose.unsent)
            raise

    def _take_over(self, known: frozenset[str] | None) -> None:
        """It was sent: only its end has to be waited for, once its task is known."""
        self._left = self._sender.sent = True
        self._found = self._book.now.upid is not None
        self._deadline = self._verification.deadline = self._runtime.deadline(self._timeout, self._purpose.due)
        self._find(known)

    def _find(self, known: frozenset[str] | None) -> None:
        """Know its task, where nobody does yet. Raises Unreachable where it did not reach the node."""
        if self._found or known is None:
            return
        upid = find_reload(self._node, self._deadline, known=known, pending=self._book.now.pending)
        if upid is None:
            self._sender.sent = False
            self._book.record(state=self._purpose.unsent)
            raise not_arrived(self._node.name)
        self._take(upid)

    def _take(self, upid: str) -> None:
        self._task = None
        self._book.record(upid=upid)
        self._found = True
        self._runtime.emit(Reloading(node=self._node.name, upid=upid))

    # --- the end of it -----------------------------------------------------------------------------------------------

    def _concluded(self, expectation: Expectation, changes: Sequence[Change]) -> Applied | Failed | Unknown:
        """Wait, verify, judge; after a Ctrl-C it goes on where it was."""
        task = self._ended()
        while EXIT_ALREADY_RUNNING in task.exitstatus and self._repeat(task):
            task = self._ended()
        log = self._told(task)
        self._arming.disarm(self._deadline)
        return self._verification.outcome(task, log, expectation, changes)

    def _ended(self) -> Task:
        if self._task is None:
            self._arming.arm(self._deadline)
            self._task = self._waited()
            if self._purpose.restores and not self._task.ok:
                self._book.record(unproven=True)
        return self._task

    def _waited(self) -> Task:
        """The ended task. Of one that was left the node may know nothing any more: then what is there decides."""
        upid = self._book.now.upid or ""
        if upid:
            task = wait_for_task(self._node, upid, self._deadline, forgotten=self._left, so_far=self._so_far)
            if task.exitstatus or not self._left:
                return task
        self._log = ()
        self._book.warn(f"{self._node.name} no longer knows the task of this reload: what it lists decides")
        return Task(upid=upid, running=False, exitstatus="OK")

    def _so_far(self) -> str:
        """How far the reload has come, where the kernel tells."""
        return self._looks.ports_so_far(self._deadline.elapsed) if self._looks else ""

    def _repeat(self, task: Task) -> bool:
        """Another ifreload ran: ours took the staging and applied nothing. Wait for it, look, reload once more.

        Whether that was done: more than once only where a task says who was in the way, because an ifreload that
        somebody runs on the console, or one that hangs with its lock held, shows in none.
        """
        node = self._node.name
        self._book.warn(f"another reload was running on {node}; reloading again when it has ended")
        self._arming.disarm(self._deadline)  # or the second reload would make live what leads back
        known, waited = wait_for_others(self._node, self._deadline)
        if self._repeated and not waited:
            return False
        if self._verification.read().pending is not None:
            raise self._verification.stopped(
                f"another reload was running on {node}, ours applied nothing ({task.exitstatus}), and "
                "somebody has staged something new in the meantime: another reload would make that live, too",
                hint="find out who; then `pvenet apply --adopt` makes all of it live",
            )
        self._repeated = True
        try:
            upid = self._sender.send(self._deadline, known, None, again=True)
        except errors.StateUnknown:
            raise
        except errors.PvenetError as error:
            raise self._verification.stopped(
                f"another reload was running on {node}, ours applied nothing ({task.exitstatus}), and a "
                f"second one could not be sent: {error.message}"
            ) from error
        self._take(upid)
        return True

    def _told(self, task: Task) -> tuple[str, ...]:
        """The task's log; told once, and missed by nobody where it can't be had."""
        if self._log is None:
            try:
                self._log = self._node.log(task.upid, timeout=self._deadline.answer)
            except errors.PvenetError as error:
                self._log = ()
                self._book.warn(f"the log of the reload can't be read: {error.message}")
            self._runtime.emit(TaskEnded(upid=task.upid, exitstatus=task.exitstatus, log=self._log))
            for line in self._log:
                # an error need not fail it (pve-api#exit-code)
                if task.ok and (" warning: " in line or " error: " in line):
                    self._book.warn(f"the reload says: {line.strip()}")
        return self._log
