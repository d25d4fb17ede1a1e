"""Putting back what was there before an apply: wait, look, stage the way back, reload, verify.

A reload that fails has replaced the file already, so that a revert does nothing (facts, section 10): the way back is
staged like any change. It is planned from what the node has now, whatever that is, so that it can be tried again
after any trouble, by this process or by the next: what an attempt has staged is ours, and the next goes on from there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import refuse_hidden
from pvenet.apply.back import way_back
from pvenet.apply.console import console
from pvenet.apply.course import Course
from pvenet.apply.reload import Reload
from pvenet.apply.replay import explains, replay
from pvenet.apply.steps import Steps
from pvenet.apply.verify import judge
from pvenet.apply.wait import PATIENCE, Deadline, answered, wait_for_others, wait_for_task
from pvenet.events import RollingBack, Verdict
from pvenet.journal import ARMS, State
from pvenet.plan import net_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.apply.back import WayBack
    from pvenet.apply.logbook import Logbook
    from pvenet.apply.wait import Runtime
    from pvenet.connection.endpoint import Endpoint
    from pvenet.node import Node, Reading
    from pvenet.plan import Change

WITHIN = 60.0
"""Seconds that a rollback has for itself."""
TRIES = 3
"""How often PVE may refuse before it is believed: its lock may be held for a moment (facts, section 6)."""
PAUSE = 1.0
"""Seconds between two attempts."""

_COURSE = Course(
    must_record=False,
    unsent=State.ROLLING_BACK,
    under_way=State.ROLLING_BACK,
    done=State.ROLLED_BACK,
    verdict=Verdict.ROLLED_BACK,
    words="rolled back and verified",
    excuse="was up before and is not now; it has no autostart",
)


class _LeftAlone(errors.PvenetError):
    """Something that is not ours stands in the way, and stays there."""


class Rollback:
    """One way back, from its journal to its verdict."""

    def __init__(
        self,
        node: Node,
        book: Logbook,
        runtime: Runtime,
        *,
        timeout: float = WITHIN,
        door: Endpoint | None = None,
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime
        self._timeout = max(WITHIN, timeout)
        self._door = door
        self._deadline = Deadline(since=0.0, at=0.0)
        self._why = ""
        self._told = False
        """Somebody has pressed Ctrl-C once, and was told what is under way."""
        self._abandoned = False
        self._refused = 0
        self._reloaded = False
        """A reload of the way back has ended, and not well."""
        self._staged = False
        """The way back is pending, whole, as far as we know."""
        self._armed = False
        """It was staged before, so that somebody's reload may have made it live: of which nobody has seen the end."""
        self._steps: Steps | None = None

    def carry_out(self, why: str) -> str:
        """Put back what was there before, and say so. Raises StateUnknown where that did not succeed, or not surely."""
        self._why = why
        begun = self._runtime.clock()
        self._deadline = Deadline(since=begun, at=begun + self._timeout)
        self._armed = self._book.journal.state in ARMS
        self._staged = self._book.journal.state is State.ARMED
        if not self._armed:
            self._begin()
        self._runtime.emit(RollingBack(node=self._node.name, reason=why, journal=str(self._book.path)))
        self._node.connection.patience = PATIENCE
        while True:
            try:
                return self._attempt()
            except KeyboardInterrupt:
                self._told_once()
            except _LeftAlone as error:
                self._leave()
                raise self._unknown(error.message) from error
            except errors.StateUnknown as error:  # the deadline, or a person
                if not self._abandoned and self._is_back():
                    return self._back_already()
                raise self._unknown(error.message) from error
            except errors.PvenetError as error:
                self._pause(error)

    def _begin(self) -> None:
        """Whatever is staged from here on leads back. What is armed stays so, as long as the node says nothing."""
        journal = self._book.journal
        if journal.state is not State.ROLLING_BACK:
            self._book.record(
                state=State.ROLLING_BACK, back=len(journal.steps) if journal.back is None else journal.back
            )

    def _told_once(self) -> None:
        """The first Ctrl-C says what is under way, the second gives up."""
        if self._told:
            self._abandoned = True
            raise self._unknown("it was given up")
        self._told = True
        self._book.warn(f"{self._node.name} is being rolled back; Ctrl-C again leaves it as it is now")

    def _pause(self, error: errors.PvenetError) -> None:
        """Before another attempt; there is none when PVE keeps refusing, or the time is over."""
        self._refused += isinstance(error, errors.RefusedByPVE)
        if self._refused >= TRIES or self._runtime.clock() >= self._deadline.at:
            self._take_back()
            raise self._unknown(error.message) from error
        try:
            self._runtime.sleep(PAUSE)
            self._node.connection.fresh()
        except KeyboardInterrupt:
            self._told_once()

    # --- one attempt -------------------------------------------------------------------------------------------------

    def _attempt(self) -> str:
        self._idle()
        reading = self._read()
        if reading.pending is not None:
            reading = self._own(reading)
        elif self._armed:
            self._book.record(pending=None)
        self._begin()
        way = way_back(self._book.journal.network, reading.network, replay(self._book.journal).names)
        if way.todo:
            self._stage(reading, way)
        elif reading.pending is None and not self._unsure and judge(way.expectation, reading.network).good:
            return self._back_already()
        self._staged = bool(way.todo) or reading.pending is not None
        return self._reload(way)

    def _idle(self) -> frozenset[str]:
        """The reloads that are known, once none runs: a running one is never cancelled (facts, section 16)."""
        if self._book.journal.upid:
            wait_for_task(self._node, self._book.journal.upid, self._runtime, self._deadline, forgotten=True)
        return wait_for_others(self._node, self._runtime, self._deadline)[0]

    def _read(self) -> Reading:
        return answered(self._node, self._seen, self._runtime, self._deadline, what="the way back is not live")

    def _seen(self) -> Reading:
        reading = self._node.read()
        refuse_hidden(self._node, reading)
        return reading

    def _own(self, reading: Reading) -> Reading:
        """What is pending, where it is ours: the way back so far; what was never live or is a no-op is reverted."""
        journal = self._book.journal
        if reading.pending != journal.pending and not (journal.behind and explains(journal, reading.network)):
            raise self._foreign()
        self._book.record(pending=reading.pending)
        if len(journal.steps) != journal.back and not journal.refreshing:
            return reading
        self._node.revert()
        self._book.record(pending=None)
        return self._read()

    def _stage(self, reading: Reading, way: WayBack) -> None:
        if reading.pending is None:
            self._book.record(pending=None)
        for loss in way.lost:
            self._book.warn(f"this can't be put back through the API: {loss}")
        self._steps = Steps(self._node, self._book.keep, self._book.journal, reading)
        try:
            self._steps.forward(way.todo)
        except errors.NotOurs as error:
            raise self._foreign() from error

    def _reload(self, way: WayBack) -> str:
        known = self._idle()
        self._compare()
        left = max(1.0, self._deadline.at - self._runtime.clock())
        reload = Reload(self._node, self._book, self._runtime, timeout=left, course=_COURSE, door=self._door)
        reload.warned = self._told
        try:
            return reload.carry_out(way.expectation, self._told_of(way), known, wait=True).message
        except errors.ApplyFailed as error:
            self._book.record(state=State.ROLLING_BACK, pending=None)
            self._staged = False
            if self._reloaded:
                raise errors.StateUnknown(error.message) from error
            self._reloaded = True
            raise
        except errors.PvenetError:
            self._staged &= not reload.sent
            self._abandoned = reload.abandoned
            raise

    def _told_of(self, way: WayBack) -> Sequence[Change]:
        """What goes back with this reload; a way back that was staged before is one from what was applied."""
        applied = replay(self._book.journal.forward).then
        return way.todo.steps or net_changes(applied, self._book.journal.network.interfaces)

    def _compare(self) -> None:
        """What is pending is still what was staged to go back, and nothing else. PVE has no lock."""
        pending = self._read().pending
        if pending == self._book.journal.pending:
            return
        if pending is not None:
            raise self._foreign()
        raise errors.Stale("somebody has applied or reverted it meanwhile")

    def _is_back(self) -> bool:
        """One last look where the time is over: a power cycle makes what is staged live, and leaves no task."""
        with suppress(errors.PvenetError, KeyboardInterrupt):
            if any(task.running for task in self._node.reloads().values()):
                return False
            reading = self._seen()
            way = way_back(self._book.journal.network, reading.network, replay(self._book.journal).names)
            there = reading.pending is None and not way.todo and not self._unsure
            return there and judge(way.expectation, reading.network).good
        return False

    @property
    def _unsure(self) -> bool:
        """The file alone proves nothing: a reload of it has failed, or may have."""
        return self._reloaded or self._armed

    def _back_already(self) -> str:
        self._book.record(state=State.ROLLED_BACK)
        return f"{self._node.name} has what was there before, and nothing is pending"

    # --- the end -----------------------------------------------------------------------------------------------------

    def _take_back(self) -> None:
        """A part of the way back that was staged and can't go live is nobody's help at the next reboot."""
        if self._staged:
            return
        with suppress(errors.PvenetError, KeyboardInterrupt):
            reading = self._node.read()
            if reading.pending is not None and reading.pending == self._book.journal.pending:
                self._node.revert()
                self._book.record(pending=None)

    def _leave(self) -> None:
        """Somebody else's stays; what was staged to go back goes."""
        self._staged = False
        if self._steps is not None:
            with suppress(errors.PvenetError, KeyboardInterrupt):
                self._steps.take_back()
        self._book.record(state=State.FAILED, pending=None)

    def _foreign(self) -> _LeftAlone:
        return _LeftAlone(
            f"changes are pending on {self._node.name} that are not ours; they are left alone, and with them pending "
            "nothing can be put back"
        )

    def _unknown(self, problem: str) -> errors.StateUnknown:
        return errors.StateUnknown(
            f"{self._why}\n{self._node.name} was not rolled back: {problem}",
            hint=console(self._book.journals, self._book.journal, staged=self._staged),
        )
