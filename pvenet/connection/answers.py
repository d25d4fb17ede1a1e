"""The door for what the world answers: PVE's envelope with the data that was asked for, or an error in a sentence.

What passes is of the types that were asked for; what does not is `NotPVE` for a read and `AnswerLost` for a change.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.connection.failures import NOT_PVE_HINT, AnswerLost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.connection.exchange import Whole

JSON = "application/json"
MAX_DEPTH = 50
"""How deep an answer may nest; what comes after it is written to go that deep."""
_NESTING = (dict, list)
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """PVE's whole answer: `data`, and what it says beside it (`changes`, `total`)."""

    data: Any = field(repr=False)
    beside: Mapping[str, Any] = field(default_factory=dict, repr=False)
    asked: str = "a request"
    """What it answers, for messages: `GET /nodes/pve1/network`."""
    by: str = "the server"
    """The endpoint that gave it, for messages."""
    date: str = field(default="", repr=False, compare=False)
    """When it was made, by the clock of whoever gave it, as HTTP writes it."""

    def rows(self) -> list[Row]:
        """The data as a list of objects. Raises NotPVE for a read, AnswerLost for a change; so do all below."""
        if not isinstance(self.data, list) or not all(isinstance(row, dict) for row in self.data):
            raise self.malformed("not with a list of objects")
        return self.data

    def object(self) -> Row:
        """The data as an object."""
        if not isinstance(self.data, dict):
            raise self.malformed("not with an object")
        return self.data

    def text(self) -> str:
        """The data as a text."""
        if not isinstance(self.data, str):
            raise self.malformed("not with text")
        return self.data

    def field(self, row: Mapping[str, Any], key: str) -> str:
        """One field as text, whether PVE sends it as text or as a number; empty where it is missing or null."""
        value = row.get(key)
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(int(value))
        if not isinstance(value, str | int | float):
            raise self.malformed(f"its {key} is neither text nor a number")
        return str(value)

    def number(self, row: Mapping[str, Any], key: str) -> int | None:
        """One field as a whole number, whether PVE sends it as text or as a number; None where it is missing."""
        text = repr(row[key]) if isinstance(row.get(key), bool) else self.field(row, key)
        try:
            return int(text) if text else None
        except ValueError:
            raise self.malformed(f"its {key} is not a number") from None

    def required(self, row: Mapping[str, Any], key: str) -> str:
        """One field as text, without which the rest says nothing."""
        value = self.field(row, key)
        if not value:
            raise self.malformed(f"an entry has no {key}")
        return value

    def malformed(self, what: str) -> errors.Unreachable:
        """The error for an answer that is not what was asked for."""
        message = f"{self.by} does not answer {self.asked} as PVE does: {what}"
        if self.asked.startswith("GET "):
            return errors.NotPVE(message, hint=NOT_PVE_HINT)
        return AnswerLost(message, hint=NOT_PVE_HINT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Serializer:
    """proxmoxer's serializer interface, keeping the siblings of `data` that its own throws away."""

    asked: str
    by: str
    """As `Answer` has them."""

    def loads(self, response: Whole) -> Answer:
        """Raises ValueError for what is no answer of PVE's."""
        envelope = _object(response)
        if "data" not in envelope:
            raise ValueError("no data")
        data, date = envelope.pop("data"), response.headers.get("Date", "")
        return Answer(data=data, beside=envelope, asked=self.asked, by=self.by, date=date)

    @staticmethod
    def loads_errors(response: Whole) -> dict[str, Any] | None:
        """The envelope of a refusal; empty where PVE sends none, None where it is not PVE that refuses."""
        if not response.content:
            return {} if response.status_code == HTTPStatus.UNAUTHORIZED else None
        try:
            envelope = _object(response)
        except ValueError:
            return None
        return envelope if "data" in envelope and envelope["data"] is None else None


def _object(response: Whole) -> dict[str, Any]:
    """An answer's JSON object. Raises ValueError for anything else, also where its text or its depth is not sound."""
    kind = response.headers.get("Content-Type", JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        raise ValueError(f"{kind} is not {JSON}")
    text = response.content.decode()
    try:
        value = _JSON.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if isinstance(value, dict):
        _refuse_deep(value)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()  # one without its other half: no text that can be written
        return value
    raise ValueError("not an object")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a JSON number")
    return number


_JSON = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def _refuse_deep(value: dict[str, Any]) -> None:
    level: list[dict[str, Any] | list[Any]] = [value]
    for _ in range(MAX_DEPTH):
        items = (each.values() if isinstance(each, dict) else each for each in level)
        level = [item for item in chain.from_iterable(items) if isinstance(item, _NESTING)]
        if not level:
            return
    raise ValueError("nested too deep")


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
