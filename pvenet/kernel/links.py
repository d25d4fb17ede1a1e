"""What the kernel of a node has: frozen values. pve-api#ip-lines and pve-api#bridges-answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface


class LinkState(StrEnum):
    """What a person calls the state of a link."""

    UP = "up"
    NO_CARRIER = "no carrier"
    DOWN = "down"


@dataclass(frozen=True, kw_only=True, slots=True)
class BondStatus:
    """What a bond is in the kernel. pve-api#ip-bond."""

    mode: str
    """PVE's word: `802.3ad`, `active-backup`, ..."""
    active_slave: str | None = None
    """In active-backup, balance-alb and balance-tlb; none while no slave has carrier."""
    primary: str | None = None
    xmit_hash_policy: str | None = None
    partner_mac: str | None = None
    """802.3ad only; None in the other modes, and where nobody answers (all zeros in the kernel)."""
    aggregated: int | None = None
    """802.3ad only: how many slaves are in the active aggregator."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlaveStatus:
    """What a slave is to its bond."""

    active: bool
    """`ACTIVE`, not `BACKUP`."""
    mii_up: bool
    aggregator: int | None = None
    """802.3ad only; stale while the slave has no carrier."""
    actor: frozenset[str] = frozenset()
    """802.3ad only, the node's side: `in_sync`, `collecting`, `defaulted`, ..."""
    partner: frozenset[str] = frozenset()
    """The same of the switch's side; stale while the slave has no carrier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgeStatus:
    """What a bridge is in the kernel."""

    vlan_filtering: bool
    stp: bool = False
    forward_delay: float = 0.0
    """Seconds that a port listens, and again that it learns, where STP is on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VlanStatus:
    """What a VLAN is in the kernel."""

    id: int
    protocol: str = "802.1Q"


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """An address that the kernel has."""

    address: IPv4Interface | IPv6Interface
    scope: str = "global"
    dynamic: bool = False
    """It came by DHCP or a router's advertisement, or the kernel made it itself, and no file has to name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelLink:
    """One link of the kernel, at one moment."""

    name: str
    up: bool
    """Administratively: PVE's `active` is this and nothing more."""
    carrier: bool | None
    """None where it can't be known, because the link is down."""
    mtu: int
    kind: str | None = ""
    """`bond`, `bridge`, `vlan`, `veth`, `tun`, ...; empty for a physical NIC, None where it is not said."""
    mac: str | None = None
    permanent_mac: str | None = None
    """The card's own, where the kernel says another one than `mac`."""
    parent: str | None = None
    """A VLAN's raw device, or a veth's peer on this node."""
    master: str | None = None
    """The bond or bridge that it is a member of."""
    altnames: tuple[str, ...] | None = ()
    """None where they can't be known, because the link's alias may have made them up."""
    addresses: tuple[Address, ...] | None = ()
    """None likewise."""
    bond: BondStatus | None = None
    slave: SlaveStatus | None = None
    bridge: BridgeStatus | None = None
    port_state: str | None = None
    """Of a bridge's port: `forwarding`, `listening`, `learning`, `blocking` or `disabled`."""
    vlan: VlanStatus | None = None
    speed: int | None = None
    """Mbit/s, where the report has ethtool and the NIC knows it."""

    @property
    def state(self) -> LinkState:
        """In a word."""
        if not self.up:
            return LinkState.DOWN
        return LinkState.UP if self.carrier else LinkState.NO_CARRIER


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A route of the main table."""

    to: str
    """`default`, or a network in CIDR notation."""
    via: IPv4Address | IPv6Address | None
    dev: str
    proto: str = ""
    """Who made it: `kernel`, `boot`, `ra`, `static`, `bird`, ...; empty where it is not said."""
    family: int = 4
    """4 or 6."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """What hangs on a bridge, by the bridges call."""

    name: str
    vmid: int | None = None
    """The guest whose port it is."""
    index: str | None = None
    """The guest's `net0`, ..."""
    primary_vlan: int | None = None
    vlans: tuple[str, ...] = ()
    """`30` or `2-4094`, on a VLAN-aware bridge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgePorts:
    """A bridge of the staged file and its ports in the kernel, by the bridges call."""

    name: str
    vlan_filtering: bool | None
    """None where the kernel has no bridge of this name."""
    ports: tuple[Port, ...] = ()
    """Sorted by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The network section of a node's report: the kernel, and the files that are applied."""

    links: Mapping[str, KernelLink]
    """By name, in the kernel's order."""
    routes: tuple[Route, ...] = ()
    interfaces: str = ""
    """The applied /etc/network/interfaces, also while something is staged."""
    sourced: Mapping[str, str] = field(default_factory=dict)
    """The files of interfaces.d, by path; empty where the release does not tell them."""
