"""Faults about the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.faults.kind import Kind
from pvenet.sim.files import SimError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.faults.scene import Scene

LAST_LINK = 7


def _loses_link(scene: Scene, value: str) -> Scene:
    if not (value.isascii() and value.isdecimal() and int(value) <= LAST_LINK):
        raise SimError(f"{value!r} is no link of a cluster, from 0 to {LAST_LINK}")
    return scene.order(lost_links=scene.orders.lost_links | {int(value)})


KINDS: Mapping[str, Kind] = {
    "link-lost": Kind(
        about="the reload cuts this node's link to the cluster, until a later reload; without any the quorum goes",
        when="reload",
        play=_loses_link,
        value="NUMBER",
        made_up=True,
    ),
}
