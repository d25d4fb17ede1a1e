"""Whom a change hits: as lines for a person, and as JSON data."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from pvenet.foreign import one_line
from pvenet.impact import Effect
from pvenet.render.values import counted, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pvenet.access import NotKnown
    from pvenet.impact import BridgeImpact, GuestImpact, Impact, LinkImpact

FEW = 3
"""So many are named at least, however narrow it is."""

RUNNING: dict[bool | None, str] = {True: "running", None: "perhaps running", False: "stopped"}


WIDE = 100
"""To what long lists are folded where there is no terminal."""


def impact_lines(found: Impact, width: int | None = None) -> list[str]:
    """Everybody who is hit, by name, and how; what is not known; the management path. None where nobody is hit.

    Long lists are folded to the width of the terminal.
    """
    lines: list[str] = []
    for bridge in found.hit:
        lines += bridge_lines(bridge, width or WIDE)
    for link in found.links:
        lines += _link_lines(link)
    if found.path:
        lines.append(f"{found.path.carrier} carries the management path: {found.path.chain}")
    return [one_line(line) for line in (*lines, *unknown_lines(found.unknown))]


def path_line(does: str, chain: str, reason: str, *, node: str, shown: bool) -> str:
    """That something staged does this to the way to a node; `shown`: the lines above show the way itself."""
    way = "" if shown else f": {chain}"
    return one_line(
        f"this {does} the management path of {node}{way} ({reason}); `pvenet apply` needs --allow-management"
    )


def bridge_lines(bridge: BridgeImpact, width: int) -> Iterator[str]:
    """Who hangs on a bridge, and beneath it what happens to whom."""
    line = ""
    for running in RUNNING:
        guests = _by_guest(guest for guest in bridge.guests if guest.running is running)
        if guests:
            line += f"; and {_others(running, len(guests))}" if line else _first(bridge, running, len(guests))
            line += folded([_with_cards(cards) for cards in guests], width - len(line) % max(width, 1))
    yield line
    yield from _fates(bridge, width)


def _first(bridge: BridgeImpact, running: bool | None, count: int) -> str:  # noqa: FBT001 - a state of three
    """`vmbr1 carries 3 running guests: `."""
    return f"{bridge.name} carries {counted(count, f'{RUNNING[running]} guest')}: "


def _others(running: bool | None, count: int) -> str:  # noqa: FBT001 - a state of three
    """`1 that is stopped: `."""
    return f"{count} that {'is' if count == 1 else 'are'} {RUNNING[running]}: "


def _fates(bridge: BridgeImpact, width: int) -> Iterator[str]:
    """What happens to whom, the worst first; by name only where not all fare alike."""
    order = sorted(bridge.guests, key=lambda guest: (guest.effect, guest.why), reverse=True)
    for (effect, why), group in groupby(order, key=lambda guest: (guest.effect, guest.why)):
        cards = sorted(group, key=lambda guest: (guest.vmid, guest.index))
        if effect > Effect.UNTOUCHED:
            who = "" if len(cards) == len(order) else folded([_named(each[0]) for each in _by_guest(cards)], width)
            yield f"  {effect}: {why}{f' ({who})' if who else ''}"


def _by_guest(cards: Iterable[GuestImpact]) -> list[list[GuestImpact]]:
    """The cards of each guest; they come by number."""
    return [list(own) for _, own in groupby(cards, key=lambda card: card.vmid)]


def _named(guest: GuestImpact) -> str:
    return f"{guest.vmid} {guest.name}".rstrip()


def _with_cards(cards: Sequence[GuestImpact]) -> str:
    """`101 web (net0, VLAN 20)`; of one that is stopped the name."""
    if cards[0].running is False:
        return f"{_named(cards[0])} (from its next start on)" if cards[0].pending else _named(cards[0])
    return f"{_named(cards[0])} ({'; '.join(map(_card, cards))})"


def _card(card: GuestImpact) -> str:
    vlans = ([str(card.tag)] if card.tag is not None else []) + list(card.trunks)
    return f"{card.index}, VLAN {', '.join(vlans)}" if vlans else card.index


def folded(words: Sequence[str], width: int) -> str:
    """The words in a line: the first ones that fit, but a few in any case, and how many more there are."""
    line = ", ".join(words)
    if len(line) <= width:
        return line
    count, length = 0, len(f" and {len(words)} more")
    while count < len(words) and (count < FEW or length + len(words[count]) + 2 <= width):
        length += len(words[count]) + 2
        count += 1
    rest = len(words) - count
    return ", ".join(words[:count]) + (f" and {rest} more" if rest else "")


def _link_lines(found: LinkImpact) -> Iterator[str]:
    """A link that is hit, or may be."""
    what = f"corosync link {found.link.number} ({found.link.address})"
    if found.perhaps:
        yield f"not known: which interface carries {what}"
    elif found.effect > Effect.UNTOUCHED:
        yield f"{found.carrier} carries {what}"
        yield f"  {found.effect}: {found.why}"


def unknown_lines(unknown: Sequence[NotKnown]) -> Iterator[str]:
    """What is not known and why, and what would help."""
    for each in unknown:
        why = f"{each.privilege} on {each.path} is missing" if each.privilege else each.why
        yield f"not known: {each.what}{f' ({why})' if why else ''}"
    grants = dict.fromkeys(line for each in unknown for line in each.grants)
    if grants:
        yield "to grant what is missing, on a node, as root:"
        yield from (f"  {line}" for line in grants)


# --- JSON ------------------------------------------------------------------------------------------------------------


def impact_data(found: Impact) -> dict[str, Any]:
    """The whole of it: also those who are on a bridge to which nothing happens."""
    return {
        "bridges": [_bridge_data(bridge) for bridge in found.bridges],
        "cluster_links": [_link_data(link) for link in found.links],
        "management_path": {"carrier": found.path.carrier, "chain": found.path.chain} if found.path else None,
        "guests_cut": list(found.guests_cut),
        "guests_perhaps_cut": list(found.guests_perhaps_cut),
        "not_known": [unknown_data(each) for each in found.unknown],
    }


def _bridge_data(bridge: BridgeImpact) -> dict[str, Any]:
    return {"name": bridge.name, "effect": str(bridge.effect), "guests": [_card_data(card) for card in bridge.guests]}


def _card_data(card: GuestImpact) -> dict[str, Any]:
    fields = ("vmid", "name", "index", "running", "pending", "tag", "trunks", "effect", "why")
    return {field: plain_value(getattr(card, field)) for field in fields}


def _link_data(found: LinkImpact) -> dict[str, Any]:
    link = found.link
    who = {"node": link.node, "number": link.number, "address": link.address, "ip": link.ip}
    return {**who, "carrier": found.carrier, "effect": str(found.effect), "why": found.why}


def unknown_data(each: NotKnown) -> dict[str, Any]:
    return {field: plain_value(getattr(each, field)) for field in ("what", "why", "privilege", "path", "grants")}
