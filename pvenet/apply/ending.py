"""The last part of an apply: the reload, and what follows from how that ends: nothing, a confirmation, a rollback.

It is the same for whoever has shown and sent it, and for whoever takes it up when it was left.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.bystanders import crowded
from pvenet.apply.confirmation import confirmed, refusal
from pvenet.apply.hosts import NOTHING_MOVES, follow, follow_move, may_follow
from pvenet.apply.kernel import KernelLooks
from pvenet.apply.reload import Reload
from pvenet.apply.rollback import WITHIN, Rollback
from pvenet.apply.sdn_lock import SdnLock
from pvenet.apply.status import armed_still
from pvenet.apply.verification import Purpose
from pvenet.events import Due, OnFailure
from pvenet.impact import concerned
from pvenet.journal import ARMS, Journals, OpenJournal, State
from pvenet.kernel.judgement import NOTHING_SEEN, scope
from pvenet.outcome import Applied, Failed, Outcome, RolledBack, Sent, Unknown

if TYPE_CHECKING:
    from pvenet.apply.bystanders import Lost
    from pvenet.apply.handover import Handover
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.pending import Pending
    from pvenet.apply.runtime import Runtime
    from pvenet.node import Node
    from pvenet.routes import Routes


class Ending(ABC):
    """An apply that comes to its end."""

    def __init__(self, node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, now: str) -> None:
        self._node = node
        self._journals = journals.at(node)
        self._options = options
        self._runtime = runtime
        self._now = now
        self._reload: Reload | None = None
        self._looks: KernelLooks | None = None
        self._lost: Lost | None = None
        self._move = NOTHING_MOVES
        self._left_to_confirm: float | None = None
        """Of the time for a person's word, where it has begun before."""
        self._sdn_lock = SdnLock(node.connection, journals.state_dir, runtime, wanted=options.sdn_lock, now=now)

    def locked(self) -> Outcome:
        """Run, with the node's journals to itself."""
        try:
            with self._journals.lock(), self._sdn_lock:
                return self._run()
        except KeyboardInterrupt:
            if self._reload is not None and self._reload.sent:
                return self._followed(self._reload.given_up())
            raise errors.Interrupted(
                f"interrupted; nothing was sent, and what is pending on {self._node.name} stays pending"
            ) from None

    @abstractmethod
    def _run(self) -> Outcome:
        """All of it, with the node's journals to itself."""

    def _kernel_looks(self, pending: Pending, *, management: bool, handed: Handover | None = None) -> KernelLooks:
        """What the kernel is asked about these changes; `handed`: by an apply that has looked before them."""
        before, wanted = pending.before, pending.reading.network
        return KernelLooks(
            self._node,
            self._runtime,
            scope(pending.expectation.ours, before, wanted, management=management),
            verify=self._options.verify,
            require=self._options.require,
            before=before,
            baseline=handed.baseline if handed else NOTHING_SEEN,
            asked=handed.asked if handed else None,
            guests=before is not None and bool(crowded(before, concerned(before, wanted))),
        )

    def _ready(self, book: OpenJournal, pending: Pending, known_routes: Routes, looks: KernelLooks) -> Reload:
        purpose = Purpose(
            done=State.APPLIED if self._options.confirm_within is None else State.CONFIRMING,
            due=Due.ROLLS_BACK if self._options.wait and self._goes_back(pending) else Due.GIVES_UP,
            inverse=pending.inverse if self._options.arm else None,
            verify_with=self._options.verify_with,
            withheld=self._options.withheld,
        )
        timeout = self._options.timeout
        return Reload(
            self._node,
            book,
            self._runtime,
            timeout=timeout,
            purpose=purpose,
            routes=known_routes.after,
            looks=looks,
            lost=self._lost,
        )

    def _followed(self, end: Outcome) -> Outcome:
        """The end, with what a new address of the node asks for beside it."""
        match end:
            case Applied():
                done = follow_move(self._node, self._move, self._runtime.unfailing().warn)
                return replace(end, message=f"{end.message}{done}")
            case Unknown(stays=True) if self._move.edit is not None:
                follow(self._node, replace(self._move.edit, agreed=False), self._runtime.unfailing().warn)
            case Sent() | Unknown():
                last = self._journals.chosen()
                restores = last is not None and last.state is State.ROLLING_BACK
                may_follow(self._node, self._move, self._runtime.unfailing().warn, restores=restores)
            case _:
                pass
        return end

    def _after(
        self, end: Applied | Sent | Failed | Unknown, book: OpenJournal, pending: Pending, known_routes: Routes
    ) -> Outcome:
        """What follows from how the reload ended: nothing, a confirmation, a rollback."""
        match end:
            case Applied() | Unknown(stays=True) if book.now.state is State.CONFIRMING:
                within, left = self._options.confirm_within or 0.0, self._left_to_confirm
                refused = refusal(self._node, book, self._runtime, within, left=left)
                return self._taken_back(book, known_routes, refused) if refused else confirmed(end, book)
            case Applied() | Sent() | Unknown(stays=True) | Failed(overridden=True):
                return end
            case Failed() | Unknown(given_up=False) if self._goes_back(pending):
                return self._rolled_back(book, known_routes, end.message)
            case Failed() | Unknown():
                if book.now.state in ARMS:  # nobody puts back what stays behind on the node
                    return replace(end, hint=f"{end.hint}\n{armed_still(book.journals, book.now)}")
                return end

    def _goes_back(self, pending: Pending) -> bool:
        """Whether a failure is rolled back: where it is ours, unless the caller wants it kept."""
        return pending.before is not None and self._options.on_failure is OnFailure.ROLLBACK

    def _taken_back(self, book: OpenJournal, known_routes: Routes, why: str) -> Outcome:
        """Rolled back because nobody has confirmed it: nothing of it is to be mended."""
        end = self._rolled_back(book, known_routes, why)
        hint = f"what was tried is in\n  {book.path}"
        return replace(end, hint=hint, unconfirmed=True) if isinstance(end, RolledBack) else end

    def _rolled_back(self, book: OpenJournal, known_routes: Routes, why: str) -> Outcome:
        timeout = max(WITHIN, self._options.timeout)
        baseline = self._looks.baseline if self._looks is not None else NOTHING_SEEN
        verify = self._options.verify
        back = Rollback(
            self._node,
            book,
            self._runtime,
            timeout=timeout,
            routes=known_routes.before,
            verify=verify,
            baseline=baseline,
            lost=self._lost,
        )
        end = back.run(why)
        if isinstance(end, Unknown):
            return end
        return replace(
            end,
            message=f"{why}\n{end.message}",
            hint=f"correct what was wrong and stage it again; what was tried is in\n  {book.path}",
        )
