"""Armed: what leads back is staged while a reload is verified, so that a power cycle boots the network from before.

A boot moves `interfaces.new` into place (pve-api#staged-goes-live): the one help where nothing can reach the node any
more. What is staged so is the node's way back and not a change to be applied, and the journal says that before the
first request. It is told from anybody else's staging as ours always is, and taken back before anything is verified,
because the node lists what is staged. The listings that this needs during the reload freeze flags
(pve-api#frozen-flags); the writes and the revert which follow make every worker parse anew.
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.runtime import answered
from pvenet.apply.steps import Steps, send
from pvenet.apply.verify import judge
from pvenet.events import Armed, Disarmed
from pvenet.journal import ARMS, State, is_mine, is_recorded, replay
from pvenet.plan.restore import restore_plan

if TYPE_CHECKING:
    from pvenet.apply.runtime import Deadline, Runtime
    from pvenet.apply.verify import Expectation
    from pvenet.changes import Plan
    from pvenet.journal import Journal, OpenJournal
    from pvenet.model import Network
    from pvenet.node import Node, Reading

TAKEN_WITHIN = 5.0
"""Seconds within which a reload that has answered takes what was pending: its worker renames the file."""
LOOK = 0.2
"""Seconds between two looks whether it has."""


class Found(Enum):
    """What has become of what was armed."""

    GONE = auto()
    """It is not pending, and the network is the one that was applied."""
    LIVE = auto()
    """It is not pending, and the network is another: a power cycle or a reload by somebody has made it live."""
    FOREIGN = auto()
    """Somebody has staged a change of the same interfaces on top of it."""


class Arming:
    """What leads back from one reload, on its way into what is pending and out of it."""

    def __init__(
        self, node: Node, book: OpenJournal, runtime: Runtime, inverse: Plan | None, expectation: Expectation
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime
        self._inverse = inverse
        self._wanted = expectation
        self._tried: str | None = None
        """The task for which it was tried."""
        self._timeout: float | None = None
        """Seconds for one answer: none takes longer than one that is waited for while a reload runs."""

    @property
    def armed(self) -> bool:
        """Something of what leads back may be staged."""
        return self._book.now.state in ARMS

    # --- arming ------------------------------------------------------------------------------------------------------

    def arm(self, deadline: Deadline) -> None:
        """Stage what leads back, once for a reload; where that fails, go on without it."""
        if not self._inverse or self._tried == self._book.now.upid:
            return
        self._tried = self._book.now.upid
        self._timeout = deadline.answer
        try:
            self._stage(self._inverse, self._taken(deadline), deadline)
        except KeyboardInterrupt:
            self._withdraw()
            raise
        except errors.PvenetError as error:
            self._withdraw()
            left = "; a part of the way back may be staged until the reload has ended" * self.armed
            self._book.warn(f"{self._node.name} could not be armed; the apply goes on without: {error.message}{left}")

    def _taken(self, deadline: Deadline) -> Reading:
        """The listing once the reload has taken what was pending; staged on top of that, nothing would lead back."""
        begun = self._runtime.clock()
        while (reading := self._node.glance(timeout=self._timeout)).pending is not None:
            if not is_recorded(self._book.now, reading):
                raise errors.NotOurs("somebody has staged something new", changes=reading.changes or "")
            if self._runtime.clock() - begun >= TAKEN_WITHIN:
                raise errors.Stale("what was pending still is")
            deadline.pause("the reload has not yet taken what was pending", LOOK)
        self._node.refuse_hidden_in(reading, timeout=self._timeout)
        if not self._as_applied(reading.network):
            raise errors.Stale("the node lists a different network from what was pending")
        return reading

    def _stage(self, inverse: Plan, reading: Reading, deadline: Deadline) -> None:
        steps = len(self._book.now.steps)
        deadline.say("arming: staging the way back")
        self._book.record(must=True, state=State.ARMING, pending=None, back=steps)
        Steps(self._node, self._book, reading, timeout=self._timeout).forward(inverse)
        self._book.record(must=True, state=State.ARMED)
        self._runtime.emit(Armed(node=self._node.name, journal=str(self._book.path)))

    def _withdraw(self) -> None:
        """Take back at once what could not be staged whole; if that fails, it is done when the task has ended."""
        if self.armed:
            self._book.record(state=State.ARMING)
            with suppress(errors.PvenetError):
                if self._taken_back() is Found.GONE:
                    self._close()

    # --- disarming ---------------------------------------------------------------------------------------------------

    def disarm(self, deadline: Deadline) -> None:
        """Take what leads back out of what is pending, however long the node is silent.

        Raises ApplyFailed where it has gone live, and StateUnknown where somebody has built on it, or at the deadline.
        """
        if not self.armed:
            return
        self._timeout = deadline.answer
        found = answered(self._node, self._taken_back, deadline, what="the way back is still staged there")
        match found:
            case Found.GONE:
                self._close()
            case Found.LIVE:
                raise errors.ApplyFailed(
                    f"the way back that was armed on {self._node.name} has gone live, by a power cycle or by "
                    "somebody's reload or SDN apply",
                    hint="`pvenet rollback` checks that everything is as it was before, and closes the journal",
                )
            case Found.FOREIGN:
                raise errors.StateUnknown(
                    f"the reload of {self._node.name} has ended and can't be verified: somebody has changed what was "
                    "armed, which is left alone; whoever applies what is pending undoes what was applied",
                    hint="`pvenet diff` shows what is pending; ask who staged it",
                )

    def _close(self) -> None:
        self._book.keep(self._book.now.forward)
        self._runtime.emit(Disarmed(node=self._node.name))

    def _taken_back(self) -> Found:
        """Revert what is exactly ours; beneath somebody else's staging undo only our own steps."""
        reading, journal = self._node.glance(timeout=self._timeout), self._book.now
        if not is_recorded(journal, reading):  # the diff is told whole to everybody
            self._node.refuse_hidden_in(reading, timeout=self._timeout)
        if reading.pending is None:
            return Found.GONE if self._as_applied(reading.network) else Found.LIVE
        if is_mine(journal, reading):
            self._node.revert(timeout=self._timeout)
            return Found.GONE
        return self._picked_out(reading, journal)

    def _picked_out(self, reading: Reading, journal: Journal) -> Found:
        """Step by step, where somebody has staged something beside it: a revert would throw theirs away."""
        there = replay(journal)
        applied = wire.network(there.entries[journal.back or 0].values())
        restore = restore_plan(applied, reading.network, there.values(journal.back or 0))
        if restore.conflicts:
            return Found.FOREIGN
        for change in restore.todo.steps:
            send(self._node, change, timeout=self._timeout)
        self._book.warn(
            f"somebody has staged something else on {self._node.name} while it was armed; that stays pending"
        )
        return Found.GONE

    def _as_applied(self, network: Network) -> bool:
        """Whether what was changed is configured as it was pending; the flags are not looked at."""
        judgement = judge(self._wanted, network)
        return not replay(self._book.now).names & {*judgement.different, *judgement.there}
