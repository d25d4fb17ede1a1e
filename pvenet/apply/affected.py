"""Whom a change would hit, asked before anything of it is staged: for a plan, and for a staging command.

The apply finds out again by itself. Here it is for a person to know, and nothing that can't be told fails anything.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import NotKnown
from pvenet.apply.approval import touched_path
from pvenet.apply.bystanders import bystanders, may_hit
from pvenet.guests import lacking
from pvenet.impact import Impact
from pvenet.kernel.judgement import NOTHING_SEEN, Look
from pvenet.observe import NotOffered, bridges

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.apply.bystanders import GuestList
    from pvenet.cluster import Cluster
    from pvenet.model import Network
    from pvenet.node import Node


def affected(
    node: Node,
    before: Network,
    wanted: Network,
    cluster: Callable[[], Cluster],
    listed: Callable[[], GuestList | None] = lambda: None,
) -> Impact:
    """Whom the way from one network to another hits; what could not be had is told as not known.

    Nothing is asked for a change that can hit nobody. `cluster`, `listed`: the cluster, and the guests of all nodes,
    where somebody asks for several nodes.
    """
    if not may_hit(before, wanted):
        return Impact()
    unknown: list[NotKnown] = []
    try:
        there = cluster()
        path = touched_path(node, there, before, wanted)
        ports = cache(partial(_ports, node, unknown))
        found = bystanders(node, before, wanted, cluster=there, look=lambda *_: ports(), path=path, listed=listed)
    except errors.PvenetError as error:
        return Impact(unknown=(NotKnown(what=f"whom this hits on {node.name}", why=error.message),))
    return replace(found.impact, unknown=(*unknown, *found.impact.unknown))


def _ports(node: Node, unknown: list[NotKnown]) -> Look:
    """The quick call alone: a report takes seconds. Where there is none the guests' configurations have to do."""
    what = f"what hangs on the bridges of {node.name} now"
    try:
        return Look(bridges=bridges(node))
    except NotOffered:
        return NOTHING_SEEN
    except errors.PermissionMissing as missing:
        unknown.append(lacking(node, what, missing.privilege, missing.path))
    except errors.PvenetError as error:
        unknown.append(NotKnown(what=what, why=error.message))
    return NOTHING_SEEN
