"""The journals of a node on disk.

They stand under the node's name, and two clusters may each have a node of that name: bound to a node, only the
journals of that node are its own, and no others are chosen, confirmed, closed or pruned.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from pvenet import errors, private
from pvenet.journal.identity import Match, Place, as_left, beside, here, match
from pvenet.journal.refused import unreadable, unwritable
from pvenet.journal.states import OPEN, State
from pvenet.journal.term import Term
from pvenet.journal.value import Journal, from_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Self

    from pvenet import wire
    from pvenet.node import Node, Reading

YES, NO = "yes", "no"
"""A person's word about a change that waits to be confirmed."""
KEPT = 20
"""How many ended journals of a node are kept."""
_NUMBER = re.compile(r"[1-9][0-9]{0,6}")
"""A name begins with its day, which has eight digits."""
_FILES = "*.json"
_ENCODING = ("utf8", "surrogatepass")
"""JSON may hold half a character, and what PVE said is kept as it came."""


class Journals:
    """The journals of one node in a state directory."""

    def __init__(
        self, state_dir: Path, node: str, *, asked: Node | None = None, same_node: bool = False, rollout: str = ""
    ) -> None:
        self.folder = state_dir / "journals" / _file_name(node)
        self.node = node
        self.rollout = rollout
        """The rollout for which journals are begun; empty where there is none."""
        self._asked = asked
        self._said = same_node
        self._entries: tuple[wire.Entry, ...] | None = None
        self._members: frozenset[str] = frozenset()

    # --- whose they are ----------------------------------------------------------------------------------------------

    def at(self, node: Node, *, same_node: bool = False) -> Self:
        """The same journals, for the node that is asked now; `same_node`: the person says that the likely ones are its.

        Bound to none, every journal counts.
        """
        return type(self)(self.state_dir, self.node, asked=node, same_node=same_node, rollout=self.rollout)

    @property
    def state_dir(self) -> Path:
        """The state directory that they are in."""
        return self.folder.parent.parent

    def settle(self, reading: Reading) -> None:
        """Decide by what the node lists, where only the endpoint or a route says whose a journal is. Once is enough."""
        if self._entries is None:
            self._entries = reading.entries

    def recognise(self, members: Iterable[str]) -> None:
        """Know the certificates of the cluster's members: a journal may have begun at another one."""
        self._members = frozenset(members)

    def place(self) -> Place:
        """Where the node is asked now."""
        if self._asked is None:
            return Place(endpoint="", certificates={})
        return replace(here(self._asked), members=self._members)

    def all(self) -> tuple[Journal, ...]:
        """Every journal of the node, oldest first; one that is likely its own counts until that is settled.

        What is no journal of this version is left out. Raises JournalUnreadable where one can't be read at all.
        """
        return tuple(journal for journal, found in self._matched() if found in (Match.SAME, Match.LIKELY))

    def others(self) -> tuple[Journal, ...]:
        """The journals of nodes of the same name elsewhere, and those of which that can't be told."""
        return tuple(journal for journal, found in self._matched() if found in (Match.OTHER, Match.UNKNOWN))

    def likely(self) -> tuple[Journal, ...]:
        """The journals that are the node's own if it is as they left it."""
        return tuple(journal for journal, found in self._matched() if found is Match.LIKELY)

    def undecided(self) -> tuple[Journal, ...]:
        """The journals whose certificate decides when the node's is known, which the next request brings."""
        if not self.place().unmet:
            return ()
        return tuple(journal for journal, found in self._matched() if journal.certificate and found is not Match.SAME)

    def _matched(self) -> list[tuple[Journal, Match]]:
        journals = self._everywhere()
        if self._asked is None or not journals:
            return [(journal, Match.SAME) for journal in journals]
        place = self.place()
        return [(journal, self._match(journal, place)) for journal in journals]

    def _match(self, journal: Journal, place: Place) -> Match:
        if beside(self.folder, place):
            return Match.SAME
        found = match(journal, place)
        if found is not Match.LIKELY:
            return found
        if self._said:
            return Match.SAME
        if self._entries is None:
            return found
        return Match.SAME if as_left(journal, self._entries) else Match.UNKNOWN

    def _everywhere(self) -> tuple[Journal, ...]:
        with self._readable():
            read = [_read(path, self.node) for path in private.listed(self.folder, _FILES)]
        return tuple(journal for journal in read if journal is not None)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Whoever needs to know what is open goes by no part of it: one that can't be read may be open."""
        try:
            yield
        except OSError as error:
            raise unreadable(f"the journals of {self.node}", self.folder, error) from None

    def _paths(self) -> list[Path]:
        with self._readable():
            return private.listed(self.folder, _FILES)

    # --- on disk -----------------------------------------------------------------------------------------------------

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other pvenets on this machine off the node's journals.

        Raises Busy where one is at work, and JournalUnreadable: whoever wants them alone goes by what they say.
        """
        self._paths()
        handle = self._locked()
        try:
            yield
        finally:
            os.close(handle)

    def path(self, journal: Journal) -> Path:
        """Where a journal is kept."""
        return self.folder / f"{journal.id}.json"

    def keep_diff(self, journal: Journal) -> None:
        """Keep the pending diff as a file of its own, for a person with a patch to undo."""
        self._keep(journal, ".diff", journal.pending or "")  # the journal has it, too

    def kept_diff(self, journal: Journal) -> str:
        """The diff that was kept when the journal's steps were applied; empty where there is none."""
        return self._kept(journal, ".diff")

    def keep_handover(self, journal: Journal, text: str) -> None:
        """Keep what whoever takes the journal up has to know. It is none of the journal, which is written anew at every
        step.
        """
        self._keep(journal, ".handover", text)

    def handover(self, journal: Journal) -> str:
        """That again; empty where there is none."""
        return self._kept(journal, ".handover")

    def forget_handover(self, journal: Journal) -> None:
        """It is of another day, and nobody goes by it any more."""
        with suppress(OSError):
            self.path(journal).with_suffix(".handover").unlink()

    def _keep(self, journal: Journal, suffix: str, text: str) -> None:
        with suppress(OSError):
            self._make_folder()
            private.write(self.path(journal).with_suffix(suffix), text.encode(*_ENCODING))

    def _kept(self, journal: Journal, suffix: str) -> str:
        try:
            return self.path(journal).with_suffix(suffix).read_bytes().decode(*_ENCODING)
        except (OSError, ValueError):
            return ""

    def begin(
        self, *, baseline: tuple[wire.Entry, ...], now: str, endpoint: str = "", adopted: bool = False
    ) -> Journal:
        """A new journal, of the node that is asked now; the first `write` puts it on disk."""
        place = self.place()
        last = max((path.stem for path in self._paths()), default="")
        name = f"{_after(last, now).replace(':', '').replace('-', '')}-{secrets.token_hex(3)}"
        return Journal(
            id=name,
            node=self.node,
            endpoint=endpoint or place.endpoint,
            begun=now,
            baseline=baseline,
            adopted=adopted,
            certificate=place.certificate,
            number=1 + max((each.number for each in self._everywhere()), default=0),
            rollout=self.rollout,
        )

    def write(self, journal: Journal, *, so: str = "") -> Journal:
        """Put a journal on disk, synced, readable by its owner only; the journal, for chaining.

        Raises JournalUnwritable. `so`: how the node is then.
        """
        path = self.path(journal)
        draft = path.with_suffix(".new")
        try:
            self._make_folder()
            text = json.dumps(asdict(journal), ensure_ascii=False, indent=1)
            private.write(draft, text.encode(*_ENCODING), synced=True)
            draft.replace(path)
            _sync(self.folder)
        except OSError as error:
            raise unwritable(path, error, so) from None
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
            raise unwritable(path, error, f"what was applied on {self.node} is not confirmed") from None
        return self.word(journal) or NO

    def unread(self, journal: Journal | None) -> Path | None:
        """A younger file than this journal that is none of this version: cut short, or written by another."""
        known = {each.id for each in self._everywhere()}
        younger = [path for path in self._paths() if path.stem > (journal.id if journal else "")]
        return next((path for path in sorted(younger, reverse=True) if path.stem not in known), None)

    def chosen(self, name: str = "") -> Journal | None:
        """The journal that is named, by its number, its beginning or its file; or the youngest that was not dropped.

        A number is kept in its journal, and the next one is above all that are there: the youngest is never pruned, so
        that none is given twice. Fewer digits than a day has are a number, and never the beginning of a name.
        A rollback that was begun goes before: it may be of an older journal, and nothing else is done until it has
        ended. Raises UsageError where the name is nobody's, or several have it.
        """
        found = [journal for journal in self.all() if journal.state is not State.DROPPED or name]
        if not name:
            begun = [journal for journal in found if journal.state is State.ROLLING_BACK]
            return next(reversed(begun or found), None)
        matching = [journal for journal in found if _is_called(journal, name)]
        if len(matching) != 1:
            stands = {journal.id: journal.state.replace("_", " ") for journal in found}
            names = "".join(f"\n  {journal.number or '-'}  {journal.id}  {stands[journal.id]}" for journal in found)
            called = f"{len(matching)} journals of {self.node} are" if matching else f"no journal of {self.node} is"
            raise errors.UsageError(
                f"{called} called {name}",
                hint=f"there are:{names}" if names else "it has none",
            )
        return matching[0]

    def prune(self) -> None:
        """Forget the node's oldest ended journals."""
        ended = [journal for journal in self.all() if journal.state not in OPEN]
        for journal in ended[:-KEPT]:
            for path in private.listed(self.folder, f"{journal.id}.*"):
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
            raise errors.Busy(f"another pvenet is at work on {self.node}", hint=self._until()) from None
        except OSError as error:
            raise unwritable(self.folder, error, "nothing was sent") from None
        return handle

    def _until(self) -> str:
        """When the pvenet that is at work ends, and what can be done until then."""
        for journal in reversed(self.all()):
            left = Term(self.path(journal)).left() if journal.state is State.CONFIRMING else None
            if left is not None and self.word(journal) is None:
                return (
                    f"it waits {left:.0f} s for somebody to confirm what was applied, then it rolls that back: "
                    f"`pvenet confirm --node {self.node}` keeps it, and with --extend gives it more time"
                )
        return f"wait until it has ended; `pvenet status --node {self.node} --watch` shows when"

    def _make_folder(self) -> None:
        private.make_own_folder(self.folder.parent)
        private.make_own_folder(self.folder)


def _is_called(journal: Journal, name: str) -> bool:
    if _NUMBER.fullmatch(name):
        return journal.number == int(name)
    return journal.id.startswith(name.rpartition("/")[2].removesuffix(".json"))


def _read(path: Path, node: str) -> Journal | None:
    """A journal of this node's, written by this version; None for anything else that lies in its folder.

    Raises OSError for a file that can't be read.
    """
    try:
        journal = from_json(json.loads(path.read_bytes().decode(*_ENCODING)))
    except (FileNotFoundError, IsADirectoryError):  # another process has just pruned it
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # a copy under another name would be written to a place that nobody reads
    return journal if (journal.id, journal.node) == (path.stem, node) else None


def _file_name(node: str) -> str:
    """A node's name as the name of a folder; one with strange letters stays below the state directory."""
    name = quote(node, safe="")
    return name if name.strip(".") else name.replace(".", "%2E") or "%"


def nodes(state_dir: Path) -> tuple[str, ...]:
    """The nodes that have journals in a state directory. Raises JournalUnreadable where that can't be told."""
    folder = state_dir / "journals"
    try:
        found = [path for path in private.listed(folder) if _is_folder(path)]
    except OSError as error:
        raise unreadable("the journals", folder, error) from None
    return tuple(sorted(unquote(each.name) for each in found))


def _is_folder(path: Path) -> bool:
    """Whether it is one. Raises OSError where that can't be told; newer Pythons' `Path.is_dir` says no then."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False


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
