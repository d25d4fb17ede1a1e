"""Where the frames of somebody on an interface come out: which cables, with which tags, and through what.

A change hits whoever reaches other cables after it, or the same ones by another way. So that is all that has to be
compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.model import (
    ALL_VIDS,
    Bridge,
    Ethernet,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    parent_in,
    typed,
)
from pvenet.model.relations import outward

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pvenet.model import Interface

Frame = tuple[int | str, ...]
"""The tags of a frame, the outermost first. A text stands for one that can't be read."""

NATIVE = 1
"""The VLAN of frames without a tag on a VLAN-aware bridge: they leave without one (pve-api#bridges-types)."""

_VIDS = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?", re.ASCII)

_MOST_TAGS = 6
"""More than any frame has; it ends a walk in circles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Where frames come out, and through what."""

    ends: frozenset[tuple[str, Frame]]
    """The NICs, each with the tags that the frames have there."""
    steps: tuple[tuple[str, str], ...]
    """From an interface to one beneath it, from the top down."""
    frames: Mapping[str, Frame]
    """All the interfaces on the way, from the top down, and the tags with which frames come to each."""


def reach(name: str, frame: Frame, interfaces: Mapping[str, Interface], gone: Collection[str] = ()) -> Reach:
    """Where the frames come out that enter an interface from above. `gone`: names that are no NICs and do not exist."""
    waiting = [(name, frame)]
    seen = set(waiting)
    ends: set[tuple[str, Frame]] = set()
    steps: dict[tuple[str, str], None] = {}
    for at, tags in waiting:  # it grows while it is walked
        below = _below(at, tags, interfaces, gone)
        if below is None:
            ends.add((at, tags))
        for state in below or ():
            steps[at, state[0]] = None
            if state not in seen and len(state[1]) <= _MOST_TAGS:
                seen.add(state)
                waiting.append(state)
    frames = dict(reversed(waiting))
    return Reach(ends=frozenset(ends), steps=tuple(steps), frames=dict(reversed(frames.items())))


def admits(bridge: Bridge, vid: int | str) -> bool:
    """Whether the ports of a VLAN-aware bridge let a VLAN through; one that can't be read is taken to pass."""
    return (
        isinstance(vid, str)
        or vid == NATIVE
        or any(low <= vid <= high for low, high in map(span, bridge.vids or ALL_VIDS))
    )


def span(vids: str) -> tuple[int, int]:
    """The first and the last of `30` or `2-4094`; no VLAN at all for what can't be read."""
    found = _VIDS.fullmatch(vids)
    return (int(found[1]), int(found[2] or found[1])) if found else (0, -1)


def _below(
    at: str, frame: Frame, interfaces: Mapping[str, Interface], gone: Collection[str]
) -> list[tuple[str, Frame]] | None:
    """Where a frame goes next, and with which tags; None where it has come to a cable."""
    interface = typed(interfaces.get(at))
    match interface:
        case None:
            return _by_name(at, frame, gone)
        case Ethernet() | OvsPort():
            return None
        case Bridge():
            inner = _bridged(interface, frame)
            return [] if inner is None else [(port, inner) for port in interface.ports]
        case OvsBridge():
            return _switched(interface, frame, interfaces)
        case Other() if not interface.beneath:
            return None
        case _:
            inner = _tagged(interface, frame)
            return [(name, inner) for name in outward(interface, interfaces)]


def _tagged(interface: Interface, frame: Frame) -> Frame:
    """A frame as an interface hands it down: a VLAN and an internal port put their tag on."""
    match interface:
        case Vlan() | OvsIntPort() if interface.tag:
            return interface.tag, *frame
        case Vlan():  # whose tag can't be read
            return interface.name, *frame
        case _:
            return frame


def _by_name(at: str, frame: Frame, gone: Collection[str]) -> list[tuple[str, Frame]] | None:
    """A name without a stanza: a port `bond0.50` needs none (pve-api#vlan-port), and a NIC may have none."""
    parent = parent_in(at)
    if parent is not None:
        tag = at.rpartition(".")[2]
        return [(parent, (int(tag), *frame) if tag.isdecimal() else frame)]
    return [] if at in gone else None


def _bridged(bridge: Bridge, frame: Frame) -> Frame | None:
    """A frame as it leaves a bridge by its ports; None where it does not."""
    if not bridge.vlan_aware or not frame:
        return frame
    vid = frame[0]
    if vid == NATIVE:
        return frame[1:]
    return frame if admits(bridge, vid) else None


def _switched(bridge: OvsBridge, frame: Frame, interfaces: Mapping[str, Interface]) -> list[tuple[str, Frame]]:
    """The ports of a switch that a frame leaves by: one with a tag is in that VLAN alone, and takes the tag off."""
    found = []
    for name in outward(bridge, interfaces):
        port = typed(interfaces.get(name))
        tag = port.tag if isinstance(port, OvsPort | OvsBond) else None
        if not tag or frame[:1] == (tag,):
            found.append((name, frame[1:] if tag else frame))
    return found
