"""Several reads at once, over a bounded number of connections, or one beside whatever goes on. Only for what changes
nothing.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, cast

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pvenet.connection import Connection

Item = TypeVar("Item")
Found = TypeVar("Found")
Asked = ParamSpec("Asked")


def parallel(
    connection: Connection, items: Sequence[Item], read: Callable[[Connection, Item], Found], *, at_once: int
) -> Iterator[tuple[Item, Found | errors.PvenetError]]:
    """What `read` makes of each item, or why it could not, in the order in which the answers come.

    An answer that is slow, or does not come, delays no other. The threads end with the process, also where one still
    waits. Raises UsageError where no further connection can be made.
    """
    return _spread(lambda _: connection, items, read, _Loans({connection}), at_once)


def spread(
    place: Callable[[Item], Connection],
    items: Sequence[Item],
    read: Callable[[Connection, Item], Found],
    *,
    at_once: int,
) -> Iterator[tuple[Item, Found | errors.PvenetError]]:
    """The same of items at several places: one after another of them may be over the same connection.

    The connections that `place` gives are used, too, until the last answer has come.
    """
    return _spread(place, items, read, _Loans(), at_once)


def _spread(
    place: Callable[[Item], Connection],
    items: Sequence[Item],
    read: Callable[[Connection, Item], Found],
    loans: _Loans,
    at_once: int,
) -> Iterator[tuple[Item, Found | errors.PvenetError]]:
    # here and not in the threads, where an error would be nobody's, and the answers waited for in vain
    hands = [_Hand(place, place(item), read, loans) for item in items[:at_once]]
    return _gathered(items, [_Reader(hand.read, hand.close) for hand in hands])


def together(
    items: Sequence[Item], read: Callable[[Item], Found], *, at_once: int
) -> Iterator[tuple[Item, Found | errors.PvenetError]]:
    """The same of items that bring along what they are read by."""
    return _gathered(items, [_Reader(read)] * min(at_once, len(items)))


@dataclass(frozen=True)
class _Reader(Generic[Item, Found]):
    """What reads item after item in a thread."""

    read: Callable[[Item], Found]
    close: Callable[[], None] = lambda: None


class _Loans:
    """Who uses the connections to some places now: one at a time each, and whoever comes meanwhile gets another."""

    def __init__(self, taken: Iterable[Connection] = ()) -> None:
        self._lock = Lock()
        self._taken = set(taken)

    def take(self, at: Connection) -> Connection:
        with self._lock:
            is_free = at not in self._taken
            self._taken.add(at)
        return at if is_free else at.another()

    def give_back(self, at: Connection, own: Connection) -> None:
        if own is not at:
            own.close()
            return
        with self._lock:
            self._taken.discard(at)


class _Hand(Generic[Item, Found]):
    """Reads over a connection that is its own meanwhile, to one place after another."""

    def __init__(
        self,
        place: Callable[[Item], Connection],
        at: Connection,
        read: Callable[[Connection, Item], Found],
        loans: _Loans,
    ) -> None:
        self._place = place
        self._read = read
        self._loans = loans
        self._own = loans.take(at)
        self._at: Connection | None = at
        """The place that it leads to; None where it was given back."""

    def read(self, item: Item) -> Found:
        at = self._place(item)
        if at is not self._at:
            self.close()
            self._own = self._loans.take(at)
            self._at = at
        return self._read(self._own, item)

    def close(self) -> None:
        if self._at is not None:
            self._loans.give_back(self._at, self._own)
            self._at = None


def _gathered(
    items: Sequence[Item], readers: Sequence[_Reader[Item, Found]]
) -> Iterator[tuple[Item, Found | errors.PvenetError]]:
    waiting: SimpleQueue[Item] = SimpleQueue()
    done: SimpleQueue[tuple[Item, Found | BaseException]] = SimpleQueue()
    for item in items:
        waiting.put(item)

    processor = _processor() if len(readers) > 1 else None

    def work(reader: _Reader[Item, Found]) -> None:
        try:
            _stay_on(processor)
            while True:
                item = waiting.get_nowait()
                try:
                    done.put((item, reader.read(item)))
                except BaseException as error:  # noqa: BLE001 - it is told, or raised, where it is waited for
                    done.put((item, error))
        except Empty:
            pass
        finally:
            reader.close()

    for reader in readers:
        Thread(target=work, args=(reader,), daemon=True).start()
    for _ in items:
        item, found = done.get()
        if isinstance(found, BaseException) and not isinstance(found, errors.PvenetError):
            raise found
        yield item, found


def _processor() -> int | None:
    """The one processor for threads of which only one runs at a time; None where that is not so, or nobody can say.

    Each answer wakes a thread that has to wait for the interpreter's lock. To hand that over from one processor to
    another takes the system longer than to go on with the next thread on the same one.
    """
    if sys.platform != "linux" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    try:
        ours = sorted(os.sched_getaffinity(0))
    except OSError:  # a container may forbid the question
        return None
    return ours[os.getpid() % len(ours)]  # each process another


def _stay_on(processor: int | None) -> None:
    """Let the thread that calls this run on no other processor."""
    if sys.platform == "linux" and processor is not None:
        with suppress(OSError):  # it was taken from us meanwhile
            os.sched_setaffinity(0, {processor})  # 0: of a thread, and not of its process


def once(read: Callable[Asked, Found]) -> Callable[Asked, Found]:
    """The same read, done once for all who ask, with what the first one brings. What it raises each of them hears."""
    lock = Lock()
    kept: list[Found | errors.PvenetError] = []

    def found(*args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        with lock:
            if not kept:
                try:
                    kept.append(read(*args, **kwargs))
                except errors.PvenetError as error:
                    kept.append(error)
        if isinstance(kept[0], errors.PvenetError):
            raise kept[0]
        return kept[0]

    return found


class Background(Generic[Found]):
    """Something that is worked out beside whatever goes on. It ends with the process."""

    def __init__(self, work: Callable[[], Found]) -> None:
        self._found: Found | BaseException | None = None
        self._work = work
        self._done = Event()  # not the thread's end: a join that Ctrl-C has interrupted takes it for ended
        self._thread = Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Let it run beside; once."""
        if self._thread.ident is None:
            self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._found = error
        finally:
            self._done.set()

    def result(self) -> Found:
        """Wait for it. Raises what it has raised."""
        self.begin()
        self._done.wait()
        if isinstance(self._found, BaseException):
            raise self._found
        return cast("Found", self._found)
