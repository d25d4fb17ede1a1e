"""A node's NICs now, beside what they were called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet.model import natural
from pvenet.nics.gone import Gone, gone
from pvenet.nics.memory import Memory, Rename, renames

if TYPE_CHECKING:
    from pvenet.model import Network
    from pvenet.nics.cards import Card


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What was read of a node, and what is remembered of it."""

    network: Network
    """As it is listed: with what is staged."""
    cards: tuple[Card, ...]
    memory: Memory = field(default_factory=dict)

    @property
    def renames(self) -> tuple[Rename, ...]:
        """The cards that the file means by names that they had."""
        return renames(self.memory, self.cards, self.network)

    @property
    def gone(self) -> tuple[Gone, ...]:
        """The NICs that the file names and that are not there, or not the same."""
        return tuple(
            sorted(gone(self.network, self.cards, self.memory, self.renames), key=lambda each: natural(each.name))
        )

    @property
    def is_blurred(self) -> bool:
        """Whether the MACs that are lacking may tell what has become of a NIC."""
        return (
            bool(self.memory) and any(not card.mac for card in self.cards) and any(not each.now for each in self.gone)
        )

    def was(self, card: Card) -> str:
        """What a card was called before, empty where nobody has seen it under another name."""
        known = self.memory.get(card.mac) if card.mac else None
        if known is None:
            return ""
        return known.name if known.name not in card.names else next(iter(known.was), "")
