"""How far a journal has come: its states, what may follow each, and what a person is told of it. One table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """How far a journal has come."""

    STAGING = "staging"
    RELOADING = "reloading"
    ARMING = "arming"
    """The reload has taken what was pending, and what leads back is being staged: a part of it may be."""
    ARMED = "armed"
    """What leads back is staged, whole, so that a power cycle boots the network from before."""
    CONFIRMING = "confirming"
    """It is live and verified, and a person has to say that it may stay."""
    CONFIRMED = "confirmed"
    APPLIED = "applied"
    FAILED = "failed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a state says of a node on which nothing is pending."""

    what: str
    todo: str = ""
    left: str = ""
    """What it says where nobody waits any more for what is to follow; empty where that is no different."""
    ended: str
    """How it ended, or where it stands, in a few words."""
    next: frozenset[State] = frozenset()
    """What may follow, beside the state itself."""
    writes: bool = False
    """What is pending may be the journal's; a reload may be recorded and not yet sent."""
    reloaded: bool = False
    """The file may have been replaced."""


_SENT = "a reload was sent, and nobody has checked how it ended"
_LOOK = "`pvenet wait` waits for its end and verifies it; `pvenet rollback` puts back what was there before"
_ENDS = frozenset({State.ROLLING_BACK, State.FAILED})

MEANINGS: Mapping[State, Meaning] = {
    State.STAGING: Meaning(
        ended="staged, not applied",
        what="what was staged from here is not pending any more: it was applied or reverted elsewhere",
        next=frozenset({State.RELOADING, State.DROPPED}),
        writes=True,
    ),
    State.RELOADING: Meaning(
        ended="reload sent, end not seen",
        what=_SENT,
        todo=_LOOK,
        next=frozenset({State.STAGING, State.ARMING, State.CONFIRMING, State.APPLIED, State.DROPPED, *_ENDS}),
        writes=True,
        reloaded=True,
    ),
    State.ARMING: Meaning(
        ended="reload sent, end not seen",
        what=_SENT,
        todo=_LOOK,
        next=frozenset({State.RELOADING, State.ARMED, State.APPLIED, State.DROPPED, *_ENDS}),
        writes=True,
        reloaded=True,
    ),
    State.ARMED: Meaning(
        ended="armed, end not seen",
        what=_SENT,
        todo=_LOOK,
        next=frozenset({State.RELOADING, State.ARMING, State.APPLIED, State.DROPPED, *_ENDS}),
        writes=True,
        reloaded=True,
    ),
    State.CONFIRMING: Meaning(
        ended="waiting to be confirmed",
        what="what was applied last is waiting to be confirmed",
        left="what was applied last was to be confirmed, and nobody waits for that any more: it stays until somebody "
        "decides",
        todo="`pvenet confirm` keeps it, `pvenet rollback` puts back what was there before",
        next=frozenset({State.CONFIRMED, *_ENDS}),
        reloaded=True,
    ),
    State.CONFIRMED: Meaning(
        ended="applied, confirmed",
        what="nothing is pending; the last apply from here was confirmed",
        next=frozenset({State.ROLLING_BACK}),
    ),
    State.APPLIED: Meaning(
        ended="applied",
        what="nothing is pending; the last apply from here ended well",
        next=frozenset({State.ROLLING_BACK}),
    ),
    State.FAILED: Meaning(
        ended="failed, not rolled back",
        what="the last apply from here failed, and was not rolled back",
        todo="`pvenet list` shows what is there; `pvenet rollback` puts back what was there before",
        next=frozenset({State.ROLLING_BACK}),
        reloaded=True,
    ),
    State.ROLLING_BACK: Meaning(
        ended="rollback has not ended",
        what="a rollback was started and has not ended",
        todo="`pvenet rollback` goes on with it (and `pvenet wait`), `pvenet confirm` keeps what is there",
        next=frozenset({State.ROLLED_BACK, State.CONFIRMED, State.FAILED}),
        writes=True,
        reloaded=True,
    ),
    State.ROLLED_BACK: Meaning(
        ended="rolled back", what="nothing is pending; the last apply from here was rolled back"
    ),
    State.DROPPED: Meaning(ended="not applied from here", what="nothing is pending"),
}

ARMS = frozenset({State.ARMING, State.ARMED})
UNFINISHED = frozenset({State.CONFIRMING, State.ROLLING_BACK})
"""It waits for a person's word, or for the end of a rollback."""
WRITING = frozenset(state for state, meaning in MEANINGS.items() if meaning.writes)
OPEN = WRITING | UNFINISHED
