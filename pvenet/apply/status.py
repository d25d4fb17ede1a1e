"""How a node stands: what is pending, whose it is, which journal is open, and what to do next.

It changes nothing on the node; a lock of the cluster that was left behind from here is ended, with its own token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.by_hand import console, put_back_by_hand
from pvenet.apply.hosts import hosts_left
from pvenet.apply.nics import early_names, sharp_sight
from pvenet.apply.open_journals import conflicts, led_back
from pvenet.apply.same_node import claim, others_told
from pvenet.apply.sdn_lock import left_behind
from pvenet.apply.unfinished import recognise
from pvenet.journal import ARMS, MEANINGS, NO, YES, Foreign, Journal, Journals, LockJournals, Ours, State, ownership
from pvenet.journal.term import Term
from pvenet.routes import recall

if TYPE_CHECKING:
    from pvenet.nics.sight import Sight
    from pvenet.node import Node, Reading

_KEPT_OFF = ("apply", "revert", "rollback", "wait")
"""The commands that are refused while another pvenet is at work on the node."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a node stands, as far as it and the journals tell."""

    node: str
    reachable: bool
    reloading: bool = False
    """A reload runs: nothing was listed, because that would freeze the flags (pve-api#never-list)."""
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
    left: float | None = None
    """Seconds in which what was applied has to be confirmed; None where nobody waits for that."""
    problem: str = ""
    """Why the node could not be asked."""
    exit: int = 0
    """The exit code of that."""
    what: str = ""
    todo: str = ""
    elsewhere: str = ""
    """That a journal of a node of the same name elsewhere is kept here."""
    hosts: str = ""
    """What is left to do to the node's /etc/hosts after the last apply or rollback from here."""
    nics: str = ""
    """The NICs that the file names and that are not there, or are others now, a line each."""
    sdn_lock: str = ""
    """What became of SDN locks that were left behind from here in the cluster."""


def status(node: Node, journals: Journals, *, same_node: bool = False, aside: bool = False) -> Status:
    """Look at the tasks, then, unless a reload runs, at what is pending.

    `same_node`: the journals of a node of this name elsewhere are this one's, whose certificate was renewed; they are
    kept as such from then on. `aside`: nothing is listed as long as another pvenet is at work, whose reload may begin
    at any moment (pve-api#never-list). Raises JournalUnreadable: without the journals nobody knows how it stands.
    """
    journals = journals.at(node, same_node=same_node)
    if same_node:
        with journals.lock():
            claim(node, journals)
    busy = is_busy(journals)
    recall(node, journals.chosen())
    try:
        tasks = node.reloads()
        recognise(node, journals, set(State) - {State.DROPPED})
        if any(task.running for task in tasks.values()):
            journal = journals.chosen()
            return _with(_of(journals, journal, busy=busy), reloading=True, **_told(journals, journal, None, busy=busy))
        if busy and aside:
            return _with(_of(journals, journals.chosen(), busy=busy), what="another pvenet is at work on it")
        reading = node.read()
    except errors.JournalUnreadable:
        raise
    except errors.PvenetError as error:
        reachable, journal = not isinstance(error, errors.Unreachable), journals.chosen()
        if journal is None and isinstance(error, errors.UsageError):
            raise  # there is no such node, and nothing is known of one
        found = _of(journals, journal, busy=busy)
        return _with(
            found,
            reachable=reachable,
            problem=error.message,
            exit=error.exit_code,
            **_unasked(journals, journal, busy=busy),
        )
    journals.settle(reading)
    journal = journals.chosen()  # what was asked has told whose the journals are
    found = _of(journals, journal, busy=busy)
    told = _told(journals, journal, reading, busy=busy)
    sight = sharp_sight(node, journals, reading.network)
    early = early_names(journals, reading, sight)
    if early:
        told = _early(node.name, early)
    if (path := journals.unread(journal)) is not None:
        told["what"] += "; a newer journal, which may say otherwise, can't be read"
        told["todo"] = f"use the version of pvenet that wrote it, or move it away\n  {path}"
    if busy:
        told["todo"] = _meanwhile(journals, journal, told["todo"])
    return _with(
        found,
        pending=reading.pending is not None,
        ours=isinstance(ownership(journals, reading), Ours),
        hosts=hosts_left(node, journal),
        nics=_nics(sight, early),
        sdn_lock=_sdn_lock(node, journals),
        **told,
    )


def _meanwhile(journals: Journals, journal: Journal | None, todo: str) -> str:
    """What can be done while another pvenet is at work, which keeps all others but `confirm` off."""
    if not any(f"`pvenet {each}" in todo for each in _KEPT_OFF):
        return todo
    if journal is not None and journal.state is State.CONFIRMING and journals.word(journal) is None:
        return "`pvenet confirm` keeps it; to say no, answer where that pvenet waits, or let the time run out"
    return "wait until it has ended, and look again; `pvenet status --watch` does that"


def _early(node: str, names: tuple[str, ...]) -> dict[str, str]:
    return {
        "what": "changes are pending that were staged from here for the next boot: "
        f"{', '.join(names)} is not a NIC there yet",
        "todo": f"reboot {node} with its new hardware or kernel, which makes them live. Do not apply them before:\n"
        "that, or anybody's reload, makes them live too early. `pvenet revert` throws them away",
    }


def _sdn_lock(node: Node, journals: Journals) -> str:
    try:
        return "\n".join(left_behind(node.connection, LockJournals(journals.state_dir)))
    except errors.JournalUnreadable as error:
        return f"{error.message}; {error.hint}"


def _nics(sight: Sight, early: tuple[str, ...]) -> str:
    lines = [each.text for each in sight.gone if each.name not in early]
    if lines and sight.renames:
        lines.append("`pvenet renamed` plans the change of every stanza that names them")
    return "\n".join(lines)


def _of(journals: Journals, journal: Journal | None, *, busy: bool) -> Status:
    """What the journals tell."""
    return Status(
        node=journals.node,
        reachable=True,
        state=journal.state if journal else None,
        journal=str(journals.path(journal)) if journal else "",
        upid=(journal and journal.upid) or "",
        busy=busy,
        left=_left(journals, journal) if busy else None,
        elsewhere=others_told(journals),
    )


def _with(found: Status, **changes: object) -> Status:
    return replace(found, **changes)  # type: ignore[arg-type]  # named in this module only


def is_busy(journals: Journals) -> bool:
    """Whether another pvenet is at work on the node from here."""
    try:
        with journals.lock():
            return False
    except errors.Busy:
        return True
    except errors.PvenetError:
        return False


def _left(journals: Journals, journal: Journal | None) -> float | None:
    """Seconds that a person has to confirm a journal, where nobody has said anything yet."""
    waits = journal is not None and journal.state is State.CONFIRMING and journals.word(journal) is None
    return Term(journals.path(journal)).left() if journal is not None and waits else None


def _unasked(journals: Journals, journal: Journal | None, *, busy: bool) -> dict[str, str]:
    if journal is None or not MEANINGS[journal.state].reloaded:
        return {"what": "the node can't be queried", "todo": ""}
    what = f"the node can't be queried; by its journal, {_meaning(journal, busy=busy)}"
    return {"what": what, "todo": console(journals, journal, staged=journal.state is State.ARMED)}


def _told(journals: Journals, journal: Journal | None, reading: Reading | None, *, busy: bool) -> dict[str, str]:
    """What is the matter, and what to do."""
    if reading is None:
        too = f"\n{armed_still(journals, journal)}" if journal and journal.state in ARMS else ""
        return {"what": "a reload is running", "todo": f"{_running(journals, journal)}{too}"}
    whose = ownership(journals, reading)
    if isinstance(whose, Foreign):
        armed = journal is not None and journal.state in ARMS
        beneath = (
            "; among them the way back of an apply that was armed: whoever applies them undoes that apply"
            if armed
            else ""
        )
        return {
            "what": f"changes are pending that pvenet did not stage from here{beneath}",
            "todo": "`pvenet diff` shows them; ask who staged them",
        }
    if isinstance(whose, Ours):
        return _ours(journals, whose.journal)
    if journal is not None and journal.state in ARMS:
        return _disarmed(journals, journal, reading, busy=busy)
    return _clean(journals, journal, reading, busy=busy)


def _running(journals: Journals, journal: Journal | None) -> str:
    """What to do while a reload runs: wait for its verdict, where it was started from here and nobody does."""
    if journal is not None and journal.state in (State.RELOADING, *ARMS) and not is_busy(journals):
        return "`pvenet wait` waits for it, and says how it ended; `pvenet status --watch` only watches"
    return "wait until it has ended, and look again; `pvenet status --watch` does that"


def _disarmed(journals: Journals, journal: Journal, reading: Reading, *, busy: bool) -> dict[str, str]:
    """The way back was armed, and is not pending any more."""
    if not led_back(journal, reading.network):
        return _clean(journals, journal.forward, reading, busy=busy)
    return {
        "what": "the last apply from here was armed, and is rolled back: a power cycle, or somebody's reload or SDN "
        "apply, has made its way back live",
        "todo": "`pvenet rollback` checks that everything is as it was before, and closes the journal",
    }


def _ours(journals: Journals, mine: Journal) -> dict[str, str]:
    if mine.state in ARMS:
        return {
            "what": "an apply was armed and has not ended: what is pending is its way back",
            "todo": armed_still(journals, mine),
        }
    if mine.state is State.ROLLING_BACK:
        return {
            "what": "a rollback was started and has not ended: a part of the way back is staged",
            "todo": "`pvenet rollback` goes on with it",
        }
    if mine.refreshing:
        return {
            "what": "what was applied from here is live and was not verified; a no-op that refreshes flags is staged",
            "todo": "`pvenet revert` removes it, then `pvenet apply` verifies; `pvenet rollback` puts back "
            "what was there before",
        }
    return {
        "what": "changes are pending that were staged from here; none of them is live",
        "todo": "`pvenet apply` makes them live, `pvenet revert` throws them away",
    }


def _meaning(journal: Journal, *, busy: bool) -> str:
    """What its state says; `busy`: whoever is to go on is still there."""
    meaning = MEANINGS[journal.state]
    return meaning.what if busy else meaning.left or meaning.what


def _clean(journals: Journals, journal: Journal | None, reading: Reading, *, busy: bool) -> dict[str, str]:
    """Nothing is pending: what the youngest journal says."""
    if journal is None:
        return {"what": "nothing is pending", "todo": ""}
    word = journals.word(journal) if journal.state is State.CONFIRMING else None
    what, todo = _meaning(journal, busy=busy), MEANINGS[journal.state].todo
    if word == YES:
        what, todo = "what was applied last was confirmed", ""
    elif word == NO:
        what, todo = "what was applied last was not confirmed, and is to be rolled back", "`pvenet rollback` does it"
    if "rollback" in todo and (changed := conflicts(journal, reading.network)):
        what = f"{what}; somebody else has changed {', '.join(map(str, changed))} since then, which no rollback touches"
        todo = put_back_by_hand(journals, journal)
    return {"what": what, "todo": todo}


def armed_still(journals: Journals, journal: Journal) -> str:
    """What stays behind on a node that is armed when nobody waits for it any more."""
    node = journals.node
    if journal.state is State.ARMED:
        what = f"the way back is staged there: a power cycle of {node}, or anybody's reload, makes it live"
    else:
        what = f"a part of the way back may be staged there, which a reboot of {node}, or anybody's reload, makes live"
    return (
        f"{what}.\n`pvenet rollback --node {node}` goes back to what was there before, `pvenet revert --node {node}` "
        "keeps what was applied"
    )
