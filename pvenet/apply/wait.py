"""Taking up a reload that was left: waiting given up, not waited for at all, or a terminal that was closed.

It ends as its apply would have, by what that one has handed over. Where nothing was, as by an older pvenet, what is not
known is not made up: without a look at the kernel from before, what a reload has lost is not judged, and what it was to
bring is. The guests are looked for where their configurations say.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.bystanders import bystanders, crowded, lost
from pvenet.apply.ending import Ending
from pvenet.apply.handover import read
from pvenet.apply.hosts import AddressMove, with_names
from pvenet.apply.pending import Pending, touches_path
from pvenet.apply.reload import not_arrived
from pvenet.apply.runtime import conclude, wait_until_idle
from pvenet.apply.same_node import claim
from pvenet.apply.unfinished import meet, recognise, refuse_unfinished
from pvenet.apply.verify import expect
from pvenet.changes import net_changes
from pvenet.cluster import with_links
from pvenet.impact import concerned
from pvenet.journal import ARMS, MEANINGS, NO, OPEN, OpenJournal, State, is_recorded, replay, utc_now
from pvenet.journal.term import Term
from pvenet.kernel.judgement import NOTHING_SEEN, Look
from pvenet.node import Reading
from pvenet.outcome import Applied, Nothing
from pvenet.routes import learn_peers, recall, routes

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.apply.bystanders import Bystanders
    from pvenet.apply.handover import Handover
    from pvenet.apply.kernel import KernelLooks, Verify
    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.events import Ended, OnFailure
    from pvenet.impact import AllowedGuests, Card
    from pvenet.journal import Journal, Journals
    from pvenet.kernel.judgement import Require
    from pvenet.node import Node
    from pvenet.outcome import Outcome
    from pvenet.routes import Routes

LEFT = (State.RELOADING, *ARMS)
"""The states of a journal whose reload nobody has seen the end of."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What whoever waits says otherwise than the apply was told; None: as that was."""

    timeout: float | None = None
    on_failure: OnFailure | None = None
    confirm_within: float | None = None
    allow_guests: AllowedGuests | None = None
    verify: Verify | None = None
    require: frozenset[Require] | None = None
    verify_with: tuple[str, ...] | None = None

    def over(self, options: ApplyOptions) -> ApplyOptions:
        """The options with what is said. Raises UsageError for what does not go together."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(options, **{name: value for name, value in given.items() if value is not None})


def wait(  # noqa: PLR0913 - as `apply`, and two that say what is otherwise
    node: Node,
    journals: Journals,
    options: ApplyOptions,
    runtime: Runtime,
    *,
    said: Said | None = None,
    same_node: bool = False,
) -> Ended:
    """Wait for the reload that was started from here and left, and end with the verdict that its apply would have had.

    A rollback that was left goes on, and so does the wait for a person's word. `options`: where nothing is known of
    what the apply was told; `said`: what overrides that. `same_node`: the journals of a node of this name elsewhere are
    this one's, whose certificate was renewed. Raises what `apply` raises from its reload on; Busy where the apply, or
    another pvenet, is still at work; RefusedByPvenet where a command was to have the last word and is not known here.
    Whatever the end, the last event is `Ended`.
    """
    runtime, bound = runtime.of(node.name), journals.at(node, same_node=same_node)
    run = _Left(node, bound, options, runtime, said=said or Said(), same_node=same_node)
    return conclude(node.name, runtime, run.locked)


class _Left(Ending):
    """What is left of an apply."""

    def __init__(  # noqa: PLR0913 - as `wait`
        self, node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, *, said: Said, same_node: bool
    ) -> None:
        super().__init__(node, journals, options, runtime, utc_now())
        self._journals = journals
        self._said = said
        self._same_node = same_node

    def _run(self) -> Outcome:
        if self._same_node:
            claim(self._node, self._journals)
        meet(self._node, self._journals, *OPEN)
        recognise(self._node, self._journals, OPEN)
        journal, handed = self._chosen()
        if journal is None:
            return self._not_left()
        self._options = self._decided(handed)
        self._runtime.heard.journal = str(self._journals.path(journal))
        recall(self._node, journal)
        self._cluster = with_names(self._node, with_links(self._node.connection))
        learn_peers(self._node, self._cluster.members)
        if handed is None and not journal.upid and journal.state in LEFT:
            wait_until_idle(self._node, self._runtime, self._options.timeout)
            if is_recorded(journal, self._node.read()):
                so = f"the reload was never sent to {self._node.name}, and what was staged still is"
                self._journals.write(replace(journal, state=State.STAGING), so=so)
                raise not_arrived(self._node.name)
        return self._taken_up(journal, handed)

    def _chosen(self) -> tuple[Journal | None, Handover | None]:
        """The journal to take up, and what its apply has handed over; a word is waited for only where that is known."""
        for journal in reversed(self._journals.all()):
            handed = read(self._journals, journal)
            confirms = journal.state is State.CONFIRMING and handed is not None
            if confirms or journal.state in (*LEFT, State.ROLLING_BACK):
                return journal, handed
        return None, None

    def _decided(self, handed: Handover | None) -> ApplyOptions:
        """What decides: what is said now, or else what the apply was told. Raises RefusedByPvenet."""
        here = self._options
        if handed is None:
            return self._said.over(here)
        program, check = handed.options.verify_with, here.verify_with
        if self._said.verify_with is None and program and check[:1] != program:
            raise errors.RefusedByPvenet(
                f"the apply of {self._node.name} that was left gives {program[0]} the last word, and its arguments are "
                "not kept; nothing was decided",
                hint="say it again with --verify-with COMMAND; `--verify-with true` leaves it out",
            )
        return self._said.over(replace(handed.options, verify_with=check, withheld=here.withheld))

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

    def _taken_up(self, journal: Journal, handed: Handover | None) -> Outcome:
        pending = _pending(journal, handed)
        self._runtime.heard.about(step.name for step in pending.steps)
        known_routes = routes(self._node, self._cluster.members, pending.before, pending.reading.network)
        book = OpenJournal(self._journals, journal, self._runtime.warn)
        self._move = AddressMove(edit=journal.hosts) if journal.hosts is not None else self._move
        if handed is not None:
            self._know(journal, pending, handed)
        match journal.state:
            case State.ROLLING_BACK:
                return self._gone_on(book, known_routes, answered=handed is not None)
            case State.CONFIRMING:
                self._left_to_confirm = Term(book.path).left()
                live = Applied(message=f"what was applied on {self._node.name} is live and was verified")
                return self._followed(self._after(live, book, pending, known_routes))
            case _:
                looks = self._looks or self._look_anew(pending)
                self._reload = self._ready(book, pending, known_routes, looks)
                end = self._reload.take_up(pending.expectation, pending.steps, handed.known if handed else None)
                return self._followed(self._after(end, book, pending, known_routes))

    def _know(self, journal: Journal, pending: Pending, handed: Handover) -> None:
        """What the apply knew of the kernel and of those who depend on the network."""
        self._looks = self._kernel_looks(pending, management=handed.management, handed=handed)
        there = handed.bystanders(journal.network, pending.reading.network)
        self._lost = partial(lost, self._node, there, self._options.allow_guests)

    def _gone_on(self, book: OpenJournal, known_routes: Routes, *, answered: bool) -> Outcome:
        """The end of a rollback that was left; `answered`: a no that stands beside its journal was to the apply."""
        why = f"a rollback of {self._node.name} was started and has not ended"
        if answered and self._journals.word(book.now) == NO:
            return self._taken_back(book, known_routes, why)
        return self._rolled_back(book, known_routes, why)

    # --- where nothing was handed over -------------------------------------------------------------------------------

    def _look_anew(self, pending: Pending) -> KernelLooks:
        """The looks at the kernel and the guests, with none from before."""
        there = self._bystanders(pending)
        self._lost = partial(lost, self._node, there, self._options.allow_guests) if there is not None else None
        looks = self._looks = self._kernel_looks(pending, management=touches_path(self._node, self._cluster, pending))
        if looks.judges:
            self._runtime.warn(
                f"what the kernel of {self._node.name} had before this reload is not known here: what the reload "
                "should bring is verified, what it may have lost is not"
            )
        return looks

    def _bystanders(self, pending: Pending) -> Bystanders | None:
        """The guests that have to hang where their configurations say; None where nobody can be hit, or can tell.

        The cluster is not looked at: what it had before is not known.
        """
        before, wanted = pending.before, pending.reading.network
        touched = concerned(before, wanted) if before is not None else ()
        if before is None or not crowded(before, touched):
            return None
        try:
            found = bystanders(
                self._node, before, wanted, cluster=self._cluster, look=_nothing_seen, path=None, touched=touched
            )
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


def _pending(journal: Journal, handed: Handover | None) -> Pending:
    """What was pending when the reload was sent, as it was listed, or as the journal's steps have made it."""
    sent = journal.forward
    entries = handed.entries if handed is not None else tuple(replay(sent).entries[-1].values())
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
