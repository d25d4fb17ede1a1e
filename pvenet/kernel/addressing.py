"""What the kernel has otherwise of addresses and default routes.

What no file names never fails: others add it, and they may. What came by itself is not told of at all.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, TypeAlias

from pvenet.kernel.difference import Difference, Kind
from pvenet.model import Other
from pvenet.model.addresses import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv4Interface, IPv6Interface

    from pvenet.kernel.links import Address, KernelLink, Route
    from pvenet.kernel.view import View
    from pvenet.model import Interface

_Ip: TypeAlias = IPv4Address | IPv6Address

_BY_ITSELF = frozenset({"dhcp", "auto", "ppp", "wvdial"})
"""Methods by which something else than the file gives addresses."""

_BY_HAND = frozenset({"", "kernel", "boot", "static"})
"""How a route is marked that ifupdown2 (`kernel`, as the recordings have it) or a person has made."""

_WRITTEN = re.compile(r"\d+(?:\.\d+){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*[0-9A-Fa-f:]")


def address_differences(interface: Interface, link: KernelLink, view: View) -> Iterator[Difference]:
    """The addresses that the file gives an interface and the kernel does not have on it."""
    if link.addresses is None:
        return
    for wanted in addresses(interface):
        if _by_itself(interface, wanted.version):
            continue
        found = [each.address for each in link.addresses if each.address.ip == wanted.ip]
        if wanted in found or (found and _without_prefix(wanted)):
            continue
        place = str(found[0]) if found else _elsewhere(view, wanted)
        yield Difference(
            name=interface.name,
            kind=Kind.ADDRESS,
            subject=str(wanted),
            wanted=f"{wanted} on {interface.name}",
            found=place,
            text=f"{interface.name}: {wanted} in the file, {place} in the kernel",
        )


def _without_prefix(wanted: IPv4Interface | IPv6Interface) -> bool:
    """PVE lists what it can't read of a mask so, and the kernel may know better (pve-api#f54)."""
    return wanted.network.prefixlen == wanted.max_prefixlen


def _elsewhere(view: View, wanted: IPv4Interface | IPv6Interface) -> str:
    for link in view.report.links.values():
        if any(each.address.ip == wanted.ip for each in link.addresses or ()):
            return f"on {link.name}"
    return "not there"


def extra_addresses(view: View) -> Iterator[Difference]:
    """The addresses that an interface of the file has and that no file names anywhere."""
    named = written([view.report.interfaces, *_other_lines(view)])
    named |= {each.ip for interface in view.network.interfaces.values() for each in addresses(interface)}
    for name, interface in view.network.interfaces.items():
        link = None if isinstance(interface, Other) else view.link(name)
        for each in (link.addresses or ()) if link else ():
            if _is_extra(each, interface, named):
                yield Difference(
                    name=name,
                    kind=Kind.EXTRA_ADDRESS,
                    subject=str(each.address),
                    found=f"{each.address} on {name}",
                    text=f"{each.address} is on {name} but in no file",
                )


def _is_extra(found: Address, interface: Interface, named: frozenset[_Ip]) -> bool:
    return not (
        found.dynamic
        or found.scope in ("link", "host")
        or found.address.is_link_local
        or found.address.ip in named
        or _by_itself(interface, found.address.version)
    )


def _by_itself(interface: Interface, version: int) -> bool:
    kept = interface.file_only
    return (kept.method if version == 4 else kept.method6) in _BY_ITSELF  # noqa: PLR2004 - IPv4


def written(texts: Iterable[str]) -> frozenset[_Ip]:
    """Every address that stands anywhere in some texts, in any spelling."""
    found = set()
    for text in texts:
        for word in _WRITTEN.findall(text):
            with suppress(ValueError):
                found.add(ip_address(word))
    return frozenset(found)


def _other_lines(view: View) -> list[str]:
    """What the files say besides what the model holds of them."""
    return [
        *view.report.sourced.values(),
        *(
            line
            for each in view.network.interfaces.values()
            for line in (
                *each.file_only.lines,
                *([each.entry] if isinstance(each, Other) else ()),
            )
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gateway:
    """A default route that a file names."""

    name: str
    address: _Ip


def route_differences(view: View) -> Iterator[Difference]:
    """Of the default routes, by IP version. Of several that files name any will do."""
    every = [gateway for interface in view.network.interfaces.values() for gateway in _gateways(interface)]
    told = {(view.name(each.name), each.address) for each in every}
    # the file's text has those, too, that PVE does not list: of several gateways in a stanza it does the last
    others = written(_other_lines(view)) | written([view.report.interfaces]) - {each.address for each in every}
    compared = {each.name for each in view.compared}
    for version in (4, 6):
        routes = [each for each in view.report.routes if each.to == "default" and each.family == version]
        wanted = [each for each in every if each.address.version == version and each.name in compared]
        named = [each for each in routes if each.via in others or (each.dev, each.via) in told]
        made = [each for each in routes if each not in named and _by_hand(view, each)]
        if named or not wanted:
            yield from _extra_routes(view, made)
        elif all(_counts(view, each) for each in wanted) and all(
            each in made or each.proto == "ra" for each in routes
        ):  # a program that routes may have taken its place
            yield _lacking(view, wanted[0], made)


def _by_hand(view: View, route: Route) -> bool:
    """Whether ifupdown2 or a person has made it, not a program: a DHCP client's routes look like a person's."""
    interfaces = [each for name, each in view.network.interfaces.items() if view.name(name) == route.dev]
    return route.proto in _BY_HAND and not any(_by_itself(each, route.family) for each in interfaces)


def _gateways(interface: Interface) -> Iterator[_Gateway]:
    for address in (interface.gateway, interface.gateway6):
        if address is not None and not _by_itself(interface, address.version):
            yield _Gateway(name=interface.name, address=address)


def _counts(view: View, wanted: _Gateway) -> bool:
    """Whether the kernel has to have it in its main table: not without carrier, nor in a VRF."""
    link = view.link(wanted.name)
    if link is None or not link.up or not link.carrier:
        return False
    lines = view.network.interfaces[wanted.name].file_only.lines
    return not any(line.split()[:1] == ["vrf"] for line in lines)


def _lacking(view: View, wanted: _Gateway, instead: list[Route]) -> Difference:
    called = "the default route" if wanted.address.version == 4 else "the IPv6 default route"  # noqa: PLR2004 - IPv4
    if not instead:
        found, text = "none", f"{called} by {wanted.name} to {wanted.address} is missing"
    elif instead[0].dev == view.name(wanted.name):
        found = f"via {instead[0].via}"
        text = f"{called} by {wanted.name} goes to {instead[0].via}, the file says {wanted.address}"
    else:
        found = f"by {instead[0].dev}"
        text = f"{called} leaves by {instead[0].dev}, the file says {wanted.name}"
    return Difference(
        name=wanted.name,
        kind=Kind.DEFAULT_ROUTE,
        subject=str(wanted.address),
        wanted=f"{called} by {wanted.name} to {wanted.address}",
        found=found,
        text=text,
    )


def _extra_routes(view: View, routes: Iterable[Route]) -> Iterator[Difference]:
    names = {view.name(name): name for name in view.network.interfaces}
    for route in routes:
        via = f" to {route.via}" if route.via else ""
        called = "IPv6 default route" if route.family == 6 else "default route"  # noqa: PLR2004 - IPv6
        yield Difference(
            name=names.get(route.dev, route.dev),
            kind=Kind.EXTRA_ROUTE,
            subject=str(route.via or route.family),
            found=f"{called} by {route.dev}{via}",
            text=f"the {called} by {route.dev}{via} is in no file",
        )
