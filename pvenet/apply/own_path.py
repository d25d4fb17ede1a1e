"""The management path while something is staged: what a step would do to it, and what no hint may offer.

The apply asks about it again. Here it is for a person to know at once, and nothing that can't be told fails anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.management import management_addresses, touched_path
from pvenet.changes import Update, net_changes
from pvenet.cluster import Cluster, with_links
from pvenet.impact import shown_path
from pvenet.model import Bridge, OvsBridge
from pvenet.model.addresses import addresses
from pvenet.plan.path_effect import PathEffect, effect_on
from pvenet.plan.risk import ManagementPath, Risk, management_path, risks

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.changes import Change
    from pvenet.model import Network
    from pvenet.node import Node

MOVES = "moves"
"""The node has another address after it, or has it elsewhere."""


@dataclass(frozen=True, kw_only=True)
class PathTouched:
    """What is staged does something to the way to the node."""

    does: str
    """A verb: `cuts`, `narrows`, `moves`, `touches`."""
    chain: str
    """From the cable up: `ens33 > vmbr0 > 192.0.2.11`."""
    reason: str
    """Why that is the way to it, a clause."""


def path_touched(
    node: Node, cluster: Callable[[], Cluster], before: Network, now: Network, then: Network
) -> PathTouched | None:
    """What the way from what is live to what is staged does to the management path; None where it stays whole.

    Nobody is asked where the step from `now` to `then` can't be about it, and nothing is told where it is not: what
    was staged before has been told then. One that only adds a path is no news here.
    """
    if not _may_touch(now, then):
        return None
    try:
        if touched_path(node, cluster(), now, then) is None:
            return None
        path = touched_path(node, cluster(), before, then)
    except errors.PvenetError:
        return None
    does = _does(path, before, then) if path is not None else ""
    return PathTouched(does=does, chain=shown_path(path, before), reason=path.reason) if path and does else None


def own_names(node: Node, network: Network) -> frozenset[str]:
    """The interfaces of the management path, as far as it is known."""
    from pvenet.apply.hosts import with_names

    try:
        cluster = with_names(node, with_links(node.connection))
    except errors.PvenetError:
        cluster = Cluster()
    return management_path(network, management_addresses(node, cluster, network)).names


def _may_touch(now: Network, then: Network) -> bool:
    """Whether the networks alone leave it open: whatever has an address or a gateway may be on the way."""
    changes = [change for change in net_changes(now.interfaces, then.interfaces) if not _is_harmless(change)]
    return Risk.MANAGEMENT in risks(changes, management_path(now, ()), now, then)


def _is_harmless(change: Change) -> bool:
    """Whether it takes nothing away: a remark, or a further port."""
    if not isinstance(change, Update):
        return False
    old, new = change.before, change.after
    adds = isinstance(old, Bridge | OvsBridge) and isinstance(new, type(old)) and set(old.ports) <= set(new.ports)
    return all(each.field == "comments" or (adds and each.field == "ports") for each in change.fields())


def _does(path: ManagementPath, before: Network, then: Network) -> str:
    effect = effect_on(path, before, then)
    if effect is PathEffect.CUTS or _is_lost(path, then):
        return str(PathEffect.CUTS)
    if _has_moved(path, then):
        return MOVES
    return str(effect) if effect > PathEffect.WIDENS else ""


def _is_lost(path: ManagementPath, then: Network) -> bool:
    """Whether neither its address nor another one is left where it was."""
    return _has_moved(path, then) and not any(addresses(then.interfaces.get(name)) for name in path.holders)


def _has_moved(path: ManagementPath, then: Network) -> bool:
    """Whether an address by which the node is reached is on none of those that had it."""
    there = {str(each.ip) for name in path.holders for each in addresses(then.interfaces.get(name))}
    return bool(path.addresses - there)
