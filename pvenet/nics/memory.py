"""What a node's NICs were called: by MAC, as readings of it have left it. Pure.

A name that has changed is remembered until the file is as before with the names exchanged, or says nothing of the old
name: until then what names it means the card that had it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from pvenet.model import Bond
from pvenet.nics.cards import by_mac
from pvenet.nics.names import is_configured, on

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.model import Network
    from pvenet.nics.cards import Card

EARLIER = 4
"""How many earlier names of a card are kept."""
MOST = 256
"""How many cards of a node are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A card, as it was met."""

    name: str
    """What the file means by it."""
    users: tuple[str, ...] = ()
    """What it was there for, as `role` says it."""
    since: str = ""
    """When it was first met under this name."""
    was: tuple[str, ...] = ()
    """Its earlier names, the last one first."""


Memory: TypeAlias = "Mapping[str, Known]"
"""By MAC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rename:
    """A card that the file means by a name which it does not have any more."""

    old: str
    new: str
    mac: str


def role(network: Network, name: str) -> tuple[str, ...]:
    """What a NIC is there for, so that it reads the same whatever it is called.

    Who stands on it; who of these prefers it, with `*`; `=` for settings of its own.
    """
    above = {_without(each.name, name) for each in network.interfaces.values() if _uses(each.name, on(each), name)}
    own = {"="} if is_configured(network.interfaces.get(name)) else set[str]()
    first = {f"{each.name}*" for each in network.interfaces.values() if isinstance(each, Bond) and each.primary == name}
    return tuple(sorted(above | own | first))


def _uses(user: str, below: Iterable[str], name: str) -> bool:
    return user != name and any(each == name or each.startswith(f"{name}.") for each in below)


def _without(user: str, name: str) -> str:
    return user.removeprefix(name) if user.startswith((f"{name}.", f"{name}:")) else user


def renames(memory: Memory, found: Iterable[Card], network: Network) -> tuple[Rename, ...]:
    """The cards whose old names the file still says, in the order of the cards.

    Cards that have passed names on to one another go together: the file means all of them by their old ones, or none.
    """
    there = tuple(found)
    cards = {mac: each[0] for mac, each in by_mac(there).items() if len(each) == 1 and mac in memory}
    owned = {card.name for mac, card in cards.items() if memory[mac].name == card.name}
    moved = {
        mac: Rename(old=memory[mac].name, new=card.name, mac=mac)
        for mac, card in cards.items()
        if memory[mac].name not in {*card.names, *owned}
    }
    followed = {mac for mac in moved if _is_followed(memory[mac], cards[mac], network)}
    meant = _together({mac: each for mac, each in moved.items() if mac not in followed}, moved)
    return tuple(moved[mac] for mac in moved if mac in meant)


def _together(first: Mapping[str, Rename], moved: Mapping[str, Rename]) -> set[str]:
    """The cards of some renames, and of those that share a name with them."""
    meant = set(first)
    names = {name for each in first.values() for name in (each.old, each.new)}
    while more := {mac for mac, each in moved.items() if mac not in meant and {each.old, each.new} & names}:
        meant |= more
        names |= {name for mac in more for name in (moved[mac].old, moved[mac].new)}
    return meant


def _is_followed(before: Known, card: Card, network: Network) -> bool:
    """Whether the file does not mean the card by its old name."""
    return not role(network, before.name) or role(network, card.name) == before.users


def remembered(
    memory: Memory, found: Iterable[Card], network: Network, now: str, *, pending: bool = False
) -> dict[str, Known]:
    """The memory after a reading. What is pending may be thrown away again, and tells of new cards alone."""
    there = tuple(found)
    told = dict(memory)
    single = {mac: each[0] for mac, each in by_mac(there).items() if len(each) == 1}
    unsettled = {each.mac: each.old for each in renames(memory, there, network)}
    taken = {name for mac, name in unsettled.items() if mac in single}
    for mac, card in single.items():
        before = memory.get(mac)
        if before is None:
            if card.name not in taken:  # else nobody knows yet which of the two the file means
                told[mac] = Known(name=card.name, users=role(network, card.name), since=now)
        elif not pending and mac not in unsettled:
            told[mac] = _met(before, card, network, now)
    return _pruned(told, single)


def _met(before: Known, card: Card, network: Network, now: str) -> Known:
    users = role(network, card.name)
    if before.name == card.name:
        return replace(before, users=users)
    was = tuple(dict.fromkeys((before.name, *before.was)))[:EARLIER]
    return Known(name=card.name, users=users, since=now, was=was)


def _pruned(told: dict[str, Known], there: Iterable[str]) -> dict[str, Known]:
    """Those that are there first, then the youngest."""
    present = frozenset(there)
    order = sorted(told, key=lambda mac: (mac in present, told[mac].since), reverse=True)
    return {mac: told[mac] for mac in sorted(order[:MOST])}


def accepted(memory: Memory, found: Iterable[Card], network: Network, now: str) -> dict[str, Known]:
    """The memory when the names are meant as they are."""
    single = {mac: each[0] for mac, each in by_mac(found).items() if len(each) == 1}
    met = {
        mac: _met(memory[mac], card, network, now)
        if mac in memory
        else Known(name=card.name, users=role(network, card.name), since=now)
        for mac, card in single.items()
    }
    return {**memory, **met}
