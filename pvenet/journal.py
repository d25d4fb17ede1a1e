"""What was there before, on disk before anything changes.

Staging and applying are different processes, and PVE records no author of what is pending. A journal begins before
our first write with nothing pending: it holds the listing then (the baseline), each step, and after each write the
pending diff as PVE shows it. What is pending is *ours* when its diff is the one recorded after our last write.

Journals stand under the node's name; the endpoint is only a hint, because ports and paths change and two clusters may
each have a node of that name. The one whose diff matches is meant.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pvenet import errors, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pvenet.model import Network

KEPT = 20
"""How many ended journals of a node are kept."""


class State(StrEnum):
    """How far a journal has come."""

    STAGING = "staging"
    RELOADING = "reloading"
    APPLIED = "applied"
    FAILED = "failed"
    DROPPED = "dropped"


OPEN = frozenset({State.STAGING, State.RELOADING})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One write of ours: what was asked of PVE, by PVE's names."""

    action: str
    """create, update or delete."""
    name: str
    form: wire.Form = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Journal:
    """One journal; a new value is written at every step."""

    id: str
    node: str
    endpoint: str
    begun: str
    """UTC, ISO 8601; to read, never to compare."""
    baseline: tuple[wire.Entry, ...]
    """The listing before our first write."""
    steps: tuple[Step, ...] = ()
    pending: str | None = None
    """The diff after our last write, without timestamps."""
    adopted: bool = False
    """It began on pending changes that were not ours."""
    state: State = State.STAGING
    upid: str | None = None
    """The reload's task, once it was sent."""

    @property
    def network(self) -> Network:
        """The network before our first write."""
        return wire.network(self.baseline)


class Journals:
    """The journals of one node in a state directory."""

    def __init__(self, state_dir: Path, node: str) -> None:
        self.folder = state_dir / "journals" / node
        self.node = node

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other pvenets on this machine off the node's journals. Raises Busy where one is at work."""
        self._make_folder()
        with (self.folder / "lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise errors.Busy(f"another pvenet is at work on {self.node}", hint="wait until it has ended") from None
            yield

    def path(self, journal: Journal) -> Path:
        """Where a journal is kept."""
        return self.folder / f"{journal.id}.json"

    def begin(self, *, endpoint: str, baseline: tuple[wire.Entry, ...], now: str, adopted: bool = False) -> Journal:
        """A new journal; the first `write` puts it on disk."""
        name = f"{now.replace(':', '').replace('-', '')}-{secrets.token_hex(3)}"
        return Journal(id=name, node=self.node, endpoint=endpoint, begun=now, baseline=baseline, adopted=adopted)

    def write(self, journal: Journal) -> Journal:
        """Put a journal on disk, synced, readable by its owner only; the journal, for chaining."""
        self._make_folder()
        path = self.path(journal)
        draft = path.with_suffix(".new")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf8") as file:
                json.dump(asdict(journal), file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _sync(self.folder)
        except OSError as error:
            raise _unwritable(path, error) from None
        return journal

    def all(self) -> tuple[Journal, ...]:
        """Every readable journal of the node, oldest first."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(_journal(json.loads(path.read_text(encoding="utf8"))))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # half written by nobody: `write` replaces whole files, so it is not one of ours
        return tuple(found)

    def ours(self, pending: str | None) -> Journal | None:
        """The journal whose last recorded diff is what is pending now; None where it is not ours."""
        if pending is None:
            return None
        matching = [journal for journal in self.all() if journal.state in OPEN and journal.pending == pending]
        return matching[-1] if matching else None

    def drop_stale(self, endpoint: str) -> None:
        """End the journals of this endpoint whose staging is gone: applied or reverted by somebody else."""
        for journal in self.all():
            if journal.state in OPEN and journal.endpoint == endpoint:
                self.write(replace(journal, state=State.DROPPED))
        ended = [journal for journal in self.all() if journal.state not in OPEN]
        for journal in ended[:-KEPT]:
            self.path(journal).unlink(missing_ok=True)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from None


def _journal(data: dict[str, Any]) -> Journal:
    steps = tuple(Step(**step) for step in data.pop("steps"))
    return Journal(**{**data, "steps": steps, "baseline": tuple(data["baseline"]), "state": State(data["state"])})


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> errors.PvenetError:
    return errors.PvenetError(
        f"the journal {path} can't be written: {error.strerror}; nothing was sent",
        hint="name a folder that can be written with --state-dir or PVENET_STATE_DIR",
    )
