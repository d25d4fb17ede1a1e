"""One command's steps on their way to the node, and back on a bad day.

What a command could not finish it takes back: by a revert where nothing else is pending, else by the steps that lead
back from where the node is now. What somebody else staged meanwhile is never taken back, and never counted as ours.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.connection import AnswerLost, NotReached
from pvenet.journal import State, foreign, replay
from pvenet.model import Interface, Network, Other, canonical
from pvenet.plan import Change, Create, Delete, Plan, inverse, outcome, plan

if TYPE_CHECKING:
    from pvenet.journal import Journal, OpenJournal
    from pvenet.node import Node, Reading


class Steps:
    """The steps that one command has sent so far.

    `must`: nothing is sent before the journal has it on disk. `timeout` is in seconds for one answer.
    """

    def __init__(
        self, node: Node, book: OpenJournal, before: Reading, *, must: bool = True, timeout: float | None = None
    ) -> None:
        self._node = node
        self._book = book
        self._found = book.now
        self._before = before
        self._must = must
        self._timeout = timeout
        self._done: list[Change] = []

    def carry_out(self, todo: Plan) -> None:
        """Stage them all, or none. Raises what went wrong, or StateUnknown where it could not be undone."""
        try:
            self.forward(todo)
        except errors.PvenetError as error:
            self._undo(error.message, error)
            raise
        except KeyboardInterrupt as interrupt:
            self._undo("interrupted", interrupt)
            raise errors.Interrupted(f"interrupted; {self._node.name} is left as it was found") from None

    def forward(self, todo: Plan) -> None:
        """Stage them, and leave what was staged where one fails: whoever calls goes on from there."""
        for change in todo.steps:
            self._step(change)

    def _step(self, change: Change) -> None:
        """The journal first, then the write, then the diff that says it is ours."""
        self._note(change)
        self._done.append(change)
        try:
            send(self._node, change, timeout=self._timeout)
        except NotReached:
            self._done.pop()  # nothing was sent
            raise
        reading = self._read()
        self._refuse_vanished(reading)
        others = foreign(self._before.network, self._done, reading.network)
        if others:
            raise errors.NotOurs(
                f"somebody else has staged changes of {', '.join(others)} on {self._node.name} meanwhile; "
                "they are left alone, and this command's own steps were taken back",
                hint="`pvenet diff` shows what is pending; ask who staged it, or stage on top of it with --adopt",
                changes=reading.changes or "",
            )
        self._book.record(must=self._must, pending=reading.pending)

    def _read(self) -> Reading:
        return self._node.read(timeout=self._timeout)

    def _refuse_vanished(self, reading: Reading) -> None:
        """Raises Stale where somebody has reverted, or applied, what was staged, before we could look."""
        now, then = reading.network, outcome(self._before.network.interfaces, self._done)
        there = {name for name in now.interfaces if name in then or not now.links[name].exists}
        touched = {change.name for change in self._done}
        if touched & (then.keys() ^ there) or (reading.pending is None and self._should_be_pending()):
            raise errors.Stale(
                f"somebody else has reverted or applied what is pending on {self._node.name} meanwhile",
                hint="`pvenet diff` shows what is pending now, and `pvenet list` what is there",
            )

    def _should_be_pending(self) -> bool:
        """Whether what was staged since the baseline comes to anything; of what was adopted nobody can tell."""
        journal = self._book.now
        return not journal.adopted and journal.back is None and bool(replay(journal).changed)

    def _note(self, change: Change) -> None:
        steps = (*self._book.now.steps, wire.request(change))
        self._book.record(must=self._must, steps=steps, refreshing=False, behind=True)

    def _undo(self, why: str, cause: BaseException) -> None:
        """Take back what this command staged, as far as the node has it."""
        try:
            left = self.take_back() if self._done else self._before
        except (errors.PvenetError, KeyboardInterrupt) as second:
            what = second.message if isinstance(second, errors.PvenetError) else "interrupted once more"
            names = ", ".join(change.name for change in self._done)
            raise errors.StateUnknown(
                f"{why}\nand what had been staged ({names}) could not be undone: {what}",
                hint="`pvenet diff` shows what is pending; nothing of it is live",
            ) from cause
        with suppress(errors.PvenetError):  # a journal that is behind makes what is pending not ours: that is safe
            self._book.keep(self._closed(left), must=self._must)

    def take_back(self) -> Reading:
        """Undo what was staged, and nothing else; what the node lists then. Raises where it could not be undone."""
        now = self._read()
        if now.pending == self._before.pending:
            return now  # nothing of it arrived
        if self._before.pending is None and not foreign(self._before.network, self._done, now.network):
            self._node.revert(timeout=self._timeout)
            return self._read()
        lost = inverse(Plan(steps=tuple(self._done)), self._before.network).lost
        for change in plan(now.network, self._as_before()).steps:
            with suppress(errors.PvenetError):  # a disk that is full stops no way back
                self._note(change)
            send(self._node, change, timeout=self._timeout)
        if lost:
            raise errors.PvenetError(f"the API can't put back {'; '.join(str(loss) for loss in lost)}")
        return self._read()

    def _as_before(self) -> dict[str, Interface | None]:
        """What the steps have changed, themselves or through the `auto` that PVE gives to slaves, as it was."""
        before = self._before.network.interfaces
        there = outcome(before, self._done)
        changed = {change.name for change in self._done}
        changed |= {name for name in there.keys() & before.keys() if there[name] != canonical(before[name])}
        return {name: before.get(name) for name in changed if not isinstance(before.get(name), Other)}

    def _closed(self, left: Reading) -> Journal:
        """The journal as it was found; with nothing pending before, it never began."""
        if self._before.pending is None:
            return replace(self._found, state=State.DROPPED)
        ours = not foreign(self._before.network, (), left.network)
        return replace(self._found, pending=left.pending, behind=False) if ours else self._found


def send(node: Node, change: Change, *, timeout: float | None = None) -> None:
    """Stage one change, once. Where the answer is lost, look whether it acted; raises Unreachable where it did not."""
    try:
        node.stage(wire.request(change), timeout=timeout)
    except AnswerLost as lost:
        node.connection.fresh()
        try:
            network = node.read(timeout=timeout).network
        except errors.Unreachable as error:  # not as if it had not been sent
            raise errors.Unreachable(f"{lost.message}, then: {error.message}", hint=error.hint) from None
        if not _acted(change, network):
            raise errors.Unreachable(f"{_not_done(change)} on {node.name}: {lost.message}", hint=lost.hint) from None


def _acted(change: Change, network: Network) -> bool:
    found = network.interfaces.get(change.name)
    if isinstance(change, Delete):
        return found is None
    return found is not None and canonical(found) == canonical(change.after)


def _not_done(change: Change) -> str:
    word = "created" if isinstance(change, Create) else "deleted" if isinstance(change, Delete) else "changed"
    return f"{change.name} was not {word}"
