"""Faults about the cluster: its links, and who else works on its SDN configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.access.users import ROOT
from pvenet.sim.faults.kind import Kind, meanwhile
from pvenet.sim.files import SimError
from pvenet.sim.sdn.apply import STARTS_AFTER, apply
from pvenet.sim.sdn.folder import SdnFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.faults.scene import Scene
    from pvenet.sim.state import Node, Sim

LAST_LINK = 7


def _loses_link(scene: Scene, value: str) -> Scene:
    if not (value.isascii() and value.isdecimal() and int(value) <= LAST_LINK):
        raise SimError(f"{value!r} is not a link of a cluster, from 0 to {LAST_LINK}")
    return scene.order(lost_links=scene.orders.lost_links | {int(value)})


def _locks(_node: Node, sim: Sim, now: float) -> None:
    folder = SdnFolder(sim.folder)
    if folder.holder is None:
        folder.lock(now, allow_pending=True)


def _unlocks(_node: Node, sim: Sim, _now: float) -> None:
    SdnFolder(sim.folder).release()


def _applies(node: Node, sim: Sim, now: float) -> None:
    """It was asked for a moment ago, so that the first node begins now; who does not hold the lock is refused."""
    if SdnFolder(sim.folder).holder is None:
        apply(sim, node.name, now - STARTS_AFTER, ROOT)


KINDS: Mapping[str, Kind] = {
    "link-lost": Kind(
        about="the reload cuts this node's link to the cluster, until a later reload; without any link, quorum is lost",
        when="reload",
        play=_loses_link,
        value="NUMBER",
        made_up=True,
    ),
    "sdn-locked": Kind(
        about="somebody else takes the SDN lock just before, where it is free",
        when="request",
        play=meanwhile(lambda _value: _locks),
    ),
    "foreign-sdn-unlock": Kind(
        about="somebody else releases the SDN lock by force just before",
        when="request",
        play=meanwhile(lambda _value: _unlocks),
    ),
    "foreign-sdn-apply": Kind(
        about="somebody else applies the SDN configuration, where no lock forbids it, which reloads every node",
        when="request",
        play=meanwhile(lambda _value: _applies),
    ),
}
