"""What the commands for many nodes share: the connection, which nodes, and what is said while they are read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from pvenet.cli.common import Where, debug_of, refuse_no_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pvenet import errors
    from pvenet.connection import Connection
    from pvenet.node import Node

T = TypeVar("T")


def chosen(place: Where) -> tuple[str, ...]:
    """The nodes that were named, with commas or repeated; none where all are meant."""
    named = tuple(dict.fromkeys((place.node or "").replace(",", " ").split()))
    for name in named:
        refuse_no_name(name)
    return named


def known(connection: Connection, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted nodes, or all of them. Raises UsageError for one that is not there."""
    from pvenet.cluster import names, unknown_node

    there = names(connection)
    for name in wanted:
        if name not in there:
            raise unknown_node(name, there)
    return tuple(wanted) or there


def looked(
    connection: Connection, place: Where, names: Sequence[str], look: Callable[[Node], T]
) -> dict[str, T | errors.PvenetError]:
    """What is found on each node, in the order of the names."""
    from pvenet.fleet.side_by_side import side_by_side

    found: dict[str, T | errors.PvenetError] = {}
    lively = sys.stderr.isatty() and len(names) > 1
    for name, result in side_by_side(connection, names, look, debug=debug_of(place)):
        found[name] = result
        if lively:
            sys.stderr.write(f"\r\x1b[Kread {len(found)} of {len(names)} nodes")
            sys.stderr.flush()
    if lively:
        sys.stderr.write("\r\x1b[K")
    return {name: found[name] for name in names}


def refuse(failed: Mapping[str, errors.PvenetError]) -> None:
    """Raises the first of the errors that nodes had, telling all of them, each by its node."""
    for first in failed.values():
        first.message = "\n  ".join(f"{name}: {error.message}" for name, error in failed.items())
        raise first
