"""The cluster that a node belongs to: its members, their certificates, and the services that move between them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.connection import Connection
    from pvenet.connection.answers import Answer

_HA_ACTIVE = frozenset({"started", "starting", "migrate", "relocate", "recovery", "error", "freeze"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """A node as the cluster knows it."""

    name: str
    online: bool
    address: str | None = None


def members(connection: Connection) -> tuple[Member, ...]:
    """The cluster's nodes with their addresses (GET /cluster/status); empty without Sys.Audit on `/`."""
    try:
        answer = connection.get("cluster", "status")
    except errors.RefusedByPVE:
        return ()
    return tuple(
        Member(
            name=answer.required(entry, "name"),
            online=answer.field(entry, "online") == "1",
            address=_address(answer, entry),
        )
        for entry in answer.rows()
        if entry.get("type") == "node"
    )


def _address(answer: Answer, entry: Mapping[str, Any]) -> str | None:
    """A member's address; None where the cluster does not know it."""
    text = answer.field(entry, "ip")
    try:
        return str(ip_address(text)) if text else None
    except ValueError:
        raise answer.malformed("its ip is no address") from None


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
        raise answer.malformed("a node's name goes on over its line")
    return found


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


def unknown_node(name: str, known: tuple[str, ...]) -> errors.UsageError:
    """The error for a node that the cluster does not have, with the nearest name: names are told apart by case, too."""
    alike = [each for each in known if each.casefold() == name.casefold()]
    near = alike[0] if alike else errors.nearest(name, known)
    meant = f"did you mean {near}? " if near else ""
    return errors.UsageError(f"there is no node {name}", hint=f"{meant}the nodes here are: {', '.join(known)}")
