"""Recordings as an adapter: strict about what is asked, and in which order."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from conftest import FIXTURES
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

Exchange = dict[str, Any]


def load(place: str) -> Iterator[Exchange]:
    """The exchanges of a file in fixtures/."""
    with (FIXTURES / place).open(encoding="utf8") as file:
        yield from (json.loads(line) for line in file)


def named(place: str, *names: str) -> list[Exchange]:
    """Exchanges by their names' first parts (`B003`), in the given order."""
    found = {exchange["name"].split("-")[0]: exchange for exchange in load(place)}
    return [found[name] for name in names]


class Recorded(BaseAdapter):
    """Answers with recorded exchanges, in order. An unknown request fails; `finish` fails for an unused answer."""

    def __init__(self, exchanges: list[Exchange], forms: dict[str, dict[str, str]] | None = None) -> None:
        super().__init__()
        self._left = list(exchanges)
        self._forms = forms or {}
        self.seen: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        assert self._left, f"no answer is left for {request.method} {request.url}"
        exchange = self._left.pop(0)
        wanted = exchange["request"]
        asked = urlsplit(request.url or "")
        assert (request.method, unquote(str(asked.path))) == (wanted["method"], unquote(urlsplit(wanted["path"]).path))
        form = self._forms.get(exchange["name"], {key: str(value) for key, value in (wanted["form"] or {}).items()})
        assert dict(parse_qsl(str(request.body or ""), keep_blank_values=True)) == form, exchange["name"]
        self.seen.append(request)
        return _response(request, exchange["response"])

    def close(self) -> None:
        """Nothing is open."""

    def finish(self) -> None:
        """Every recorded answer was used."""
        assert not self._left, [exchange["name"] for exchange in self._left]


def _response(request: requests.PreparedRequest, recorded: dict[str, Any]) -> requests.Response:
    body = recorded["body"].encode()
    response = requests.Response()
    response.status_code, response.reason = recorded["status"], recorded["reason"]
    response.headers.update({name: value for name, value in recorded["headers"] if name != "Connection"})
    response.raw = HTTPResponse(body=io.BytesIO(body), preload_content=False, status=recorded["status"])
    response.request, response.url = request, request.url or ""
    return response


STARTS = {walk["initial_name"]: walk["initial"] for name in ("walks.jsonl", "walks-ovs.jsonl") for walk in load(name)}
"""The starting files of the recorded walks, by name."""
