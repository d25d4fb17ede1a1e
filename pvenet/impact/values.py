"""Who hangs on a node's network, and what a change does to each: frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.access import NotKnown
    from pvenet.kernel.links import BridgePorts, KernelLink
    from pvenet.model.cluster import ClusterLink


class Effect(Severity):
    """What a change does to a guest, or to a link of the cluster."""

    UNTOUCHED = "untouched"
    INTERRUPTED = "interrupted"
    """It comes back by itself, or loses a part."""
    CUT = "cut"
    """It does not come back."""


# --- what there is ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestNic:
    """A guest's network card, as its configuration has it. pve-api#guests-config."""

    index: str
    """`net0`, ..."""
    bridge: str | None
    """A bridge or a vnet; None where qemu does NAT."""
    tag: int | None = None
    trunks: tuple[str, ...] = ()
    """VLAN ids and ranges, `30` or `20-30`."""
    firewall: bool = False
    link_down: bool = False
    pending: bool = False
    """So from the guest's next start on. pve-api#guests-pending."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """A virtual machine or a container of the node."""

    vmid: int
    name: str = ""
    """Empty where it is not known."""
    kind: str = "qemu"
    """`qemu` or `lxc`."""
    running: bool | None = None
    """None where it is not known."""
    template: bool = False
    nics: tuple[GuestNic, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What was found out about a node, and about those who hang on it."""

    ports: tuple[BridgePorts, ...] = ()
    """The bridges call's, asked before anything was staged (pve-api#bridges-staged)."""
    links: Mapping[str, KernelLink] = field(default_factory=dict)
    """The report's, where there is one."""
    guests: tuple[Guest, ...] = ()
    """Those of the node."""
    cluster: tuple[ClusterLink, ...] = ()
    """The node's own ends of the cluster's links."""
    unknown: tuple[NotKnown, ...] = ()
    """What could not be found out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowedGuests:
    """The guests that somebody has agreed to cut."""

    everyone: bool = False
    vmids: frozenset[int] = frozenset()

    def covers(self, vmid: int) -> bool:
        """Whether this one is among them."""
        return self.everyone or vmid in self.vmids


NO_GUESTS = AllowedGuests()
"""Nobody has agreed to anything."""

# --- what happens to it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestImpact:
    """One card of a guest, where it hangs, and what happens to it."""

    vmid: int
    index: str
    name: str = ""
    running: bool | None = None
    """False also for a card that is pending."""
    pending: bool = False
    """It comes to the bridge with the guest's next start."""
    tag: int | None = None
    trunks: tuple[str, ...] = ()
    effect: Effect = Effect.UNTOUCHED
    why: str = ""
    """A clause; empty where nothing happens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgeImpact:
    """A bridge or a vnet and those who hang on it, by number and card."""

    name: str
    guests: tuple[GuestImpact, ...]

    @property
    def effect(self) -> Effect:
        """The worst."""
        return max((guest.effect for guest in self.guests), default=Effect.UNTOUCHED)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkImpact:
    """A link of the cluster, the interface that carries it, and what happens to it."""

    link: ClusterLink
    carrier: str | None
    """None where no interface is known to have its address."""
    perhaps: bool = False
    """Nobody knows which interface carries it, and one that has an address is disturbed."""
    effect: Effect = Effect.UNTOUCHED
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PathImpact:
    """The management path, where the change touches it."""

    carrier: str
    chain: str
    """From the cable up: `ens33 > vmbr0 > 192.0.2.11`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Impact:
    """What a change does to whom. Whoever is on a bridge that nothing happens to is listed, too, as untouched."""

    bridges: tuple[BridgeImpact, ...] = ()
    links: tuple[LinkImpact, ...] = ()
    path: PathImpact | None = None
    unknown: tuple[NotKnown, ...] = ()

    @property
    def hit(self) -> tuple[BridgeImpact, ...]:
        """The bridges on which something happens to somebody."""
        return tuple(bridge for bridge in self.bridges if bridge.effect > Effect.UNTOUCHED)

    @property
    def links_hit(self) -> tuple[LinkImpact, ...]:
        """The links of the cluster that something happens to."""
        return tuple(link for link in self.links if link.effect > Effect.UNTOUCHED)

    @property
    def notable(self) -> bool:
        """Whether a person should see it: somebody is hit, or nobody can tell."""
        return bool(self.hit or self.links_hit or self.unknown or any(link.perhaps for link in self.links))

    @property
    def guests_cut(self) -> tuple[int, ...]:
        """The numbers of the running guests that lose a network, each once."""
        return _numbers(guest for guest in self._cut() if guest.running)

    @property
    def guests_perhaps_cut(self) -> tuple[int, ...]:
        """The same of those of which it is not known whether they run."""
        return _numbers(guest for guest in self._cut() if guest.running is None)

    @property
    def cards_cut(self) -> frozenset[tuple[int, str]]:
        """The cards that lose a network, each by its guest's number and its own name."""
        return frozenset((guest.vmid, guest.index) for guest in self._cut())

    def named(self, vmid: int) -> str:
        """A guest for a person: `101 web`."""
        names = (guest.name for bridge in self.bridges for guest in bridge.guests if guest.vmid == vmid)
        return f"{vmid} {next(names, '')}".rstrip()

    def _cut(self) -> Iterator[GuestImpact]:
        return (guest for bridge in self.bridges for guest in bridge.guests if guest.effect is Effect.CUT)


def _numbers(guests: Iterator[GuestImpact]) -> tuple[int, ...]:
    return tuple(sorted({guest.vmid for guest in guests}))
