"""The order in which interfaces are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.interfaces.model import Interface

_RANKS = {
    "loopback": 1,
    "dummy": 1,
    "eth": 2,
    "OVSPort": 2,
    "OVSIntPort": 3,
    "OVSBond": 4,
    "bond": 4,
    "bridge": 5,
    "OVSBridge": 5,
    "vlan": 6,
    "vxlan": 6,
}
"""Types in their order; other ones come before all (pve-api#f70)."""
_RANK = 100_000
"""How much a rank weighs against places."""
_NO_PLACE = 50_000
"""The place of an interface that has none: behind all that have."""
_CHILD = re.compile(r"[.:]")


def in_order(interfaces: Mapping[str, Interface]) -> list[Interface]:
    """The interfaces by the type of what they stand on, and by place.

    What has no rank is compared by place alone (pve-api#f71). Where that contradicts the ranks, PVE's order is random.
    """
    ranked: list[tuple[int, str, int]] = []
    unranked: list[tuple[int, str]] = []
    for name, interface in interfaces.items():
        place = _NO_PLACE if interface.place is None else interface.place
        root_name, *children = _CHILD.split(name)
        root = interfaces.get(root_name)
        if root is None or root.type in {"", "unknown"}:
            unranked.append((place, name))
        else:
            weight = _RANKS.get(root.type, 0) * _RANK + len(children) + place
            ranked.append((weight, name, place))
    return [interfaces[name] for name in _merged(sorted(ranked), sorted(unranked))]


def _merged(ranked: list[tuple[int, str, int]], unranked: list[tuple[int, str]]) -> list[str]:
    """Each one without a rank in front of the first that stands behind it in the file."""
    names: list[str] = []
    waiting = unranked[::-1]
    for _, name, place in ranked:
        while waiting and waiting[-1] < (place, name):
            names.append(waiting.pop()[1])
        names.append(name)
    return names + [name for _, name in reversed(waiting)]
