"""The HTTP frame around PVE's API: a request taken apart, a response put together (pve-api#http)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.client import responses
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
Kind: TypeAlias = Literal["json", "handed over", "relayed", "relayed and handed over", "text"]
"""Of an answer: this process's own, another's, or one that is no JSON."""
ERROR = 400
"""The first status of an error."""
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
JSON_ANSWER = "application/json;charset=UTF-8"
JSON_LINE = "at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934."


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case names."""
    body: bytes = b""
    host: str = ""
    """The name that the client used for the endpoint, where it tells."""
    worker: int = 0
    """Which of the server's processes holds the connection."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer, ready for the wire."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    torn: bool = False
    """The connection ends in the middle of it."""
    pace: float = 0.0
    """Seconds between one byte and the next."""
    seconds: float = 0.0
    """How long the node takes over it."""
    work: float = 0.0
    """Seconds for which it occupied a worker of the daemon, before it came."""
    unfinished: Callable[[], Response] | None = None
    """Makes the answer itself, where that takes time."""

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    @property
    def closes(self) -> bool:
        """PVE ends the connection after every answer of 400 and above."""
        return self.status >= ERROR


_SECOND: Mapping[Kind, tuple[str]] = {
    "handed over": ("close",),
    "relayed": ("Keep-Alive",),
    "relayed and handed over": ("close,Keep-Alive",),
}
"""What the server says of the connection behind it: to the privileged daemon, to another node, or to that one's."""


class Plain(Exception):
    """The server's refusal before the API is asked: a text instead of JSON, or nothing at all."""

    def __init__(self, status: int, reason: str, body: str = "", *, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.body = body
        self.seconds = seconds
        """How long it takes."""


def respond(now: float, status: int, reason: str, body: bytes = b"", kind: Kind = "json") -> Response:
    """A response with PVE's headers in PVE's order.

    What another process or node has answered carries a second Connection header (A013, B038, K4-two-nodes-022).
    """
    date = formatdate(now, usegmt=True)
    connection = ["close"] if status >= ERROR else [*_SECOND.get(kind, ()), "Keep-Alive"]
    headers = [("Cache-Control", "max-age=0"), *(("Connection", value) for value in connection)]
    headers += [("Date", date), ("Pragma", "no-cache"), ("Server", "pve-api-daemon/3.0")]
    if body:
        headers.append(("Content-Length", str(len(body))))
        headers += [("Content-Type", JSON_ANSWER)] if kind != "text" else []
    headers.append(("Expires", date))
    reason = reason.splitlines()[0] if reason else ""
    return Response(status=status, reason=reason, headers=tuple(headers), body=body)


def from_gateway(now: float, status: int) -> Response:
    """What something between client and node says, which is not PVE: a text, and headers of its own."""
    reason = responses.get(status, "")
    body = f"{reason or f'error code: {status}'}\n".encode()
    headers = (("Date", formatdate(now, usegmt=True)), ("Content-Type", "text/plain; charset=UTF-8"))
    more = (("Content-Length", str(len(body))), ("Connection", "close"), ("Server", "gateway"))
    return Response(status=status, reason=reason, headers=headers + more, body=body)


def encode(envelope: Mapping[str, Any]) -> bytes:
    """The bytes of an answer, always UTF-8 (pve-api#f1); a byte of a file's text that is none becomes U+FFFD.

    Which character the report has for one is not recorded.
    """
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    if text.isascii():
        return text.encode()
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()


def split_target(target: str) -> tuple[str, str]:
    """Path, decoded, and query."""
    parts = urlsplit(target)
    return unquote(parts.path), parts.query


def parameters(method: str, query: str, content_type: str, body: bytes) -> dict[str, Any]:
    """The parameters of a request, from query and body; raises `Plain` for what the server can't read."""
    found = _joined(parse_qsl(query, keep_blank_values=True))
    if body and method == "DELETE":
        text = "Unexpected content for method 'DELETE'"  # D096
        raise Plain(501, text, text)
    if not body:
        return found
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        return found | _from_json(body)
    if kind not in {"", FORM}:
        text = f"upload 'Content-Type '{content_type}' not implemented"  # C220, C223; the quotes are PVE's
        raise Plain(506, text, text)
    return found | _joined(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A field that comes twice is one value with a comma."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _from_json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError as error:
        where = body.decode("utf-8", "replace")
        offset = error.pos if isinstance(error, json.JSONDecodeError) else 0
        left = where[offset:] or "(end of string)"
        text = (
            "malformed JSON string, neither tag, array, object, number, string or atom, "
            f'at character offset {offset} (before "{left}") {JSON_LINE}'
        )
        raise Plain(500, text, text + "\n") from error  # C219
    if not isinstance(data, dict):
        return {}
    return {name: _from_json_value(value) for name, value in data.items() if value is not None}


def _from_json_value(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return value
