"""The SDN lock as it is kept on disk, before it is asked for: whoever is killed leaves behind what ends it.

Nobody can ask a cluster who holds its lock, and its token is told once (pve-api#sdn-lock-holder). It is kept as secrets
are, in a file of its owner's alone, and leaves that only towards the cluster.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from pvenet import errors, private
from pvenet.journal.identity import Match, beside, match
from pvenet.journal.refused import unreadable
from pvenet.journal.value import Route

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pvenet.journal.identity import Place

_WHAT = "the SDN locks that were asked for from here"
_TEXTS = ("id", "endpoint", "begun")
_TEXTS_OR_NONE = ("certificate", "token")


@dataclass(frozen=True, kw_only=True)
class LockJournal:
    """One lock that was asked for."""

    id: str
    endpoint: str
    begun: str
    """UTC, ISO 8601; to read, never to compare."""
    certificate: str | None = None
    """SHA-256 of the certificate that the endpoint had; None where there was none."""
    routes: tuple[Route, ...] = ()
    """How else the cluster can be reached."""
    token: str | None = field(default=None, repr=False)
    """None where its answer has not come: the lock may be held, or not."""


class LockJournals:
    """The locks that were asked for from a state directory, and may be held still."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "sdn-locks"

    def begin(self, place: Place, now: str, routes: tuple[Route, ...] = ()) -> OpenLock:
        """Put on disk that a lock is asked for. Raises PvenetError where that can't be written."""
        name = f"{now.replace(':', '').replace('-', '')}-{secrets.token_hex(3)}"
        journal = LockJournal(id=name, endpoint=place.endpoint, begun=now, certificate=place.certificate, routes=routes)
        try:
            private.make_own_folder(self.folder.parent)
            private.make_own_folder(self.folder)
            opened = OpenLock(self.folder, journal, _claimed(self.folder, name))
            opened.write()
        except OSError as error:
            raise errors.PvenetError(f"{self.folder} can't be written: {error.strerror}") from None
        return opened

    def kept(self) -> tuple[LockJournal, ...]:
        """Every one, oldest first. Raises JournalUnreadable where one can't be read at all."""
        try:
            found = [_read(path) for path in private.listed(self.folder, "*.json")]
        except OSError as error:
            raise unreadable(_WHAT, self.folder, error) from None
        return tuple(journal for journal in found if journal is not None)

    def is_of(self, journal: LockJournal, place: Place) -> bool:
        """Whether it is a lock of the cluster that is asked now: no other cluster is sent its token."""
        return beside(self.folder, place) or match(journal, place) in (Match.SAME, Match.LIKELY)

    def resumed(self, journal: LockJournal) -> OpenLock | None:
        """One that was left behind; None where it has been ended.

        Raises Busy where another pvenet has it, and JournalUnreadable.
        """
        try:
            opened = OpenLock(self.folder, journal, _claimed(self.folder, journal.id))
            now = _read(opened.path)
        except BlockingIOError:
            raise errors.Busy("another pvenet is at work from here, and holds the SDN lock of the cluster") from None
        except OSError as error:
            raise unreadable(_WHAT, self.folder, error) from None
        if now is None:
            opened.end()
            return None
        opened.now = now
        return opened


class OpenLock:
    """A lock that this process alone has to do with, as long as it lives."""

    def __init__(self, folder: Path, journal: LockJournal, handle: int) -> None:
        self.now = journal
        self._folder = folder
        self._handle: int | None = handle

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self._folder / f"{self.now.id}.json"

    def write(self) -> None:
        """Put it on disk. Raises OSError."""
        draft = self.path.with_suffix(".new")
        private.write(draft, json.dumps(asdict(self.now), indent=1).encode(), synced=True)
        draft.replace(self.path)

    def held(self, token: str) -> None:
        """Keep the token; where no disk takes it, this process has it all the same."""
        self.now = replace(self.now, token=token)
        with suppress(OSError):
            self.write()

    def end(self) -> None:
        """It is held no more: forget it."""
        for path in (self.path.with_suffix(".new"), self.path, self.path.with_suffix(".lock")):
            with suppress(OSError):  # whoever comes after asks the cluster once too often
                path.unlink()
        self.leave()

    def leave(self) -> None:
        """Leave what is kept to whoever comes after."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _claimed(folder: Path, name: str) -> int:
    """A handle that keeps other pvenets on this machine off it. Raises OSError where one is at work."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(folder / f"{name}.lock", flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _read(path: Path) -> LockJournal | None:
    """None for anything that was not written here. Raises OSError for a file that can't be read."""
    try:
        data = json.loads(path.read_bytes())
        routes = tuple(Route(**route) for route in data.pop("routes"))
        journal = LockJournal(**data, routes=routes)
    except (FileNotFoundError, IsADirectoryError):  # another process has just ended it
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    good = journal.id == path.stem and all(isinstance(text, str) for text in _texts(journal))
    return journal if good else None


def _texts(journal: LockJournal) -> Iterator[object]:
    yield from (getattr(journal, name) for name in _TEXTS)
    yield from (getattr(journal, name) or "" for name in _TEXTS_OR_NONE)
    for route in journal.routes:
        yield from (route.host, route.scheme, route.label, route.fingerprint or "", route.known_as or "")
