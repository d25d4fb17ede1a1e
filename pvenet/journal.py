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
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pvenet import errors, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pvenet.model import Network

YES, NO = "yes", "no"
"""A person's word about a change that waits to be confirmed."""
KEPT = 20
"""How many ended journals of a node are kept."""
_ENCODING = ("utf8", "surrogatepass")
"""JSON may hold half a character, and what PVE said is kept as it came."""


class State(StrEnum):
    """How far a journal has come."""

    STAGING = "staging"
    RELOADING = "reloading"
    ARMING = "arming"
    """The reload has taken what was pending, and the way back is being staged: a part of it may be."""
    ARMED = "armed"
    """The whole way back is staged, so that a power cycle boots the network from before."""
    CONFIRMING = "confirming"
    """It is live and verified, and a person has to say that it may stay."""
    CONFIRMED = "confirmed"
    APPLIED = "applied"
    FAILED = "failed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    DROPPED = "dropped"


ARMS = frozenset({State.ARMING, State.ARMED})
OPEN = frozenset({State.STAGING, State.RELOADING, *ARMS, State.CONFIRMING, State.ROLLING_BACK})
WRITING = frozenset({State.STAGING, State.RELOADING, *ARMS, State.ROLLING_BACK})
"""The states in which what is pending may be the journal's; a reload may be recorded and not yet sent."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One write of ours: what was asked of PVE, by PVE's names."""

    action: str
    """create, update, delete; or refresh, for a no-op that is taken back at once."""
    name: str
    form: wire.Form = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One more way to the node, as it was learnt before the reload: where to ask, and whom to trust there."""

    host: str
    port: int
    scheme: str
    label: str = ""
    fingerprint: str | None = None
    known_as: str | None = None


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
    behind: bool = False
    """The diff is from before the last step, whose write was on its way: it may have acted."""
    adopted: bool = False
    """It began on pending changes that were not ours."""
    state: State = State.STAGING
    upid: str | None = None
    """The reload's task, once it was sent."""
    back: int | None = None
    """How many of the steps were there when rolling back, or arming, began; the others lead back."""
    ways: tuple[Way, ...] = ()
    """The ways to the node that nobody has given: for whoever comes after, when the one that was given is dead."""

    @property
    def network(self) -> Network:
        """The network before our first write."""
        return wire.network(self.baseline)

    @property
    def refreshing(self) -> bool:
        """What is pending is a no-op, staged when everything was live: it refreshes flags (facts, section 11)."""
        return bool(self.steps) and self.steps[-1].action == "refresh"

    @property
    def forward(self) -> Journal:
        """Without the steps that lead back, as a reload that is out: armed no more, or not yet."""
        return replace(
            self, state=State.RELOADING, steps=self.steps[: self.back], back=None, pending=None, behind=False
        )


class Journals:
    """The journals of one node in a state directory."""

    def __init__(self, state_dir: Path, node: str) -> None:
        self.folder = state_dir / "journals" / _file_name(node)
        self.node = node

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other pvenets on this machine off the node's journals. Raises Busy where one is at work."""
        handle = self._locked()
        try:
            yield
        finally:
            os.close(handle)

    def path(self, journal: Journal) -> Path:
        """Where a journal is kept."""
        return self.folder / f"{journal.id}.json"

    def keep_diff(self, journal: Journal) -> Path:
        """The pending diff as a file of its own, for a person with a patch to undo; where it is kept."""
        path = self.path(journal).with_suffix(".diff")
        with suppress(OSError):  # the journal has it, too
            self._make_folder()
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write((journal.pending or "").encode(*_ENCODING))
        return path

    def begin(self, *, endpoint: str, baseline: tuple[wire.Entry, ...], now: str, adopted: bool = False) -> Journal:
        """A new journal; the first `write` puts it on disk."""
        last = max((path.stem for path in self.folder.glob("*.json")), default="")
        name = f"{_after(last, now).replace(':', '').replace('-', '')}-{secrets.token_hex(3)}"
        return Journal(id=name, node=self.node, endpoint=endpoint, begun=now, baseline=baseline, adopted=adopted)

    def write(self, journal: Journal) -> Journal:
        """Put a journal on disk, synced, readable by its owner only; the journal, for chaining."""
        path = self.path(journal)
        draft = path.with_suffix(".new")
        try:
            self._make_folder()
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(json.dumps(asdict(journal), ensure_ascii=False, indent=1).encode(*_ENCODING))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _sync(self.folder)
        except OSError as error:
            raise _unwritable(path, error) from None
        return journal

    def word(self, journal: Journal) -> str | None:
        """What was decided about a change that waits to be confirmed; None as long as nobody has."""
        try:
            return self.path(journal).with_suffix(".word").read_text(encoding="ascii") or NO
        except OSError:
            return None

    def decide(self, journal: Journal, word: str) -> str:
        """Say YES or NO, unless somebody was quicker; the word that stands. Raises where it can't be written."""
        path = self.path(journal).with_suffix(".word")
        draft = path.with_suffix(f".{secrets.token_hex(3)}")
        try:
            draft.write_text(word, encoding="ascii")
            try:
                os.link(draft, path)  # there at once and whole, or there already
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        except OSError as error:
            if word == NO:  # a way back is not stopped by a disk that is full
                return NO
            raise _unwritable(path, error) from None
        return self.word(journal) or NO

    def all(self) -> tuple[Journal, ...]:
        """Every readable journal of the node, oldest first."""
        read = (_read(path, self.node) for path in sorted(self.folder.glob("*.json")))
        return tuple(journal for journal in read if journal is not None)

    def unread(self, journal: Journal | None) -> Path | None:
        """A younger file than this journal that can't be read: cut short, or written by another version."""
        known = {each.id for each in self.all()}
        younger = [path for path in self.folder.glob("*.json") if path.stem > (journal.id if journal else "")]
        return next((path for path in sorted(younger, reverse=True) if path.stem not in known), None)

    def ours(self, pending: str | None) -> Journal | None:
        """The journal whose last recorded diff is what is pending now; None where it is not ours."""
        if pending is None:
            return None
        matching = [journal for journal in self.all() if journal.state in WRITING and journal.pending == pending]
        return matching[-1] if matching else None

    def drop_stale(self, endpoint: str) -> None:
        """End the journals of this endpoint whose staging is gone: applied or reverted by somebody else."""
        for journal in self.all():
            if journal.state in (State.STAGING, State.RELOADING) and journal.endpoint == endpoint:
                self.write(replace(journal, state=State.DROPPED))
        ended = [journal for journal in self.all() if journal.state not in OPEN]
        for journal in ended[:-KEPT]:
            for path in self.folder.glob(f"{journal.id}.*"):
                with suppress(OSError):  # one too many does no harm
                    path.unlink()

    def _locked(self) -> int:
        try:
            self._make_folder()
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                raise
        except BlockingIOError:
            raise errors.Busy(f"another pvenet is at work on {self.node}", hint="wait until it has ended") from None
        except OSError as error:
            raise _unwritable(self.folder, error, "; nothing was sent") from None
        return handle

    def _make_folder(self) -> None:
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)


def _read(path: Path, node: str) -> Journal | None:
    """A journal of this node's, written by this version; None for anything else that lies in its folder."""
    try:
        journal = _journal(json.loads(path.read_bytes().decode(*_ENCODING)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # a copy under another name would be written to a place that nobody reads
    return journal if (journal.id, journal.node) == (path.stem, node) else None


def _journal(data: dict[str, Any]) -> Journal:
    steps = tuple(Step(**step) for step in data.pop("steps"))
    baseline = tuple({**entry} for entry in data.pop("baseline"))
    ways = tuple(Way(**way) for way in data.pop("ways", ()))
    return Journal(**{**data, "steps": steps, "baseline": baseline, "ways": ways, "state": State(data["state"])})


def _file_name(node: str) -> str:
    """A node's name as the name of a folder; one with strange letters stays below the state directory."""
    name = quote(node, safe="")
    return name if name.strip(".") else name.replace(".", "%2E") or "%"


def _after(last: str, now: str) -> str:
    """The time for a new journal's name, which is later than the last one's also where a clock was set back."""
    try:
        newest = datetime.fromisoformat(last.rpartition("-")[0]) + timedelta(milliseconds=1)
        return max(newest, datetime.fromisoformat(now)).isoformat(timespec="milliseconds")
    except (ValueError, TypeError, OverflowError):  # it is called otherwise, and says no time
        return now


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError, sent: str = "") -> errors.PvenetError:
    return errors.PvenetError(
        f"the journal {path} can't be written: {error.strerror}{sent}",
        hint="name a folder that can be written with --state-dir or PVENET_STATE_DIR",
    )
