"""Routes to a node: those that were given, the cluster's other members, and the address that a change itself gives it.

They are learnt before the reload, while the node answers. A peer hands on what it is asked for another node, also when
the way from here to that node is gone. Nothing is dialled where the endpoint used is this machine's own: a tunnel or a
test has no business at the addresses that a cluster names.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cluster import fingerprints
from pvenet.connection.endpoint import Endpoint
from pvenet.journal import Match, Route, here, match

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from ipaddress import IPv4Interface, IPv6Interface

    from pvenet.cluster import Member
    from pvenet.journal import Journal
    from pvenet.model import Interface, Network
    from pvenet.node import Node


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Where a node has to answer in the end, for a change to be good."""

    before: Endpoint | None
    """The endpoint that was used before; it has to answer again after a rollback. None where that is another node's."""
    after: Endpoint | None
    """The same, or the address that the change gives the node instead."""


def learn_peers(node: Node, members: Sequence[Member]) -> None:
    """Let the connection know the cluster's other members."""
    used = node.connection.endpoint
    peers = [member for member in members if member.online and member.name != node.name]
    if not peers:
        return
    if used.adapter is not None:
        node.connection.also([_simulated(used, peer.name) for peer in peers if _label(used) != peer.name])
        return
    if not _elsewhere(used):
        return
    known = frozenset[str]().union(*(endpoint.addresses() for endpoint in node.connection.endpoints))
    new = [peer for peer in peers if peer.address and peer.address not in known]
    pins = _pins(node) if new else {}
    node.connection.also(
        [_peer(used, node.name, peer, pins.get(peer.name)) for peer in new if _trusted(node, peer, pins)]
    )


def _pins(node: Node) -> dict[str, str]:
    if not node.connection.trust.fingerprint:
        return {}
    with suppress(errors.PvenetError):  # then the peers can't be trusted, and are not asked
        return dict(fingerprints(node.connection))
    return {}


def _trusted(node: Node, peer: Member, pins: dict[str, str]) -> bool:
    return not node.connection.trust.fingerprint or peer.name in pins


def _peer(used: Endpoint, node: str, peer: Member, fingerprint: str | None) -> Endpoint:
    """Its certificate is pinned as the cluster names it, or has the peer's name in the place of the node's."""
    first, _, domain = used.host.partition(".")
    known_as = f"{peer.name}.{domain}" if domain and first == node else None
    return Endpoint(host=peer.address or "", scheme=used.scheme, fingerprint=fingerprint, known_as=known_as)


def _simulated(used: Endpoint, name: str) -> Endpoint:
    return Endpoint(host=f"{name}.sim.invalid", adapter=used.adapter, label=f"{name} of {used}")


def _label(endpoint: Endpoint) -> str:
    return endpoint.host.partition(".")[0]


def _elsewhere(endpoint: Endpoint) -> bool:
    addresses = endpoint.addresses()
    return bool(addresses) and not any(ip_address(address).is_loopback for address in addresses)


def kept(node: Node) -> tuple[Route, ...]:
    """The routes that were learnt, as a journal keeps them."""
    return tuple(
        Route(
            host=endpoint.host,
            port=endpoint.port,
            scheme=endpoint.scheme,
            label=endpoint.label,
            fingerprint=endpoint.fingerprint,
            known_as=endpoint.known_as,
        )
        for endpoint in node.connection.learnt
    )


def recall(node: Node, journal: Journal | None) -> None:
    """Let the connection know the routes that an earlier process has learnt; never those of another node."""
    if journal is None or match(journal, here(node)) not in (Match.SAME, Match.LIKELY):
        return
    adapter = node.connection.endpoint.adapter
    pinned = adapter is None and node.connection.trust.fingerprint
    node.connection.also(
        [Endpoint(adapter=adapter, **asdict(route)) for route in journal.routes if route.fingerprint or not pinned]
    )


def routes(node: Node, members: Sequence[Member], before: Network | None, then: Network) -> Routes:
    """Where the node answers now and shall answer then; a new address becomes one more route."""
    used = node.connection.endpoint
    others = [member for member in members if member.name != node.name]
    if any(member.name == _label(used) or member.address in used.addresses() for member in others):
        return Routes(before=None, after=None)
    moved = None if before is None or used.adapter is not None else _moved(before, then, used.addresses())
    if moved is None or not _elsewhere(used):
        return Routes(before=used, after=used)
    new = Endpoint(
        host=moved,
        port=used.port,
        scheme=used.scheme,
        fingerprint=used.fingerprint,
        known_as=used.known_as or used.host,
    )
    node.connection.also([new])
    return Routes(before=used, after=new)


def _moved(before: Network, then: Network, addresses: Collection[str]) -> str | None:
    """The address that an interface gets instead of one by which the node is reached; None where that one stays."""
    left = {str(cidr.ip) for it in then.interfaces.values() for cidr in _cidrs(it) if cidr is not None}
    for name, old in before.interfaces.items():
        new = then.interfaces.get(name)
        for was, becomes in zip(_cidrs(old), _cidrs(new), strict=True):
            if was is not None and str(was.ip) in addresses and str(was.ip) not in left and becomes is not None:
                return str(becomes.ip)
    return None


def _cidrs(interface: Interface | None) -> tuple[IPv4Interface | None, IPv6Interface | None]:
    """Its addresses; some kinds can't have any."""
    return getattr(interface, "cidr", None), getattr(interface, "cidr6", None)
