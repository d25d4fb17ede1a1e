"""The second half of an apply: check, show, approve, compare, reload, wait, verify, confirm or roll back.

Time and the person are arguments: a `Runtime` holds the clock, the sleep, the prompt and the listener, so that a test,
a terminal and a JSON stream run the same code.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.approval import NOT_LIVE, agree_to_guests, approve, proposal
from pvenet.apply.bystanders import lost
from pvenet.apply.ending import Ending
from pvenet.apply.handover import handover, keep
from pvenet.apply.hosts import address_move, catch_up, follow_move, live_elsewhere, with_names
from pvenet.apply.open_journals import failed_last, finish
from pvenet.apply.pending import Pending, gate, refuse_irreversible, touches_path
from pvenet.apply.removals import remade, removals
from pvenet.apply.runtime import conclude, wait_until_idle
from pvenet.apply.unfinished import recognise, refuse_unfinished
from pvenet.cluster import with_links
from pvenet.journal import OPEN, Journals, OpenJournal, State, utc_now
from pvenet.outcome import Nothing, Outcome
from pvenet.routes import kept, learn_peers, routes

if TYPE_CHECKING:
    from pvenet.apply.approval import Approval
    from pvenet.apply.kernel import KernelLooks
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.events import Ended
    from pvenet.journal import Journal
    from pvenet.node import Node, Reading


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


class Apply(Ending):
    """One apply, from what is pending to its end."""

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
        pending = gate(self._node, self._journals, reading, self._options)
        refuse_irreversible(self._node.name, pending, self._options)
        management = touches_path(self._node, self._cluster, pending)
        looks = self._looks = self._kernel_looks(pending, management=management)
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
        given = handover(
            self._options,
            others,
            entries=reading.entries,
            known=known,
            management=management,
            baseline=looks.baseline,
            asked=looks.asked,
        )
        keep(self._journals, book.now, given)
        try:
            end = self._reload.run(pending.expectation, pending.steps, known, wait=self._options.wait)
        except errors.JournalUnwritable as error:
            raise (error if self._reload.sent else error.after(NOT_LIVE)) from None
        return self._followed(self._after(end, book, pending, known_routes))

    # --- what is there -----------------------------------------------------------------------------------------------

    def _idle(self) -> frozenset[str]:
        ours = {each.upid for each in self._journals.all() if each.upid}
        return wait_until_idle(self._node, self._runtime, self._options.timeout, ours=ours)

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

    # --- approval ----------------------------------------------------------------------------------------------------

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
                + NOT_LIVE,
                hint="`pvenet list` shows what is there",
            )
        if now.pending != shown.pending:
            raise errors.Stale(
                f"what is pending on {self._node.name} is no longer what was shown; {NOT_LIVE}",
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
