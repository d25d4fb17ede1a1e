"""What the kernel was told of its links by the reloads so far, kept in `machine.json`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from pvenet.sim.machine.hardware import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

LEAST_MTU, MOST_MTU = 68, 65535
DEFAULT_MTU = 1500
LISTS = ("members", "addresses", "gateways", "vids")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the kernel was told of one link."""

    kind: str = ""
    """`bond`, `bridge`, `vlan`, `openvswitch`, `dummy`, ...; empty for a NIC and lo."""
    mtu: int | None = None
    """None: it goes with what it belongs to or stands on."""
    members: tuple[str, ...] = ()
    """The slaves of a bond, the ports of a bridge."""
    since: Mapping[str, float] = field(default_factory=dict)
    """When each slave began to ask for its LACP partner, each port of a bridge with STP to listen; 0: long ago."""
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    mode: str = ""
    primary: str | None = None
    hash_policy: str = "layer2"
    miimon: int = 100
    lacp_rate: str = "slow"
    stp: bool = False
    vlan_filtering: bool = False
    forward_delay: int = 0
    """Hundredths of a second."""
    parent: str = ""
    """The raw device of a VLAN."""
    vlan_id: int = 0
    vlan_protocol: str = "802.1Q"
    vids: tuple[str, ...] = ()
    """The tagged VLANs of a port, or of all ports of a bridge: `30`, `2-4094`."""
    pvid: int | None = None
    """The untagged one; None: the bridge's, else 1."""
    access: bool = False
    """The port carries the untagged one and no other."""
    switched: bool = False
    """A NIC that Open vSwitch has as a port, or in a bond of its own."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        known = dict(data)
        return cls(**known | {name: tuple(known[name]) for name in LISTS if name in known})

    def data(self) -> dict[str, Any]:
        found = said(self)
        return found if self.since else {name: value for name, value in found.items() if name != "since"}

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)


NOTHING = Settings()


@dataclass(frozen=True, kw_only=True)
class Told:
    """One link gets its settings when this share of the reload's time is over."""

    at: float
    link: str
    settings: Settings

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        return cls(at=data["at"], link=data["link"], settings=Settings.of(data["settings"]))

    def data(self) -> dict[str, Any]:
        return {"at": self.at, "link": self.link, "settings": self.settings.data()}


def after(links: Mapping[str, Settings], told: Told) -> dict[str, Settings]:
    """All links when one has got its settings: what it takes as its member, nobody else keeps."""
    taken = frozenset(told.settings.members)
    return {name: _without(each, taken) for name, each in links.items()} | {told.link: told.settings}


def _without(owner: Settings, taken: AbstractSet[str]) -> Settings:
    if taken.isdisjoint(owner.members):
        return owner
    return owner.but(members=tuple(member for member in owner.members if member not in taken))


def masters(links: Mapping[str, Settings]) -> dict[str, str]:
    """The members of bonds and bridges, and whose each is."""
    return {member: owner for owner, each in links.items() for member in each.members}


def mtu_of(link: str, links: Mapping[str, Settings], owners: Mapping[str, str]) -> int:
    """The MTU that a link comes to have: its own, or its bond's, or its raw device's, or its ports' least."""
    return _mtu_of(link, links, owners, frozenset())


def _mtu_of(link: str, links: Mapping[str, Settings], owners: Mapping[str, str], above: AbstractSet[str]) -> int:
    own = links.get(link, NOTHING)
    if own.mtu is not None:
        return own.mtu
    goes_with = [] if link in above else list(_models(link, own, links, owners))
    return min((_mtu_of(other, links, owners, above | {link}) for other in goes_with), default=DEFAULT_MTU)


def _models(link: str, own: Settings, links: Mapping[str, Settings], owners: Mapping[str, str]) -> Iterator[str]:
    """What a link's MTU goes with while it has none of its own."""
    owner = owners.get(link, "")
    if links.get(owner, NOTHING).kind == "bond":
        yield owner
    elif own.kind == "vlan":  # fixtures/kernel/ip/misc-fresh: ens38.100
        yield own.parent
    elif own.kind == "bridge":
        yield from own.members
