"""How many nodes have answered, on a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pvenet.cli.output import LIVE, lively

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def counting(nodes: int) -> Iterator[Callable[[int], None]]:
    """A live line that counts the nodes that were read; on a terminal, and where there are several."""
    counted = lively() and nodes > 1

    def count(done: int) -> None:
        if counted:
            LIVE.show(lambda: f"read {done} of {nodes} nodes")

    try:
        yield count
    finally:
        if counted:
            LIVE.end()
