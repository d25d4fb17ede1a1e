"""What a change puts at risk: nothing, guests' traffic, or the management path."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING

from pvenet.changes import Change, Create, Delete, Update, felt
from pvenet.model import Ethernet, Interface, Network, Other, OvsBridge, beneath, natural, typed
from pvenet.model.relations import members
from pvenet.model.walks import downward, upward
from pvenet.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pvenet.changes import Loss


class Risk(Severity):
    """How bad a change can end."""

    NONE = "none"
    """It touches nothing in use."""
    GUESTS = "guests"
    """It touches what guests may hang on."""
    MANAGEMENT = "management"
    """It touches the management path."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagementPath:
    """The interfaces between the cables and the node's address."""

    names: frozenset[str]
    """All of them: the holders and everything beneath."""
    chain: tuple[str, ...]
    """The first holder and what is beneath it, from the top down."""
    reason: str
    """Why that one: a clause."""
    addresses: frozenset[str] = frozenset()
    """The addresses on the node by which it is reached."""
    holders: tuple[str, ...] = ()
    """The interfaces at the top, which hold such an address or a default gateway; the surest first."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why each of them, a clause."""


def management_path(network: Network, addresses: Collection[str]) -> ManagementPath:
    """Who holds one of the addresses or a default gateway, and everything beneath.

    Without any of the addresses on the node (a tunnel, NAT, DHCP), whatever has an address may be a holder.
    """
    interfaces = network.interfaces
    reasons: dict[str, str] = {}
    reached = _reached(network, addresses)
    for name, address in reached.items():
        reasons[name] = f"{name} carries the node's address {address}"
    if not reached:
        who = "none of the known addresses is on an interface" if addresses else "the node's address is not known"
        for name in _with_address(interfaces):
            reasons[name] = f"{who}, and {name} has an address"
    for name in _with_gateway(interfaces):
        reasons.setdefault(name, f"{name} has the default gateway")
    holders = list(reasons)
    return ManagementPath(
        names=frozenset(_beneath(holders, network)),
        chain=tuple(_beneath(holders[:1], network)),
        reason=reasons[holders[0]] if holders else "no interface has an address",
        addresses=frozenset(reached.values()),
        holders=tuple(holders),
        reasons=reasons,
    )


def focused(
    path: ManagementPath, changes: Iterable[Change], current: Network, after: Network, also: Iterable[str] = ()
) -> ManagementPath:
    """The path with the first holder in front that the changes touch: the one that a person has to hear of.

    `also`: names that are touched by no change.
    """
    touched = {name for change in changes for name in _touched(change, current, after)} | set(also)
    near = _above(touched, current) | _above(touched, after)
    first = next((holder for holder in path.holders if holder in near), None)
    if first is None:
        return path
    others = tuple(other for other in path.holders if other != first)
    chain = tuple(_beneath([first], current))
    return replace(path, chain=chain, reason=path.reasons[first], holders=(first, *others))


def _reached(network: Network, addresses: Collection[str]) -> dict[str, str]:
    """The interfaces that have one of the addresses, and which."""
    wanted = {str(ip_address(address)) for address in addresses}
    found = {name: ip for name, ips in network.ips.items() for ip in ips if ip in wanted}
    return {name: found[name] for name in sorted(found, key=natural)}


def _with_address(interfaces: Mapping[str, Interface]) -> list[str]:
    """Who has an address of its own, or gets one from outside."""
    return sorted((name for name, interface in interfaces.items() if _is_addressed(interface)), key=natural)


def _is_addressed(interface: Interface) -> bool:
    outside = {interface.file_only.method, interface.file_only.method6} & {"dhcp", "auto"}
    return bool(interface.cidr or interface.cidr6 or outside)


def _with_gateway(interfaces: Mapping[str, Interface]) -> list[str]:
    """Who has a default gateway."""
    return [name for name, interface in interfaces.items() if interface.gateway or interface.gateway6]


def _beneath(holders: Iterable[str], network: Network) -> list[str]:
    """The holders and everything beneath them; of an Open vSwitch port also the switch that lists it.

    Only that tells the switch of a port with a value that can't be read.
    """
    interfaces = network.interfaces
    found = downward(holders, network)
    inside = [name for name in found if isinstance(interfaces.get(name), Other)]
    if inside:
        switches = [
            name for name, each in interfaces.items() if _is_switch(each) and not set(inside).isdisjoint(beneath(each))
        ]
        found = downward([*found, *switches], network)
    return found


def _above(names: Iterable[str], network: Network) -> set[str]:
    """The names and everything that has one of them beneath it, as `_beneath` goes."""
    interfaces = network.interfaces
    found = upward(names, network)
    switches = [interfaces[name] for name in found if _is_switch(interfaces.get(name))]
    inside = [port for each in switches for port in beneath(each) if isinstance(interfaces.get(port), Other)]
    return upward([*found, *inside], network) if inside else found


def _is_switch(interface: Interface | None) -> bool:
    """Whether it is a bridge of Open vSwitch, which says whose port one is that does not say so itself."""
    return isinstance(typed(interface), OvsBridge)


def removals_on(path: ManagementPath, removals: Iterable[Loss], addresses: Collection[str]) -> tuple[Loss, ...]:
    """Of what PVE's write takes away by itself, what is of the management path, or is an address of the node."""
    known = {str(ip_address(address)) for address in addresses}
    return tuple(
        loss
        for loss in removals
        if not loss.remark and (not path.names.isdisjoint((loss.name, loss.to)) or known & _addresses_in(loss.what))
    )


def _addresses_in(text: str) -> set[str]:
    found = set()
    for word in text.split():
        with suppress(ValueError):
            found.add(str(ip_interface(word).ip))
    return found


def risks(changes: Iterable[Change], path: ManagementPath, current: Network, after: Network) -> tuple[Risk, ...]:
    """What each change puts at risk, between the network that is and the one that shall be."""
    on_path = path.names | _names_after(path, after)
    return tuple(_risk(change, path, on_path, current, after) for change in changes)


def _names_after(path: ManagementPath, after: Network) -> set[str]:
    """The interfaces of the management path when the changes have come."""
    holders = [*_reached(after, path.addresses), *_with_gateway(after.interfaces)]
    holders += [name for name in path.holders if name in after.interfaces]
    return set(_beneath(holders, after))


def _risk(change: Change, path: ManagementPath, on_path: Collection[str], current: Network, after: Network) -> Risk:
    touched = _touched(change, current, after)
    if not touched.isdisjoint(on_path) or _reroutes(change, path):
        return Risk.MANAGEMENT
    if _is_remark(change, current, after):
        return Risk.NONE
    if isinstance(change, Delete) or any(_is_in_use(name, current) for name in touched):
        return Risk.GUESTS
    return Risk.NONE


def _touched(change: Change, current: Network, after: Network) -> set[str]:
    """The interface that changes, with what it takes for itself alone or lets go; without it where it feels nothing."""
    taken = set(_taken(change))
    is_listing = (
        isinstance(change, Update) and change.fields() and not felt(change, current.interfaces, after.interfaces)
    )
    return taken if is_listing else {change.name, *taken}


def _is_in_use(name: str, current: Network) -> bool:
    """Whether guests' traffic may go through it now, as through all but NICs that nothing stands on and that have no
    address.
    """
    interface = current.interfaces.get(name)
    if interface is not None and (not isinstance(typed(interface), Ethernet) or _is_addressed(interface)):
        return True
    return name in current.users


def _is_remark(change: Change, current: Network, after: Network) -> bool:
    """Whether nothing but a comment changes, which no link notices."""
    return isinstance(change, Update) and felt(change, current.interfaces, after.interfaces) == {"comments"}


def _taken(change: Change) -> Iterator[str]:
    """What a change takes for itself alone, or lets go."""
    match change:
        case Create():
            yield from members(change.after)
        case Delete():
            yield from members(change.before)
        case Update():
            yield from set(members(change.before)) ^ set(members(change.after))


def _reroutes(change: Change, path: ManagementPath) -> bool:
    """Whether a default gateway comes, goes or changes, or an address of the node comes, perhaps a second time."""
    old = None if isinstance(change, Create) else change.before
    new = None if isinstance(change, Delete) else change.after
    for key in ("gateway", "gateway6"):
        if getattr(old, key, None) != getattr(new, key, None):
            return True
    come = [getattr(new, key, None) for key in ("cidr", "cidr6") if getattr(old, key, None) != getattr(new, key, None)]
    return any(address is not None and str(address.ip) in path.addresses for address in come)
