"""The word of a person that what is live may stay. Who has lost the node can't say it, and then it goes back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.events import Confirming, Due
from pvenet.journal import NO, YES, State
from pvenet.journal.term import Term

if TYPE_CHECKING:
    from pvenet.apply.runtime import Runtime
    from pvenet.journal import Journal, Journals, OpenJournal
    from pvenet.node import Node
    from pvenet.outcome import Applied, Unknown

LOOK = 1.0
"""Seconds between two looks whether somebody has confirmed elsewhere."""


def confirmed(end: Applied | Unknown, book: OpenJournal) -> Applied | Unknown:
    """The end of what may stay."""
    with suppress(errors.PvenetError):  # the word stands beside it
        book.journals.write(replace(book.now, state=State.CONFIRMED))
    return replace(end, message=f"{end.message}; confirmed")


def refusal(node: Node, book: OpenJournal, runtime: Runtime, within: float, *, left: float | None = None) -> str:
    """Why it may not stay; empty where a person has said in time that it may, from here or another process.

    Whoever decides first decides: the word is a file that is made once, so that a confirmation that comes in the
    moment of the deadline is either in time or told that it was not. `left`: of the time, where it has begun before.
    """
    journals, journal = book.journals, book.now
    wait = _Wait(node, book, runtime, within, within if left is None else left)
    try:
        wait.announce()
        while (answer := journals.word(journal)) is None and (more := wait.left()) > 0:
            said = runtime.await_confirmation(more, min(more, LOOK))
            if said is not None:
                answer = _decided(journals, journal, YES if said else NO)
                break
    except KeyboardInterrupt:
        answer = journals.decide(journal, NO)
    if answer is None:
        return (
            ""
            if wait.decided == YES
            else f"nobody confirmed what was applied on {node.name} within {wait.in_all:.0f} s"
        )
    return "" if answer == YES else f"what was applied on {node.name} was not confirmed: the answer was no"


class _Wait:
    """The time that a person has, which others may put off."""

    def __init__(self, node: Node, book: OpenJournal, runtime: Runtime, within: float, left: float) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime
        ends = runtime.deadline(left, Due.ROLLS_BACK)
        self._deadline = replace(ends, since=ends.at - max(within, left))
        self._term = Term(book.path)
        self._term.begin(left)
        self.decided: str | None = None
        """The word that stands where the time was over."""

    @property
    def in_all(self) -> float:
        """How many seconds there were."""
        return self._deadline.at - self._deadline.since

    def left(self) -> float:
        """Seconds that are left; where none are, it is decided."""
        self._put_off()
        if not (left := self._deadline.left):
            with self._term.held():
                self._put_off()
                if not (left := self._deadline.left):
                    self.decided = self._book.journals.decide(self._book.now, NO)
        return left

    def _put_off(self) -> None:
        if more := self._term.more():
            self._deadline = replace(self._deadline, at=self._deadline.at + more)
            self.announce()

    def announce(self) -> None:
        """Say how long it is waited."""
        event = Confirming(node=self._node.name, within=self._deadline.left, journal=str(self._book.path))
        self._runtime.emit(event)


def _decided(journals: Journals, journal: Journal, answer: str) -> str:
    """The word that stands: said to whoever waits for it, it counts also where no disk takes it any more."""
    try:
        return journals.decide(journal, answer)
    except errors.PvenetError:
        return journals.word(journal) or answer
