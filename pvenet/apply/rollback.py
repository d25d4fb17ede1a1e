"""Putting back what was there before an apply: attempts, until one succeeds, none may follow, or the time is over.

A reload that fails has replaced the file already, so that a revert does nothing (pve-api#failed-reload): what leads
back is staged like any change. It is planned from what the node has now, whatever that is, so that it can be tried
again after any trouble, by this process or by the next: what an attempt has staged is ours, and the next goes on from
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.attempts import Attempts, LeftAlone, Undecided
from pvenet.apply.by_hand import console
from pvenet.apply.kernel import Verify
from pvenet.apply.runtime import Interrupts
from pvenet.events import RollingBack
from pvenet.journal import ARMS
from pvenet.kernel.judgement import NOTHING_SEEN
from pvenet.outcome import RolledBack, Unknown
from pvenet.unexpected import unexpected

if TYPE_CHECKING:
    from pvenet.apply.bystanders import Lost
    from pvenet.apply.runtime import Runtime
    from pvenet.connection.endpoint import Endpoint
    from pvenet.journal import OpenJournal
    from pvenet.kernel.judgement import Look
    from pvenet.node import Node

WITHIN = 60.0
"""Seconds that a rollback has for itself where nobody has said how many."""
TRIES = 3
"""How often PVE may refuse before it is believed: its lock may be held for a moment (pve-api#lock-timeout)."""
PAUSE = 1.0
"""Seconds between two attempts."""


class Rollback:
    """One rollback, from its journal to its outcome."""

    def __init__(  # noqa: PLR0913 - what is rolled back, and what says how
        self,
        node: Node,
        book: OpenJournal,
        runtime: Runtime,
        *,
        timeout: float = WITHIN,
        routes: tuple[Endpoint, ...] = (),
        verify: Verify = Verify.AUTO,
        baseline: Look = NOTHING_SEEN,
        lost: Lost | None = None,
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime.unfailing()
        self._deadline = self._runtime.deadline(timeout)
        self._interrupts = Interrupts(runtime, f"{node.name} is being rolled back; Ctrl-C again leaves it as it is now")
        self._attempts = Attempts(
            node,
            book,
            self._runtime,
            deadline=self._deadline,
            interrupts=self._interrupts,
            routes=routes,
            verify=verify,
            baseline=baseline,
            lost=lost,
        )
        self._why = ""
        self._refused = 0

    def run(self, why: str) -> RolledBack | Unknown:
        """Put back what was there before, and say so; unknown where that did not succeed, or not surely."""
        self._why = why
        try:
            self._begin()
            while True:
                done = self._tried()
                if done is not None:
                    return self._rolled_back(done)
        except LeftAlone as error:
            self._attempts.leave()
            return self._unknown(error.message, error.hint)
        except Undecided as error:
            return self._unknown(error.message)
        except errors.StateUnknown as error:  # the deadline, or a person
            if not self._interrupts.given_up and self._attempts.is_back():
                return self._rolled_back(self._attempts.back_already())
            return self._unknown(error.message)

    def _begin(self) -> None:
        """Say that it begins; a Ctrl-C that comes just then is the first."""
        try:
            if self._book.now.state not in ARMS:
                self._attempts.begin()
            self._runtime.emit(RollingBack(node=self._node.name, reason=self._why, journal=str(self._book.path)))
        except KeyboardInterrupt:
            self._interrupted()

    def _rolled_back(self, message: str) -> RolledBack:
        return RolledBack(message=message, elapsed=self._deadline.elapsed)

    def _tried(self) -> str | None:
        """One attempt, and the pause before the next; what was done. Raises StateUnknown where there is no next."""
        try:
            return self._attempts.attempt()
        except KeyboardInterrupt:
            self._interrupted()
        except (LeftAlone, errors.StateUnknown):
            raise
        except errors.PvenetError as error:
            self._pause(error)
        except Exception as bug:  # whatever is wrong with pvenet itself, this ends in a verdict
            raise Undecided(unexpected(bug).message) from bug
        return None

    def _interrupted(self) -> None:
        """A Ctrl-C. Raises StateUnknown at the second."""
        if self._interrupts.heard():
            raise errors.StateUnknown("it was interrupted")

    def _pause(self, error: errors.PvenetError) -> None:
        """Before another attempt; there is none when PVE keeps refusing, or the time is over."""
        self._refused += isinstance(error, errors.RefusedByPVE)
        if self._refused >= TRIES or self._deadline.over:
            self._attempts.take_back()
            raise errors.StateUnknown(error.message) from error
        try:
            self._deadline.say("trying again", detail=error.message)
            self._deadline.rest(PAUSE)
            self._node.connection.fresh()
        except KeyboardInterrupt:
            self._interrupted()

    def _unknown(self, problem: str, hint: str = "") -> Unknown:
        return Unknown(
            message=f"{self._why}\n{self._node.name} was not rolled back: {problem}",
            hint=hint or console(self._book.journals, self._book.now, staged=self._attempts.staged),
            given_up=self._interrupts.given_up,
        )
