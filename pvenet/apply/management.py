"""The management path: by which addresses a node is reached, and whether a change touches the way there."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pvenet.changes import net_changes
from pvenet.plan.risk import ManagementPath, Risk, focused, management_path, risks

if TYPE_CHECKING:
    from pvenet.cluster import Cluster
    from pvenet.model import Network
    from pvenet.node import Node


def management_addresses(node: Node, cluster: Cluster, network: Network) -> frozenset[str]:
    """By which addresses the node is reached: the endpoint's and the cluster's, with those of its links.

    Where the endpoint's is on no interface (a tunnel, NAT), the cluster's alone would say nothing about the way from
    here: then none is known, and every interface with an address counts.
    """
    used = node.connection.endpoint
    known = cluster.addresses(node.name)
    own = used.addresses()
    if used.adapter is not None or not own.isdisjoint(chain.from_iterable(network.ips.values())):
        return own | known
    peers = {member.address for member in cluster.members if member.name != node.name}
    return known if own & peers else own


def touched_path(node: Node, cluster: Cluster, before: Network, then: Network) -> ManagementPath | None:
    """The way to the node, where what differs between two networks touches it."""
    return where_touched(management_path(before, management_addresses(node, cluster, before)), before, then)


def where_touched(path: ManagementPath, before: Network, then: Network) -> ManagementPath | None:
    """The same of a way that is known."""
    changes = net_changes(before.interfaces, then.interfaces)
    touched = Risk.MANAGEMENT in risks(changes, path, before, then)
    return focused(path, changes, before, then) if touched else None
