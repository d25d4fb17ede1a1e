"""The routes that a kernel has of what its links were told: fixtures/kernel/ip/*/route4.txt and route6.txt."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from pvenet.sim.kernel.value import Route
from pvenet.sim.machine.settings import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.sim.kernel.value import Link
    from pvenet.sim.machine.settings import Settings

IPV4, IPV6 = 4, 6
METRIC6 = 256
DEFAULT_METRIC6 = 1024


def routes(links: Sequence[Link], told: Mapping[str, Settings]) -> tuple[Route, ...]:
    """Default routes first, the first gateway of each family and no other."""
    first: dict[int, Route] = {}
    usable = [link for link in links if link.up and link.name != "lo"]
    for link in usable:
        for route in _defaults(link, told.get(link.name, NOTHING)):
            first.setdefault(route.family, route)
    return (*first.values(), *(route for link in usable for route in _connected(link)))


def _defaults(link: Link, settings: Settings) -> Iterator[Route]:
    for gateway in settings.gateways:
        family = ipaddress.ip_address(gateway).version
        metric = DEFAULT_METRIC6 if family == IPV6 else None
        flags = ("onlink",) if link.carrier else ("onlink", "linkdown")
        yield Route(family=family, to="default", via=gateway, dev=link.name, metric=metric, flags=flags)


def _connected(link: Link) -> Iterator[Route]:
    """A route to each network that an address is in, but for a network of one."""
    flags = () if link.carrier else ("linkdown",)
    for address in link.addresses:
        own = ipaddress.ip_interface(address.cidr)
        if own.network.num_addresses > 1 and own.version == IPV4:
            yield Route(family=IPV4, to=str(own.network), dev=link.name, src=str(own.ip), flags=flags)
        elif own.network.num_addresses > 1:
            yield Route(family=IPV6, to=str(own.network), dev=link.name, scope="global", metric=METRIC6, flags=flags)
