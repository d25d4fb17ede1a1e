"""One command's steps on their way to the node, and back on a bad day.

Before each write it is known what the listing must be after it; whatever is otherwise is somebody else's, is never
counted as ours, and never taken back. What a command could not finish it takes back by steps that put back the fields
that its own have changed; a revert throws everything away, and is sent only where everything is ours.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.changes import Change, Create, Delete, Plan
from pvenet.connection import AnswerLost, NotReached
from pvenet.journal import State, replay, replayed
from pvenet.model import Bridge, canonical
from pvenet.plan.restore import restore_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        self._there: Mapping[str, wire.Entry] = wire.by_name(before.entries)
        """What the node must list now."""
        self._done: list[wire.Request] = []
        """What was sent, and has acted or may have."""

    def carry_out(self, todo: Plan) -> None:
        """Stage them all, or none. Raises what went wrong, or StateUnknown where it could not be undone."""
        try:
            self.forward(todo)
        except _MadeLive as error:
            raise self._told_live() from error
        except errors.NotOurs as error:
            self._undo(error.message, error)
            undone = f"{error.message}, and this command's own steps were undone"
            raise errors.NotOurs(undone, hint=error.hint, changes=error.changes) from error
        except errors.JournalUnwritable as error:
            sent = bool(self._done)
            self._undo(error.message, error)
            raise error.after("this command's own steps were undone" if sent else "nothing was sent") from None
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
        request = wire.request(change)
        must = wire.predicted(self._there.values(), request)
        self._note(request)
        self._done.append(request)
        try:
            self._send(request, change, must)
        except (NotReached, errors.RefusedByPVE, errors.AccessError, _NotActed):
            self._done.pop()
            raise
        reading = self._read_after(change)
        self._refuse_foreign(reading, must)
        self._there = wire.by_name(reading.entries)
        self._book.record(must=self._must, pending=reading.pending)

    def _send(self, request: wire.Request, change: Change, must: Mapping[str, wire.Entry]) -> None:
        """Once. Where the answer is lost, look whether it acted; raises _NotActed where it did not."""
        try:
            self._stage(request)
        except AnswerLost as lost:
            now = _looked(self._node, lost, self._timeout)
            if wire.differences(must, now.entries) and not _acted(change, now):
                raise _NotActed(f"{_not_done(change)} on {self._node.name}: {lost.message}", hint=lost.hint) from None
        except errors.RefusedByPVE as refusal:
            if isinstance(change, Create) and "iface" in refusal.errors:
                self._node.refuse_taken(change.name)
            raise

    def _stage(self, request: wire.Request) -> None:
        """Once; and once more where one of PVE's workers refuses a NIC that it has not seen yet, and that is listed
        (pve-api#bridges-cache): then nothing was done.
        """
        try:
            self._node.stage(request, timeout=self._timeout)
        except errors.RefusedByPVE as refusal:
            if wire.unseen_slave(refusal.message) not in self._there:
                raise
            self._node.stage(request, timeout=self._timeout)

    def _read(self) -> Reading:
        return self._node.read(timeout=self._timeout)

    def _read_after(self, change: Change) -> Reading:
        """The listing after a step. A bridge that it does not show us is deleted while we know that we made it."""
        try:
            return self._read()
        except errors.PermissionMissing:
            if isinstance(change, Create) and isinstance(change.after, Bridge):
                send(self._node, Delete(before=change.after), timeout=self._timeout)
            raise

    def _refuse_foreign(self, reading: Reading, must: Mapping[str, wire.Entry]) -> None:
        """Raises NotOurs where somebody else has staged something meanwhile, Stale where ours is gone, or is live.

        Where the last step is all that is left, it is taken back: alone it would pass for somebody else's.
        """
        found = wire.differences(must, reading.entries)
        ours = {request.name for request in self._done}
        alone = bool(found) and self._is_alone(reading)
        if alone:
            self._begin_anew()
            self.take_back()
        if self._is_live(reading):
            raise _MadeLive
        if (
            alone
            or (reading.pending is None and (found or self._should_be_pending()))
            or any(each.name in ours and not each.field for each in found)
        ):
            raise errors.Stale(
                f"somebody else has reverted or applied what was pending on {self._node.name} in the meantime",
                hint="`pvenet diff` shows what is pending now, and `pvenet list` what is there",
            )
        if found:
            raise errors.NotOurs(
                f"somebody else has staged changes of {wire.told(found)} on {self._node.name} in the meantime; "
                "they are left alone",
                hint="`pvenet diff` shows what is pending; ask who staged it, or stage on top of it with --adopt",
                changes=reading.changes or "",
            )

    def _is_alone(self, reading: Reading) -> bool:
        """Whether the last step is all that is pending: somebody has reverted what was before it."""
        live = self._live()
        return live is not None and not wire.differences(wire.predicted(live, self._done[-1]), reading.entries)

    def _live(self) -> tuple[wire.Entry, ...] | None:
        """What the node lists with nothing pending; None where that is not known, as beneath what was adopted."""
        if self._before.pending is None:
            return self._before.entries
        if self._found.adopted:
            return None
        return tuple(replay(self._found).entries[self._found.back or 0].values())

    def _begin_anew(self) -> None:
        """With nothing pending, and the last step."""
        live = self._live() or ()
        self._before = replace(self._before, network=wire.network(live), changes=None, entries=live)
        del self._done[:-1]

    def _should_be_pending(self) -> bool:
        """Whether what was staged since the baseline comes to anything; of what was adopted nobody can tell."""
        journal = self._staged
        return not journal.adopted and journal.back is None and bool(replay(journal).changed)

    @property
    def _staged(self) -> Journal:
        """The journal with what was found in it and what has acted since, and no more."""
        return replace(self._found, steps=(*self._found.steps, *self._done))

    def _is_live(self, now: Reading) -> bool:
        """Whether nothing is pending that should be, and the node lists it: somebody's reload came first."""
        there = now.pending is None and self._others_in(now, ()) and not self._others_in(now, self._done)
        return there and self._should_be_pending()

    def _told_live(self, why: str = "") -> errors.Stale:
        """What was staged is live: no journal loses it, and a rollback knows what to put back."""
        with suppress(errors.PvenetError):
            self._book.keep(made_live(self._staged), must=self._must)
        names = ", ".join(dict.fromkeys(request.name for request in self._staged.steps))
        before = f"{why}\nand " if why else ""
        return errors.Stale(
            f"{before}what had been staged on {self._node.name} ({names}) was made live in the meantime, by somebody's "
            "reload or SDN apply, or by a reboot; nothing is pending any more",
            hint="`pvenet list` shows what is there, and `pvenet rollback` puts back what was there before",
        )

    def _note(self, request: wire.Request) -> None:
        steps = (*self._book.now.steps, request)
        self._book.record(must=self._must, steps=steps, refreshing=False, behind=True)

    def _undo(self, why: str, cause: BaseException) -> None:
        """Take back what this command staged, as far as the node has it."""
        try:
            left = self.take_back() if self._done else self._before
        except _MadeLive:
            raise self._told_live(why) from cause
        except (errors.PvenetError, KeyboardInterrupt) as second:
            what = second.message if isinstance(second, errors.PvenetError) else "interrupted again"
            names = ", ".join(request.name for request in self._done)
            raise errors.StateUnknown(
                f"{why}\nand what had been staged ({names}) could not be undone: {what}",
                hint="`pvenet diff` shows what is pending; none of it is live",
            ) from cause
        with suppress(errors.PvenetError):  # a journal that is behind makes what is pending not ours: that is safe
            self._book.keep(self._closed(left), must=self._must)

    def take_back(self) -> Reading:
        """Undo what was staged, and nothing else; what the node lists then. Raises where it could not be undone."""
        now = self._read()
        if now.pending == self._before.pending and not self._others_in(now, ()):
            return now  # nothing of it arrived
        if self._is_live(now):
            raise _MadeLive
        if self._before.pending is None and not self._others_in(now, self._done):
            self._node.revert(timeout=self._timeout)
            left = self._read()
            if self._is_live(left):  # a reload that comes first leaves nothing to revert
                raise _MadeLive
            if self._others_in(left, ()):
                raise errors.Stale("somebody has changed something else just before it was reverted")
            return left
        values = replayed(self._before.entries, self._done).values()
        way = restore_plan(self._before.network, now.network, values)
        if way.conflicts:
            raise errors.PvenetError(
                f"somebody else has changed {', '.join(map(str, way.conflicts))} in the meantime, which is left alone"
            )
        for change in way.todo.steps:
            with suppress(errors.PvenetError):  # a disk that is full does not stop what leads back
                self._note(wire.request(change))
            send(self._node, change, timeout=self._timeout)
        if way.lost:
            raise errors.PvenetError(f"the API can't put back {'; '.join(str(loss) for loss in way.lost)}")
        return self._read()

    def _others_in(self, now: Reading, done: list[wire.Request] | tuple[()]) -> bool:
        """Whether a listing has anything beside what was there and these steps; the last may not have arrived."""
        moments = replayed(self._before.entries, done).entries
        return all(wire.differences(must, now.entries) for must in moments[-2:])

    def _closed(self, left: Reading) -> Journal:
        """The journal as it was found; with nothing pending before, it never began."""
        if self._before.pending is None:
            return replace(self._found, state=State.DROPPED)
        ours = not self._others_in(left, ())
        return replace(self._found, pending=left.pending, behind=False) if ours else self._found


class _MadeLive(errors.Stale):
    """Somebody's reload has made live what was staged."""

    def __init__(self) -> None:
        super().__init__("somebody has made what was staged live")


def made_live(journal: Journal) -> Journal:
    """What was staged and somebody's reload has made live is as after one of ours: there is something to put back."""
    return replace(journal, state=State.RELOADING, pending=None, behind=False)


class _NotActed(errors.Unreachable):
    """Its answer was lost, and the listing proves that it did nothing."""


def send(node: Node, change: Change, *, timeout: float | None = None) -> None:
    """Stage one change, once. Where the answer is lost, look whether it acted; raises Unreachable where it did not."""
    try:
        node.stage(wire.request(change), timeout=timeout)
    except AnswerLost as lost:
        if not _acted(change, _looked(node, lost, timeout)):
            raise _NotActed(f"{_not_done(change)} on {node.name}: {lost.message}", hint=lost.hint) from None


def _looked(node: Node, lost: AnswerLost, timeout: float | None) -> Reading:
    """What the node lists after an answer was lost."""
    node.connection.fresh()
    try:
        return node.read(timeout=timeout)
    except errors.Unreachable as error:  # not as if it had not been sent
        raise errors.Unreachable(f"{lost.message}, then: {error.message}", hint=error.hint) from None


def _acted(change: Change, now: Reading) -> bool:
    """Whether a listing has what a change was for, whatever else somebody has changed."""
    found = now.network.interfaces.get(change.name)
    match change:
        case Delete():
            return found is None
        case Create():
            return found is not None and canonical(found) == canonical(change.after)
        case _:
            here, after = found and canonical(found), canonical(change.after)
            return here is not None and all(
                getattr(here, field.field, None) == getattr(after, field.field) for field in change.fields()
            )


def _not_done(change: Change) -> str:
    word = "created" if isinstance(change, Create) else "deleted" if isinstance(change, Delete) else "changed"
    return f"{change.name} was not {word}"
