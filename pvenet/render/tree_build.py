"""From a node's network, and what its kernel and its guests are known to be, to the picture of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from pvenet.impact import attachments
from pvenet.kernel.difference import EXCESS
from pvenet.kernel.links import LinkState
from pvenet.model import natural, typed
from pvenet.render.guests import state, vlans
from pvenet.render.tree import Hanging, Mark, Part, Tree, Trunk
from pvenet.render.tree_facts import address_facts, facts
from pvenet.render.tree_relations import NIC, Relations, in_order, relations
from pvenet.render.values import speed_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.impact import Attachment, Guest
    from pvenet.kernel.difference import Difference
    from pvenet.kernel.links import BridgePorts, KernelLink, Report
    from pvenet.model import Network

_ABSENT = "not there"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What was had of a node."""

    node: str
    staged: Network
    applied: Network | None = None
    """What is live, where that is known and something else is staged."""
    report: Report | None = None
    """Without one there are only the flags of the list."""
    bridges: Mapping[str, BridgePorts] | None = None
    guests: Sequence[Guest] = ()
    differences: Sequence[Difference] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sight:
    """The same in the form in which it is looked up, and what has been drawn."""

    seen: Seen
    relations: Relations
    before: Relations | None
    """Those of what is live."""
    cards: Mapping[str, Sequence[Attachment]]
    guests: Mapping[int, Guest]
    differing: frozenset[str]
    drawn: set[str] = field(default_factory=set)

    def link(self, name: str) -> KernelLink | None:
        """What the kernel has of it."""
        links = self.seen.report.links if self.seen.report else {}
        alike = (link for link in links.values() if name in (link.altnames or ()))
        return links.get(name) or next(alike, None)


def build(seen: Seen) -> Tree:
    """The picture of a node."""
    links = seen.report.links if seen.report else {}
    cards = attachments(seen.guests, (seen.bridges or {}).values(), links, seen.staged.interfaces)
    failing = [each for each in seen.differences if each.kind not in EXCESS]
    sight = _Sight(
        seen=seen,
        relations=relations(seen.staged, seen.applied, links),
        before=relations(seen.applied, None, {}) if seen.applied else None,
        cards={name: [card for card in cards if card.bridge == name] for name in {card.bridge for card in cards}},
        guests={guest.vmid: guest for guest in seen.guests},
        differing=frozenset(name for each in failing for name in (each.name, *each.subjects)),
    )
    trunks = tuple(_trunks(sight))
    unused = tuple(_cable(sight, name) for name in _nics(sight) if name not in sight.drawn)
    return Tree(node=seen.node, trunks=trunks, unused=unused, differences=tuple(each.text for each in seen.differences))


# --- cables ----------------------------------------------------------------------------------------------------------


def _nics(sight: _Sight) -> list[str]:
    """Those of the list, and those that only the kernel has."""
    known = sight.relations.interfaces
    links = sight.seen.report.links.values() if sight.seen.report else ()
    only = [
        link.name
        for link in links
        if link.kind == "" and link.name != "lo" and not {link.name, *(link.altnames or ())} & known.keys()
    ]
    return sorted([*(name for name in known if sight.relations.is_nic(name)), *only], key=natural)


def _trunks(sight: _Sight) -> Iterator[Trunk]:
    """By the first cable; then what has none, and what stands in a circle."""
    kin = sight.relations
    for nic in _nics(sight):
        users = kin.above.get(nic, ())
        for name in users:
            shared = kin.cables(name)
            if len(shared) > 1 and nic == shared[0]:
                yield Trunk(cables=tuple(_cable(sight, each) for each in shared), parts=(_placed(sight, name, None),))
        own = [name for name in users if len(kin.cables(name)) == 1]
        addresses = _addresses(sight, nic)
        if own or addresses:
            parts = (*addresses, *(_placed(sight, name, None) for name in own))
            yield Trunk(cables=(_cable(sight, nic),), parts=parts)
    rootless = [name for name in kin.interfaces if not kin.below[name]]
    for name in in_order(rootless) + in_order(kin.interfaces):
        if name not in sight.drawn and not kin.is_nic(name):
            yield Trunk(loose="no cable", parts=(_part(sight, name),))
    for name in in_order(sight.cards.keys() - kin.interfaces.keys()):
        part = Part(name=name, kind="bridge", facts=("in no file",), guests=_guests(sight, name))
        yield Trunk(loose="cable not known", parts=(part,))


def _cable(sight: _Sight, name: str) -> Part:
    """A NIC; from the second time on by its name alone."""
    if name in sight.drawn:
        return Part(name=name, kind="nic", elsewhere=True)
    used = bool(sight.relations.above.get(name)) or bool(_addresses(sight, name))
    sight.drawn.update([name] if used else [])
    state = _state(sight, name)
    link = sight.link(name)
    wrong = name in sight.differing or (used and state != LinkState.UP)
    speed = (speed_text(link.speed),) if link and link.speed and state == LinkState.UP else ()
    return Part(name=name, kind="nic", state=state, wrong=wrong, mark=_nic_mark(sight, name), facts=speed)


def _nic_mark(sight: _Sight, name: str) -> Mark:
    """A NIC is marked where it comes to carry others than before, too."""
    if sight.before is None:
        return Mark.LIVE
    now = {user for user in sight.relations.above.get(name, ()) if user in sight.seen.staged.interfaces}
    was = {user for user in sight.before.above.get(name, ()) if user in sight.before.interfaces}
    old, new = (each.get(name) for each in (sight.before.interfaces, sight.seen.staged.interfaces))
    return Mark.CHANGED if now != was or (old and new and old != new) else Mark.LIVE


def _addresses(sight: _Sight, name: str) -> tuple[Part, ...]:
    """What addresses a NIC has itself."""
    interface = sight.relations.interfaces.get(name)
    words = address_facts(interface, sight.link(name)) if interface else ()
    return (Part(name=words[0], kind="address", facts=words[1:]),) if words else ()


# --- what they lead to -----------------------------------------------------------------------------------------------


def _placed(sight: _Sight, name: str, on: str | None) -> Part:
    """A thing where it is drawn in full, or where that is."""
    home = sight.relations.home(name)
    if home == on and name not in sight.drawn:
        return _part(sight, name)
    kind = type(sight.relations.interfaces[name]).type
    where = "see above" if name in sight.drawn or home is None else f"drawn under {home}"
    return Part(name=name, kind=kind, elsewhere=True, facts=(where,))


def _part(sight: _Sight, name: str) -> Part:
    interface = sight.relations.interfaces[name]
    sight.drawn.add(name)
    mark = _mark(sight, name)
    state = "" if mark is Mark.NEW else _state(sight, name)
    below = sight.relations.below[name]
    idle = state == LinkState.NO_CARRIER and not below  # a bridge without a port
    absent = state == _ABSENT and sight.seen.applied is None  # it may be staged by somebody
    lame = state not in ("", LinkState.UP) and (interface.autostart or state == LinkState.NO_CARRIER)
    words = facts(interface, sight.link(name), sight.seen.report)
    shown = [state] if state not in ("", LinkState.UP) and not idle else []
    also = [low for low in below if low != sight.relations.home(name)] if sight.relations.home(name) else []
    words = (*words, *([f"also on {' '.join(also)}"] if also else []))
    return Part(
        name=name,
        kind=type(interface).type,
        state=state,
        wrong=(lame and not idle and not absent) or name in sight.differing,
        mark=mark,
        facts=(*words[:1], *shown, *words[1:], *(["in no file"] if _only_in_kernel(sight, name) else [])),
        parts=tuple(_placed(sight, user, name) for user in sight.relations.above[name]),
        guests=_guests(sight, name),
    )


def _only_in_kernel(sight: _Sight, name: str) -> bool:
    """Not what only a name speaks of: that needs no stanza."""
    before = sight.seen.applied.interfaces if sight.seen.applied else {}
    known = name in sight.seen.staged.interfaces or name in before
    return not known and sight.link(name) is not None and type(sight.relations.interfaces[name]).type == "bridge"


def _mark(sight: _Sight, name: str) -> Mark:
    if sight.seen.applied is None or _only_in_kernel(sight, name):
        return Mark.LIVE
    before, after = sight.seen.applied.interfaces.get(name), sight.seen.staged.interfaces.get(name)
    if before == after:
        return Mark.LIVE
    return Mark.NEW if before is None else Mark.GONE if after is None else Mark.CHANGED


def _state(sight: _Sight, name: str) -> str:
    """By the kernel, else by the list, which knows no more than whether it is up."""
    interface = typed(sight.relations.interfaces.get(name))
    if interface is not None and type(interface).type in ("OVSBond", "other"):
        return ""
    if sight.seen.report is not None:
        link = sight.link(name)
        return str(link.state) if link else _ABSENT
    if name not in sight.seen.staged.links:
        return _ABSENT if isinstance(interface, NIC) else ""
    return "up" if sight.seen.staged.links[name].active else "down"


def _guests(sight: _Sight, bridge: str) -> tuple[Hanging, ...]:
    """Those on a bridge, by number, each with its cards."""
    by_number = groupby(sight.cards.get(bridge, ()), key=lambda card: card.vmid)
    return tuple(_guest(sight, vmid, list(cards)) for vmid, cards in by_number)


def _guest(sight: _Sight, vmid: int, cards: Sequence[Attachment]) -> Hanging:
    guest = sight.guests.get(vmid)
    words = [f"{card.index} VLAN {vlans(card)}" if vlans(card) else card.index for card in cards]
    words = [f"{word} link down" if card.link_down else word for word, card in zip(words, cards, strict=True)]
    return Hanging(vmid=vmid, name=cards[0].name, state=state(cards[0], guest), cards=tuple(words))
