"""What a kernel has at one moment: frozen values, from which every telling of it is made. pve-api#ip-lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LACP_STATES = (
    *("active", "short_timeout", "aggregating", "in_sync"),
    *("collecting", "distributing", "defaulted", "expired"),
)
"""The bits of an LACP state, the lowest first."""
ONE_SPEAKS = frozenset({"active-backup", "balance-tlb", "balance-alb"})
"""Modes of a bond in which one slave is the active one, which may be named as its primary."""
NOBODY = "00:00:00:00:00:00"
"""The MAC of a partner that does not answer."""
OVS = "openvswitch"
"""The kind of Open vSwitch's bridges and internal ports."""
SWITCH = "ovs-system"
"""The one master of all ports of Open vSwitch, whatever their bridge. pve-api#ovs-system."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address of a link."""

    cidr: str
    scope: str = "global"
    label: str = ""
    """Of IPv4: the link's name, or one of an alias (`vmbr0:1`)."""
    dynamic: bool = False
    """It came by DHCP or a router's advertisement, and has a lifetime."""
    proto: str = ""
    """Who made it, where the kernel says: `kernel_ll`, `kernel_ra`; iproute2 6.1 does not tell."""
    peer: str = ""
    """The other end, where it is a point to point: `10.0.0.2/32`."""
    flags: tuple[str, ...] = ()
    """Further words, in the order of `ip`: `secondary`, `noprefixroute`, `tentative`, `mngtmpaddr`, ..."""
    broadcast: str = ""


@dataclass(frozen=True, kw_only=True)
class BondState:
    """What a bond is. pve-api#ip-bond."""

    mode: str = "balance-rr"
    miimon: int = 100
    active_slave: str | None = None
    """In the modes of `ONE_SPEAKS`; None while no slave has carrier."""
    primary: str | None = None
    """None also where the file names one that never arrived."""
    xmit_hash_policy: str = "layer2"
    lacp_rate: str = "slow"
    ad_aggregator: int | None = None
    """This and what follows of ad: in 802.3ad only."""
    ad_num_ports: int = 0
    ad_actor_key: int = 0
    ad_partner_key: int = 0
    ad_partner_mac: str = NOBODY


@dataclass(frozen=True, kw_only=True)
class SlaveState:
    """What a slave is to its bond."""

    state: str = "ACTIVE"
    """Or BACKUP."""
    mii_status: str = "UP"
    """Or DOWN."""
    link_failure_count: int = 0
    perm_hwaddr: str = ""
    aggregator_id: int | None = None
    """This and the states: in 802.3ad only. Stale while the slave has no carrier."""
    actor_state: int = 0
    partner_state: int = 0


@dataclass(frozen=True, kw_only=True)
class BridgeState:
    """What a bridge is."""

    stp: bool = False
    vlan_filtering: bool = False
    forward_delay: int = 0
    """Hundredths of a second that a port listens, and again that it learns, with STP."""


@dataclass(frozen=True, kw_only=True)
class VlanState:
    """What a VLAN is."""

    id: int
    protocol: str = "802.1Q"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One link."""

    index: int
    name: str
    up: bool = False
    """Administratively: PVE's `active`."""
    carrier: bool = False
    """It can carry traffic (LOWER_UP); False for one that is down."""
    mtu: int = 1500
    mac: str = NOBODY
    permaddr: str = ""
    """The card's own address, where `mac` is another."""
    kind: str = ""
    """`bond`, `bridge`, `vlan`, `veth`, `tun`, `dummy`, ...; empty for a physical NIC and lo."""
    master: str | None = None
    """The bond or bridge that it is a member of; of Open vSwitch it is `SWITCH`."""
    parent: str | None = None
    """A VLAN's raw device, or a veth's peer; `if12` where it lives elsewhere."""
    foreign_parent: bool = False
    """The parent is in another network namespace."""
    altnames: tuple[str, ...] = ()
    alias: str = ""
    """What somebody wrote to it, whatever that is."""
    addresses: tuple[Address, ...] = ()
    bond: BondState | None = None
    slave: SlaveState | None = None
    bridge: BridgeState | None = None
    port_state: str | None = None
    """Of a bridge's port: forwarding, listening, learning, blocking, disabled."""
    vlan: VlanState | None = None
    primary_vlan: int | None = None
    """Of a port of a VLAN-aware bridge: the VLAN of untagged frames."""
    vlans: tuple[str, ...] = ()
    """The other VLANs of such a port: `30`, `2-4094`."""
    speed: int | None = None
    """Mbit/s, of a NIC that knows."""
    detail: str = ""
    """Of a kind that has no value here, what `ip` says of it: `vxlan id 9 dev ens41 ...`."""

    @property
    def physical(self) -> bool:
        """Whether it is a NIC."""
        return not self.kind and self.name != "lo"


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of the main table."""

    family: int
    """4 or 6."""
    to: str
    """`default`, or a network."""
    dev: str
    via: str = ""
    proto: str = "kernel"
    scope: str = ""
    """Empty: as the kernel has it, `link` without a gateway and `global` with one."""
    src: str = ""
    """The address that it leaves from."""
    metric: int | None = None
    flags: tuple[str, ...] = ()
    """`onlink`, `linkdown`, `dead`."""
    expires: int | None = None
    """Seconds, of one that came by a router's advertisement."""
    hoplimit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """All of a node, at one moment."""

    links: tuple[Link, ...] = ()
    """In the order of their indexes."""
    routes: tuple[Route, ...] = ()

    @cached_property
    def _named(self) -> Mapping[str, Link]:
        return {link.name: link for link in self.links}

    @cached_property
    def _members(self) -> Mapping[str | None, list[Link]]:
        return _grouped((link.master, link) for link in self.links)

    @cached_property
    def _vlans(self) -> Mapping[str | None, list[Link]]:
        return _grouped((link.parent, link) for link in self.links if link.vlan)

    def link(self, name: str) -> Link | None:
        """The link of this name."""
        return self._named.get(name)

    def ports(self, master: str) -> tuple[Link, ...]:
        """The slaves of a bond, the ports of a bridge."""
        return tuple(self._members.get(master, ()))

    def vlans_on(self, name: str) -> tuple[Link, ...]:
        """The VLANs whose raw device this is."""
        return tuple(self._vlans.get(name, ()))


def _grouped(pairs: Iterable[tuple[str | None, Link]]) -> dict[str | None, list[Link]]:
    found: dict[str | None, list[Link]] = {}
    for key, link in pairs:
        found.setdefault(key, []).append(link)
    return found


def lacp_words(state: int) -> tuple[str, ...]:
    """What an LACP state says."""
    return tuple(word for bit, word in enumerate(LACP_STATES) if state >> bit & 1)
