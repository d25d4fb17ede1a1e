"""What a lack is called, and which lacks wait or never count."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pvenet.model import natural


class Kind(StrEnum):
    """In what the kernel is otherwise, in the order in which people read it."""

    MISSING = "missing"
    """The kernel has no such link, or one of another kind."""
    DOWN = "down"
    """It is to be up and is not, administratively."""
    BOND_MODE = "bond-mode"
    PRIMARY = "primary"
    HASH_POLICY = "hash-policy"
    SLAVE_NOT_JOINED = "slave-not-joined"
    """A slave that has carrier and is none of its bond's."""
    NO_CARRIER = "no-carrier"
    """Of what a file names: a slave, a port, a NIC with autostart, a bond."""
    LACP_PARTNER = "lacp-partner"
    """Nobody answers."""
    LACP_SPLIT = "lacp-split"
    """Somebody answers, but not every slave that has carrier is in."""
    SPEED = "speed"
    """A slave that negotiates less than the bond's others."""
    PORT_MISSING = "port-missing"
    """A port that is not on its bridge."""
    VLAN_FILTERING = "vlan-filtering"
    STP = "stp"
    """A port that does not forward, because it listens, learns or is blocked."""
    VLAN_ID = "vlan-id"
    VLAN_PARENT = "vlan-parent"
    MTU = "mtu"
    MTU_STAYS = "mtu-stays"
    """One that no file names any more; seen by an apply alone, which knows what was before."""
    ADDRESS = "address"
    DEFAULT_ROUTE = "default-route"
    EXTRA_MEMBER = "extra-member"
    """An interface that a file names is a member of something, which no file says."""
    EXTRA_ADDRESS = "extra-address"
    """An address that no file names, on an interface that one does."""
    EXTRA_ROUTE = "extra-route"
    """A default route beside the one that a file names, or where none does."""


SLOW = frozenset({Kind.NO_CARRIER, Kind.LACP_PARTNER, Kind.LACP_SPLIT, Kind.STP})
"""What takes its time after a reload (pve-api#lacp-up and pve-api#stp-listening): judged in a last look."""

EXCESS = frozenset({Kind.MTU_STAYS, Kind.EXTRA_MEMBER, Kind.EXTRA_ADDRESS, Kind.EXTRA_ROUTE})
"""What is there and in no file."""

HARMLESS = EXCESS | {Kind.PRIMARY, Kind.SPEED}
"""What is never a failure: that, and what no reload brings about. A bond that stays keeps the primary that it was made
with (pve-api#bond-primary), and a speed is agreed with the other end of the cable."""

SEPARATOR = ", "
"""Between several subjects."""

_ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing in which the kernel is otherwise than a file says."""

    name: str
    """The interface that a file names."""
    kind: Kind
    subject: str = ""
    """The slave, port, address or gateway that it is about, as the file spells it; or several slaves."""
    wanted: str = ""
    """What is meant, in words for people; empty where nothing is."""
    found: str = ""
    """What is."""
    text: str
    """Both in one sentence."""

    @property
    def key(self) -> tuple[str, Kind, str]:
        """Equal for the same lack at two moments."""
        return self.name, self.kind, self.subject

    @property
    def subjects(self) -> tuple[str, ...]:
        """Each that it is about."""
        return tuple(self.subject.split(SEPARATOR)) if self.subject else ()


def in_order(found: list[Difference]) -> tuple[Difference, ...]:
    """By interface, then as people read it; each once."""
    return tuple(
        sorted(dict.fromkeys(found), key=lambda each: (natural(each.name), _ORDER[each.kind], natural(each.subject)))
    )
