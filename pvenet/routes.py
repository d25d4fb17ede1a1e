"""Routes to a node: those that were given, the cluster's other members, and the address that a change itself gives it.

They are learnt before the reload, while the node answers. A peer hands on what it is asked for another node, also when
the way from here to that node is gone. No peer is dialled where the endpoint used is this machine's own: a tunnel or a
test has no business at the addresses that a cluster names.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cluster import answering, fingerprints
from pvenet.connection.endpoint import Endpoint, parse
from pvenet.journal import Match, Route, here, match

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from ipaddress import IPv4Interface, IPv6Interface

    from pvenet.cluster import Member
    from pvenet.connection import Connection
    from pvenet.journal import Journal
    from pvenet.model import Interface, Network
    from pvenet.node import Node


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Where a node has to answer in the end, for a change to be good: at one of these.

    There is none, and it may answer anywhere, where the endpoint that was used is another node's.
    """

    before: tuple[Endpoint, ...] = ()
    """After a rollback: where it answered before."""
    after: tuple[Endpoint, ...] = ()
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


def kept(connection: Connection) -> tuple[Route, ...]:
    """The routes beside the one that is used, as a journal keeps them."""
    return tuple(
        Route(
            host=endpoint.host,
            port=endpoint.port,
            scheme=endpoint.scheme,
            label=endpoint.label,
            fingerprint=endpoint.fingerprint or (connection.trust.fingerprint and connection.certificate(endpoint)),
            known_as=endpoint.known_as,
        )
        for endpoint in connection.endpoints
        if endpoint != connection.endpoint
    )


def recall(node: Node, journal: Journal | None) -> None:
    """Let the connection know the routes that an earlier process has learnt; never those of another node."""
    if journal is None or match(journal, here(node)) not in (Match.SAME, Match.LIKELY):
        return
    adapter = node.connection.endpoint.adapter
    pinned = adapter is None and node.connection.trust.fingerprint
    known = [Endpoint(adapter=adapter, **asdict(route)) for route in journal.routes if route.fingerprint or not pinned]
    node.connection.also([*known, *_begun_at(node, journal)])


def _begun_at(node: Node, journal: Journal) -> list[Endpoint]:
    """The endpoint at which a journal began, where it has a URL."""
    trust = node.connection.trust
    with suppress(errors.UsageError):
        adapter = node.connection.endpoint.adapter
        if not trust.fingerprint or journal.certificate:
            pin = journal.certificate if trust.fingerprint else None
            return [replace(parse(journal.endpoint), adapter=adapter, fingerprint=pin)]
    return []


def routes(node: Node, members: Sequence[Member], before: Network | None, then: Network) -> Routes:
    """Where the node answers now and shall answer then, which follows from the network that shall be.

    `before`: what is live; None where that is not known. An address that the node gets becomes one more route.
    """
    used = node.connection.endpoint
    others = [member for member in members if member.name != node.name]
    if any(member.name == _label(used) or member.address in _addresses(used) for member in others):
        return Routes()
    if before is None or _addresses(used) & _on(then):
        return Routes(before=(used,), after=(used,))
    if _addresses(used) & _on(before):
        found = tuple(_route(node, address) for address in _successors(before, then, _addresses(used)))
    elif _on(before) - _on(then):  # through a tunnel, or NAT: which of the endpoints leads to the new address?
        found = tuple(each for each in node.connection.endpoints if not _is_peer(each, others))
    else:
        found = ()
    return Routes(before=(used,), after=found or (used,))


def reached(node: Node, wanted: Sequence[Endpoint], *, timeout: float) -> bool:
    """Whether the node answers where it has to; of several endpoints one may be a peer's, so that it is asked."""
    connection = node.connection
    if not wanted or wanted == (connection.endpoint,):
        return True
    for endpoint in sorted(wanted, key=lambda each: each != connection.endpoint):
        if connection.answers(endpoint, timeout=timeout) and (len(wanted) == 1 or _itself(node, timeout)):
            return True
    return False


def _itself(node: Node, timeout: float) -> bool:
    with suppress(errors.PvenetError):
        return answering(node.connection, timeout=timeout) == node.name
    return False


def _route(node: Node, address: str) -> Endpoint:
    """The endpoint at one of the node's addresses: one that is known, or the one that is used but for its host."""
    connection = node.connection
    used = connection.endpoint
    new = Endpoint(
        host=address,
        port=used.port,
        scheme=used.scheme,
        adapter=used.adapter,
        fingerprint=used.fingerprint or connection.trust.fingerprint,
        known_as=used.known_as or used.host,
    )
    known = [each for each in connection.endpoints if address in _addresses(each)]
    connection.also([] if known else [new])
    return known[0] if known else new


def _is_peer(endpoint: Endpoint, others: Sequence[Member]) -> bool:
    own = _addresses(endpoint)
    return any(member.name == _label(endpoint) or member.address in own for member in others)


def _addresses(endpoint: Endpoint) -> frozenset[str]:
    """An endpoint's addresses; of a simulated node in process the one by which it is asked, if any."""
    if endpoint.adapter is None:
        return endpoint.addresses()
    with suppress(ValueError):
        return frozenset({str(ip_address(endpoint.host))})
    return frozenset()


def _on(network: Network) -> frozenset[str]:
    """The addresses of a network's interfaces."""
    cidrs = (cidr for it in network.interfaces.values() for cidr in _cidrs(it))
    return frozenset(str(cidr.ip) for cidr in cidrs if cidr is not None)


def _successors(before: Network, then: Network, addresses: Collection[str]) -> list[str]:
    """What a node gets instead of addresses that go: on the same interface, or else whatever is new."""
    for name, old in before.interfaces.items():
        new = then.interfaces.get(name)
        for was, becomes in zip(_cidrs(old), _cidrs(new), strict=True):
            if was is not None and str(was.ip) in addresses and becomes is not None:
                return [str(becomes.ip)]
    return sorted(_on(then) - _on(before))


def _cidrs(interface: Interface | None) -> tuple[IPv4Interface | None, IPv6Interface | None]:
    """Its addresses; some kinds can't have any."""
    return getattr(interface, "cidr", None), getattr(interface, "cidr6", None)
