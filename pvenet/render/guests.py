"""Who hangs where: the table, and the same as JSON data."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pvenet.foreign import one_line
from pvenet.render.columns import fitted
from pvenet.render.impact import unknown_data
from pvenet.render.values import plain_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pvenet.impact import Attachment, Guest, NodeGuests
    from pvenet.render.values import Paint

_HEAD = ("node", "bridge", "guest", "name", "state", "card", "vlan", "firewall")
_STATES: dict[bool | None, str] = {True: "running", False: "stopped", None: "not known"}
_SWITCHES: dict[bool | None, str] = {True: "yes", False: "no", None: "not known"}


def guests_text(found: Sequence[NodeGuests], names: Collection[str], width: int | None, paint: Paint) -> str:
    """A line a card, by node and bridge; then the bridges on which nobody is. `names`: these bridges alone.

    `width`: of the terminal; None where it is none.
    """
    rows = [
        row
        for each in found
        for bridge, cards in _chosen(each, names)
        for row in (_row(each, bridge, card) for card in cards)
    ]
    first = 0 if len(found) > 1 else 1  # the node is a column where there are several
    table = fitted(_HEAD[first:], [row[first:] for row in rows], width, paint, wraps=("vlan", "node"), cuts="name")
    parts = [table] if rows else []
    parts += ["\n".join(line for each in found for line in _empty(each, names, width))]
    return "\n\n".join(part for part in parts if part)


def vlans(card: Attachment) -> str:
    """The VLANs of a card: `20`, `20, trunks 30-40`; nothing where it sees whatever its bridge has."""
    trunks = () if card.lets_all_through else card.trunks
    own = [str(card.tag)] if card.tag is not None else []
    return ", ".join([*own, *([f"trunks {' '.join(trunks)}"] if trunks else [])])


def state(card: Attachment, guest: Guest | None) -> str:
    """In a word or two."""
    if card.pending:
        return "next start"
    if card.loose:
        return "on no bridge"
    return "template" if guest and guest.template else _STATES[card.running]


def _chosen(found: NodeGuests, names: Collection[str]) -> Iterator[tuple[str, Sequence[Attachment]]]:
    return ((bridge, cards) for bridge, cards in found.bridges.items() if not names or bridge in names)


def _row(found: NodeGuests, bridge: str, card: Attachment) -> tuple[str, ...]:
    return (
        found.node,
        bridge,
        str(card.vmid),
        card.name,
        state(card, found.guests.get(card.vmid)),
        f"{card.index}, link down" if card.link_down else card.index,
        vlans(card),
        _SWITCHES[card.firewall],
    )


def _empty(found: NodeGuests, names: Collection[str], width: int | None) -> list[str]:
    """The bridges without a guest; where not all is known, no more is said than that none is known of."""
    free = [bridge for bridge, cards in _chosen(found, names) if not cards]
    if not free:
        return []
    text = f"{found.node}: no guest {'is known of ' if found.unknown else ''}on {', '.join(free)}"
    return wrap(one_line(text), max(width or 80, 40), subsequent_indent="  ", break_on_hyphens=False)


# --- JSON ------------------------------------------------------------------------------------------------------------


def guests_data(found: Sequence[NodeGuests], names: Collection[str]) -> list[dict[str, Any]]:
    """What `guests --json` gives of each node."""
    return [
        {
            "node": each.node,
            "bridges": [
                {"name": bridge, "guests": [card_data(card, each.guests.get(card.vmid)) for card in cards]}
                for bridge, cards in _chosen(each, names)
            ],
            "not_known": [unknown_data(lack) for lack in each.unknown],
        }
        for each in found
    ]


def card_data(card: Attachment, guest: Guest | None) -> dict[str, Any]:
    """A card on a bridge, and whose it is."""
    fields = ("vmid", "name", "index", "running", "pending", "tag", "trunks", "firewall", "link_down", "loose")
    about = {"type": guest.kind if guest else None, "template": guest.template if guest else None}
    return {field: plain_value(getattr(card, field)) for field in fields} | about
