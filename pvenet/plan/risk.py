"""What a change puts at risk: nothing, guests' traffic, or the way to the node itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pvenet.model import Ethernet, Interface, Network, Other
from pvenet.plan.changes import Change, Create, Delete, Update
from pvenet.plan.relations import downward, members, natural, users

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping


class Risk(StrEnum):
    """How bad a change can end, with an order."""

    NONE = "none"
    """It touches nothing in use."""
    GUESTS = "guests"
    """It touches what guests may hang on."""
    MANAGEMENT = "management"
    """It touches the way to the node."""

    @property
    def rank(self) -> int:
        return list(Risk).index(self)

    def __lt__(self, other: str) -> bool:
        return self.rank < Risk(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Risk(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Risk(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Risk(other).rank


@dataclass(frozen=True, kw_only=True, slots=True)
class Management:
    """The interfaces that carry the way to the node."""

    names: frozenset[str]
    """The carriers and everything beneath them."""
    path: tuple[str, ...]
    """The first carrier and what is beneath it, from the top down."""
    reason: str
    """Why that one: a clause."""
    addresses: frozenset[str] = frozenset()
    """The addresses on the node by which it is reached."""
    carriers: tuple[str, ...] = ()
    """The interfaces that count as the way themselves, the surest first."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why each of them, a clause."""


def management(network: Network, addresses: Collection[str]) -> Management:
    """Who carries one of the addresses or a default gateway, and everything beneath.

    Without any of the addresses on the node (a tunnel, NAT, DHCP), whatever has an address may be the way.
    """
    interfaces = network.interfaces
    reasons: dict[str, str] = {}
    reached = _reached(interfaces, addresses)
    for name, address in reached.items():
        reasons[name] = f"{name} carries the node's address {address}"
    if not reached:
        who = "none of the known addresses is on an interface" if addresses else "the node's address is not known"
        for name in _with_address(interfaces):
            reasons[name] = f"{who}, and {name} has an address"
    gateways = [name for name in interfaces if interfaces[name].gateway or interfaces[name].gateway6]
    for name in gateways:
        reasons.setdefault(name, f"{name} has the default gateway")
    carriers = list(reasons)
    return Management(
        names=frozenset(_carried(carriers, interfaces)),
        path=tuple(_carried(carriers[:1], interfaces)),
        reason=reasons[carriers[0]] if carriers else "no interface has an address",
        addresses=frozenset(reached.values()),
        carriers=tuple(carriers),
        reasons=reasons,
    )


def focused(way: Management, changes: Iterable[Change], current: Network, after: Network) -> Management:
    """The way with the first carrier in front that the changes touch: the one that a person has to hear of."""
    touched = {name for change in changes for name in (change.name, *_taken(change))}
    for carrier in way.carriers:
        path = _carried([carrier], current.interfaces)
        if not touched.isdisjoint([*path, *_carried([carrier], after.interfaces)]):
            others = tuple(other for other in way.carriers if other != carrier)
            return replace(way, path=tuple(path), reason=way.reasons[carrier], carriers=(carrier, *others))
    return way


def _reached(interfaces: Mapping[str, Interface], addresses: Collection[str]) -> dict[str, str]:
    """The interfaces that have one of the addresses, and which."""
    wanted = {str(ip_address(address)) for address in addresses}
    found = {}
    for name, interface in sorted(interfaces.items(), key=lambda item: natural(item[0])):
        for address in (interface.cidr, interface.cidr6):
            if address is not None and str(address.ip) in wanted:
                found[name] = str(address.ip)
    return found


def _with_address(interfaces: Mapping[str, Interface]) -> list[str]:
    """Who has an address of its own, or gets one from outside."""
    return [
        name
        for name, interface in sorted(interfaces.items(), key=lambda item: natural(item[0]))
        if interface.cidr
        or interface.cidr6
        or {interface.file_only.method, interface.file_only.method6} & {"dhcp", "auto"}
    ]


def _carried(carriers: Iterable[str], interfaces: Mapping[str, Interface]) -> list[str]:
    """The carriers and everything beneath them; of an Open vSwitch port also the switch that lists it."""
    found = downward(carriers, interfaces)
    inside = [name for name in found if isinstance(interfaces.get(name), Other)]
    if inside:
        standing = users(interfaces)
        switches = [
            user
            for name in inside
            for user in standing.get(name, ())
            if isinstance(other := interfaces[user], Other) and other.kind == "OVSBridge"
        ]
        found = downward([*found, *switches], interfaces)
    return found


def risk(change: Change, management: Management, current: Network, after: Network) -> Risk:
    """What one change puts at risk, between the network that is and the one that shall be."""
    return risks([change], management, current, after)[0]


def risks(changes: Iterable[Change], management: Management, current: Network, after: Network) -> tuple[Risk, ...]:
    """What each change puts at risk. For many changes at once: the networks are looked through only once."""
    vital = management.names | _vital_then(management, after)
    in_use = _in_use(current)
    return tuple(_risk(change, management, vital, in_use) for change in changes)


def _vital_then(management: Management, after: Network) -> set[str]:
    """Who will carry the way to the node when the changes have come."""
    carriers = [*_reached(after.interfaces, management.addresses)]
    carriers += [name for name, interface in after.interfaces.items() if interface.gateway or interface.gateway6]
    carriers += [name for name in management.carriers if name in after.interfaces]
    return set(_carried(carriers, after.interfaces))


def _in_use(current: Network) -> set[str]:
    """What guests' traffic may go through now: all but the NICs that nothing stands on and that have no address."""
    found = set(users(current.interfaces)) | set(_with_address(current.interfaces))
    return found | {name for name, it in current.interfaces.items() if not isinstance(it, Ethernet)}


def _risk(change: Change, management: Management, vital: Collection[str], in_use: Collection[str]) -> Risk:
    touched = {change.name, *_taken(change)}
    if not touched.isdisjoint(vital) or _reroutes(change, management):
        return Risk.MANAGEMENT
    if isinstance(change, Delete) or not touched.isdisjoint(in_use):
        return Risk.GUESTS
    return Risk.NONE


def _taken(change: Change) -> Iterator[str]:
    """What a change takes for itself alone, or lets go."""
    match change:
        case Create():
            yield from members(change.after)
        case Delete():
            yield from members(change.before)
        case Update():
            yield from set(members(change.before)) ^ set(members(change.after))


def _reroutes(change: Change, management: Management) -> bool:
    """Whether a default gateway comes, goes or changes, or an address of the node appears a second time."""
    old = None if isinstance(change, Create) else change.before
    new = None if isinstance(change, Delete) else change.after
    for key in ("gateway", "gateway6"):
        if getattr(old, key, None) != getattr(new, key, None):
            return True
    return any(
        address is not None and str(address.ip) in management.addresses
        for address in (getattr(new, "cidr", None), getattr(new, "cidr6", None))
    )
