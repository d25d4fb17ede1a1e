"""What was there before, on disk before anything changes; and with that, whose is what is pending.

Staging and applying are different processes, and PVE records no author of what is pending. A journal begins before
our first write with nothing pending: it holds the listing then (the baseline), each step, and after each write the
pending diff as PVE shows it.
"""

from pvenet.journal.history import Past, history, named
from pvenet.journal.identity import Match, Place, elsewhere, here, match, place_of
from pvenet.journal.locks import LockJournal, LockJournals, OpenLock
from pvenet.journal.open import OpenJournal, drop_staged, still_open
from pvenet.journal.ownership import Foreign, Nothing, Ours, is_mine, is_recorded, not_ours, not_ours_on, ownership
from pvenet.journal.replay import Replayed, explains, replay, replayed
from pvenet.journal.states import ARMS, MEANINGS, OPEN, UNFINISHED, WRITING, State
from pvenet.journal.store import KEPT, NO, YES, Journals, nodes
from pvenet.journal.unwritten import UnwrittenJournals
from pvenet.journal.value import Journal, Route, utc_now

__all__ = [
    "ARMS",
    "KEPT",
    "MEANINGS",
    "NO",
    "OPEN",
    "UNFINISHED",
    "WRITING",
    "YES",
    "Foreign",
    "Journal",
    "Journals",
    "LockJournal",
    "LockJournals",
    "Match",
    "Nothing",
    "OpenJournal",
    "OpenLock",
    "Ours",
    "Past",
    "Place",
    "Replayed",
    "Route",
    "State",
    "UnwrittenJournals",
    "drop_staged",
    "elsewhere",
    "explains",
    "here",
    "history",
    "is_mine",
    "is_recorded",
    "match",
    "named",
    "nodes",
    "not_ours",
    "not_ours_on",
    "ownership",
    "place_of",
    "replay",
    "replayed",
    "still_open",
    "utc_now",
]
