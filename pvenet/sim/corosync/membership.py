"""Who of a cluster sees whom, and whether that is a majority. pve-api#quorum-lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.corosync.links import dead_since, outages

if TYPE_CHECKING:
    from pvenet.sim.corosync.config import Corosync, Member
    from pvenet.sim.state import Sim

PATIENCE = 6.0
"""Seconds without any link after which a member counts as gone; 6.3 were seen (K4-two-nodes-060)."""


@dataclass(frozen=True, kw_only=True)
class Membership:
    """The cluster as one node sees it at this moment."""

    sim: Sim
    local: str
    now: float
    corosync: Corosync

    @classmethod
    def of(cls, sim: Sim, local: str, now: float) -> Membership:
        return cls(sim=sim, local=local, now=now, corosync=sim.corosync())

    def online(self, name: str) -> bool:
        """Whether the local node counts this one as there."""
        if name == self.local:
            return True
        machine, apart = self.sim.node(name).advance(self.now), self._apart_since(name)
        return machine.reached_by_peers(self.now) and (apart is None or self.now - apart < PATIENCE)

    def reaches(self, name: str) -> bool:
        """Whether a request gets from the local node to this one, which is known by its address on one of the links."""
        ip, ends = self.sim.node(name).machine().ip, (self.local, name)
        member = self.corosync.member(name)
        links = [link for link, address in member.rings.items() if address == ip] if member else []
        killed = {link: [outages(self.sim.node(end)).get(link) for end in ends] for link in links}
        return name == self.local or not any(each.at(self.now) for dead in killed.values() for each in dead if each)

    def quorate(self) -> bool:
        votes = {name: self._votes(name) for name in self.sim.nodes}
        there = sum(each for name, each in votes.items() if self.online(name))
        return len(votes) == 1 or 2 * there > sum(votes.values())

    def _votes(self, name: str) -> int:
        member = self.corosync.member(name)
        return int(member.votes) if member is not None and member.votes.isdecimal() else 1

    def _apart_since(self, name: str) -> float | None:
        """Since when no link leads from the local node to this one; None while one does."""
        here, there = self.corosync.member(self.local), self.corosync.member(name)
        if here is None or there is None:
            return None  # the cluster does not name it: nothing is known of its links
        links = here.rings.keys() & there.rings.keys()
        dead = [since for link in links if (since := self._dead_since(link, here, there)) is not None]
        return max(dead) if links and len(dead) == len(links) else None

    def _dead_since(self, link: int, *ends: Member) -> float | None:
        nodes = ((self.sim.node(member.name), member) for member in ends)
        found = [dead_since(node, node.advance(self.now), member, link, self.now) for node, member in nodes]
        return min((time for time in found if time is not None), default=None)
