"""How a node stands: what is pending, whose it is, which journal is open, and what to do next. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import refuse_hidden
from pvenet.apply.console import armed_still, console
from pvenet.apply.recover import chosen
from pvenet.apply.replay import led_back, ours
from pvenet.apply.ways import recall
from pvenet.journal import ARMS, NO, YES, Journal, Journals, State

if TYPE_CHECKING:
    from pvenet.node import Node, Reading


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a node stands, as far as it and the journals tell."""

    node: str
    reachable: bool
    reloading: bool = False
    """A reload runs: nothing was listed, because that would freeze the flags (facts, section 11)."""
    pending: bool | None = None
    """None where nobody can tell now."""
    ours: bool = False
    """What is pending was staged from here."""
    state: State | None = None
    """The youngest journal's."""
    journal: str = ""
    """Where it is kept."""
    upid: str = ""
    """The task of its reload."""
    busy: bool = False
    """Another pvenet is at work on it."""
    problem: str = ""
    """Why the node could not be asked."""
    what: str = ""
    todo: str = ""


def status(node: Node, journals: Journals) -> Status:
    """Look at the tasks, then, unless a reload runs, at what is pending."""
    journal = chosen(node, journals)
    found = Status(
        node=node.name,
        reachable=True,
        state=journal.state if journal else None,
        journal=str(journals.path(journal)) if journal else "",
        upid=(journal and journal.upid) or "",
        busy=_busy(journals),
    )
    recall(node, journal)
    try:
        if any(task.running for task in node.reloads().values()):
            return _with(found, reloading=True, **_told(journals, journal, None))
        reading = node.read()
        refuse_hidden(node, reading)
    except errors.PvenetError as error:
        reachable = not isinstance(error, errors.Unreachable)
        return _with(found, reachable=reachable, problem=error.message, **_unasked(journals, journal))
    mine = ours(journals, reading)
    told = _told(journals, journal, reading)
    if (path := journals.unread(journal)) is not None:
        told["what"] += "; a younger journal can't be read, which may say otherwise"
        told["todo"] = f"use the pvenet that has written it, or move it away\n  {path}"
    return _with(found, pending=reading.pending is not None, ours=mine is not None and not mine.adopted, **told)


def _with(found: Status, **changes: object) -> Status:
    return replace(found, **changes)  # type: ignore[arg-type]  # named in this module only


def _busy(journals: Journals) -> bool:
    try:
        with journals.lock():
            return False
    except errors.Busy:
        return True
    except errors.PvenetError:
        return False


def _unasked(journals: Journals, journal: Journal | None) -> dict[str, str]:
    if journal is None or journal.state not in _AFTER_A_RELOAD:
        return {"what": "it can't be asked", "todo": ""}
    what = f"it can't be asked; the last that is known of it is that its journal says {journal.state}"
    return {"what": what, "todo": console(journals, journal, staged=journal.state is State.ARMED)}


_AFTER_A_RELOAD = frozenset({State.RELOADING, *ARMS, State.CONFIRMING, State.ROLLING_BACK, State.FAILED})


def _told(journals: Journals, journal: Journal | None, reading: Reading | None) -> dict[str, str]:
    """What is the matter, and what to do."""
    if reading is None:
        too = f"\n{armed_still(journals, journal)}" if journal and journal.state in ARMS else ""
        return {"what": "a reload runs", "todo": f"wait until it has ended, and look again{too}"}
    mine = ours(journals, reading)
    if reading.pending is not None and (mine is None or mine.adopted):
        armed = journal is not None and journal.state in ARMS
        beneath = (
            "; with them the way back of an apply that was armed: whoever applies them undoes that" if armed else ""
        )
        return {
            "what": f"changes are pending that pvenet did not stage from here{beneath}",
            "todo": "`pvenet diff` shows them; ask who staged them",
        }
    if reading.pending is not None and mine is not None:
        return _ours(journals, mine)
    if journal is not None and journal.state in ARMS:
        return _disarmed(journals, journal, reading)
    return _clean(journals, journal)


def _disarmed(journals: Journals, journal: Journal, reading: Reading) -> dict[str, str]:
    """The way back was armed, and is not pending any more."""
    if not led_back(journal, reading.network):
        return _clean(journals, journal.forward)
    return {
        "what": "the last apply from here was armed, and is rolled back: a power cycle, or somebody's reload or SDN "
        "apply, has made its way back live",
        "todo": "`pvenet rollback` looks whether everything is as it was before, and closes the journal",
    }


def _ours(journals: Journals, mine: Journal) -> dict[str, str]:
    if mine.state in ARMS:
        return {
            "what": "an apply was armed and has not ended: what is pending is its way back",
            "todo": armed_still(journals, mine),
        }
    if mine.state is State.ROLLING_BACK:
        return {
            "what": "a rollback was begun and has not ended: a part of the way back is staged",
            "todo": "`pvenet rollback` goes on with it",
        }
    if mine.refreshing:
        return {
            "what": "what was applied from here is live and was not verified; a no-op that refreshes flags is staged",
            "todo": "`pvenet revert` takes it back, then `pvenet apply` looks and says; `pvenet rollback` puts back "
            "what was there before",
        }
    return {
        "what": "changes are pending that were staged from here; nothing of them is live",
        "todo": "`pvenet apply` makes them live, `pvenet revert` throws them away",
    }


def _clean(journals: Journals, journal: Journal | None) -> dict[str, str]:
    """Nothing is pending: what the youngest journal says."""
    if journal is None:
        return {"what": "nothing is pending", "todo": ""}
    word = journals.word(journal) if journal.state is State.CONFIRMING else None
    texts = {
        State.STAGING: ("what was staged from here is not pending any more: it was applied or reverted elsewhere", ""),
        State.RELOADING: (
            "a reload was sent, and nobody has looked what became of it",
            "`pvenet apply` looks and says; `pvenet rollback` puts back what was there before",
        ),
        State.CONFIRMING: (
            "what was applied last waits to be confirmed",
            "`pvenet confirm` keeps it, `pvenet rollback` puts back what was there before",
        ),
        State.ROLLING_BACK: (
            "a rollback was begun and has not ended",
            "`pvenet rollback` goes on with it, `pvenet confirm` keeps what is there",
        ),
        State.FAILED: (
            "the last apply from here failed, and was not rolled back",
            "`pvenet list` shows what is there; `pvenet rollback` puts back what was there before",
        ),
        State.ROLLED_BACK: ("nothing is pending; the last apply from here was rolled back", ""),
        State.APPLIED: ("nothing is pending; the last apply from here ended well", ""),
        State.CONFIRMED: ("nothing is pending; the last apply from here was confirmed", ""),
        State.DROPPED: ("nothing is pending", ""),
    }
    what, todo = texts[journal.state]
    if word == YES:
        what, todo = "what was applied last was confirmed", ""
    elif word == NO:
        what, todo = "what was applied last was refused, and is to be rolled back", "`pvenet rollback` does it"
    return {"what": what, "todo": todo}
