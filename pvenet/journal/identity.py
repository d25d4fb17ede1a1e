"""Whose node a journal is of: a name says little, because two clusters may each have a node of that name.

A certificate that is known on both sides decides. Where none is, the endpoint or a kept route makes it likely, and the
listing has to be as the journal left it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from pvenet import wire
from pvenet.journal.replay import replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pvenet.connection import Connection
    from pvenet.journal.value import Journal, Route
    from pvenet.node import Node

_SIM = "sim:"


class Match(Enum):
    """Whether a journal is of the node that is asked now."""

    SAME = auto()
    LIKELY = auto()
    """Only the endpoint or a route says so: it is, if the node is as the journal left it."""
    UNKNOWN = auto()
    """It can't be told."""
    OTHER = auto()
    """It is of a node of the same name elsewhere."""


class Kept(Protocol):
    """Something on disk that was begun at an endpoint."""

    @property
    def endpoint(self) -> str: ...

    @property
    def certificate(self) -> str | None: ...

    @property
    def routes(self) -> tuple[Route, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a node is asked now, and how it is known there."""

    endpoint: str
    """The endpoint that is asked first, as a journal names it."""
    certificate: str | None = None
    """SHA-256, of that endpoint; None where there is none, or it is not known yet."""
    certificates: Mapping[str, str | None]
    """Of every endpoint that was given or has answered."""
    hosts: frozenset[str] = frozenset()
    """What these endpoints, or their certificates, are called."""
    members: frozenset[str] = frozenset()
    """The certificates of the cluster's members, as it knows them; none where they were not asked for."""
    unmet: bool = False
    """A certificate is there, and the next request shows it."""


def here(node: Node) -> Place:
    """Where a node is asked now."""
    return place_of(node.connection)


def place_of(connection: Connection, members: Iterable[str] = ()) -> Place:
    """Where a connection leads now; a route that was only learnt counts when it is the one that answers.

    `members`: the certificates of the cluster's members, as it knows them.
    """
    learnt = frozenset(endpoint.url for endpoint in connection.learnt)
    used = [each for each in connection.endpoints if each.url not in learnt or each == connection.endpoint]
    certificate = connection.certificate(connection.endpoint)
    return Place(
        endpoint=str(connection.endpoint),
        certificate=certificate,
        certificates={str(each): connection.certificate(each) for each in used},
        hosts=frozenset(name for each in used if each.adapter is None for name in (each.host, each.known_as) if name),
        members=frozenset(members),
        unmet=certificate is None and connection.endpoint.adapter is None and connection.endpoint.scheme == "https",
    )


def match(journal: Kept, place: Place) -> Match:
    """Whether a journal is of the node, or of the cluster, at a place."""
    folders = sim_folder(journal.endpoint), sim_folder(place.endpoint)
    if folders != (None, None):
        return Match.SAME if folders[0] == folders[1] else Match.OTHER
    kept = _certificates(journal)
    if _known(kept.values()) & _known([*place.certificates.values(), *place.members]):
        return Match.SAME
    both = kept.keys() & place.certificates.keys()
    if any(kept[at] and place.certificates[at] for at in both):
        return Match.OTHER
    if both or any({route.host, route.known_as} & place.hosts for route in journal.routes if not route.fingerprint):
        return Match.LIKELY
    return Match.OTHER if _known(kept.values()) and place.certificate else Match.UNKNOWN


def sim_folder(endpoint: str) -> str | None:
    """The folder of a simulated node in process, whole; None for any other endpoint."""
    if endpoint.startswith(("https://", "http://")):
        return None
    return os.path.realpath(endpoint.partition(_SIM)[2])


def beside(folder: Path, place: Place) -> bool:
    """Whether a folder lies in that of a simulated node which is asked, and was perhaps moved with it."""
    simulated = sim_folder(place.endpoint)
    return simulated is not None and folder.resolve().is_relative_to(simulated)


def as_left(journal: Journal, entries: Iterable[wire.Entry]) -> bool:
    """Whether a listing is one that the journal has seen: its baseline, or what its steps have made of that."""
    listing = tuple(entries)
    return any(not wire.differences(moment, listing) for moment in replay(journal).entries)


def _certificates(journal: Kept) -> dict[str, str | None]:
    """The certificates of the endpoints by which a journal's node was reached."""
    routes = {f"{it.scheme}://{_bracketed(it.host)}:{it.port}": it.fingerprint for it in journal.routes}
    return {**routes, journal.endpoint: journal.certificate}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _known(certificates: Iterable[str | None]) -> set[str]:
    return {each.replace(":", "").upper() for each in certificates if each}


def elsewhere(journal: Journal, place: Place) -> str:
    """What is said of a journal that is of a node of the same name elsewhere, or may be."""
    kept = f"a journal of a node {journal.node} elsewhere ({journal.endpoint}) is kept here"
    if match(journal, place) is not Match.OTHER:
        return f"{kept}; whether this is that node is not known: no certificate was kept, or it was changed since then"
    if not (journal.certificate and place.certificate):
        return f"{kept}; this is another node"
    return (
        f"{kept}; this is another node (its certificate is {place.certificate[:23]}..., "
        f"there it was {journal.certificate[:23]}...)"
    )
