"""The links of a node to its cluster: which of them are dead, and since when.

A link is dead while a fault has it so, and where a reload has taken its address from the node. Nothing in the API shows
it; what shows is what becomes of the members (pve-api#cluster-links).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.files import OTHERWISE, SimError, read_json, write_json
from pvenet.sim.machine.tasks import HALF, TaskFolder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pvenet.sim.corosync.config import Member
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine

RETURN = 1.3
"""Seconds from a link's return until it carries the cluster again (K4-two-nodes-079)."""
FOREVER = float("inf")
LOOPBACK = "127.0.0.1"
"""What a node is known by of whose address nothing is known."""


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A link that a fault has killed."""

    since: float
    until: float = FOREVER

    def at(self, now: float) -> float | None:
        """Since when it is dead, if it is."""
        return self.since if self.since <= now < self.until + RETURN else None


def outages(node: NodeFolder) -> dict[int, Outage]:
    """The links that faults have killed; raises `SimError` for a file that says nothing of the kind."""
    path = _path(node)
    try:
        return {int(link): Outage(**data) for link, data in read_json(path).items()}
    except FileNotFoundError:
        return {}
    except OTHERWISE as error:
        raise SimError(f"{path} does not say which links are dead: {error}") from error


def reloaded(node: NodeFolder, lost: Iterable[int], at: float) -> None:
    """A reload kills these links at this time, and brings back what an earlier one has killed."""
    before, now = outages(node), dict.fromkeys(lost, Outage(since=at))
    if not before and not now:
        return
    mended = {link: Outage(since=each.since, until=min(each.until, at)) for link, each in before.items()}
    found = {str(link): _said(each) for link, each in sorted((mended | now).items())}
    write_json(_path(node), found)


def dead_since(node: NodeFolder, machine: Machine, member: Member, link: int, now: float) -> float | None:
    """Since when this link of the node is dead; None while it lives."""
    times = [killed.at(now)] if (killed := outages(node).get(link)) else []
    if (address := _own_address(machine, member, link)) not in node.addresses(machine):
        times.append(_taken_at(node, address))
    return min((time for time in times if time is not None), default=None)


def _own_address(machine: Machine, member: Member, link: int) -> str:
    """The address that the node has for a link; what is a name leads to the one that it is known by."""
    text = member.rings[link]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return machine.ip


def _taken_at(node: NodeFolder, address: str) -> float | None:
    """When the reload was half over that took an address; None where none did, and it was never the file's."""
    taken = None
    for _number, task in TaskFolder(node.tasks).all():
        if task.addresses is None:
            continue
        if address in task.addresses:
            return taken
        taken = task.start + HALF * task.duration
    return taken if address != LOOPBACK else None


def _path(node: NodeFolder) -> Path:
    return node.folder / "links.json"


def _said(outage: Outage) -> dict[str, float]:
    return {"since": outage.since} if outage.until == FOREVER else {"since": outage.since, "until": outage.until}
