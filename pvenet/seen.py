"""The names and MACs of NICs as readings of nodes have left them, on disk: a file each name of a node.

Which node of that name is meant a certificate says, as for journals, or a simulated node's folder; where these can't
say yes, the MACs do, because no two machines have one in common. It is what is remembered, and nothing rests on it that
is not shown before.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pvenet import private
from pvenet.journal.identity import Match, Place, match, place_of, sim_folder
from pvenet.nics.cards import Card, cards
from pvenet.nics.memory import Known, Memory, accepted, remembered
from pvenet.nics.sight import Sight
from pvenet.node import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pvenet.connection import Connection
    from pvenet.journal import Route
    from pvenet.kernel.links import Report
    from pvenet.model import Network

LARGEST = 1_000_000
"""Bytes of a file."""
NODES = 16
"""How many nodes of one name are kept."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is remembered of one node."""

    endpoint: str
    certificate: str | None = None
    cards: Memory
    routes: tuple[Route, ...] = ()


class Seen:
    """What is remembered of the nodes that a connection leads to."""

    def __init__(self, state_dir: Path, connection: Connection) -> None:
        self._folder = state_dir / "nics"
        self._connection = connection
        self._readings: dict[str, Reading] = {}
        self._reports: dict[str, Report] = {}

    # --- heard ---

    def note(self, node: str, found: Reading | Report) -> None:
        """Hear what was read of a node; the last reading and the last report count."""
        if isinstance(found, Reading):
            self._readings[node] = found
        else:
            self._reports[node] = found

    def sights(self) -> dict[str, Sight]:
        """Every node that was read, as it was read last."""
        return {node: self.sight(node, reading.network) for node, reading in dict(self._readings).items()}

    def keep(self, sights: Mapping[str, Sight]) -> None:
        """Put on disk what of these sights is new. A disk that takes nothing is no matter."""
        for node, sight in sights.items():
            pending = self._readings[node].changes is not None
            told = remembered(sight.memory, sight.cards, sight.network, _today(), pending=pending)
            self._write(node, sight, told)

    def accept(self, node: str, sight: Sight) -> None:
        """Let the names be meant as they are."""
        self._write(node, sight, accepted(sight.memory, sight.cards, sight.network, _today()))

    # --- on disk ---

    def sight(self, node: str, network: Network) -> Sight:
        """A node's NICs beside what is remembered of them."""
        found = cards(network, self._reports.get(node))
        record = self._record(self._records(node), found)
        return Sight(network=network, cards=found, memory=record.cards if record else {})

    def _record(self, records: Sequence[Record], found: Sequence[Card]) -> Record | None:
        """The record of this node."""
        place = place_of(self._connection)
        macs = {card.mac for card in found}
        same = [record for record in records if match(record, place) is Match.SAME]
        alike = [record for record in records if not _simulated(record, place) and macs & record.cards.keys()]
        return next(iter([*same, *alike]), None)

    def _write(self, node: str, sight: Sight, told: Memory) -> None:
        if told == sight.memory:
            return
        place, records = place_of(self._connection), self._records(node)
        before = self._record(records, sight.cards)
        here = Record(endpoint=place.endpoint, certificate=place.certificate, cards=told)
        mine = replace(before, cards=told) if before and not place.certificate else here
        rest = [record for record in records if record is not before]
        with suppress(OSError, ValueError):
            private.make_own_folder(self._folder)
            private.replace(self._path(node), json.dumps([_data(each) for each in [mine, *rest][:NODES]]).encode())

    def _path(self, node: str) -> Path:
        return self._folder / f"{quote(node, safe='')}.json"

    def _records(self, node: str) -> list[Record]:
        """All records of this name; none where the file can't be read, or others may have written it."""
        try:
            data, status = private.read_checked(self._path(node), LARGEST)
            if status.st_uid != os.geteuid() or status.st_mode & private.WRITE:
                return []
            return [_record(each) for each in json.loads(data)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return []


def _simulated(record: Record, place: Place) -> bool:
    """Whether a folder says whose it is: simulated nodes of one name have the same MACs."""
    return bool(sim_folder(record.endpoint) or sim_folder(place.endpoint))


def _data(record: Record) -> dict[str, Any]:
    told = {mac: asdict(known) for mac, known in record.cards.items()}
    return {"endpoint": record.endpoint, "certificate": record.certificate, "cards": told}


def _record(data: dict[str, Any]) -> Record:
    return Record(
        endpoint=str(data["endpoint"]),
        certificate=None if data["certificate"] is None else str(data["certificate"]),
        cards={str(mac): _known(each) for mac, each in data["cards"].items()},
    )


def _known(data: dict[str, Any]) -> Known:
    users, was = (tuple(map(str, data[key])) for key in ("users", "was"))
    return Known(name=str(data["name"]), users=users, since=str(data["since"]), was=was)


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")
