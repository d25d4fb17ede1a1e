"""Live nodes for the rules of `pvenet lint`: their networks, and of their kernels and the cluster what can be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import NotKnown
from pvenet.apply.listing import listed
from pvenet.cluster import with_links
from pvenet.fleet.nodes import visit
from pvenet.lint import Nodes
from pvenet.observe import report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pvenet.fleet.nodes import Fleet
    from pvenet.kernel.links import KernelLink
    from pvenet.node import Node, Reading


@dataclass(frozen=True, kw_only=True)
class LiveNodes:
    """What could be had of some nodes, and what could not."""

    nodes: Nodes
    pending: tuple[str, ...]
    """The nodes where changes are pending; they are looked at as if these were live."""
    warnings: tuple[str, ...]
    unknown: tuple[NotKnown, ...]
    failed: Mapping[str, errors.PvenetError]


@dataclass(frozen=True, kw_only=True)
class _Seen:
    reading: Reading
    warnings: tuple[str, ...]
    kernel: Mapping[str, KernelLink] | None
    unknown: tuple[NotKnown, ...] = ()


def read_nodes(fleet: Fleet, wanted: Sequence[str], count: Callable[[int], None]) -> LiveNodes:
    """The nodes as they are, with what is pending; `count` hears how many have answered."""
    seen, failed = visit(fleet, wanted, lambda node: _read(fleet, node), count)
    cluster = with_links(fleet.connection)
    return LiveNodes(
        nodes=Nodes(
            networks={name: each.reading.network for name, each in seen.items()},
            kernels={name: each.kernel for name, each in seen.items() if each.kernel is not None},
            cluster_links=tuple(link for name in seen for link in cluster.links_of(name)),
            complete=frozenset(seen),
        ),
        pending=tuple(name for name, each in seen.items() if each.reading.changes is not None),
        warnings=tuple(warning for each in seen.values() for warning in each.warnings),
        unknown=(*(lack for each in seen.values() for lack in each.unknown), *cluster.unknown),
        failed=failed,
    )


def _read(fleet: Fleet, node: Node) -> _Seen:
    reading, warnings = listed(node, fleet.journals(node.name))
    if reading.changes is not None:  # the kernel has what was there before
        return _Seen(reading=reading, warnings=warnings, kernel=None)
    try:
        return _Seen(reading=reading, warnings=warnings, kernel=report(node).links)
    except errors.Unreachable:
        raise
    except errors.PvenetError as error:
        lack = NotKnown(what=f"what the kernel of {node.name} has", why=error.message)
        return _Seen(reading=reading, warnings=warnings, kernel=None, unknown=(lack,))
