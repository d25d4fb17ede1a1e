"""One command's steps on their way to the node, and back on a bad day.

What a command could not finish it takes back: by a revert where nothing else is pending, else by the way back from
where the node is now. What somebody else staged meanwhile is never taken back, and never counted as ours.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.access import refuse_hidden
from pvenet.apply.replay import replay
from pvenet.connection import NotReached
from pvenet.journal import Journal, State, Step
from pvenet.model import Ethernet, Interface, Network, Other, canonical
from pvenet.plan import Change, Create, Delete, Plan, Update, inverse, outcome, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pvenet.node import Node, Reading


class Steps:
    """The steps that one command has sent so far."""

    def __init__(self, node: Node, write: Callable[[Journal], Journal], journal: Journal, before: Reading) -> None:
        self._node = node
        self._put = write
        self._found = journal
        self._journal = journal
        self._before = before
        self._done: list[Change] = []

    def carry_out(self, todo: Plan) -> None:
        """Stage them all, or none. Raises what went wrong, or StateUnknown where it could not be undone."""
        try:
            for change in todo.steps:
                self._step(change)
        except errors.PvenetError as error:
            self._undo(error.message, error)
            raise
        except KeyboardInterrupt as interrupt:
            self._undo("interrupted", interrupt)
            raise errors.Interrupted(f"interrupted; {self._node.name} is left as it was found") from None

    def forward(self, todo: Plan) -> Journal:
        """Stage them, and leave what was staged where one fails: whoever calls goes on from there. The journal."""
        for change in todo.steps:
            self._step(change)
        return self._journal

    def _step(self, change: Change) -> None:
        """The journal first, then the write, then the diff that says it is ours."""
        self._note(change)
        self._done.append(change)
        try:
            send(self._node, change)
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
        self._write(replace(self._journal, pending=reading.pending, behind=False))

    def _read(self) -> Reading:
        """Blind where a privilege went meanwhile: bridges that are hidden are not gone. Raises PermissionMissing."""
        reading = self._node.read()
        refuse_hidden(self._node, reading)
        return reading

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
        return not self._journal.adopted and self._journal.back is None and bool(replay(self._journal).changed)

    def _note(self, change: Change) -> None:
        self._write(replace(self._journal, steps=(*self._journal.steps, recorded(change)), behind=True))

    def _write(self, journal: Journal) -> None:
        self._journal = self._put(journal)

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
            self._put(self._closed(left))

    def take_back(self) -> Reading:
        """Undo what was staged, and nothing else; what the node lists then. Raises where it could not be undone."""
        now = self._read()
        if now.pending == self._before.pending:
            return now  # nothing of it arrived
        if self._before.pending is None and not foreign(self._before.network, self._done, now.network):
            self._node.revert()
            return self._read()
        lost = inverse(Plan(steps=tuple(self._done)), self._before.network).lost
        for change in plan(now.network, self._as_before()).steps:
            with suppress(errors.PvenetError):  # a disk that is full stops no way back
                self._note(change)
            send(self._node, change)
        if lost:
            raise errors.PvenetError(f"the API can't put back {'; '.join(str(loss) for loss in lost)}")
        return self._node.read()

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


def foreign(before: Network, steps: Sequence[Change], now: Network) -> tuple[str, ...]:
    """The names that were changed by neither the steps nor what PVE makes of the file by itself.

    What the steps themselves touch is not looked at, so that the last may have arrived or not; nor what PVE tidies in a
    file that was written by hand: the `auto` of slaves, comments, NICs without a stanza, kinds that are not modelled.
    """
    expected = outcome(before.interfaces, steps)
    names = (expected.keys() | now.interfaces.keys()) - {change.name for change in steps}
    return tuple(sorted(name for name in names if _other(name, expected, now.interfaces)))


def _other(name: str, expected: Mapping[str, Interface], now: Mapping[str, Interface]) -> bool:
    was, here = expected.get(name), now.get(name)
    if was is None or here is None:
        return not isinstance(was or here, Ethernet | Other)
    if isinstance(was, Other) or isinstance(here, Other):
        return False
    return _tidied(was) != _tidied(here)


def _tidied(interface: Interface) -> Interface:
    return replace(canonical(interface), comments="", autostart=True)


def send(node: Node, change: Change) -> None:
    """Stage one change."""
    match change:
        case Create():
            node.create(change.after)
        case Update():
            node.update(change.before, change.after)
        case Delete():
            node.delete(change.before.name)


def recorded(change: Change) -> Step:
    """A change as the journal keeps it."""
    match change:
        case Create():
            return Step(action="create", name=change.name, form=wire.create_form(change.after))
        case Update():
            return Step(action="update", name=change.name, form=wire.update_form(change.before, change.after))
        case Delete():
            return Step(action="delete", name=change.name)
