"""The first half of an apply: read, judge, ask whose is what is pending, open a journal, stage.

Staging touches nothing that runs. It still is somebody's file: what is pending and not ours is left alone, and what a
command could not finish it takes back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Self

from pvenet import errors, wire
from pvenet.apply.bystanders import may_hit
from pvenet.apply.hosts import with_names
from pvenet.apply.open_journals import finish
from pvenet.apply.own_path import PathTouched, path_touched
from pvenet.apply.removals import described_removals, foreseen, planned_removals, removals
from pvenet.apply.steps import Steps
from pvenet.apply.unfinished import recognise, refuse_armed, refuse_unfinished, refuse_while_reloading
from pvenet.changes import outcome
from pvenet.cluster import with_links
from pvenet.impact import Impact, concerned
from pvenet.journal import (
    OPEN,
    Foreign,
    Journal,
    Nothing,
    OpenJournal,
    Ours,
    State,
    not_ours,
    ownership,
    utc_now,
)
from pvenet.plan.order import plan
from pvenet.plan.problems import Problem, problems

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from types import TracebackType

    from pvenet.changes import Desired, Plan
    from pvenet.journal import Journals
    from pvenet.model import Network
    from pvenet.node import Node, Reading


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """What the caller agreed to beforehand."""

    lossy: bool = False
    adopt: bool = False
    coming: frozenset[str] = frozenset()
    """NICs that will be there with the next boot."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What a staging command did."""

    plan: Plan
    warnings: tuple[Problem, ...] = ()
    losses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What became of what was staged or reloaded before, and what the first write takes away by itself."""
    pending: str | None = None
    """PVE's diff without its timestamps, as it is with this."""
    live: bool = False
    """There was nothing to stage, and nothing of what is desired is pending, as far as can be told."""
    impact: Impact = field(default_factory=Impact)
    """Whom it hits once it is live, with what was staged from here before; only where that was asked for."""
    path: PathTouched | None = None
    """What all that does to the management path; only where that was asked for, and this step is about it."""


class Staging:
    """A node that is about to be staged on: read, with its journals locked, and nothing unfinished in the way.

    Used with `with`. Entering raises Busy, RefusedByPvenet and what a reading raises.
    """

    def __init__(self, node: Node, journals: Journals, *, now: str | None = None) -> None:
        self._node = node
        self._journals = journals.at(node)
        self._now = now
        """The time as the journal writes it; nothing is ever compared with it."""
        self._lock: AbstractContextManager[None] = journals.lock()
        self.reading: Reading

    def __enter__(self) -> Self:
        self._lock.__enter__()
        try:
            refuse_unfinished(self._node, self._journals)
            refuse_while_reloading(self._node, self._journals)
            self.reading = self._node.read()
            recognise(self._node, self._journals, OPEN)
            self._whose = ownership(self._journals, self.reading)
            refuse_armed(self._journals, self._whose)
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    @property
    def network(self) -> Network:
        """The network with what is staged."""
        return self.reading.network

    def stage(
        self, desired: Desired, options: StageOptions | None = None, *, whom: bool = False, dry_run: bool = False
    ) -> Staged:
        """Stage what is desired, all of it or nothing. `whom`: find out before whom it hits, where it may hit somebody.

        `dry_run`: nothing is staged, and all else is told as if it were.

        Raises UsageError, InvalidNetwork, NotOurs and Lossy before anything is sent; RefusedByPVE, Unreachable,
        Interrupted, and NotOurs for what somebody else stages meanwhile, with this command's own steps undone;
        StateUnknown where they could not be.
        """
        options = options or StageOptions()
        refuse_misnamed(desired)
        warnings = judged(self._node.name, self.network, desired, options.coming)
        todo = plan(self.network, desired)
        if not todo:
            return Staged(plan=todo, warnings=warnings, pending=self.reading.pending, live=self._is_live(desired))
        refuse_foreseen(self._node.name, self.reading, todo)
        lost = wire.losses_of(todo)
        if lost and not options.lossy:
            raise lossy(self._node.name, lost)
        notes = finish(self._node, self._journals, self.reading) if self.reading.pending is None else ()
        journal = self._journal(options)
        hit, path = self._affected(journal, todo) if whom else (Impact(), None)  # before: pve-api#bridges-staged
        staged = Staged(plan=todo, warnings=warnings, losses=lost, notes=notes, impact=hit, path=path)
        if dry_run:
            gone = described_removals(planned_removals(self.reading, todo))
            return replace(staged, notes=(*notes, *gone), pending=self.reading.pending)
        book = OpenJournal(self._journals, journal, lambda _: None)
        Steps(self._node, book, self.reading).carry_out(todo)
        first = self.reading.pending is None  # what a later write finds, PVE has written
        told = described_removals(removals(book.now, book.now.pending or "")) if first else ()
        return replace(staged, notes=(*notes, *told), pending=book.now.pending)

    def _affected(self, journal: Journal, todo: Plan) -> tuple[Impact, PathTouched | None]:
        """Whom it hits with what is staged from here already; nobody is asked where these steps can hit nobody."""
        then = replace(self.network, interfaces=outcome(self.network.interfaces, todo.steps))
        cluster = cache(lambda: with_names(self._node, with_links(self._node.connection)))
        path = path_touched(self._node, cluster, journal.network, self.network, then)
        if not may_hit(self.network, then, concerned(self.network, then)):
            return Impact(), path
        from pvenet.apply.affected import affected  # the kernel's parts: a bond of free NICs needs none of them

        return affected(self._node, journal.network, then, cluster), path

    def _is_live(self, desired: Desired) -> bool:
        """Whether nothing that is pending is about these interfaces; of somebody else's nobody can tell."""
        match self._whose:
            case Nothing():
                return True
            case Ours(steps=steps):
                return desired.keys().isdisjoint(step.name for step in steps)
            case _:
                return False

    def _journal(self, options: StageOptions) -> Journal:
        """The journal to go on with; a new one where nothing is pending. Raises NotOurs."""
        match self._whose:
            case Ours(journal=journal):
                return replace(journal, state=State.STAGING, upid=None)  # a reload that was never sent left it open
            case Foreign(adopted=Journal() as journal):
                return replace(journal, state=State.STAGING, upid=None)
            case Foreign(changes=changes, note=note) if not options.adopt:
                raise not_ours(self._node.name, changes, "stage on top of them with --adopt", note)
            case whose:
                return self._journals.begin(
                    baseline=self.reading.entries,
                    now=self._now or utc_now(),
                    adopted=not isinstance(whose, Nothing),
                )


def stage(
    node: Node, journals: Journals, desired: Desired, options: StageOptions | None = None, *, now: str | None = None
) -> Staged:
    """Stage what is desired, where that does not depend on what is there. Raises as `Staging` and its `stage` do."""
    with Staging(node, journals, now=now) as staging:
        return staging.stage(desired, options)


def refuse_misnamed(desired: Desired) -> None:
    """Raises UsageError where an interface stands under another name than its own."""
    for name, interface in desired.items():
        if interface is not None and interface.name != name:
            raise errors.UsageError(
                f"{interface.name} is wanted under the name {name}",
                hint="list an interface under its own name; None under a name removes the interface",
            )


def judged(node: str, network: Network, desired: Desired, coming: Collection[str] = ()) -> tuple[Problem, ...]:
    """The warnings about what is desired. Raises InvalidNetwork with every problem at once."""
    found = problems(network, desired, coming=coming)
    wrong = [problem for problem in found if not problem.warning]
    if wrong:
        lines = "\n  ".join(str(problem) for problem in wrong)
        raise errors.InvalidNetwork(
            f"this can't be staged on {node}:\n  {lines}", hint="nothing was sent; `pvenet list` shows what is there"
        )
    return tuple(problem for problem in found if problem.warning)


def refuse_foreseen(node: str, reading: Reading, todo: Plan) -> None:
    """Raises InvalidNetwork, in PVE's words, where the node's file makes PVE refuse every write."""
    found = foreseen(reading, todo)
    if found:
        lines = "\n  ".join(found)
        raise errors.InvalidNetwork(
            f"PVE refuses every write on {node}, whatever it changes, because of what is there:\n  {lines}",
            hint="nothing was sent; correct /etc/network/interfaces on the node",
        )


def lossy(node: str, lost: tuple[str, ...]) -> errors.Lossy:
    """The refusal of a loss."""
    return errors.Lossy(
        f"the API can't change this on {node} without a loss:\n  " + "\n  ".join(lost),
        hint="edit /etc/network/interfaces on the node instead, or accept the loss with --lossy",
        losses=lost,
    )
