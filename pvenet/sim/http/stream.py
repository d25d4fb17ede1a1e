"""HTTP/1.1 as bytes: a request off a stream, a response onto one."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pvenet.sim.http.frame import Request

if TYPE_CHECKING:
    from pvenet.sim.http.frame import Response

MAX_LINE = 65536
MAX_HEADERS = 100


class BadRequest(Exception):
    """What came is no HTTP request."""


def read_request(stream: BinaryIO, worker: int) -> Request | None:
    """The next request, or None where the client has ended."""
    line = stream.readline(MAX_LINE)
    if not line:
        return None
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004  method, target, version
        raise BadRequest(line)
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        line = stream.readline(MAX_LINE)
        if line in {b"\r\n", b"\n", b""}:
            break
        name, _colon, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = _body(stream, headers)
    return Request(method=words[0], target=words[1], headers=headers, body=body, worker=worker)


def _body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequest(length)
    return stream.read(int(length))


def as_bytes(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{name}: {value}" for name, value in response.headers)]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + response.body
