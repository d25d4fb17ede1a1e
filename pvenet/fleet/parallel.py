"""Several nodes read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pvenet import parallel as reads
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pvenet import errors
    from pvenet.connection import Connection

T = TypeVar("T")

AT_ONCE = 16
"""Connections. Each serves one node after another, so that 200 nodes take no 200 handshakes."""


def parallel(
    place: Callable[[str], Connection], names: Sequence[str], read: Callable[[Node], T], *, at_once: int = AT_ONCE
) -> Iterator[tuple[str, T | errors.PvenetError]]:
    """What `read` makes of each node, or why it could not, in the order in which the nodes answer.

    `place`: the connection that leads to a node. Raises as `pvenet.parallel` does.
    """
    return reads.spread(place, names, lambda own, name: read(Node(own, name)), at_once=at_once)
