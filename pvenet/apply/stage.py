"""The first half of the story: read, judge, gate, journal, stage.

Staging touches nothing that runs. It still is somebody's file: what is pending and not ours is left alone, and what a
command could not finish it takes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.access import refuse_hidden
from pvenet.apply.leftover import drop_staged, finish, refuse_armed, refuse_unfinished, refuse_while_reloading
from pvenet.apply.replay import ours, replay
from pvenet.apply.steps import Steps
from pvenet.apply.wait import utc_now
from pvenet.journal import ARMS, Journal, Journals, State
from pvenet.plan import Change, Plan, Problem, Update, net_changes, plan, problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.model import Network
    from pvenet.node import Node, Reading
    from pvenet.plan import Desired


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """What the caller agreed to beforehand."""

    lossy: bool = False
    adopt: bool = False


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What a staging command did."""

    plan: Plan
    warnings: tuple[Problem, ...] = ()
    losses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What became of what was staged or reloaded before."""


def stage(
    node: Node,
    journals: Journals,
    choose: Callable[[Network], Desired],
    consent: StageOptions | None = None,
    *,
    now: str | None = None,
) -> Staged:
    """Stage what `choose` makes of the node's network, all of it or nothing.

    `now` is the time as the journal writes it; nothing is ever compared with it.
    Raises InvalidNetwork, NotOurs, Lossy and Busy before anything is sent; RefusedByPVE, Unreachable, Interrupted, and
    NotOurs for what somebody else stages meanwhile, with this command's own steps undone; StateUnknown where they
    could not be.
    """
    consent = consent or StageOptions()
    with journals.lock():
        refuse_unfinished(node, journals)
        refuse_while_reloading(node, journals)
        reading = node.read()
        refuse_hidden(node, reading)
        refuse_armed(journals, ours(journals, reading))
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
        notes = finish(node, journals, reading) if reading.pending is None else ()
        journal = _gate(node, journals, reading, consent, now or utc_now())
        Steps(node, journals.write, journal, reading).carry_out(todo)
        return Staged(plan=todo, warnings=warnings, losses=lost, notes=notes)


def judged(node: str, network: Network, desired: Desired) -> tuple[Problem, ...]:
    """The warnings about what is desired. Raises InvalidNetwork with every problem at once."""
    found = problems(network, desired)
    wrong = [problem for problem in found if not problem.warning]
    if wrong:
        lines = "\n  ".join(str(problem) for problem in wrong)
        raise errors.InvalidNetwork(
            f"this can't be on {node}:\n  {lines}", hint="nothing was sent; `pvenet list` shows what is there"
        )
    return tuple(problem for problem in found if problem.warning)


def _losses(todo: Plan) -> tuple[str, ...]:
    return tuple(
        f"{step.name}: {loss}"
        for step in todo.steps
        if isinstance(step, Update)
        for loss in wire.losses(step.before, step.after)
    )


def _gate(node: Node, journals: Journals, reading: Reading, consent: StageOptions, now: str) -> Journal:
    """The journal to go on with; a new one where nothing is pending. Raises NotOurs."""
    endpoint = str(node.connection.endpoint)
    if reading.pending is None:
        return journals.begin(endpoint=endpoint, baseline=reading.entries, now=now)
    mine = ours(journals, reading)
    if mine is not None:
        return replace(mine, state=State.STAGING, upid=None)  # a reload that was never sent may have left it open
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


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is pending, as far as the journals can tell."""

    ours: bool
    changes: tuple[Change, ...] = ()
    """What it means; empty where it is not ours."""
    armed: bool = False
    """It is no change to be applied, but the way back of an apply that was armed."""


def survey(journals: Journals, reading: Reading) -> Survey:
    """Whose the pending changes are, and what they mean."""
    journal = ours(journals, reading)
    if journal is None or journal.adopted:
        return Survey(ours=False)
    armed = journal.state in ARMS
    live = replay(journal.forward).then if armed else journal.network.interfaces
    return Survey(ours=True, changes=net_changes(live, reading.network.interfaces), armed=armed)


def revert(node: Node, journals: Journals, *, discard: bool) -> bool:
    """Throw away what is pending; whether anything was. Raises NotOurs for what is not ours, unless `discard`."""
    with journals.lock():
        refuse_while_reloading(node, journals)
        reading = node.read()
        journal = ours(journals, reading)
        if reading.changes is None:
            return False
        if (journal is None or journal.adopted) and not discard:
            raise not_ours(node.name, reading.changes, "leave them alone")
        throw_away(node)
        if journal is not None:
            journals.write(_without_staging(journal))
        drop_staged(node, journals)
        return True


def throw_away(node: Node) -> None:
    """Revert what is pending. Raises Interrupted where that was not waited for."""
    try:
        node.revert()
    except KeyboardInterrupt:
        raise errors.Interrupted(
            f"interrupted while what was pending on {node.name} was being reverted: it may be gone",
            hint=f"`pvenet status --node {node.name}` says how it stands",
        ) from None


def _without_staging(journal: Journal) -> Journal:
    """What is left of a journal when its staging is thrown away: of a way back, what it was to take back."""
    if journal.state in ARMS:
        return journal.forward
    if journal.refreshing:
        return replace(journal, pending=None, behind=False)
    state = State.FAILED if journal.state is State.ROLLING_BACK else State.DROPPED
    return replace(journal, state=state, pending=None, behind=False)
