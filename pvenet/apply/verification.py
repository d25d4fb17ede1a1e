"""Is it as it should be? The list, the routes and the kernel, once a reload has ended; and the outcome that follows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.bystanders import Losses
from pvenet.apply.kernel import KernelVerdict
from pvenet.apply.refresh import Refresh
from pvenet.apply.refused import fails_for, refused_as_before
from pvenet.apply.runtime import answered, interval
from pvenet.apply.verify import (
    about_others,
    cause,
    failing_as_before,
    failing_elsewhere,
    fails_for_nothing,
    how_far,
    judge,
    went_through,
)
from pvenet.apply.verify_with import Check
from pvenet.events import Due, Verified, VerifiedBy
from pvenet.journal import State, drop_staged
from pvenet.model import Network
from pvenet.outcome import Applied, Failed, Unknown
from pvenet.routes import reached

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pvenet.apply.bystanders import Lost
    from pvenet.apply.kernel import KernelLooks
    from pvenet.apply.runtime import Runtime
    from pvenet.apply.verify import Expectation, Judgement
    from pvenet.changes import Change, Plan
    from pvenet.connection.endpoint import Endpoint
    from pvenet.journal import OpenJournal
    from pvenet.kernel.difference import Difference
    from pvenet.node import Node, Reading, Task


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a reload is for: what its journal says before, during and after it, and how it is told."""

    restores: bool = False
    """It puts back what was there before: it is begun also without a journal on disk."""
    unsent: State = State.STAGING
    during: State = State.RELOADING
    done: State = State.APPLIED
    words: str = "applied and verified"
    due: Due = Due.GIVES_UP
    """What follows where nobody can tell in time."""
    inverse: Plan | None = None
    """What to arm it with: staged once the reload has taken what was pending, reverted before it is verified."""
    verify_with: tuple[str, ...] = ()
    """A command that has the last word on whether it may stay."""
    withheld: frozenset[str] = frozenset()
    """Variables that it is not given."""
    excuse: str = "has autostart and is not active; it was not active before, and this does not touch it"


class Verification:
    """What is looked at after a reload, and what comes of it."""

    def __init__(  # noqa: PLR0913 - a reload's own
        self,
        node: Node,
        book: OpenJournal,
        runtime: Runtime,
        purpose: Purpose,
        *,
        routes: tuple[Endpoint, ...],
        looks: KernelLooks | None,
        lost: Lost | None,
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime
        self._purpose = purpose
        self._routes = routes
        """Where the node has to answer in the end, at one of them; through its peers alone is not as it was."""
        self._looks = looks
        """At the kernel; None where nobody knows what to look for."""
        self._kernel: KernelVerdict | None = None
        """What it has said: after a Ctrl-C it is not asked again, for which no report may be left."""
        self._lost = lost
        """Finds out who was lost; None where nobody knows who was there."""
        command = purpose.verify_with
        self._check = Check(node, book, runtime, command, purpose.withheld) if command else None
        self.deadline = runtime.deadline(0)
        """By when a verdict is due."""
        self._as_before = ""
        """For which lines of the file the reload failed as before; empty where it did not."""

    def outcome(
        self, task: Task, log: tuple[str, ...], expectation: Expectation, changes: Sequence[Change]
    ) -> Applied | Failed | Unknown:
        """Look, and judge; the journal is closed, but where nobody can tell."""
        refused = {} if task.ok else refused_as_before(log, self._book)
        rest = tuple(line for line in log if line not in refused)
        well = task.ok or (bool(refused) and went_through(task.exitstatus) and fails_for_nothing(expectation, rest))
        reading = self._looked(expectation, believed=not well)
        judgement = judge(expectation, reading.network)
        self._as_before = fails_for(refused.values()) if refused else ""
        if not well:
            why = cause(rest) or cause(log) or task.exitstatus
            end = self._failed(f"the reload of {self._node.name} failed: {why}; {how_far(judgement)}", log)
            as_wanted = judgement.good and not judgement.more and reading.pending is None
            if not (as_wanted and went_through(task.exitstatus)) or self._silent_route():
                return end
            return self._excused(end, expectation, reading, rest)
        if not judgement.good and reading.pending is not None:
            return self._hidden(judgement)
        if not judgement.good and not judgement.overridden:
            reverted = "; somebody had reverted what was pending just before" * judgement.reverted
            return self._failed(f"{self._how_it_ended}, but {how_far(judgement)}{reverted}", log)
        silent = self._silent_route()
        if silent:
            return self._failed(silent, log)
        return self._up(expectation, changes, judgement, reading, log)

    @property
    def _how_it_ended(self) -> str:
        return f"the reload of {self._node.name} {self._as_before or 'ended well'}"

    def _warn_of_refused(self) -> None:
        if self._as_before:
            self._book.warn(f"{self._how_it_ended}; correct what is wrong there on {self._node.name}")

    def _excused(self, end: Failed, expectation: Expectation, reading: Reading, log: tuple[str, ...]) -> Failed:
        """A failure of what is live as it should be, with what excuses it: others, or what was not there before."""
        self._warn_of_refused()
        if others := failing_elsewhere(expectation, log):
            return replace(end, elsewhere=others)
        absent = failing_as_before(expectation, log)
        failures = self._said_by_kernel(reading.network).consequences.failures if absent else ()
        if not absent or any(not _is_about(each, expectation.absent) for each in failures):
            return end  # who uses what is absent was left half way
        return replace(end, absent=absent, elsewhere=failing_elsewhere(expectation, about_others(expectation, log)))

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
        kernel = self._said_by_kernel(network)
        if kernel.lacks:
            return self._failed(f"{self._how_it_ended}, but {kernel.lacks}", log)
        losses = self._lost(kernel.look, self.deadline) if self._lost else Losses()
        for text in (*kernel.warnings(self._node.name), *losses.notes):
            self._book.warn(text)
        if losses.failure and self._purpose.restores:  # the network is back; they are not, and no reload brings them
            for text in losses.after_rollback():
                self._book.warn(text)
        elif losses.failure:
            return self._failed(f"{self._how_it_ended}, but {losses.failure}", log)
        problem = self._check.problem(self.deadline) if self._check else ""
        if problem:
            return self._failed(f"everything is up on {self._node.name}, but {problem}", log)
        return self._applied(expectation, changes, judgement, kernel)

    def _said_by_kernel(self, network: Network) -> KernelVerdict:
        """Its verdict of this reload, which stands."""
        if self._kernel is None:
            self._kernel = self._looks.verdict(network, self.deadline) if self._looks else KernelVerdict()
        return self._kernel

    def _looked(self, expectation: Expectation, *, believed: bool) -> Reading:
        """What the node lists; flags that are down after a failed task are believed as they are."""
        self.deadline.say("looking at the interfaces")
        refresh = Refresh(self._node, self._runtime, read=self.read, note=self._refreshing)
        reading = self.read() if believed else refresh.reading(expectation, self.deadline)
        if reading.pending is not None:
            self._book.warn(f"something new is pending on {self._node.name}: somebody staged it after the reload")
        return reading

    def end(self) -> None:
        """Let nothing run on that was begun here."""
        if self._check:
            self._check.end()

    def read(self) -> Reading:
        what = f"its reload has ended and was not verified; its task is\n  {self._book.now.upid}"
        return answered(self._node, lambda: self._node.read(timeout=self.deadline.answer), self.deadline, what=what)

    def _silent_route(self) -> str:
        """That the node does not answer where it has to; it has until the deadline. Empty where it does."""
        where = " or ".join(map(str, self._routes))
        begun = self._runtime.clock()
        while not reached(self._node, self._routes, timeout=self.deadline.answer):
            silent = self._runtime.clock() - begun
            if self.deadline.over:
                return (
                    f"everything is up on {self._node.name}, seen from {self._node.connection.endpoint}; but {where} "
                    f"has not answered for {silent:.0f} s"
                )
            self.deadline.pause(f"{where} does not answer yet", interval(silent))
        return ""

    def _refreshing(self) -> None:
        """A no-op that is about to be staged and taken back stands in the journal, as every write does."""
        self._book.record(refreshing=True, behind=True)

    # --- outcomes ----------------------------------------------------------------------------------------------------

    def _applied(
        self, expectation: Expectation, changes: Sequence[Change], judgement: Judgement, kernel: KernelVerdict
    ) -> Applied | Unknown:
        self._warn_of_refused()
        for name in judgement.excused:
            self._book.warn(f"{name} {self._purpose.excuse}")
        for name in judgement.still_up:
            self._book.warn(f"{name} was down before and stays up: a reload does not take NICs down")
        for name in sorted(expectation.untellable):
            self._book.warn(f"whether {name} is up is not known: PVE does not say that of a NIC named by its altname")
        self._runtime.emit(
            Verified(
                active=tuple(sorted(expectation.active)),
                gone=tuple(sorted(expectation.gone)),
                by=VerifiedBy.KERNEL if self._looks and self._looks.judges and not kernel.missing else VerifiedBy.FLAGS,
                missing=kernel.missing,
            )
        )
        self._close(self._purpose.done)
        names = ", ".join(dict.fromkeys(change.name for change in changes)) or "what was pending"
        where = f"on {self._node.name}: {names}"
        if kernel.missing and self._looks is not None and self._looks.required:
            return Unknown(
                message=f"the list calls everything up {where}; but --verify kernel is not available: {kernel.missing}",
                hint="what was applied stays; look with `pvenet links`, and put it back with `pvenet rollback`",
                stays=True,
            )
        only = f"\n{kernel.proof}" if kernel.proof else ""
        return Applied(message=f"{self._purpose.words} {where}{only}", elapsed=self.deadline.elapsed)

    def _failed(self, message: str, log: tuple[str, ...]) -> Failed:
        self._close(State.FAILED)
        return Failed(message=message, hint=self._what_now(), log=log)

    def _overridden(self, judgement: Judgement, log: tuple[str, ...]) -> Failed:
        """What slipped in is about a field of ours: what is live is known, and what leads back would undo theirs."""
        self._close(State.FAILED)
        return Failed(
            message=f"{judgement.told(judgement.different)} on {self._node.name} is live with somebody else's value, "
            "staged just before the reload, and not as it was shown; everything else is up, and live as it was pending",
            hint=f"`pvenet list --node {self._node.name}` shows what is there: find out who, then leave it, or set "
            "your value and `pvenet apply` again.\nnothing was rolled back, as that would undo theirs; what was there "
            f"before is in\n  {self._book.path}",
            log=log,
            overridden=True,
        )

    def stopped(self, message: str, hint: str = "") -> errors.ApplyFailed:
        self._close(State.FAILED)
        return errors.ApplyFailed(message, hint=hint or self._what_now())

    def _hidden(self, judgement: Judgement) -> Unknown:
        """The node lists what is staged, not what is live: with something new staged, a difference proves nothing."""
        return Unknown(
            message=f"{self._how_it_ended}, but it can't be verified: somebody has staged something new, with which "
            f"the node says: {how_far(judgement)}",
            hint="find out who; when it is applied or reverted, look with `pvenet list`",
        )

    def _what_now(self) -> str:
        node = self._node.name
        back = "" if self._book.now.adopted else f"; `pvenet rollback --node {node}` puts back what was there before"
        return (
            f"the new file is in place, and `pvenet revert` undoes nothing{back}.\n"
            f"`pvenet list --node {node}` shows how far it got: correct what is wrong and `pvenet apply` again, or run "
            f"`ifreload -a` on {node}.\nits journal is\n  {self._book.path}"
        )

    def _close(self, state: State) -> None:
        """End the journal, and those whose staging went live with it."""
        self._book.record(state=state, unproven=self._book.now.unproven and state is not self._purpose.done)
        with suppress(errors.PvenetError):  # they would be found stale later
            drop_staged(self._book.journals)


def _is_about(difference: Difference, names: Collection[str]) -> bool:
    """Whether the kernel lacks no more than these names."""
    return difference.name in names or (bool(difference.subjects) and {*difference.subjects} <= {*names})
