"""What is pending, what is open here, and what PVE would make of the file. Asks nothing of the node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors, times, wire
from pvenet.doctor.finding import Finding, bad, good, unknown, warning
from pvenet.journal import MEANINGS, OPEN, Foreign, Nothing, Ours, State, ownership
from pvenet.model import Other
from pvenet.wire.file_text import loose_options, removed_from
from pvenet.wire.refusals import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.journal import Journals
    from pvenet.node import Reading

PENDING, JOURNALS, FILE, LINE_ENDS, VALUES = "pending", "journals", "file", "line ends", "values"
CHECKS = (PENDING, JOURNALS, FILE, LINE_ENDS, VALUES)


def staged_findings(journals: Journals, reading: Reading, applied: str | None, *, whole: bool) -> Iterator[Finding]:
    """All of it. `journals` are those of the node that was read; `applied`: the text of its file, where that is known.

    `whole`: no bridge can be missing in the reading.
    """
    journals.settle(reading)
    whose = ownership(journals, reading)
    yield _pending(whose)
    yield from _journals(journals, whose)
    if not whole:  # PVE leaves them out without a word (pve-api#hidden-bridges)
        yield from (unknown(check, "not known without the right to see every bridge") for check in CHECKS[2:])
        return
    yield from _file(reading, applied)
    ends = reading.line_ends
    yield from (bad(LINE_ENDS, text, "`pvenet show` with the interface shows the text") for text in ends)
    if not ends:
        yield good(LINE_ENDS, "PVE and ifupdown2 read the file as the same lines")
    yield from _values(reading)


def _values(reading: Reading) -> Iterator[Finding]:
    """What keeps an interface of a kind that pvenet writes from being set or deleted."""
    odd = [each for each in reading.network.interfaces.values() if isinstance(each, Other) and each.unread]
    for each in odd:
        todo = "correct it in /etc/network/interfaces on the node; until then it can be neither set nor deleted"
        yield warning(VALUES, each.reason, todo)
    if not odd:
        yield good(VALUES, "all that pvenet can write can be read")


def _pending(whose: Nothing | Ours | Foreign) -> Finding:
    match whose:
        case Foreign(note=note):
            text = "changes are pending that were not staged from here"
            todo = f"`pvenet diff` shows them; apply or revert them where they were staged{note}"
            return warning(PENDING, text, todo)
        case Ours() if whose.armed:
            text = "the way back of an armed apply is pending, and goes live with a power cycle"
            return warning(PENDING, text, "`pvenet status` shows the state of the node")
        case Ours():
            todo = "`pvenet diff` shows them, `pvenet apply` makes them live, `pvenet revert` throws them away"
            return warning(PENDING, "changes are pending that were staged from here", todo)
        case _:
            return good(PENDING, "nothing is pending")


def _journals(journals: Journals, whose: Nothing | Ours | Foreign) -> Iterator[Finding]:
    """The open ones, but for the one of what is pending, which has been told."""
    told = whose.journal if isinstance(whose, Ours) else whose.adopted if isinstance(whose, Foreign) else None
    try:
        every = journals.all()
    except errors.JournalUnreadable as error:
        yield unknown(JOURNALS, error.message, error.hint)
        return
    shown = [each for each in every if each.state in OPEN and (told is None or each.id != told.id)]
    ended = [each for each in every if each.state is not State.DROPPED]
    shown += [each for each in ended[-1:] if each.state is State.FAILED]
    for journal in shown:
        meaning = MEANINGS[journal.state]
        todo = meaning.todo or "the next `pvenet apply` closes its journal"
        yield warning(JOURNALS, f"{meaning.what} ({times.local(journal.begun)})", todo)
    if not shown:
        yield good(JOURNALS, "no journal of an apply from here is open")


def _file(reading: Reading, applied: str | None) -> Iterator[Finding]:
    """What PVE refuses of the file as it is, what its first write takes away, and what any write may move."""
    refused = refusals(reading.entries)
    for why in refused:
        yield bad(FILE, f"PVE refuses every change as long as this is so: {why}", "correct it in the node's file")
    losses = () if reading.pending is not None else _removals(reading, applied)
    for loss in losses:
        yield warning(FILE, f"PVE's first write removes this: {loss}", "move it to where PVE keeps it, or do without")
    loose: dict[str, list[str]] = {}
    for owner, text in loose_options(applied or ""):
        loose.setdefault(owner, []).append(f"`{text}`")
    for owner, texts in loose.items():
        it, what = ("it", f"{texts[0]} stands") if len(texts) == 1 else ("them", f"{', '.join(texts)} stand")
        why = f"{owner}: {what} behind a blank line, or one without a value; a write may make {it} another's"
        yield warning(FILE, why, f"move {it} up in the node's file, to what else {owner} has")
    if not refused and not losses and not loose:
        yield good(FILE, _kept(reading, applied))


def _removals(reading: Reading, applied: str | None) -> tuple[str, ...]:
    found = wire.removed(reading.entries) if applied is None else removed_from(applied, reading.entries)
    return tuple(map(str, found))


def _kept(reading: Reading, applied: str | None) -> str:
    if reading.pending is not None:
        return "what is pending has all that PVE keeps of the file"
    return "PVE keeps what its listing shows of the file" if applied is None else "PVE keeps what the file says"
