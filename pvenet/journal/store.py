"""The journals of a node on disk.

They stand under the node's name; the endpoint is only a hint, because ports and paths change and two clusters may
each have a node of that name. The one whose diff matches is meant.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from pvenet import errors, private
from pvenet.journal.states import OPEN, UNFINISHED, State
from pvenet.journal.value import Journal, from_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from pvenet import wire

YES, NO = "yes", "no"
"""A person's word about a change that waits to be confirmed."""
KEPT = 20
"""How many ended journals of a node are kept."""
_ENCODING = ("utf8", "surrogatepass")
"""JSON may hold half a character, and what PVE said is kept as it came."""


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
            private.write(path, (journal.pending or "").encode(*_ENCODING))
        return path

    def kept_diff(self, journal: Journal) -> str:
        """The diff that was kept when the journal's steps were applied; empty where there is none."""
        try:
            return self.path(journal).with_suffix(".diff").read_bytes().decode(*_ENCODING)
        except (OSError, ValueError):
            return ""

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
            text = json.dumps(asdict(journal), ensure_ascii=False, indent=1)
            private.write(draft, text.encode(*_ENCODING), synced=True)
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
            private.write(draft, word.encode("ascii"))
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

    def open_at(self, endpoints: Collection[str], *states: State) -> list[Journal]:
        """The journals in these states that began at one of the endpoints: another cluster may have such a node."""
        return [journal for journal in self.all() if journal.state in states and journal.endpoint in endpoints]

    def unfinished(self, endpoints: Collection[str]) -> Journal | None:
        """The youngest journal that waits for a person's word, or for the end of a rollback."""
        return next(reversed(self.open_at(endpoints, *UNFINISHED)), None)

    def chosen(self, endpoints: Collection[str], name: str = "") -> Journal | None:
        """The journal that is named, by its beginning or its file; or the youngest that was not dropped.

        A rollback that was begun goes before: it may be of an older journal, and nothing else is done until it has
        ended. Raises UsageError where the name is nobody's, or several have it.
        """
        found = [journal for journal in self.all() if journal.state is not State.DROPPED or name]
        if not name:
            near = [journal for journal in found if journal.endpoint in endpoints]
            begun = [journal for journal in near if journal.state is State.ROLLING_BACK]
            return next(reversed(begun or near or found), None)
        stem = name.rpartition("/")[2].removesuffix(".json")
        matching = [journal for journal in found if journal.id.startswith(stem)]
        if len(matching) != 1:
            names = "".join(f"\n  {journal.id}  {journal.state}" for journal in found)
            raise errors.UsageError(
                f"{len(matching) or 'no'} journals of {self.node} are called {name}",
                hint=f"there are:{names or ' none'}",
            )
        return matching[0]

    def drop_stale(self, endpoint: str) -> None:
        """End the journals of this endpoint whose staging is gone: applied or reverted by somebody else."""
        for journal in self.open_at((endpoint,), State.STAGING, State.RELOADING):
            self.write(replace(journal, state=State.DROPPED))
        ended = [journal for journal in self.all() if journal.state not in OPEN]
        for journal in ended[:-KEPT]:
            for path in self.folder.glob(f"{journal.id}.*"):
                with suppress(OSError):  # one too many does no harm
                    path.unlink()

    def _locked(self) -> int:
        try:
            self._make_folder()
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
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
        private.make_own_folder(self.folder.parent)
        private.make_own_folder(self.folder)


def _read(path: Path, node: str) -> Journal | None:
    """A journal of this node's, written by this version; None for anything else that lies in its folder."""
    try:
        journal = from_json(json.loads(path.read_bytes().decode(*_ENCODING)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # a copy under another name would be written to a place that nobody reads
    return journal if (journal.id, journal.node) == (path.stem, node) else None


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
