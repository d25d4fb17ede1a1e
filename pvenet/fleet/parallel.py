"""Several reads at once, over a bounded number of connections. Only for what changes nothing."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pvenet.connection import Connection

T = TypeVar("T")

AT_ONCE = 16
"""Connections. Each serves one node after another, so that 200 nodes take no 200 handshakes."""


def parallel(
    connection: Connection,
    names: Sequence[str],
    read: Callable[[Node], T],
    *,
    at_once: int = AT_ONCE,
) -> Iterator[tuple[str, T | errors.PvenetError]]:
    """What `read` makes of each node, or why it could not, in the order in which the nodes answer.

    A node that is slow or dead delays no other. The threads end with the process, also where one still waits. Raises
    UsageError where no further connection can be made.
    """
    waiting: SimpleQueue[str] = SimpleQueue()
    done: SimpleQueue[tuple[str, T | BaseException]] = SimpleQueue()
    for name in names:
        waiting.put(name)

    def work(own: Connection) -> None:
        try:
            while True:
                name = waiting.get_nowait()
                try:
                    done.put((name, read(Node(own, name))))
                except BaseException as error:  # noqa: BLE001 - it is told, or raised, where it is waited for
                    done.put((name, error))
        except Empty:
            pass
        finally:
            own.close()

    # here and not in the threads, where an error would be nobody's, and the answers waited for in vain
    for own in [connection.another() for _ in range(min(at_once, len(names)))]:
        Thread(target=work, args=(own,), daemon=True).start()
    for _ in names:
        name, found = done.get()
        if isinstance(found, BaseException) and not isinstance(found, errors.PvenetError):
            raise found
        yield name, found
