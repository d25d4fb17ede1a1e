"""The clock of whoever answers, beside ours. Pure: both are given."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pvenet.doctor.finding import Finding, bad, good, unknown, warning

CHECK = "clock"
SLACK = 30
"""Seconds that are worth no word."""
LIMIT = 300
"""Seconds. Tickets, certificates and second factors are judged by clocks, with a few minutes of tolerance at most."""
_UNITS = (("h", 3600), ("min", 60), ("s", 1))


def clock(date: str, asked: datetime, answered: datetime) -> Finding:
    """What an answer's `Date` says, which was made between two moments of ours."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return unknown(CHECK, "its answers have no date" if not date else f"{date!r} is not a date")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    ahead = _ahead(theirs, asked, answered)
    if abs(ahead) <= SLACK:
        return good(CHECK, "the node's clock and this machine's agree")
    text = f"the node's clock is {_said(ahead)} this machine's"
    todo = "compare both with the right time; `chronyc tracking` on the node shows how its clock is synchronized"
    if abs(ahead) < LIMIT:
        return warning(CHECK, text, todo)
    return bad(CHECK, f"{text}: with clocks that far apart, tickets and certificates are refused", todo)


def _ahead(theirs: datetime, asked: datetime, answered: datetime) -> float:
    """Seconds; a date has no fractions of one, and may be of any moment between."""
    early, late = (theirs - answered).total_seconds(), (theirs - asked).total_seconds() + 1
    return 0.0 if early <= 0 <= late else early if early > 0 else late


def _said(ahead: float) -> str:
    seconds = round(abs(ahead))
    unit, size = next((unit, size) for unit, size in _UNITS if seconds >= 2 * size or size == 1)
    amount = f"{round(seconds / size)} {unit}"
    return f"{amount} {'ahead of' if ahead > 0 else 'behind'}"
