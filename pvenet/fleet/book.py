"""What is kept of a rollout in the state folder: its nodes in their order, how each ended, and by which journal.

It is written before each node is begun and when it has ended, so that whoever comes after a rollout that was killed
knows where it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from pvenet import errors, private
from pvenet.events import Ended, Verdict
from pvenet.journal import KEPT, Journals, State, utc_now
from pvenet.journal.refused import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pvenet.apply.runtime import Runtime
    from pvenet.events import Event, Row
    from pvenet.journal import Journal
    from pvenet.spec.network_spec import NetworkSpec

UNTOUCHED, BEGUN, UNDONE = "untouched", "begun", "undone"
"""How a node stands that has no verdict: it was not begun, its end was not seen, or it was rolled back by a person."""
_ID = re.compile(r"r[1-9][0-9]{0,6}")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A node of a rollout."""

    node: str
    stands: str = UNTOUCHED
    """A verdict, or one of `UNTOUCHED`, `BEGUN` and `UNDONE`."""
    message: str = ""
    journal: str = ""
    """The name of its journal; empty where none was begun."""

    @property
    def done(self) -> bool:
        """Whether it is as the file wants it."""
        return self.stands in (Verdict.APPLIED, Verdict.NOTHING)


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A rollout, as it is kept."""

    id: str
    """`r` and a number, which is given once."""
    begun: str
    """UTC, ISO 8601; to read, never to compare."""
    file: str
    """As it was called on the command line."""
    digest: str
    """Of what the file says."""
    members: tuple[Member, ...]
    """In the order in which they are begun."""
    canary: str = ""
    ended: str = ""
    """When it ended, whichever way; empty while it is under way, or was killed."""

    @property
    def unseen(self) -> tuple[Member, ...]:
        """The nodes that were begun, and whose end was not seen."""
        return tuple(each for each in self.members if each.stands in (BEGUN, Verdict.UNKNOWN))

    @property
    def left(self) -> tuple[Member, ...]:
        """The nodes that are not as the file wants them, as far as it is known."""
        return tuple(each for each in self.members if not each.done)

    def member(self, node: str) -> Member | None:
        """A node of it."""
        return next((each for each in self.members if each.node == node), None)


class RolloutBook:
    """The record of a rollout that this process has to do with."""

    def __init__(self, folder: Path, now: Rollout) -> None:
        self.now = now
        self._folder = folder

    @property
    def id(self) -> str:
        """The rollout's ID."""
        return self.now.id

    def begin(self, node: str) -> None:
        """Keep that a node is begun. Raises PvenetError where that can't be written."""
        self._put(node, stands=BEGUN, message="")

    def note(self, row: Row, *, stands: str = "") -> None:
        """Keep how a node ended; `stands`: where its verdict does not say it. Raises PvenetError where that can't be
        written.
        """
        verdict = str(row.verdict) if row.verdict else UNTOUCHED
        self._put(row.node, stands=stands or verdict, message=row.message)

    def listening(self, runtime: Runtime) -> Runtime:
        """The same runtime, by whose events the record learns which journal is whose."""

        def emit(event: Event) -> None:
            if isinstance(event, Ended) and event.journal:
                self._put(event.node, journal=PurePath(event.journal).stem)
            runtime.emit(event)

        return replace(runtime, emit=emit)

    def end(self) -> None:
        """Keep that it has ended. Raises PvenetError where that can't be written."""
        self._write(replace(self.now, ended=utc_now()))

    def _put(self, node: str, **changed: str) -> None:
        members = tuple(replace(each, **changed) if each.node == node else each for each in self.now.members)
        self._write(replace(self.now, members=members, ended=""))

    def _write(self, now: Rollout) -> None:
        self.now = now
        path = self._folder / f"{now.id}.json"
        try:
            private.replace(path, (json.dumps(asdict(now), ensure_ascii=False, indent=1) + "\n").encode())
        except OSError as error:
            raise _unwritable(path, error) from None


class Rollouts:
    """The rollouts of a state folder."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "rollouts"

    def all(self) -> tuple[Rollout, ...]:
        """Every one, oldest first. Raises JournalUnreadable where one can't be read at all."""
        with self._readable():
            found = [_read(path) for path in private.listed(self.folder, "r*.json")]
        return tuple(sorted((each for each in found if each is not None), key=lambda each: int(each.id[1:])))

    def named(self, name: str) -> Rollout:
        """The one of this ID. Raises UsageError where there is none."""
        found = {each.id: each for each in self.all()}
        if name not in found:
            there = ", ".join(found) or "none"
            raise errors.UsageError(
                f"there is no rollout {name}", hint=f"`pvenet history` lists them; there are: {there}"
            )
        return found[name]

    @contextmanager
    def begun(self, nodes: Sequence[str], *, file: str, digest: str, canary: str = "") -> Iterator[RolloutBook]:
        """A new one, of these nodes. Raises PvenetError where it can't be written."""
        try:
            private.make_own_folder(self.folder.parent)
            private.make_own_folder(self.folder)
            name = self._next()
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        rollout = Rollout(
            id=name,
            begun=utc_now(),
            file=file,
            digest=digest,
            members=tuple(Member(node=node) for node in nodes),
            canary=canary,
        )
        with self.taken_up(rollout) as book:
            self._prune()
            yield book

    @contextmanager
    def taken_up(self, rollout: Rollout) -> Iterator[RolloutBook]:
        """One that is there, kept to this process. Raises Busy where another pvenet is at work on it."""
        handle = self._locked(rollout.id)
        try:
            with self._readable():
                now = _read(self.folder / f"{rollout.id}.json") or rollout
            yield RolloutBook(self.folder, now)
        finally:
            os.close(handle)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unreadable("the records of rollouts", self.folder, error) from None

    def _next(self) -> str:
        """The next ID, claimed by its lock: two processes never get the same. Raises OSError."""
        used = [int(path.stem[1:]) for path in private.listed(self.folder, "r*") if _ID.fullmatch(path.stem)]
        number = max(used, default=0) + 1
        while True:
            path = self.folder / f"r{number}.lock"
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            except FileExistsError:
                number += 1
                continue
            return path.stem

    def _locked(self, name: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            handle = os.open(self.folder / f"{name}.lock", flags, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                raise
        except BlockingIOError:
            raise errors.Busy(
                f"another pvenet is at work on the rollout {name}", hint="wait until it has ended"
            ) from None
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        return handle

    def _prune(self) -> None:
        """Forget the oldest that have ended; the youngest stays, so that no ID is given twice."""
        for rollout in [each for each in self.all() if each.ended][:-KEPT]:
            for path in (self.folder / f"{rollout.id}.json", self.folder / f"{rollout.id}.lock"):
                with suppress(OSError):  # one too many does no harm
                    path.unlink()


def journal_of(state_dir: Path, rollout: Rollout, member: Member) -> Journal | None:
    """The youngest journal of a node that was begun for a rollout, or by which it was changed in it."""
    every = Journals(state_dir, member.node).all()
    return next((each for each in reversed(every) if rollout.id == each.rollout or each.id == member.journal), None)


def by_now(state_dir: Path, rollout: Rollout) -> Rollout:
    """The same as the journals have it: a node that was rolled back since, be it by itself, is undone."""
    return replace(rollout, members=tuple(_by_now(state_dir, rollout, each) for each in rollout.members))


def _by_now(state_dir: Path, rollout: Rollout, member: Member) -> Member:
    journal = journal_of(state_dir, rollout, member) if member.stands == Verdict.APPLIED else None
    if journal is None or journal.state is not State.ROLLED_BACK:
        return member
    return replace(member, stands=UNDONE, message="rolled back since then")


def digest(spec: NetworkSpec) -> str:
    """A digest of what a file says, which spaces and comments don't change."""
    nodes = {
        name: [node.only, sorted(node.ignored), {each.name: _said(each) for each in node.interfaces.values()}]
        for name, node in spec.nodes.items()
    }
    return hashlib.sha256(json.dumps(nodes, sort_keys=True, default=str).encode()).hexdigest()


def _said(interface: object) -> object:
    kind: str = getattr(interface, "type", "absent")
    fields: Mapping[str, object] = getattr(interface, "fields", {})
    return [kind, {key: str(value) for key, value in fields.items()}]


def _read(path: Path) -> Rollout | None:
    """None for anything that was not written here. Raises OSError for a file that can't be read."""
    try:
        data = json.loads(path.read_bytes())
        members = tuple(Member(**member) for member in data.pop("members"))
        rollout = Rollout(**data, members=members)
    except (FileNotFoundError, IsADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    texts = (rollout.begun, rollout.file, rollout.digest, rollout.canary, rollout.ended)
    told = (text for each in members for text in (each.node, each.stands, each.message, each.journal))
    good = bool(_ID.fullmatch(path.stem)) and rollout.id == path.stem
    return rollout if good and all(isinstance(text, str) for text in (*texts, *told)) else None


def _unwritable(path: Path, error: OSError) -> errors.PvenetError:
    return errors.PvenetError(
        f"the record of the rollout {path} can't be written: {error.strerror}",
        hint="name a folder that can be written with --state-dir or PVENET_STATE_DIR",
    )
