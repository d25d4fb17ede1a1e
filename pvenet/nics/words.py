"""Words for NICs: PVE's name, another name, or a MAC, each to the name that the card has today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.nics.cards import mac_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pvenet.model import Network
    from pvenet.nics.cards import Card


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """What words mean on a node."""

    names: Mapping[str, str]
    """The names of today, by those words that are another one."""
    wrong: Mapping[str, str]
    """Why a word means nothing, a clause."""
    cards: tuple[Card, ...] = ()

    def name(self, word: str) -> str:
        """What a word means."""
        return self.names.get(word, word)

    def each(self, words: Sequence[str]) -> tuple[str, ...]:
        """What some words mean, in their order."""
        return tuple(map(self.name, words))

    def told(self, field: str, words: Sequence[str]) -> str:
        """That a field names NICs otherwise than PVE does; empty where it does not."""
        other = [word for word in words if word in self.names]
        if not other:
            return ""
        by = "MAC" if all(map(mac_in, other)) else "another name"
        return f"{field} {', '.join(other)} by {by}: today {', '.join(self.each(other))}"


def is_other(word: str, network: Network) -> bool:
    """Whether a word may name a NIC otherwise than PVE's file does."""
    if mac_in(word):
        return word not in network.links or not network.links[word].exists
    return word not in network.interfaces


def meant(words: Iterable[str], network: Network, cards: Sequence[Card]) -> Meant:
    """What words mean. One that is neither a MAC nor another name of a NIC stays as it is."""
    names: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for word in dict.fromkeys(words):
        if not is_other(word, network):
            continue
        mac = mac_in(word)
        found = [card.name for card in cards if word in card.altnames or (mac and card.mac == mac)]
        if len(found) == 1:
            names[word] = found[0]
        elif found:
            wrong[word] = f"{word} is the MAC of {' and of '.join(found)}"
        elif mac:
            wrong[word] = f"no NIC has the MAC {mac}"
    return Meant(names=names, wrong=wrong, cards=tuple(cards))
