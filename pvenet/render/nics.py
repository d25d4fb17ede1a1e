"""The NICs of a node: a line each, beneath it what else it is called, and what the file names that is not there."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pvenet.foreign import one_line
from pvenet.model import natural
from pvenet.model.addresses import addresses
from pvenet.nics.names import users
from pvenet.render.values import headed, speed_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.nics.cards import Card
    from pvenet.nics.gone import Gone
    from pvenet.nics.sight import Sight
    from pvenet.render.values import Paint

_HEAD = ("name", "state", "mac", "used by")


def nics_text(sight: Sight, width: int, paint: Paint) -> str:
    """The whole answer, in lines that fit a terminal of some width."""
    ordered = _ordered(sight)
    head, *lines = headed([_HEAD, *(_row(sight, card) for card in ordered)], paint).splitlines()
    found = [head]
    for card, line in zip(ordered, lines, strict=True):
        found += [line, *_wrapped("; ".join(_more(sight, card)), width, "    ")]
    lost = [line for each in sight.gone for line in _wrapped(gone_text(each), width, "")]
    return "\n".join([*found, *(["", *lost] if lost else [])])


def gone_text(each: Gone) -> str:
    """One NIC that the file names and that is not there."""
    return f"! {each.text}"


def _ordered(sight: Sight) -> list[Card]:
    return sorted(sight.cards, key=lambda card: natural(card.name))


def _row(sight: Sight, card: Card) -> tuple[str, ...]:
    return card.name, state(card), card.mac or "not known", ", ".join(used_by(sight, card))


def state(card: Card) -> str:
    """Its state in a word, with its speed."""
    if not card.up:
        return "down"
    if card.carrier is False:
        return "no carrier"
    return f"up {speed_text(card.speed)}" if card.speed else "up"


def used_by(sight: Sight, card: Card) -> tuple[str, ...]:
    """The interfaces on it, and its own addresses."""
    interface = sight.network.interfaces.get(card.name)
    own = (str(each) for each in addresses(interface)) if interface else ()
    return (*users(sight.network, card.name), *own)


def _more(sight: Sight, card: Card) -> Iterator[str]:
    if card.altnames:
        yield f"also {', '.join(card.altnames)}"
    if was := sight.was(card):
        yield f"was {was}"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    beneath = f"{indent or '  '}"
    return wrap(
        one_line(text), max(width, 40), initial_indent=indent, subsequent_indent=beneath, break_on_hyphens=False
    )


def nics_data(node: str, sight: Sight) -> dict[str, Any]:
    """What `nics --json` prints."""
    return {
        "node": node,
        "nics": [_data(sight, card) for card in _ordered(sight)],
        "gone": [gone_data(each) for each in sight.gone],
    }


def _data(sight: Sight, card: Card) -> dict[str, Any]:
    return {
        "name": card.name,
        "mac": card.mac,
        "altnames": list(card.altnames),
        "up": card.up,
        "carrier": card.carrier,
        "speed": card.speed,
        "used_by": list(used_by(sight, card)),
        "was": sight.was(card) or None,
    }


def gone_data(each: Gone) -> dict[str, Any]:
    """One NIC that the file names and that is not there."""
    return {
        "name": each.name,
        "uses": each.uses,
        "there": each.there,
        "now": each.now or None,
        "mac": each.mac or None,
        "text": each.text,
    }
