"""What a node's network is made of: frozen values, one class a kind.

Constructors check shape and nothing more, because real nodes hold things that nobody should create and the current
network must be able to hold them. Whether a change is legal is a question for `pvenet.plan.problems`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface


class BondMode(StrEnum):
    """The seven modes of a Linux bond (POST /nodes/{node}/network, `bond_mode`)."""

    BALANCE_RR = "balance-rr"
    ACTIVE_BACKUP = "active-backup"
    BALANCE_XOR = "balance-xor"
    BROADCAST = "broadcast"
    LACP = "802.3ad"
    BALANCE_TLB = "balance-tlb"
    BALANCE_ALB = "balance-alb"


BOND_MODE_NUMBERS = {f"{number}": mode.value for number, mode in enumerate(BondMode)}
"""The numbers by which the bonding driver, and many who configure it, know the modes: they are in its order."""
ALSO_CALLED = {"lacp": BondMode.LACP}
"""Modes by the names that people have for them; what is written and shown has the mode's own."""


class OvsBondMode(StrEnum):
    """The four modes of an OVS bond, as the API spells them (pve-api#ovs-bond)."""

    ACTIVE_BACKUP = "active-backup"
    BALANCE_SLB = "balance-slb"
    LACP_BALANCE_SLB = "lacp-balance-slb"
    LACP_BALANCE_TCP = "lacp-balance-tcp"


class XmitHashPolicy(StrEnum):
    """How a bond in balance-xor or 802.3ad picks a slave for a packet."""

    LAYER2 = "layer2"
    LAYER2_3 = "layer2+3"
    LAYER3_4 = "layer3+4"


HASHING_MODES = frozenset({BondMode.BALANCE_XOR, BondMode.LACP})
"""The modes in which PVE keeps a hash policy; in the others it drops one silently (pve-api#silently-dropped)."""

OVS_BOND_WORDS = ("bond_mode=", "lacp=")
"""What an OVS bond's mode says; PVE takes such words out of its options (pve-api#f51)."""

ALL_VIDS = ("2-4094",)
"""What PVE fills in for a VLAN-aware bridge that names no vids (pve-api#auto-filled)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileOnly:
    """What a stanza holds that the API shows and can't write, so that no update and no inverse can restore it."""

    method: str = "manual"
    """`static`, `manual`, `dhcp` or `loopback`, of the inet stanza."""
    method6: str = "manual"
    """The same of the inet6 stanza, and `auto`; PVE says `manual` also where there is no such stanza."""
    families: tuple[str | None, ...] = ("inet",)
    """The stanzas there are; None stands for a stanza without a family."""
    options: tuple[str, ...] = ()
    """Lines of the inet stanza that PVE doesn't know, such as `post-up ...`."""
    options6: tuple[str, ...] = ()
    """The same of the inet6 stanza."""
    settings: tuple[tuple[str, str], ...] = ()
    """Known to PVE and not settable: `bond_miimon`, `bridge_stp`, `bridge_fd`, ... by PVE's names, sorted."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that PVE doesn't know, of both stanzas."""
        return (*self.options, *self.options6)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stanza:
    """What interfaces of every kind have. Two are equal when everything that the API can set is."""

    type: ClassVar[str]
    """PVE's word for the kind."""

    name: str
    autostart: bool = True
    cidr: IPv4Interface | None = None
    gateway: IPv4Address | None = None
    cidr6: IPv6Interface | None = None
    gateway6: IPv6Address | None = None
    mtu: int | None = None
    comments: str = ""
    """Lines joined with newlines, without the trailing one that PVE adds."""
    file_only: FileOnly = field(default=FileOnly(), compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ethernet(_Stanza):
    """A physical NIC."""

    type: ClassVar[str] = "eth"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bond(_Stanza):
    """A Linux bond."""

    type: ClassVar[str] = "bond"

    slaves: tuple[str, ...] = ()
    mode: BondMode = BondMode.BALANCE_RR
    primary: str | None = None
    """The preferred slave; active-backup only."""
    xmit_hash_policy: XmitHashPolicy | None = None
    """In balance-xor and 802.3ad only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bridge(_Stanza):
    """A Linux bridge."""

    type: ClassVar[str] = "bridge"

    ports: tuple[str, ...] = ()
    vlan_aware: bool = False
    vids: tuple[str, ...] = ()
    """VLAN ids and ranges (`7`, `2-4094`) that the ports let through; VLAN-aware bridges only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vlan(_Stanza):
    """A VLAN interface in any of its spellings: `bond0.50`, `vlan50`, or a name of its own."""

    type: ClassVar[str] = "vlan"

    raw_device: str | None = None
    tag: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OvsBridge(_Stanza):
    """An Open vSwitch bridge."""

    type: ClassVar[str] = "OVSBridge"

    ports: tuple[str, ...] = ()
    """NICs, internal ports and OVS bonds. Each names its bridge, too; PVE keeps both together
    (pve-api#ovs-coupling)."""
    options: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _OvsPort(_Stanza):
    """What a bridge of Open vSwitch lists. Its bridge starts it, whatever its `autostart` says
    (pve-api#ovs-autostart).
    """

    bridge: str | None = None
    tag: int | None = None
    options: str = ""
    """Words for `ovs-vsctl`; their order means nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OvsBond(_OvsPort):
    """An Open vSwitch bond: a port of a bridge that is made of NICs."""

    type: ClassVar[str] = "OVSBond"

    slaves: tuple[str, ...] = ()
    mode: OvsBondMode = OvsBondMode.ACTIVE_BACKUP


@dataclass(frozen=True, kw_only=True, slots=True)
class OvsIntPort(_OvsPort):
    """An internal port of an Open vSwitch bridge, by which the node itself is on it."""

    type: ClassVar[str] = "OVSIntPort"


@dataclass(frozen=True, kw_only=True, slots=True)
class OvsPort(_OvsPort):
    """A NIC that an Open vSwitch bridge lists."""

    type: ClassVar[str] = "OVSPort"


@dataclass(frozen=True, kw_only=True, slots=True)
class Other(_Stanza):
    """What pvenet does not model exactly: shown as it came, never rewritten.

    The typed fields hold what could be read, so that plans see which names and addresses are taken.
    """

    type: ClassVar[str] = "other"

    kind: str = "unknown"
    """PVE's `type` as it came."""
    beneath: tuple[str, ...] = ()
    """The interfaces that it stands on, as far as they can be read."""
    entry: str = "{}"
    """The listing's entry, as JSON text with sorted keys and without what the kernel observes."""
    unread: tuple[str, ...] = field(default=(), compare=False)
    """Of a kind that is modelled: the values that can't be read, such as `mtu 9000 # jumbo`, by PVE's names."""
    own: tuple[tuple[str, Any], ...] = field(default=(), compare=False)
    """Of such a kind: what can be read of the fields that only it has, but for those beneath it."""

    @property
    def reason(self) -> str:
        """Why it is shown and not changed, a clause."""
        if self.unread:
            return f"{self.name} has `{'`, `'.join(self.unread)}`, which can't be read, so pvenet does not change it"
        return f"{self.name} is of the kind {self.kind}, which pvenet shows but does not change yet"

    @property
    def unwritten(self) -> str:
        """Why it can't be written, a clause in which its name is said already."""
        if self.unread:
            return f"`{'`, `'.join(self.unread)}` can't be read, so pvenet does not write it"
        return f"pvenet does not write the kind {self.kind}"


Interface = Ethernet | Bond | Bridge | Vlan | OvsBridge | OvsBond | OvsIntPort | OvsPort | Other


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What the node observes of an interface; it takes no part in a plan."""

    active: bool = False
    """The kernel's IFF_UP flag and nothing more (pve-api#active)."""
    exists: bool = False
    """A physical NIC is there under this name."""
    altnames: tuple[str, ...] = ()


def kind_of(interface: Interface) -> str:
    """PVE's `type` of an interface, also where pvenet does not model it."""
    return interface.kind if isinstance(interface, Other) else interface.type


def beneath(interface: Interface) -> tuple[str, ...]:
    """The names that an interface stands on directly: slaves, ports, the raw device, or an internal port's bridge."""
    match interface:  # first what most nodes have most of
        case Ethernet() | OvsPort():
            return ()
        case Vlan():
            return (interface.raw_device,) if interface.raw_device else ()
        case Bond() | OvsBond():
            return interface.slaves
        case Bridge() | OvsBridge():
            return interface.ports
        case OvsIntPort():
            return (interface.bridge,) if interface.bridge else ()
        case Other():
            return interface.beneath


def is_kept_down(interface: Interface) -> bool:
    """Whether a line of its stanza that PVE doesn't know may keep it down, whatever its `autostart` says."""
    lines = [line.split() or [""] for line in interface.file_only.lines]
    return any(words[0] == "link-down" or ("up" in words[0] and words[-1] == "down") for words in lines)


_COMPARED: Mapping[type[Interface], tuple[str, ...]] = {
    kind: tuple(each.name for each in fields(kind) if each.compare) for kind in get_args(Interface)
}


def unlike(old: Interface, new: Interface) -> tuple[str, ...]:
    """The fields in which two of a kind differ, in the model's order."""
    return tuple(name for name in _COMPARED[type(new)] if getattr(old, name) != getattr(new, name))


_IDENTITY = frozenset({"name", "kind", "beneath", "entry"})
"""The name, and what an `Other` keeps for itself."""


_DEFAULTS: Mapping[type[Interface], Mapping[str, Any]] = {
    kind: MappingProxyType(
        {each.name: each.default for each in fields(kind) if each.compare and each.name not in _IDENTITY}
    )
    for kind in get_args(Interface)
}


def settable(kind: type[Interface]) -> tuple[str, ...]:
    """The fields of a kind of interface that the API can set, in the model's order: first those of every kind."""
    return tuple(_DEFAULTS[kind])


def own_first(kind: type[Interface]) -> tuple[str, ...]:
    """The same for people: what makes the kind what it is, then what every kind has."""
    shared = settable(Ethernet)
    return tuple(sorted(settable(kind), key=lambda name: name in shared))


def defaults(kind: type[Interface]) -> Mapping[str, Any]:
    """What each of these fields is where nothing is said of it."""
    return _DEFAULTS[kind]
