"""The first half of the story: read, judge, gate, journal, stage; and undo this command's own steps on a bad day.

Staging touches nothing that runs. It still is somebody's file: what is pending and not ours is left alone, and what a
command could not finish it takes back by the inverse of its own steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.access import refuse_hidden
from pvenet.journal import Journal, Journals, State, Step
from pvenet.plan import Change, Create, Delete, Plan, Problem, Update, inverse, net_changes, plan, problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.model import Network
    from pvenet.node import Node, Reading
    from pvenet.plan import Desired


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What the caller agreed to beforehand."""

    lossy: bool = False
    adopt: bool = False


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What a staging command did."""

    plan: Plan
    warnings: tuple[Problem, ...] = ()
    losses: tuple[str, ...] = ()


def stage(
    node: Node, journals: Journals, choose: Callable[[Network], Desired], consent: Consent, *, now: str
) -> Staged:
    """Stage what `choose` makes of the node's network, all of it or nothing.

    Raises InvalidNetwork, NotOurs, Lossy and Busy before anything is sent; RefusedByPVE, Unreachable and Interrupted
    with this command's own steps undone; StateUnknown where they could not be.
    """
    with journals.lock():
        reading = node.read()
        refuse_hidden(node, reading)
        desired = choose(reading.network)
        warnings = judged(node.name, reading.network, desired)
        todo = plan(reading.network, desired)
        if not todo:
            return Staged(plan=todo, warnings=warnings)
        lost = _losses(todo)
        if lost and not consent.lossy:
            raise errors.Lossy(
                f"the API can't change this on {node.name} without a loss:\n  " + "\n  ".join(lost),
                hint="edit /etc/network/interfaces on the node instead, or accept the loss with --lossy",
                losses=lost,
            )
        journal = _gate(node, journals, reading, consent, now)
        _Run(node, journals, journal, reading).carry_out(todo)
        return Staged(plan=todo, warnings=warnings, losses=lost)


def judged(node: str, network: Network, desired: Desired) -> tuple[Problem, ...]:
    """The warnings about what is desired. Raises InvalidNetwork with every problem at once."""
    found = problems(network, desired)
    wrong = [problem for problem in found if not problem.warning]
    if wrong:
        lines = "\n  ".join(f"{problem.interface}: {problem}" for problem in wrong)
        raise errors.InvalidNetwork(
            f"this can't be on {node}:\n  {lines}", hint="nothing was sent; `pvenet list` shows what is there"
        )
    return tuple(problem for problem in found if problem.warning)


def _losses(todo: Plan) -> tuple[str, ...]:
    return tuple(
        f"{step.name}: {loss}" for step in todo.steps if isinstance(step, Update) for loss in wire.losses(step.before)
    )


def _gate(node: Node, journals: Journals, reading: Reading, consent: Consent, now: str) -> Journal:
    """The journal to go on with; a new one where nothing is pending. Raises NotOurs."""
    endpoint = str(node.connection.endpoint)
    if reading.pending is None:
        journals.drop_stale(endpoint)
        return journals.begin(endpoint=endpoint, baseline=reading.entries, now=now)
    ours = journals.ours(reading.pending)
    if ours is not None:
        return ours
    if not consent.adopt:
        raise not_ours(node.name, reading.changes or "", "stage on top of them with --adopt")
    return journals.begin(endpoint=endpoint, baseline=reading.entries, now=now, adopted=True)


def not_ours(node: str, changes: str, way_on: str) -> errors.NotOurs:
    """The refusal of pending changes that somebody else staged."""
    return errors.NotOurs(
        f"changes are pending on {node} that pvenet did not stage from here; they are left alone:\n\n{changes}",
        hint=f"ask who staged them; then {way_on}, or throw them away with `pvenet revert --discard`",
        changes=changes,
    )


class _Run:
    """One command's steps on their way to the node, so that they can be taken back."""

    def __init__(self, node: Node, journals: Journals, journal: Journal, before: Reading) -> None:
        self._node = node
        self._journals = journals
        self._journal = journal
        self._before = before
        self._done: list[Change] = []

    def carry_out(self, todo: Plan) -> None:
        try:
            for change in todo.steps:
                self._step(change)
        except errors.RefusedByPvenet:
            raise
        except errors.PvenetError as error:
            self._undo(error)
            raise
        except KeyboardInterrupt:
            interrupted = errors.Interrupted(f"interrupted; {self._node.name} is left as it was found")
            self._undo(interrupted)
            raise interrupted from None

    def _step(self, change: Change) -> None:
        """The journal first, then the write, then the diff that says it is ours."""
        self._record(_step(change))
        self._done.append(change)
        send(self._node, change)
        self._settle()

    def _settle(self) -> None:
        self._journal = self._journals.write(replace(self._journal, pending=self._node.read().pending))

    def _record(self, step: Step) -> None:
        self._journal = self._journals.write(replace(self._journal, steps=(*self._journal.steps, step)))

    def _undo(self, error: errors.PvenetError) -> None:
        """Take back what this command staged, as far as the node has it."""
        try:
            now = self._node.read()
            if now.pending == self._before.pending:
                pass  # nothing of it arrived
            elif self._before.pending is None and now.pending == self._journal.pending:
                self._node.revert()
            else:
                self._take_back(now.network)
            self._settle_undone()
        except errors.PvenetError as second:
            names = ", ".join(change.name for change in self._done)
            raise errors.StateUnknown(
                f"{error.message}\nand what had been staged ({names}) could not be undone: {second.message}",
                hint="`pvenet diff` shows what is pending; nothing of it is live",
            ) from error

    def _take_back(self, network: Network) -> None:
        arrived = [
            change for change in self._done if (change.name in network.interfaces) is not isinstance(change, Delete)
        ]
        for change in inverse(Plan(steps=tuple(arrived)), self._before.network).plan.steps:
            send(self._node, change)

    def _settle_undone(self) -> None:
        pending = self._node.read().pending
        state = State.DROPPED if pending is None else self._journal.state
        self._journal = self._journals.write(replace(self._journal, pending=pending, state=state))


def send(node: Node, change: Change) -> None:
    """Stage one change."""
    match change:
        case Create():
            node.create(change.after)
        case Update():
            node.update(change.before, change.after)
        case Delete():
            node.delete(change.before.name)


def _step(change: Change) -> Step:
    match change:
        case Create():
            return Step(action="create", name=change.name, form=wire.create_form(change.after))
        case Update():
            return Step(action="update", name=change.name, form=wire.update_form(change.before, change.after))
        case Delete():
            return Step(action="delete", name=change.name)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is pending, as far as the journals can tell."""

    ours: bool
    changes: tuple[Change, ...] = ()
    """What it means; empty where it is not ours."""


def survey(journals: Journals, reading: Reading) -> Survey:
    """Whose the pending changes are, and what they mean."""
    journal = journals.ours(reading.pending)
    if journal is None or journal.adopted:
        return Survey(ours=False)
    return Survey(ours=True, changes=net_changes(journal.network.interfaces, reading.network.interfaces))


def revert(node: Node, journals: Journals, *, discard: bool) -> bool:
    """Throw away what is pending; whether anything was. Raises NotOurs for what is not ours, unless `discard`."""
    with journals.lock():
        reading = node.read()
        journal = journals.ours(reading.pending)
        if reading.changes is None:
            return False
        if (journal is None or journal.adopted) and not discard:
            raise not_ours(node.name, reading.changes, "leave them alone")
        node.revert()
        if journal is not None:
            journals.write(replace(journal, state=State.DROPPED))
        return True
