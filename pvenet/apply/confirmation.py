"""The word of a person that what is live may stay. Who has lost the node can't say it, and then it goes back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.events import Confirming
from pvenet.journal import NO, YES, State

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


def refusal(node: Node, book: OpenJournal, runtime: Runtime, within: float) -> str:
    """Why it may not stay; empty where a person has said in time that it may, from here or another process.

    Whoever decides first decides: the word is a file that is made once, so that a confirmation that comes in the
    moment of the deadline is either in time or told that it was not.
    """
    journals, journal = book.journals, book.now
    deadline = runtime.deadline(within)
    runtime.emit(Confirming(node=node.name, within=within, journal=str(journals.path(journal))))
    try:
        while (answer := journals.word(journal)) is None and (left := deadline.left) > 0:
            said = runtime.await_confirmation(left, min(left, LOOK))
            if said is not None:
                answer = _decided(journals, journal, YES if said else NO)
                break
    except KeyboardInterrupt:
        answer = journals.decide(journal, NO)
    if answer is None:
        answer = journals.decide(journal, NO)
        return "" if answer == YES else f"nobody confirmed within {within:.0f} s what was applied on {node.name}"
    return "" if answer == YES else f"what was applied on {node.name} was not confirmed: the answer was no"


def _decided(journals: Journals, journal: Journal, answer: str) -> str:
    """The word that stands: said to whoever waits for it, it counts also where no disk takes it any more."""
    try:
        return journals.decide(journal, answer)
    except errors.PvenetError:
        return journals.word(journal) or answer
