"""Taking up a reload that was left: waiting given up, not waited for at all, or a terminal that was closed.

It ends as the apply would have. What that one knew and no journal has is not made up: without a look at the kernel from
before, what a reload has lost is not judged, and what it was to bring is. The guests are looked for where their
configurations say.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.apply import Apply, Pending
from pvenet.apply.approval import touched_path
from pvenet.apply.bystanders import bystanders, crowded, lost
from pvenet.apply.hosts import AddressMove, with_names
from pvenet.apply.kernel import KernelLooks
from pvenet.apply.open_journals import meet, recognise, refuse_unfinished
from pvenet.apply.runtime import conclude, wait_until_idle
from pvenet.apply.same_node import claim
from pvenet.apply.verify import expect
from pvenet.cluster import with_links
from pvenet.journal import ARMS, MEANINGS, OPEN, OpenJournal, State, is_recorded, replay, utc_now
from pvenet.kernel.judgement import NOTHING_SEEN, Look, scope
from pvenet.node import Reading
from pvenet.outcome import Nothing
from pvenet.plan.changes import net_changes
from pvenet.routes import learn_peers, recall, routes

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.apply.bystanders import Bystanders
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.events import Ended
    from pvenet.impact import Card
    from pvenet.journal import Journal, Journals
    from pvenet.node import Node
    from pvenet.outcome import Outcome

LEFT = (State.RELOADING, *ARMS)
"""The states of a journal whose reload nobody has seen the end of."""


def wait(node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, *, same_node: bool = False) -> Ended:
    """Wait for the reload that was started from here and left, and end with the verdict that its apply would have had.

    A rollback that was left goes on. `same_node`: the journals of a node of this name elsewhere are this one's, whose
    certificate was renewed. Raises what `apply` raises after the reload; Busy where the apply, or another pvenet, is
    still at work. Whatever the end, the last event is `Ended`.
    """
    run = _Left(node, journals.at(node, same_node=same_node), options, runtime, same_node=same_node)
    return conclude(node.name, runtime, run.locked)


class _Left(Apply):
    """What is left of an apply."""

    def __init__(
        self, node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, *, same_node: bool
    ) -> None:
        super().__init__(node, journals, options, runtime, utc_now())
        self._journals = journals
        self._same_node = same_node

    def _run(self) -> Outcome:
        if self._same_node:
            claim(self._node, self._journals)
        meet(self._node, self._journals, *OPEN)
        recognise(self._node, self._journals, OPEN)
        left = [each for each in self._journals.all() if each.state in (*LEFT, State.ROLLING_BACK)]
        journal = next(reversed(left), None)
        if journal is None:
            return self._not_left()
        recall(self._node, journal)
        self._cluster = with_names(self._node, with_links(self._node.connection))
        learn_peers(self._node, self._cluster.members)
        if not journal.upid and journal.state in LEFT:
            wait_until_idle(self._node, self._runtime, self._options.timeout)
            if is_recorded(journal, self._node.read()):
                self._journals.write(replace(journal, state=State.STAGING))
                return Nothing(
                    message=f"the reload did not reach {self._node.name}: what is pending there stays pending"
                )
        return self._taken_up(journal)

    def _not_left(self) -> Outcome:
        """Nothing is left to wait for: how the last one ended. Raises RefusedByPvenet where a word is waited for."""
        refuse_unfinished(self._node, self._journals)
        last = self._journals.chosen()
        if last is None or last.state is State.STAGING:
            return Nothing(message=f"there is no reload of {self._node.name}, started from here, left to wait for")
        meaning = MEANINGS[last.state]
        if last.state is State.FAILED:
            raise errors.ApplyFailed(f"{self._node.name}: {meaning.what}", hint=meaning.todo)
        return Nothing(message=f"{self._node.name}: {meaning.what}")

    def _taken_up(self, journal: Journal) -> Outcome:
        pending = _pending(journal)
        wanted = pending.reading.network
        known_routes = routes(self._node, self._cluster.members, pending.before, wanted)
        book = OpenJournal(self._journals, journal, self._runtime.warn)
        if journal.state is State.ROLLING_BACK:
            return self._rolled_back(
                book, known_routes, f"a rollback of {self._node.name} was started and has not ended"
            )
        looks = self._looks = self._looks_after(pending)
        there = self._bystanders(pending)
        self._lost = partial(lost, self._node, there, self._options.allow_guests) if there is not None else None
        self._move = AddressMove(edit=journal.hosts) if journal.hosts is not None else self._move
        self._reload = self._ready(book, pending, known_routes, looks)
        if looks.judges:
            self._runtime.warn(
                f"what the kernel of {self._node.name} had before this reload is not known here: what the reload "
                "should bring is verified, what it may have lost is not"
            )
        end = self._reload.take_up(pending.expectation, pending.steps)
        return self._followed(self._after(end, book, pending, known_routes))

    def _looks_after(self, pending: Pending) -> KernelLooks:
        """The looks at the kernel, with none from before."""
        before, wanted = pending.before, pending.reading.network
        management = before is not None and touched_path(self._node, self._cluster, before, wanted) is not None
        return KernelLooks(
            self._node,
            self._runtime,
            scope(pending.expectation.ours, before, wanted, management=management),
            verify=self._options.verify,
            require=self._options.require,
            guests=before is not None and bool(crowded(before, wanted)),
        )

    def _bystanders(self, pending: Pending) -> Bystanders | None:
        """The guests that have to hang where their configurations say; None where nobody can be hit, or can tell.

        The cluster is not looked at: what it had before is not known.
        """
        before, wanted = pending.before, pending.reading.network
        if before is None or not crowded(before, wanted):
            return None
        try:
            found = bystanders(self._node, before, wanted, cluster=self._cluster, look=_nothing_seen, path=None)
        except errors.PvenetError as error:
            self._runtime.warn(f"whether guests of {self._node.name} were lost is not known: {error.message}")
            return None
        return replace(found, hanging=_configured(found), cluster=None)


def _nothing_seen(_names: Collection[str], _cards: Collection[Card]) -> Look:
    return NOTHING_SEEN


def _configured(there: Bystanders) -> dict[Card, str]:
    """Where the cards of the guests that run hang, by their configurations."""
    return {
        (guest.vmid, card.index): card.bridge
        for guest in there.known.guests
        if guest.running
        for card in guest.nics
        if card.bridge is not None and card.bridge in there.before.interfaces and not card.pending
    }


def _pending(journal: Journal) -> Pending:
    """What was pending when the reload was sent, as the journal's steps have made it."""
    sent = journal.forward
    entries = tuple(replay(sent).entries[-1].values())
    wanted = wire.network(entries)
    before = None if sent.adopted else sent.network
    steps = net_changes(before.interfaces, wanted.interfaces) if before is not None else ()
    touched = None if before is None else frozenset(step.name for step in steps)
    return Pending(
        reading=Reading(network=wanted, changes=None, entries=entries),
        journal=None if sent.adopted else sent,
        before=before,
        steps=steps,
        expectation=expect(before=before, wanted=wanted, touched=touched),
    )
