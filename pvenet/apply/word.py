"""A person's word that a change may stay, in time, from this terminal or from another process.

Whoever decides first decides: the word is a file that is made once, so that a confirmation that comes in the moment of
the deadline is either in time or told that it was not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.events import Confirming
from pvenet.journal import NO, YES

if TYPE_CHECKING:
    from pvenet.apply.wait import Runtime
    from pvenet.journal import Journal, Journals

LOOK = 1.0
"""Seconds between two looks at the journal."""


def refusal(journals: Journals, journal: Journal, runtime: Runtime, within: float) -> str:
    """Why it may not stay; empty where a person has said in time that it may."""
    until = runtime.clock() + within
    runtime.emit(Confirming(node=journals.node, within=within, journal=str(journals.path(journal))))
    try:
        while (word := journals.word(journal)) is None and (left := until - runtime.clock()) > 0:
            said = runtime.await_confirmation(left, min(left, LOOK))
            if said is not None:
                word = _decided(journals, journal, YES if said else NO)
                break
    except KeyboardInterrupt:
        word = journals.decide(journal, NO)
    if word is None:
        word = journals.decide(journal, NO)
        return "" if word == YES else f"nobody confirmed within {within:.0f} s what was applied on {journals.node}"
    return "" if word == YES else f"what was applied on {journals.node} was not confirmed: the answer was no"


def _decided(journals: Journals, journal: Journal, word: str) -> str:
    """The word that stands: said to whoever waits for it, it counts also where no disk takes it any more."""
    try:
        return journals.decide(journal, word)
    except errors.PvenetError:
        return journals.word(journal) or word
