"""The reload and what comes of it: sent once, its task waited for, the node verified.

From the moment it is sent there is no way back to "nothing happened" but by proof: every trouble after that ends in an
outcome, never in the error that the trouble would have been before.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.arm import Arming
from pvenet.apply.kernel import KernelLooks, KernelVerdict
from pvenet.apply.open_journals import drop_staged
from pvenet.apply.refresh import Refresh
from pvenet.apply.runtime import Interrupts, answered, inside, interval, wait_for_others, wait_for_task
from pvenet.apply.send import Sender
from pvenet.apply.verify import Expectation, Judgement, failing_elsewhere, how_far, judge
from pvenet.events import Reloading, TaskEnded, Verified, VerifiedBy, Waiting
from pvenet.journal import State
from pvenet.model import Network
from pvenet.outcome import Applied, Failed, Sent, Unknown
from pvenet.routes import reached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.apply.runtime import Runtime
    from pvenet.connection.endpoint import Endpoint
    from pvenet.journal import OpenJournal
    from pvenet.node import Node, Reading, Task
    from pvenet.plan.changes import Change, Plan

EXIT_ALREADY_RUNNING = "exit code 89"
"""ifreload's way to say that another one runs: ours has consumed the staging and applied nothing (pve-api#exit-89)."""


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a reload is for: what its journal says before, during and after it, and how it is told."""

    restores: bool = False
    """It puts back what was there before: it is begun also without a journal on disk."""
    unsent: State = State.STAGING
    during: State = State.RELOADING
    done: State = State.APPLIED
    words: str = "applied and verified"
    inverse: Plan | None = None
    """What to arm it with: staged once the reload has taken what was pending, reverted before it is verified."""
    excuse: str = "has autostart and is not active; it was not before, and nothing here touches it"


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
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime.unfailing()
        self._timeout = timeout
        self._purpose = purpose
        self._routes = routes
        """Where the node has to answer in the end, at one of them; through its peers alone is not as it was."""
        self._looks = looks
        """At the kernel; None where nobody knows what to look for."""
        self._interrupts = interrupts or Interrupts(
            runtime,
            f"the reload of {node.name} is under way and can't be called back; Ctrl-C again stops waiting for it",
        )
        self._sender = Sender(node, runtime, self._interrupted)
        self._deadline = runtime.deadline(timeout)
        self._repeated = False
        self._task: Task | None = None
        self._log: tuple[str, ...] | None = None

    def run(
        self, expectation: Expectation, changes: Sequence[Change], known: frozenset[str], *, wait: bool
    ) -> Applied | Sent | Failed | Unknown:
        """Send it and say how it ended. Raises what stands against it where it was not started.

        `known`: the reload tasks that the node listed before.
        """
        self._arming = Arming(self._node, self._book, self._runtime, self._purpose.inverse, expectation)
        try:
            self._start(known)
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
            return Unknown(message=inside(bug), hint=f"its journal is\n  {self._book.path}")

    def _ended_somehow(self, expectation: Expectation, changes: Sequence[Change]) -> Applied | Failed | Unknown:
        while True:
            try:
                return self._concluded(expectation, changes)
            except KeyboardInterrupt:
                self._interrupted()

    def _unattended(self) -> Sent:
        message = f"the reload was sent to {self._node.name}, and nobody waits for it"
        return Sent(message=message, elapsed=self._deadline.elapsed)

    @property
    def sent(self) -> bool:
        """It may have been started: nothing has proved that it did not arrive."""
        return self._sender.sent

    def given_up(self) -> Unknown:
        """Waiting was given up by a person."""
        upid = self._book.now.upid
        what = f"goes on as task\n  {upid}" if upid else "may have been started: its answer was not waited for"
        return Unknown(
            message=f"waiting was given up; the reload of {self._node.name} {what}",
            hint=f"when it has ended, look with `pvenet diff --node {self._node.name}` and `pvenet list`; "
            f"what was there before is in\n  {self._book.path}",
            given_up=True,
        )

    def _interrupted(self) -> None:
        """A Ctrl-C. Raises StateUnknown at the second."""
        if self._interrupts.heard():
            end = self.given_up()
            raise errors.StateUnknown(end.message, hint=end.hint)

    # --- sending -----------------------------------------------------------------------------------------------------

    def _start(self, known: frozenset[str]) -> None:
        self._book.record(must=not self._purpose.restores, state=self._purpose.during)
        self._deadline = self._runtime.deadline(self._timeout)
        try:
            self._take(self._sender.send(self._deadline, known, self._book.now.pending))
        except BaseException:
            if not self.sent:  # as before, for a second apply
                self._book.record(state=self._purpose.unsent)
            raise

    def _take(self, upid: str) -> None:
        self._task = None
        self._book.record(upid=upid)
        self._runtime.emit(Reloading(node=self._node.name, upid=upid))

    # --- the end of it -----------------------------------------------------------------------------------------------

    def _concluded(self, expectation: Expectation, changes: Sequence[Change]) -> Applied | Failed | Unknown:
        """Wait, verify, judge; after a Ctrl-C it goes on where it was."""
        task = self._ended()
        while EXIT_ALREADY_RUNNING in task.exitstatus and self._repeat(task):
            task = self._ended()
        log = self._told(task)
        self._arming.disarm(self._deadline)
        reading = self._looked(expectation, believed=not task.ok)
        judgement = judge(expectation, reading.network)
        if not task.ok:
            end = self._failed(f"the reload of {self._node.name} failed: {task.exitstatus}; {how_far(judgement)}", log)
            as_wanted = judgement.good and not judgement.more and reading.pending is None
            elsewhere = failing_elsewhere(expectation, log) if as_wanted else ()
            return replace(end, elsewhere=elsewhere) if elsewhere and not self._silent_route() else end
        if not judgement.good and reading.pending is not None:
            return self._hidden(judgement)
        if not judgement.good and not judgement.overridden:
            reverted = "; somebody had reverted what was pending just before" * judgement.reverted
            return self._failed(f"the reload of {self._node.name} ended well, but {how_far(judgement)}{reverted}", log)
        silent = self._silent_route()
        if silent:
            return self._failed(silent, log)
        return self._up(expectation, changes, judgement, reading, log)

    def _up(
        self,
        expectation: Expectation,
        changes: Sequence[Change],
        judgement: Judgement,
        reading: Reading,
        log: tuple[str, ...],
    ) -> Applied | Failed | Unknown:
        """What the list calls good, as the kernel has it."""
        if judgement.more and reading.pending is None:
            self._book.warn(f"somebody else's {judgement.told(judgement.more)} went live with it")
        if judgement.overridden:
            return self._overridden(judgement, log)
        network = reading.network
        if reading.pending is not None:  # the list is the staged view
            network = Network(interfaces=expectation.wanted, links=network.links)
        kernel = self._looks.verdict(network, self._deadline) if self._looks else KernelVerdict()
        if kernel.lacks:
            return self._failed(f"the reload of {self._node.name} ended well, but {kernel.lacks}", log)
        for text in kernel.warnings(self._node.name):
            self._book.warn(text)
        return self._applied(expectation, changes, judgement, kernel)

    def _ended(self) -> Task:
        if self._task is None:
            self._arming.arm(self._deadline)
            self._task = wait_for_task(self._node, self._book.now.upid or "", self._deadline, so_far=self._so_far)
            if self._purpose.restores and not self._task.ok:
                self._book.record(unproven=True)
        return self._task

    def _so_far(self) -> str:
        """How far the reload has come, where the kernel tells."""
        return self._looks.ports_so_far(self._deadline.elapsed) if self._looks else ""

    def _repeat(self, task: Task) -> bool:
        """Another ifreload ran: ours took the staging and applied nothing. Wait for it, look, reload once more.

        Whether that was done: more than once only where a task says who was in the way, because an ifreload that
        somebody runs on the console, or one that hangs with its lock held, shows in none.
        """
        node = self._node.name
        self._book.warn(f"another reload was running on {node}; reloading once more when it has ended")
        self._arming.disarm(self._deadline)  # or the second reload would make live what leads back
        known, waited = wait_for_others(self._node, self._deadline)
        if self._repeated and not waited:
            return False
        if self._read().pending is not None:
            raise self._stopped(
                f"another reload was running on {node}, ours applied nothing ({task.exitstatus}), and "
                "somebody has staged something new meanwhile: reloading again would make that live, too",
                hint="ask who; then `pvenet apply --adopt` makes all of it live",
            )
        self._repeated = True
        try:
            upid = self._sender.send(self._deadline, known, None, again=True)
        except errors.StateUnknown:
            raise
        except errors.PvenetError as error:
            raise self._stopped(
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

    def _looked(self, expectation: Expectation, *, believed: bool) -> Reading:
        """What the node lists; flags that are down after a failed task are believed as they are."""
        self._runtime.emit(Waiting(reason="looking at the interfaces", elapsed=self._deadline.elapsed))
        refresh = Refresh(self._node, self._runtime, read=self._read, note=self._refreshing)
        reading = self._read() if believed else refresh.reading(expectation, self._deadline)
        if reading.pending is not None:
            self._book.warn(f"something new is pending on {self._node.name}: somebody staged it after the reload")
        return reading

    def _read(self) -> Reading:
        what = f"its reload has ended and was not verified; its task is\n  {self._book.now.upid}"
        return answered(self._node, lambda: self._node.read(timeout=self._deadline.answer), self._deadline, what=what)

    def _silent_route(self) -> str:
        """That the node does not answer where it has to; it has until the deadline. Empty where it does."""
        where = " or ".join(map(str, self._routes))
        begun = self._runtime.clock()
        while not reached(self._node, self._routes, timeout=self._deadline.answer):
            silent = self._runtime.clock() - begun
            if self._deadline.over:
                return (
                    f"everything is up on {self._node.name}, as {self._node.connection.endpoint} sees it; but {where} "
                    f"gives no answer for {silent:.0f} s"
                )
            self._deadline.pause(f"{where} does not answer yet", interval(silent))
        return ""

    def _refreshing(self) -> None:
        """A no-op that is about to be staged and taken back stands in the journal, as every write does."""
        self._book.record(refreshing=True, behind=True)

    # --- outcomes ----------------------------------------------------------------------------------------------------

    def _applied(
        self, expectation: Expectation, changes: Sequence[Change], judgement: Judgement, kernel: KernelVerdict
    ) -> Applied | Unknown:
        for name in judgement.excused:
            self._book.warn(f"{name} {self._purpose.excuse}")
        for name in judgement.still_up:
            self._book.warn(f"{name} stays up, which was down before: a reload takes down no NIC")
        for name in sorted(expectation.untellable):
            self._book.warn(f"whether {name} is up can't be told: PVE does not say so of a NIC by its altname")
        by_kernel = self._looks is not None and self._looks.wanted and not kernel.missing
        self._runtime.emit(
            Verified(
                active=tuple(sorted(expectation.active)),
                gone=tuple(sorted(expectation.gone)),
                by=VerifiedBy.KERNEL if by_kernel else VerifiedBy.FLAGS,
                missing=kernel.missing,
            )
        )
        self._close(self._purpose.done)
        names = ", ".join(dict.fromkeys(change.name for change in changes)) or "what was pending"
        where = f"on {self._node.name}: {names}"
        if kernel.missing and self._looks is not None and self._looks.required:
            return Unknown(
                message=f"the list calls everything up {where}; but --verify kernel can't be had: {kernel.missing}",
                hint="what was applied stays; look with `pvenet links`, and put it back with `pvenet rollback`",
                stays=True,
            )
        only = f"\nverified by the list's flags only: {kernel.missing}" if kernel.missing else ""
        return Applied(message=f"{self._purpose.words} {where}{only}", elapsed=self._deadline.elapsed)

    def _failed(self, message: str, log: tuple[str, ...]) -> Failed:
        self._close(State.FAILED)
        return Failed(message=message, hint=self._what_now(), log=log)

    def _overridden(self, judgement: Judgement, log: tuple[str, ...]) -> Failed:
        """What slipped in is about a field of ours: what is live is known, and what leads back would undo theirs."""
        self._close(State.FAILED)
        return Failed(
            message=f"{judgement.told(judgement.different)} on {self._node.name} is live with somebody else's value, "
            "staged just before the reload, and not as it was shown; everything else is live as it was pending, and up",
            hint=f"`pvenet list --node {self._node.name}` shows what is there: ask who, then leave it, or set yours "
            "and `pvenet apply` again.\nnothing was rolled back, which would undo theirs; what was there before is in\n"
            f"  {self._book.path}",
            log=log,
            overridden=True,
        )

    def _stopped(self, message: str, hint: str = "") -> errors.ApplyFailed:
        self._close(State.FAILED)
        return errors.ApplyFailed(message, hint=hint or self._what_now())

    def _hidden(self, judgement: Judgement) -> Unknown:
        """The node lists what is staged, not what is live: with something new staged, a difference proves nothing."""
        return Unknown(
            message=f"the reload of {self._node.name} ended well and can't be verified: somebody has staged something "
            f"new, and with that the node says: {how_far(judgement)}",
            hint="ask who; when it is applied or reverted, look with `pvenet list`",
        )

    def _what_now(self) -> str:
        return (
            "a failed reload takes nothing back (`pvenet revert` neither): the new file is in place.\n"
            f"`pvenet list --node {self._node.name}` shows how far it came; change what is wrong and `pvenet apply` "
            "again,\nor run `ifreload -a` on the node.\n"
            f"what was there before is in\n  {self._book.path}"
        )

    def _close(self, state: State) -> None:
        """End the journal, and those whose staging went live with it."""
        self._book.record(state=state, unproven=self._book.now.unproven and state is not self._purpose.done)
        with suppress(errors.PvenetError):  # they would be found stale later
            drop_staged(self._book.journals)
