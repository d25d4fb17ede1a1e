"""Until when a person may say that what is live may stay: a time beside the journal, which anybody may put off.

Whoever waits decides when it is over, and holds the file meanwhile; whoever puts it off holds it, too. So more time is
either given or refused, and never given to an apply that is being rolled back already.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FORMAT = "%Y-%m-%dT%H:%M:%S.%f+00:00"


def _now() -> datetime:
    return datetime.now(UTC)


class Term:
    """The time by which a word about one journal is due."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_suffix(".term")
        self._known: datetime | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep whoever else would decide, or put it off, waiting; where no disk has the file, nobody else can."""
        handle = None
        with suppress(OSError):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if handle is not None:
                os.close(handle)

    def begin(self, seconds: float) -> None:
        """It ends so many seconds from now."""
        with self.held():
            self._known = self._kept(_now() + timedelta(seconds=seconds))

    def put_off(self, seconds: float) -> float:
        """Let it end so much later; how many seconds are left then. Raises OSError where that can't be written."""
        now = _now()
        ends = max(self.ends() or now, now) + timedelta(seconds=seconds)
        self._path.write_text(ends.strftime(_FORMAT), encoding="ascii")
        return (ends - now).total_seconds()

    def more(self) -> float:
        """The seconds by which it was put off since the last time that this was asked."""
        ends, known = self.ends(), self._known
        if ends is None or known is None:
            return 0.0
        self._known = ends
        return (ends - known).total_seconds()

    def ends(self) -> datetime | None:
        """When it is over; None where nobody has said that, or it can't be read."""
        try:
            return datetime.strptime(self._path.read_text(encoding="ascii"), _FORMAT).replace(tzinfo=UTC)
        except (OSError, ValueError):
            return None

    def left(self) -> float | None:
        """How many seconds are left; None where nobody has said that."""
        ends = self.ends()
        return None if ends is None else max(0.0, (ends - _now()).total_seconds())

    def _kept(self, ends: datetime) -> datetime:
        with suppress(OSError):  # then nobody can put it off
            self._path.write_text(ends.strftime(_FORMAT), encoding="ascii")
        return ends
