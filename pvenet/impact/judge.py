"""What a change does to one card of a guest, and to one link of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.impact.between import Between, interruptions, why_lost
from pvenet.impact.reach import NATIVE, Frame, Reach, reach, span
from pvenet.impact.values import Effect
from pvenet.model import Bridge, OvsBond, OvsPort
from pvenet.model.addresses import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pvenet.impact.ports import Attachment
    from pvenet.model import Interface

Judgement = tuple[Effect, str]
"""What happens, and why: a clause, empty where nothing does."""

NOTHING: Judgement = (Effect.UNTOUCHED, "")


def judge_card(card: Attachment, change: Between) -> Judgement:
    """What a change does to a card: the worst of what it does to each VLAN that the card is in."""
    if card.bridge in change.gone:
        return Effect.CUT, f"{card.bridge} goes"
    if card.bridge in change.remade:
        return Effect.CUT, f"{card.bridge} is recreated"
    found = _worst(_judge_frame(card, frame, change) for frame in _frames(card, change))
    return NOTHING if found[0] is Effect.INTERRUPTED and card.running is False else found  # nothing to interrupt


def judge_address(ip: str, carrier: str, change: Between) -> Judgement:
    """What a change does to an address of the node that others know, and that an interface carries."""
    had, have = holders(ip, change.had), holders(ip, change.has)
    if carrier in change.gone or (had and not have):
        return Effect.CUT, f"{carrier} goes" if carrier in change.gone else f"{ip} leaves {carrier}"
    after = carrier if carrier in have or not have else have[0]
    now = reach(after, (), change.after, change.gone)
    found = _compared(reach(carrier, (), change.before), now, change)
    if after == carrier:
        return _worst((_renewed(ip, carrier, change), found))
    moved = f"{ip} moves from {carrier} to {after}"
    return (Effect.CUT, f"{moved}, on other cables") if found[0] is Effect.CUT else (Effect.INTERRUPTED, moved)


def holders(ip: str, ips: Mapping[str, Sequence[str]]) -> list[str]:
    """Who has an address by the file; none where it comes from outside."""
    return [name for name, had in ips.items() if ip in had]


def _renewed(ip: str, carrier: str, change: Between) -> Judgement:
    """An address whose subnet changes is taken away and set again."""
    old, new = (
        {str(each) for each in addresses(network.get(carrier)) if str(each.ip) == ip}
        for network in (change.before, change.after)
    )
    return (
        (Effect.INTERRUPTED, f"{carrier} gets {ip} with a different subnet") if old and new and old != new else NOTHING
    )


def _worst(found: Iterable[Judgement]) -> Judgement:
    """The first of the worst."""
    worst = NOTHING
    for each in found:
        worst = each if each[0] > worst[0] else worst
    return worst


# --- one VLAN of a card ----------------------------------------------------------------------------------------------


def _judge_frame(card: Attachment, frame: Frame, change: Between) -> Judgement:
    why = _mistaken(card, frame, change)
    if why:
        return Effect.CUT, why
    now = reach(card.bridge, frame, change.after, change.gone)
    effect, why = _compared(reach(card.bridge, frame, change.before), now, change)
    if effect is Effect.CUT and card.lets_all_through and frame:
        return Effect.INTERRUPTED, f"{why}, which it may use"
    return effect, why


def _compared(was: Reach, now: Reach, change: Between) -> Judgement:
    """What becomes of frames that come out at some cables. Without a cable there is none to lose."""
    if was.ends and not was.ends & now.ends:
        return Effect.CUT, why_lost(was, change)
    reasons = list(dict.fromkeys(interruptions(was, now, change)))
    if not reasons and was.ends - now.ends:
        reasons = [why_lost(was, change)]
    return (Effect.INTERRUPTED, reasons[0]) if reasons else NOTHING


def _mistaken(card: Attachment, frame: Frame, change: Between) -> str:
    """Why a frame meets a bridge that its port was not made for, a clause; one that is stopped gets a port that suits.

    A running guest's port on a bridge that was VLAN-aware has its VLAN in a table that nobody asks any more; on one
    that becomes so it has no VLAN but the native one. With a tag it had a bridge of its own, and keeps that
    (pve-api#bridge-for-tag).
    """
    bridge = card.bridge
    was, stays = _is_aware(change.before.get(bridge)), _is_aware(change.after.get(bridge))
    if card.running is False or was == stays or not frame:
        return ""
    if stays:
        own = frame == (card.tag,)
        return (
            ""
            if own
            else f"{bridge} becomes VLAN-aware, and lets VLAN {frame[0]} through only from the guest's next start on"
        )
    return f"{bridge} is no longer VLAN-aware, and the guest has VLAN {frame[0]}" if frame == (card.tag,) else ""


def _is_aware(interface: Interface | None) -> bool:
    return isinstance(interface, Bridge) and interface.vlan_aware


def _frames(card: Attachment, change: Between) -> Iterator[Frame]:
    """A frame of each VLAN that a card is in; of many that fare alike, the first."""
    native = card.tag == NATIVE and _is_aware(change.before.get(card.bridge))
    yield () if card.tag is None or native else (card.tag,)
    edges = sorted({*_edges(change.before), *_edges(change.after)})
    for trunk in card.trunks:
        low, high = span(trunk)
        yield from ((vid,) for vid in [low, *(edge for edge in edges if low < edge <= high)] if low <= high)


def _edges(interfaces: Mapping[str, Interface]) -> Iterator[int]:
    """The VLANs from which on others fare otherwise than those before them."""
    yield NATIVE + 1
    for interface in interfaces.values():
        match interface:
            case Bridge():
                yield from (edge for low, high in map(span, interface.vids) for edge in (low, high + 1))
            case OvsPort() | OvsBond() if interface.tag:
                yield from (interface.tag, interface.tag + 1)
            case _:
                pass
