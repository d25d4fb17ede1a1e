"""Every listing of a node in the recordings, and every entry of one, once."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from conftest import FIXTURES
from recorded import load

from pvenet import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.model import Network


@cache
def recorded_networks() -> tuple[Network, ...]:
    """The network of each recorded listing."""
    found = {json.dumps(sorted(json.dumps(entry, sort_keys=True) for entry in each)): each for each in _listings()}
    return tuple(wire.network(each) for each in found.values())


def recorded_entries() -> list[wire.Entry]:
    """Every entry of every recorded listing, once."""
    return list({json.dumps(entry, sort_keys=True): entry for each in _listings() for entry in each}.values())


def entry(**fields: Any) -> wire.Entry:
    """An entry of a listing, with the fields that every one has."""
    return {"method": "manual", "method6": "manual", "families": ["inet"], **fields}


def _listings() -> Iterator[list[wire.Entry]]:
    answers: list[Any] = []
    for path in sorted((*(FIXTURES / "exchanges").glob("*.jsonl"), *(FIXTURES / "real").glob("*.jsonl"))):
        answers += [_said(exchange.get("response") or {}) for exchange in load(f"{path.parent.name}/{path.name}")]
    for place in ("walks.jsonl", "walks-ovs.jsonl"):
        answers += [step["json"] for walk in load(place) for step in walk["steps"]]
    yield from filter(None, map(_entries, answers))


def _said(response: dict[str, Any]) -> Any:
    try:
        return response["json"] if "json" in response else json.loads(response["body"])
    except (KeyError, ValueError):
        return None


def _entries(answer: Any) -> list[wire.Entry] | None:
    """A listing's entries; None for any other answer."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(data, list) and all(isinstance(each, dict) and {"iface", "families"} <= each.keys() for each in data):
        return data
    return None
