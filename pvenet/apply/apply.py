"""The second half of an apply: check, show, approve, compare, reload, wait, verify, confirm or roll back.

Time and the person are arguments: a `Runtime` holds the clock, the sleep, the prompt and the listener, so that a test,
a terminal and a JSON stream run the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.approval import agree_to_guests, approve, proposal, remade, removals, touched_path
from pvenet.apply.bystanders import crowded, lost
from pvenet.apply.confirmation import confirmed, refusal
from pvenet.apply.hosts import (
    NOTHING_MOVES,
    address_move,
    catch_up,
    follow,
    follow_move,
    live_elsewhere,
    may_follow,
    with_names,
)
from pvenet.apply.kernel import KernelLooks, Verify
from pvenet.apply.open_journals import failed_last, finish, recognise, refuse_armed, refuse_unfinished
from pvenet.apply.reload import Reload
from pvenet.apply.rollback import WITHIN, Rollback
from pvenet.apply.runtime import conclude, wait_until_idle
from pvenet.apply.sdn_lock import SdnLock
from pvenet.apply.status import armed_still
from pvenet.apply.verification import Purpose
from pvenet.apply.verify import Expectation, expect
from pvenet.cluster import with_links
from pvenet.events import Due, OnFailure
from pvenet.journal import ARMS, OPEN, Journals, OpenJournal, Ours, State, not_ours, ownership, replay, utc_now
from pvenet.journal import Nothing as NothingPending
from pvenet.kernel.judgement import NOTHING_SEEN, scope
from pvenet.outcome import Applied, Failed, Nothing, Outcome, RolledBack, Sent, Unknown
from pvenet.plan.restore import restore_plan
from pvenet.routes import kept, learn_peers, routes

if TYPE_CHECKING:
    from pvenet.apply.approval import Approval
    from pvenet.apply.bystanders import Lost
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.events import Ended
    from pvenet.journal import Journal
    from pvenet.model import Network
    from pvenet.node import Node, Reading
    from pvenet.plan.changes import Change, Plan
    from pvenet.routes import Routes


def apply(node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, *, now: str | None = None) -> Ended:
    """Make what is pending live, wait, and say the truth about the end.

    Raises NotOurs, ManagementRisk, NeedsConsent, Stale, Busy and PermissionMissing with nothing sent, RefusedByPVE and
    Unreachable with nothing started; RolledBack where the reload failed, something did not come up or the time was
    over, and everything is as it was before; ApplyFailed where that was not to be put back; StateUnknown where waiting
    was given up, or nobody can tell. Whatever the end, the last event is `Ended`.
    """
    runtime = runtime.of(node.name)
    run = Apply(node, journals, options, runtime, now or utc_now())
    return conclude(node.name, runtime, run.locked)


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What is about to go live."""

    reading: Reading
    journal: Journal | None
    """None where it is not ours."""
    before: Network | None
    """The network before the changes; None where they are not ours."""
    steps: tuple[Change, ...]
    """What they mean; empty where they are not ours."""
    expectation: Expectation

    @property
    def inverse(self) -> Plan | None:
        """What leads back from what is pending to what was before."""
        if self.before is None or self.journal is None:
            return None
        return restore_plan(self.before, self.reading.network, replay(self.journal).values()).todo


class Apply:
    """One apply, from what is pending to its end."""

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

    def _run(self) -> Outcome:
        refuse_unfinished(self._node, self._journals)
        self._node.check_access()
        recognise(self._node, self._journals, OPEN)
        # asked before the look at what is pending: whatever stands between that and the reload widens the window in
        # which somebody else can stage
        self._cluster = with_names(self._node, with_links(self._node.connection))
        learn_peers(self._node, self._cluster.members)
        known = self._idle()
        reading = self._node.read()
        if reading.pending is None:
            return self._nothing(reading)
        pending = self._gate(reading)
        self._refuse_irreversible(pending)
        looks = self._looks = self._kernel_looks(pending)
        looks.begin()
        approval = self._approved(pending, looks)
        looks.begun()
        looks.again()
        others = approval.bystanders.seen_again(self._node, looks.baseline)
        agree_to_guests(self._node, others, self._runtime, self._options.allowed)
        if self._sdn_lock.take() or approval.asked or looks.slow or self._move.looked:
            known = self._compare(reading)
        known_routes = routes(self._node, self._cluster.members, pending.before, reading.network)
        book = OpenJournal(self._journals, self._journal(pending), self._runtime.warn)
        self._runtime.heard.journal = str(book.path)
        self._lost = partial(lost, self._node, others, self._options.allow_guests)
        self._reload = self._ready(book, pending, known_routes, looks)
        end = self._reload.run(pending.expectation, pending.steps, known, wait=self._options.wait)
        return self._followed(self._after(end, book, pending, known_routes))

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
                refused = refusal(self._node, book, self._runtime, self._options.confirm_within or 0.0)
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

    # --- what is there -----------------------------------------------------------------------------------------------

    def _idle(self) -> frozenset[str]:
        return wait_until_idle(self._node, self._runtime, self._options.timeout)

    def _nothing(self, reading: Reading) -> Nothing:
        """Nothing is pending; but what became of what was staged or reloaded before is told."""
        move = live_elsewhere(self._node, self._journals.chosen(), reading.network, self._cluster)
        for text in finish(self._node, self._journals, reading):
            self._runtime.warn(text)
        follow_move(self._node, move, self._runtime.warn)
        if (failed := failed_last(self._journals)) is not None:
            self._runtime.warn(
                f"the last apply from here to {self._node.name} failed; what was there before it is in\n"
                f"  {self._journals.path(failed)}"
            )
        if (last := self._journals.chosen()) is not None:
            catch_up(self._node, last, self._runtime.warn)
        return Nothing(message=f"nothing is pending on {self._node.name}")

    def _gate(self, reading: Reading) -> Pending:
        whose = ownership(self._journals, reading)
        refuse_armed(self._journals, whose)
        if isinstance(whose, Ours):
            journal: Journal | None = whose.journal
            before: Network | None = whose.journal.network
            steps, touched = whose.steps, frozenset(step.name for step in whose.steps)
            expectation = expect(before=before, wanted=reading.network, touched=touched)
        elif isinstance(whose, NothingPending) or self._options.adopt:
            journal = None if isinstance(whose, NothingPending) else whose.adopted
            before, steps = None, ()
            expectation = expect(before=None, wanted=reading.network, touched=None)
        else:
            raise not_ours(self._node.name, whose.changes, "apply them with `pvenet apply --adopt`", whose.note)
        return Pending(reading=reading, journal=journal, before=before, steps=steps, expectation=expectation)

    # --- approval ----------------------------------------------------------------------------------------------------

    def _refuse_irreversible(self, pending: Pending) -> None:
        """Raises RefusedByPvenet where what was asked for needs something that leads back, and there is nothing."""
        asked = {"--confirm-within": self._options.confirm_within is not None, "--arm": self._options.arm}
        for option, wanted in asked.items():
            if wanted and pending.before is None:
                raise errors.RefusedByPvenet(
                    f"what is pending on {self._node.name} was not staged by pvenet and can't be rolled back, which "
                    f"{option} needs; nothing was sent",
                    hint=f"apply it without {option}",
                )
        if self._options.arm and pending.steps and not pending.inverse:
            raise errors.RefusedByPvenet(
                f"the API can't stage a way back from what is pending on {self._node.name}, which --arm needs; "
                "nothing was sent",
                hint="apply it without --arm",
            )

    def _approved(self, pending: Pending, looks: KernelLooks) -> Approval:
        """Show, and get approval. Raises what was not agreed."""
        then = pending.reading.network
        proposed = proposal(
            f"Apply this to {self._node.name} now?",
            before=pending.before,
            judged=(pending.journal.network if pending.journal else then, then),
            changes=pending.reading.changes or "",
        )
        taken = removals(pending.journal, pending.reading.changes or "")
        self._move = address_move(self._node, (pending.before, then), self._cluster, agreed=self._options.update_hosts)
        proposed = replace(proposed, removals=taken, remade=remade(pending.inverse), notes=self._move.notes)
        return approve(
            self._node,
            proposed,
            self._runtime,
            self._cluster,
            allowed=self._options.allowed,
            look=looks.of_guests,
        )

    def _compare(self, shown: Reading) -> frozenset[str]:
        """After a question: nobody reloads, and what is pending is still what was shown. Raises Stale."""
        known = self._idle()
        now = self._node.glance()
        if now.pending is None:
            raise errors.Stale(
                f"nothing is pending on {self._node.name} any more: somebody else has applied or reverted it; "
                "nothing was sent",
                hint="`pvenet list` shows what is there",
            )
        if now.pending != shown.pending:
            raise errors.Stale(
                f"what is pending on {self._node.name} is no longer what was shown; nothing was sent",
                hint="look again: `pvenet diff`, then `pvenet apply`",
            )
        return known

    # --- the reload --------------------------------------------------------------------------------------------------

    def _journal(self, pending: Pending) -> Journal:
        """The journal of what is about to go live, with how the node can be reached."""
        journal = pending.journal or self._journals.begin(
            baseline=pending.reading.entries,
            now=self._now,
            adopted=True,
        )
        journal = replace(
            journal,
            pending=pending.reading.pending,
            behind=False,
            state=State.STAGING,
            upid=None,
            routes=kept(self._node.connection),
            hosts=self._move.edit,
        )
        self._journals.keep_diff(journal)
        return journal

    def _kernel_looks(self, pending: Pending) -> KernelLooks:
        """What the kernel is asked about these changes."""
        before, wanted = pending.before, pending.reading.network
        management = before is not None and touched_path(self._node, self._cluster, before, wanted) is not None
        asked = scope(pending.expectation.ours, before, wanted, management=management)
        options = self._options
        verify = options.verify if options.wait else Verify.FLAGS
        guests = before is not None and bool(crowded(before, wanted))
        return KernelLooks(
            self._node, self._runtime, asked, verify=verify, require=options.require, before=before, guests=guests
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
