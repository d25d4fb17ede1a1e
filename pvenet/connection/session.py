"""What a request carries: the credentials, what makes an endpoint trusted, and the session that holds both."""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests
from requests.cookies import extract_cookies_to_jar

from pvenet import errors
from pvenet.connection.exchange import MAX_BODY, Adapter, Oversized
from pvenet.connection.trust import checked, unchecked

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pvenet.connection.exchange import Exchange

    _Values = Mapping[str, str | int]

LOGIN = "/access/ticket"
UNTOLD = frozenset({"lock-token"})
"""Parameters whose values nobody is shown: who knows one can end what it holds."""
PIECE = 16 * 1024
"""Bytes that are unpacked at once: a thousand times as many, at worst."""
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 40.0
"""Seconds. PVE's own hand-over to another node has a limit of 30 s (pve-api#proxy)."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """An API token; `id` is written whole, `USER@REALM!NAME`."""

    id: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!-~]+", self.id) or not re.fullmatch(r"[!-~]+", self.secret):
            raise errors.UsageError(
                "the token's name or secret is empty, or holds blanks or characters that no token has",
                hint="a token is USER@REALM!NAME, and its secret a UUID",
            )

    @property
    def user(self) -> str:
        """The user as PVE records it in a task's UPID."""
        return self.id


@dataclass(frozen=True, kw_only=True)
class Password:
    """A user, `USER@REALM`, who logs in for a ticket."""

    user: str
    password: str = field(repr=False)


Credentials = Token | Password


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What makes an endpoint's certificate trusted: the system's CAs, a CA file, or a pinned fingerprint."""

    ca_file: Path | None = None
    fingerprint: str | None = None
    """SHA-256 of the certificate, with or without colons."""
    insecure: bool = False
    """No check at all: whoever answers gets the credentials."""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """What takes the certificates that it trusts, but for the fingerprint. Raises UsageError for CAs of none."""
        return unchecked() if self.fingerprint or self.insecure else checked(self.ca_file)


class Session(requests.Session):
    """Sends one request a time, within the exchange's limits and with a line for `--debug`.

    Nothing but its headers, cookies and trust goes into a request: no variable, and no ~/.netrc, which would replace
    our Authorization. No redirect is followed: 8006 answers plain HTTP with 301, and a redirected POST becomes a GET.
    """

    def __init__(self, exchange: Exchange, debug: Callable[[str], None] | None) -> None:
        super().__init__()
        self.headers["Accept-Encoding"] = "gzip"
        self._exchange = exchange
        self._debug = debug

    def request(  # type: ignore[override]
        self, method: str, url: str, *, data: _Values | None = None, params: _Values | None = None
    ) -> requests.Response:
        self._exchange.start(begun=False)
        left = self._exchange.left()
        request = requests.PreparedRequest()
        request.prepare(method, url, headers=self.headers, data=data, params=params, cookies=self.cookies)
        if self._debug is None:
            return self._answer(request, left)
        begun = time.monotonic()
        status = "no answer"
        try:
            response = self._answer(request, left)
            status = f"{response.status_code} {response.reason}"
            return response
        finally:
            words = [method, url, *_shown(url, {**(params or {}), **(data or {})}), "->", status]
            self._debug(f"{' '.join(words)} ({time.monotonic() - begun:.3f} s)")

    def _answer(self, request: requests.PreparedRequest, left: float) -> requests.Response:
        adapter = self.get_adapter(str(request.url))
        self._exchange.start(begun=not isinstance(adapter, Adapter))  # any other does not tell when it has sent
        timeout = min(CONNECT_TIMEOUT, left), left
        response = adapter.send(request, stream=True, timeout=timeout)
        if "Set-Cookie" in response.headers:
            extract_cookies_to_jar(self.cookies, request, response.raw)  # type: ignore[no-untyped-call]
        return self._whole(response)

    def _whole(self, response: requests.Response) -> requests.Response:
        """The response with all of its body in memory. Raises OSError for one that is late or too large."""
        with response:
            if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", "gzip"):
                raise requests.exceptions.ContentDecodingError("an encoding that was not requested")
            body = bytearray()
            for piece in response.iter_content(PIECE):
                body += piece
                self._exchange.left()
                if len(body) > MAX_BODY:
                    raise Oversized(f"more than {MAX_BODY} bytes")
        whole = _Whole(bytes(body))
        whole.status_code, whole.reason, whole.headers = response.status_code, response.reason, response.headers
        whole.url, whole.request = response.url, response.request
        return whole


class _Body(bytes):
    """An answer's bytes, which no log shows: proxmoxer writes every answer into its own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


class _Whole(requests.Response):
    """A response with all of its body in memory."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.raw = io.BytesIO()
        self._body = _Body(body)

    @property
    def content(self) -> bytes:
        return self._body


def _shown(url: str, sent: Mapping[str, Any]) -> list[str]:
    """What was sent beside method and path, a word each; nothing of a login, which holds the password."""
    if url.endswith(LOGIN):
        return []
    sent = {**sent, **dict.fromkeys(UNTOLD & sent.keys(), "...")}
    return [repr(f"{name}={value}")[1:-1] for name, value in sent.items()]  # a comment's newline would break the line
