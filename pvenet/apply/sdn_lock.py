"""The cluster's SDN lock for the time of one command, so that nobody else's SDN apply reloads a node amidst it.

It is wished for, and never a condition: where it can't be had that is said, and the command goes on. It is the whole
cluster's, so that every way out releases it; what a killed pvenet leaves behind is ended by `pvenet status`, with its
own token and never by force.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pvenet import errors, sdn
from pvenet.cluster import fingerprints
from pvenet.connection import AnswerLost
from pvenet.connection.session import LONGEST_ANSWER
from pvenet.journal import LockJournals, place_of
from pvenet.routes import kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pvenet.apply.runtime import Runtime
    from pvenet.connection import Connection
    from pvenet.journal import LockJournal, OpenLock

TRIES = 3
"""How often a release is sent: twice is as good as once (pve-api#sdn-lock-release)."""
PAUSE = 1.0
"""Seconds between two."""

_GOES_ON = "; somebody else's SDN apply can come in between"
_NOBODY_KNOWS = (
    "the SDN lock of the cluster may be held with a token that nobody knows: the answer to the request for it was "
    "lost. While it is held, PVE takes nobody's SDN changes. Ask who else works on SDN; if nobody does, release it on "
    f"a node, as root:\n  {sdn.BY_FORCE}\n`pvenet status` says whether it is still held"
)


class SdnLock:
    """The lock of one command: taken at most once, and released at the end of the block."""

    def __init__(self, connection: Connection, state_dir: Path, runtime: Runtime, *, wanted: bool, now: str) -> None:
        self._connection = connection
        self._journals = LockJournals(state_dir)
        self._runtime = runtime.unfailing()
        self._wanted = wanted
        self._now = now
        self._open: OpenLock | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        try:
            self._release(opened)
        finally:
            opened.leave()

    def take(self) -> bool:
        """Take it, where it is wanted; whether that was tried, so that time has passed. Says why it can't be had."""
        if not self._wanted or self._open is not None:
            return False
        try:
            for text in left_behind(self._connection, self._journals):
                self._runtime.warn(text)
            place, routes = place_of(self._connection), kept(self._connection)
            self._open = self._journals.begin(place, self._now, routes)
            self._open.held(self._acquired())
        except AnswerLost as lost:
            self._runtime.warn(f"whether the SDN lock of the cluster is held from here is not known: {lost.message}")
        except errors.PvenetError as error:
            reason = sdn.why_not(self._connection, error)
            self._runtime.warn(f"the SDN lock of the cluster is not available: {reason}{_GOES_ON}")
            self._forget()
        return True

    def _forget(self) -> None:
        if self._open is not None:
            self._open.end()
        self._open = None

    def _acquired(self) -> str:
        """The token. Raises AnswerLost where it may be held all the same.

        Where an answer is lost it is asked for once more: who gets it then knows that nobody had it, and a request
        that arrives late is refused.
        """
        try:
            return sdn.acquire(self._connection)
        except AnswerLost as lost:
            try:
                return sdn.acquire(self._connection)
            except errors.PvenetError:
                raise lost from None

    def _release(self, opened: OpenLock) -> None:
        """End it, and say where that did not succeed; a Ctrl-C waits for that: the command ends here anyway."""
        why = "it was interrupted"
        for attempt in range(TRIES):
            try:
                if attempt:
                    self._runtime.sleep(PAUSE)
                    self._connection.fresh()
                if text := _ended(self._connection, opened):
                    self._runtime.warn(text)
            except KeyboardInterrupt:
                continue
            except errors.PvenetError as error:
                why = error.message
                continue
            return
        self._runtime.warn(_still_held(why))


def left_behind(connection: Connection, journals: LockJournals) -> Iterator[str]:
    """End the locks that earlier pvenets have left behind in this cluster, with their own tokens; what became of each.

    It costs no request where there is none.
    """
    for journal in of_this_cluster(connection, journals):
        try:
            opened = journals.resumed(journal)
        except (errors.Busy, errors.JournalUnreadable) as error:
            yield error.message
            continue
        if opened is not None:
            yield _resolved(connection, opened)


def _resolved(connection: Connection, opened: OpenLock) -> str:
    unheard = opened.now.token is None
    try:
        text = _ended(connection, opened)
        if unheard and not text:
            opened.end()
    except errors.PvenetError as error:
        return _still_held(error.message)
    finally:
        opened.leave()
    if unheard:
        free = "the answer to a request from here for the cluster's SDN lock was lost; nobody holds the lock"
        return text or free
    return text or "the SDN lock that was left behind from here in the cluster was released, or was gone already"


def of_this_cluster(connection: Connection, journals: LockJournals) -> list[LockJournal]:
    """Those that were asked for here; the cluster tells its members' certificates, where that may decide."""
    every = journals.kept()
    place = place_of(connection)
    if place.certificate and any(each.certificate and not journals.is_of(each, place) for each in every):
        with suppress(errors.PvenetError):  # then they stay another cluster's
            place = place_of(connection, members=fingerprints(connection).values())
    return [each for each in every if journals.is_of(each, place)]


def _ended(connection: Connection, opened: OpenLock) -> str:
    """Release one; what a person should know, empty where nobody holds it now. Raises what a request raises.

    One without a token is only looked at, and kept: what has asked for it may arrive yet.
    """
    token = opened.now.token
    if token is None:
        return "" if sdn.is_free(connection, timeout=LONGEST_ANSWER) else _NOBODY_KNOWS
    ours = sdn.release(connection, token, timeout=LONGEST_ANSWER)
    opened.end()
    return (
        ""
        if ours
        else "the SDN lock of the cluster was taken from us by force, and somebody else holds it now; it was left alone"
    )


def _still_held(why: str) -> str:
    return (
        f"the SDN lock of the cluster is still held from here, and PVE takes nobody's SDN changes ({why}); `pvenet "
        "status` releases it"
    )
