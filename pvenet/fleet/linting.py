"""Live nodes for the rules of `pvenet lint`: their networks, and of their kernels and the cluster what can be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import NotKnown
from pvenet.apply.listing import listed
from pvenet.cluster import with_links
from pvenet.fleet.nodes import refuse, visit
from pvenet.fleet.parallel import AT_ONCE
from pvenet.lint import Nodes
from pvenet.observe import report
from pvenet.parallel import together

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pvenet.cluster import Cluster
    from pvenet.connection import Connection
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
    clusters = _clusters(fleet, seen)
    return LiveNodes(
        nodes=Nodes(
            networks={name: each.reading.network for name, each in seen.items()},
            kernels={name: each.kernel for name, each in seen.items() if each.kernel is not None},
            cluster_links=tuple(link for name in seen for link in clusters[fleet.place(name)].links_of(name)),
            complete=frozenset(seen),
        ),
        pending=tuple(name for name, each in seen.items() if each.reading.changes is not None),
        warnings=tuple(warning for each in seen.values() for warning in each.warnings),
        unknown=(
            *(lack for each in seen.values() for lack in each.unknown),
            *(lack for each in clusters.values() for lack in each.unknown),
        ),
        failed=failed,
    )


def _clusters(fleet: Fleet, names: Collection[str]) -> Mapping[Connection, Cluster]:
    """The clusters of some nodes, by the connections there. Raises what asking for one of them raises."""
    if fleet.places is None:
        return {fleet.connection: with_links(fleet.connection)}
    profiles = {place: profile for profile, place in fleet.places.connections.items()}
    found: dict[Connection, Cluster] = {}
    failed: dict[str, errors.PvenetError] = {}
    for place, cluster in together(tuple(dict.fromkeys(map(fleet.place, names))), with_links, at_once=AT_ONCE):
        if isinstance(cluster, errors.PvenetError):
            failed[f"profile {profiles[place]}"] = cluster
        else:
            found[place] = cluster
    refuse(failed)
    return found


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
