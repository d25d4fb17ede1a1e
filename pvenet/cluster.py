"""The cluster that a node belongs to: its members, links and certificates, and the services that move between them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.access import NotKnown, audit_grants
from pvenet.model.cluster import ClusterLink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.connection import Connection
    from pvenet.connection.answers import Answer

FORBIDDEN = 403
"""HTTP's own number."""

_RING = re.compile(r"ring(\d{1,2})_addr", re.ASCII)
_HA_ACTIVE = frozenset({"started", "starting", "migrate", "relocate", "recovery", "error", "freeze"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """A node as the cluster knows it."""

    name: str
    online: bool
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The cluster at one moment; a node by itself is one of one member."""

    members: tuple[Member, ...] = ()
    """Empty where they could not be read."""
    quorate: bool | None = None
    """None where there is no cluster, or it could not be read."""
    links: tuple[ClusterLink, ...] = ()
    unknown: tuple[NotKnown, ...] = ()

    def addresses(self, node: str) -> frozenset[str]:
        """The addresses by which the others know a node: its name's, and those of its ends of the links."""
        own = {member.address for member in self.members if member.name == node and member.address}
        return frozenset(own | {link.ip for link in self.links_of(node) if link.ip})

    def links_of(self, node: str) -> tuple[ClusterLink, ...]:
        """A node's own ends of the links; where one is the node's name its address is that of the node."""
        own = [link for link in self.links if link.node == node]
        return tuple(link if link.ip else replace(link, ip=self._address_of(link.address)) for link in own)

    def _address_of(self, node: str) -> str | None:
        """The address that a node's name has; None for what is no member's name."""
        return next((member.address for member in self.members if member.name == node), None)

    @property
    def offline(self) -> tuple[str, ...]:
        """The members that do not answer the others."""
        return tuple(member.name for member in self.members if not member.online)


def standing(connection: Connection, *, timeout: float | None = None) -> Cluster:
    """The cluster's members and quorum (GET /cluster/status); that nothing is known without Sys.Audit on `/`."""
    try:
        answer = connection.get("cluster", "status", timeout=timeout)
    except errors.RefusedByPVE as refusal:
        return Cluster(unknown=(_untold(connection, refusal),))
    rows = answer.rows()
    found = tuple(
        Member(
            name=answer.required(entry, "name"),
            online=answer.field(entry, "online") == "1",
            address=_address(answer, entry),
        )
        for entry in rows
        if entry.get("type") == "node"
    )
    quorate = [answer.field(entry, "quorate") == "1" for entry in rows if entry.get("type") == "cluster"]
    return Cluster(members=found, quorate=quorate[0] if quorate else None)


def with_links(connection: Connection) -> Cluster:
    """The same with the ends of its links, where there are other members (GET /cluster/config/nodes)."""
    found = standing(connection)
    if len(found.members) < 2:  # noqa: PLR2004 - a cluster
        return found
    told = links(connection)
    return replace(found, unknown=(told,)) if isinstance(told, NotKnown) else replace(found, links=told)


def members(connection: Connection) -> tuple[Member, ...]:
    """The cluster's nodes with their addresses (GET /cluster/status); empty without Sys.Audit on `/`."""
    return standing(connection).members


def _address(answer: Answer, entry: Mapping[str, Any]) -> str | None:
    """A member's address; None where the cluster does not know it."""
    text = answer.field(entry, "ip")
    try:
        return str(ip_address(text)) if text else None
    except ValueError:
        raise answer.malformed("its ip is not an address") from None


def answering(connection: Connection, *, timeout: float | None = None) -> str | None:
    """The name of the node that answers itself (GET /cluster/status); None without Sys.Audit on `/`."""
    try:
        answer = connection.get("cluster", "status", timeout=timeout)
    except errors.RefusedByPVE:
        return None
    local = [entry for entry in answer.rows() if entry.get("type") == "node" and answer.field(entry, "local") == "1"]
    return next((answer.required(entry, "name") for entry in local), None)


def names(connection: Connection) -> tuple[str, ...]:
    """The names of the cluster's nodes (GET /nodes)."""
    answer = connection.get("nodes")
    found = tuple(sorted(answer.required(entry, "node") for entry in answer.rows()))
    if any("\n" in name for name in found):
        raise answer.malformed("a node's name contains a line break")
    return found


def one(connection: Connection, named: Sequence[str]) -> str:
    """The one node that is named, or the only one that there is. Raises UsageError where that is not one."""
    there = tuple(named) or names(connection)
    if len(there) != 1:
        raise not_one(named, there)
    return there[0]


def not_one(named: Sequence[str], there: Sequence[str]) -> errors.UsageError:
    """The refusal of several nodes, or of none named among `there`, where a command is about one."""
    those = f"{len(named)} are named" if named else f"there are {len(there)}"
    return errors.UsageError(
        f"this command takes one node, and {those}: {', '.join(named or there)}",
        hint="choose one with --node or PVENET_NODE",
    )


def fingerprints(connection: Connection) -> Mapping[str, str]:
    """The SHA-256 of each node's certificate, by the node's name, as the cluster knows it (GET /nodes)."""
    answer = connection.get("nodes")
    found = {answer.required(entry, "node"): answer.field(entry, "ssl_fingerprint") for entry in answer.rows()}
    return {name: fingerprint for name, fingerprint in found.items() if fingerprint}


def highly_available(connection: Connection, node: str) -> tuple[str, ...]:
    """The HA services that are active on a node (GET /cluster/ha/status/current); none where that can't be read."""
    try:
        answer = connection.get("cluster", "ha", "status", "current")
        return tuple(
            sorted(
                answer.field(entry, "sid")
                for entry in answer.rows()
                if (entry.get("type"), entry.get("node")) == ("service", node)
                and answer.field(entry, "state") in _HA_ACTIVE
            )
        )
    except errors.PvenetError:
        return ()


def links(connection: Connection) -> tuple[ClusterLink, ...] | NotKnown:
    """The ends of the cluster's links, by node and number (GET /cluster/config/nodes); none without a cluster."""
    try:
        answer = connection.get("cluster", "config", "nodes")
        found = [link for row in answer.rows() for link in _ends(answer, row)]
    except errors.PvenetError as error:
        return _untold(connection, error)
    return tuple(sorted(found, key=lambda link: (link.node, link.number)))


def _untold(connection: Connection, error: errors.PvenetError) -> NotKnown:
    what = "which links the cluster has"
    if isinstance(error, errors.RefusedByPVE) and error.status == FORBIDDEN:
        grants = audit_grants(connection.credentials.user, "/")
        return NotKnown(what=what, privilege="Sys.Audit", path="/", grants=grants)
    return NotKnown(what=what, why=error.message)


def _ends(answer: Answer, row: Mapping[str, Any]) -> Iterator[ClusterLink]:
    """One node's ends, one a ring; an address may be a name (pve-api#cluster-nodes)."""
    for key in row:
        ring = _RING.fullmatch(key)
        address = answer.field(row, key) if ring else ""
        if ring and address:
            node = answer.required(row, "node")
            yield ClusterLink(node=node, number=int(ring[1]), address=address, ip=_as_ip(address))


def _as_ip(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def unknown_node(name: str, known: tuple[str, ...]) -> errors.UsageError:
    """The error for a node that the cluster does not have, with the nearest name: names are told apart by case, too."""
    alike = [each for each in known if each.casefold() == name.casefold()]
    near = alike[0] if alike else errors.nearest(name, known)
    meant = f"did you mean {near}? " if near else ""
    return errors.UsageError(f"there is no node {name}", hint=f"{meant}the nodes here are: {', '.join(known)}")
