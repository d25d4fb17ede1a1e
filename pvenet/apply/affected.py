"""Whom a change would hit, asked before anything of it is staged: for a plan, and for a staging command.

The apply finds out again by itself. Here it is for a person to know, and nothing that can't be told fails anything.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import NotKnown
from pvenet.apply.bystanders import bystanders, may_hit
from pvenet.apply.management import touched_path, where_touched
from pvenet.guests import lacking
from pvenet.impact import Impact, concerned
from pvenet.observe import NotOffered, bridges, report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pvenet.apply.bystanders import GuestLook
    from pvenet.cluster import Cluster
    from pvenet.guests import Present
    from pvenet.impact import Card
    from pvenet.kernel.judgement import Look
    from pvenet.model import Network
    from pvenet.node import Node
    from pvenet.plan import ManagementPath


def affected(  # noqa: PLR0913 - two networks, and those who may know
    node: Node,
    before: Network,
    wanted: Network,
    cluster: Callable[[], Cluster],
    *,
    there: Present | None = None,
    touched: Collection[str] | None = None,
    path: ManagementPath | None = None,
    thorough: bool = False,
) -> Impact:
    """Whom the way from one network to another hits; what could not be had is told as not known.

    Nothing is asked for a change that can hit nobody. `there`, `touched`, `path`: who is on the node, the interfaces
    that are `concerned`, and the management path, where they are known. `thorough`: seconds may pass for a report,
    where a guest that runs would be left out without it, as one on a vnet is.
    """
    touched = concerned(before, wanted) if touched is None else touched
    if not may_hit(before, wanted, touched):
        return Impact()
    unknown: list[NotKnown] = []
    try:
        around = cluster()
        way = where_touched(path, before, wanted) if path else touched_path(node, around, before, wanted)
        look = _look(node, unknown, thorough=thorough)
        found = bystanders(node, before, wanted, cluster=around, look=look, path=way, there=there, touched=touched)
    except errors.PvenetError as error:
        return Impact(unknown=(NotKnown(what=f"what this affects on {node.name}", why=error.message),))
    return replace(found.impact, unknown=(*unknown, *found.impact.unknown))


def _look(node: Node, unknown: list[NotKnown], *, thorough: bool) -> GuestLook:
    ports = cache(partial(_ports, node, unknown))

    def look(_names: Collection[str], unplaced: Collection[Card]) -> Look:
        if unplaced and thorough:
            with suppress(errors.PvenetError):  # what stays unknown for that is told
                return replace(ports(), report=report(node))
        return ports()

    return look


def _ports(node: Node, unknown: list[NotKnown]) -> Look:
    """The quick call alone: a report takes seconds. Where there is none the guests' configurations have to do."""
    from pvenet.kernel.judgement import NOTHING_SEEN, Look  # the kernel's parts: most plans ask nobody for the bridges

    what = f"what is on the bridges of {node.name} now"
    try:
        return Look(bridges=bridges(node))
    except NotOffered:
        return NOTHING_SEEN
    except errors.PermissionMissing as missing:
        unknown.append(lacking(node, what, missing.privilege, missing.path))
    except errors.PvenetError as error:
        unknown.append(NotKnown(what=what, why=error.message))
    return NOTHING_SEEN
