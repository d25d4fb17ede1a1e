"""What is asked once, of whoever answers: who we are there, the clock, the cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from pvenet import errors, private, times
from pvenet.access import audit_grants
from pvenet.apply.sdn_lock import of_this_cluster
from pvenet.cluster import standing
from pvenet.connection.session import Token
from pvenet.doctor.clock import CHECK as CLOCK
from pvenet.doctor.clock import clock
from pvenet.doctor.endpoint import endpoint_findings, softened
from pvenet.doctor.finding import Finding, Looks, bad, good, unknown, warning
from pvenet.journal import Journals, LockJournals, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pvenet.connection import Connection

FOLDER, LOGIN, TOKEN, QUORUM, LOCK = "state folder", "login", "token", "quorum", "SDN lock"
CHECKS = (LOGIN, CLOCK, TOKEN, QUORUM, LOCK)
TIMEOUT = 10.0
"""Seconds for one answer: a living node was seen to take 6.4 (pve-api#slow-answer)."""
SOON = 30
"""Days before a token's end from which on it is worth a word."""
_LATEST = 253_402_300_799
"""The last second of the year 9999, the last that has a date; a larger number may come all the same."""
_NO_ANSWER = frozenset({403, 501})


def entry_findings(connection: Connection, state_dir: Path) -> Looks:
    """All of it; where nobody answers, or nobody is let in, `lost` says so. `state_dir`: where journals are kept."""
    looks = Looks()
    looks.look([FOLDER], lambda: [_folder(state_dir)])
    several = len(connection.endpoints) > 1
    for endpoint in connection.endpoints:
        with connection.watching(endpoint):
            looks.found += softened(endpoint_findings(endpoint, connection.trust), others=several)
    shut = [each.text for each in looks.found if each.state == "bad" and each.check != FOLDER]
    if shut:
        looks.give_up(shut[0])
        looks.look(CHECKS, list)
        return looks
    _enter(connection, looks)
    looks.look([TOKEN], lambda: [_token(connection)])
    looks.look([QUORUM], lambda: [_quorum(connection)])
    looks.look([LOCK], lambda: _locks(connection, LockJournals(state_dir)))
    return looks


def _folder(state_dir: Path) -> Finding:
    """Whether journals can be kept, tried with a file that has no name and is gone at once; and those that are read."""
    try:
        for name in nodes(state_dir):
            Journals(state_dir, name).all()
    except errors.JournalUnreadable as error:
        return bad(FOLDER, f"{error.message}, and pvenet changes nothing without knowing them", error.hint)
    places = (state_dir / "journals", state_dir, *state_dir.parents)
    try:
        private.refuse_planted(state_dir)
        with TemporaryFile(dir=next(place for place in places if place.exists())) as file:
            file.write(b"x")
    except OSError as error:
        text = f"{state_dir} can't be written ({error.strerror or error}), and pvenet stages nothing without a journal"
        return bad(FOLDER, text, "name a folder that can be written with --state-dir or PVENET_STATE_DIR")
    return good(FOLDER, f"journals can be written to {state_dir}")


def _enter(connection: Connection, looks: Looks) -> None:
    """The first request, whose answer has a date."""
    asked = datetime.now(UTC)
    try:
        answer = connection.get("version", timeout=TIMEOUT)
    except errors.PvenetError as error:
        looks.found.append(bad(LOGIN, error.message, error.hint))
        looks.give_up(error.message.partition("\n")[0])
        looks.look([CLOCK], list)
        return
    answered = datetime.now(UTC)
    user = connection.credentials.user
    what = "the token" if isinstance(connection.credentials, Token) else "the password of"
    looks.found.append(good(LOGIN, f"{what} {user} is accepted"))
    looks.look([CLOCK], lambda: [clock(answer.date, asked, answered)])


def _token(connection: Connection) -> Finding:
    """Until when the token is valid; a ticket is renewed."""
    credentials = connection.credentials
    if not isinstance(credentials, Token):
        return good(TOKEN, "none is used: tickets last two hours and are renewed in time")
    user, _, name = credentials.id.partition("!")
    todo = f"on the node, as root:\n  pveum user token list '{user}'"
    try:
        answer = connection.get("access", "users", user, "token", name, timeout=TIMEOUT)
    except errors.RefusedByPVE as refused:
        if refused.status not in _NO_ANSWER:
            raise
        return unknown(TOKEN, f"{credentials.id} can't see when it expires", todo)
    row = answer.object()
    separate = "has rights of its own" if answer.field(row, "privsep") != "0" else f"has all rights of {user}"
    return expiry(f"{credentials.id} {separate}", answer.number(row, "expire") or 0, datetime.now(UTC), todo)


def expiry(what: str, expire: int, now: datetime, todo: str) -> Finding:
    """Until when a token is valid; 0 is for ever."""
    if not expire:
        return good(TOKEN, f"{what}, and does not expire")
    until = datetime.fromtimestamp(min(expire, _LATEST), UTC)
    text = f"{what}, and expires on {times.local(until.isoformat())}"
    left = (until - now).days
    return good(TOKEN, text) if left >= SOON else warning(TOKEN, f"{text}, within {left + 1} days", todo)


def _quorum(connection: Connection) -> Finding:
    found = standing(connection, timeout=TIMEOUT)
    if not found.members:
        grants = "\n  ".join(audit_grants(connection.credentials.user, "/"))
        text = "whether there is a cluster, and which members are online, is not visible without Sys.Audit on /"
        return unknown(QUORUM, text, f"on a node, as root:\n  {grants}")
    count = len(found.members)
    if found.quorate is None:
        return good(QUORUM, "the node is in no cluster")
    away = f"{', '.join(found.offline)} {'is' if len(found.offline) == 1 else 'are'} offline" if found.offline else ""
    if not found.quorate:
        text = f"the cluster is not quorate{f': {away}' if away else ''}"
        return bad(QUORUM, text, "a node's network can still be changed; `pvecm status` on a node says more")
    if away:
        return warning(QUORUM, f"the cluster of {count} is quorate, and {away}", "`pvecm status` on a node says more")
    return good(QUORUM, f"the cluster is quorate, with all of its {count} members")


def _locks(connection: Connection, journals: LockJournals) -> Iterator[Finding]:
    """The SDN locks that were asked for from here and may be held still; that of others nobody tells."""
    found = of_this_cluster(connection, journals)
    for journal in found:
        text = f"an SDN lock that was requested from here ({times.local(journal.begun)}) may still be held"
        yield warning(LOCK, text, "`pvenet status` releases it, unless another pvenet is at work with it")
    if not found:
        yield good(LOCK, "none was left behind from here")
