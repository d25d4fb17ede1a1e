"""What a request carries: the credentials, what makes an endpoint trusted, and the session that holds both."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from email.message import Message
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pvenet import errors
from pvenet.connection.exchange import Adapter, Request, Unshown, Whole, bound, is_packed
from pvenet.connection.trust import checked, unchecked

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import requests
    from requests.adapters import BaseAdapter
    from requests.cookies import RequestsCookieJar

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
LONGEST_ANSWER = 15.0
"""Seconds for one answer while a reload runs; a living node was seen to take 6.4 (pve-api#slow-answer)."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """An API token; `id` is written whole, `USER@REALM!NAME`."""

    id: str
    secret: str = field(repr=False)
    named: str = field(default="the token", compare=False)
    """What says so: a variable, an option, an answer."""

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
    named: str = field(default="the user", compare=False)
    """As for a token."""


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


class Session:
    """Sends one request a time, within the exchange's limits and with a line for `--debug`.

    It is what proxmoxer needs of a session. Nothing but its headers and cookies goes into a request: no variable, and
    no ~/.netrc, which would replace our Authorization. No redirect is followed: 8006 answers plain HTTP with 301, and a
    redirected POST becomes a GET.

    `requests` takes 20 ms to load, and is asked only where it knows more: of cookies, of hosts that are spelled out of
    the ordinary, and where one of its own adapters answers in process.
    """

    def __init__(self, exchange: Exchange, debug: Callable[[str], None] | None) -> None:
        self.headers = {
            "User-Agent": "pvenet",
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
        }
        self._exchange = exchange
        self._debug = debug
        self._adapters: dict[str, Adapter | BaseAdapter] = {}
        self._cookies: RequestsCookieJar | None = None
        """What somebody between here and the node wants to be shown again."""
        self._origins: dict[str, str] = {}

    def mount(self, prefix: str, adapter: Adapter | BaseAdapter) -> None:
        """Let all that begins with this go to the adapter, but for what begins with more that has another."""
        self._adapters[prefix] = adapter

    def close(self) -> None:
        """Forget connections that are kept."""
        for adapter in self._adapters.values():
            adapter.close()

    def request(self, method: str, url: str, *, data: _Values | None = None, params: _Values | None = None) -> Whole:
        """The answer. Raises Broken, Unpackable and Oversized, and what `requests` raises where it answers."""
        self._exchange.start(begun=False)
        left = self._exchange.left()
        request = self._prepared(method, url, data, params)
        # as the endpoint spells it: `requests` writes ü otherwise, and fe80::1%eth0
        adapter = self._adapters[max((prefix for prefix in self._adapters if url.startswith(prefix)), key=len)]
        if self._debug is None:
            return self._answer(adapter, request, left)
        begun = time.monotonic()
        status = "no answer"
        try:
            response = self._answer(adapter, request, left)
            status = f"{response.status_code} {response.reason}"
            return response
        finally:
            words = [method, url, *_shown(url, {**(params or {}), **(data or {})}), "->", status]
            self._debug(f"{' '.join(words)} ({time.monotonic() - begun:.3f} s)")

    def _prepared(self, method: str, url: str, data: _Values | None, params: _Values | None) -> Request:
        """What `requests` makes of it; names in the path are quoted already, and headers checked where they are set."""
        origin = url[: url.index("/", len("https://"))]
        target = url[len(origin) :] + (f"?{urlencode(params)}" if params else "")
        headers, body = self.headers.copy(), None
        if data:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if method != "GET":
            headers["Content-Length"] = str(len(body or ""))
        request = Request(method=method, origin=self._spelt(origin), target=target, headers=headers, body=body)
        if self._cookies:
            theirs = _theirs(request)
            theirs.prepare_cookies(self._cookies)
            request = replace(request, headers=dict(theirs.headers))
        return request

    def _spelt(self, origin: str) -> str:
        """Scheme, host and port as `requests` spells them."""
        if origin not in self._origins:
            self._origins[origin] = origin if _PLAIN.fullmatch(origin) else _spelt_by_requests(origin)
        return self._origins[origin]

    def _answer(self, adapter: Adapter | BaseAdapter, request: Request, left: float) -> Whole:
        timeout = min(CONNECT_TIMEOUT, left)
        if not isinstance(adapter, Adapter):
            self._exchange.start(begun=True)  # it does not tell when it has sent
            return self._whole(adapter.send(_theirs(request), stream=True, timeout=(timeout, left)))
        answer = adapter.send(request, timeout=timeout)
        if "Set-Cookie" in answer.headers:
            self._keep_cookies(request, answer)
        return answer

    def _keep_cookies(self, request: Request, answer: Whole) -> None:
        from requests.cookies import MockRequest, MockResponse, RequestsCookieJar

        self._cookies = self._cookies or RequestsCookieJar()
        self._cookies.extract_cookies(MockResponse(answer.headers), MockRequest(_theirs(request)))  # type: ignore[arg-type]  # requests' own, made for it

    def _whole(self, response: requests.Response) -> Whole:
        """What has answered in process. Raises OSError for an answer that is late or too large."""
        headers = Message()
        for name, value in response.headers.items():
            headers[name] = value
        with response:
            is_packed(response.headers.get("Content-Encoding"))
            body = bytearray()
            for piece in response.iter_content(PIECE):
                body += piece
                self._exchange.left()
                bound(len(body))
        reason = str(response.reason or "")
        return Whole(status_code=response.status_code, reason=reason, headers=headers, content=Unshown(body))


_PLAIN = re.compile(r"https?://([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(:\d+)?")
"""What `requests` spells as it stands."""


def _spelt_by_requests(origin: str) -> str:
    import requests

    alone = requests.PreparedRequest()
    alone.prepare_url(origin, None)
    return str(alone.url).removesuffix("/")


def _theirs(request: Request) -> requests.PreparedRequest:
    """A request in the form of `requests`."""
    import requests
    from requests.structures import CaseInsensitiveDict

    theirs = requests.PreparedRequest()
    theirs.method, theirs.url, theirs.body = request.method, request.origin + request.target, request.body
    theirs.headers = CaseInsensitiveDict(request.headers)
    return theirs


def _shown(url: str, sent: Mapping[str, Any]) -> list[str]:
    """What was sent beside method and path, a word each; nothing of a login, which holds the password."""
    if url.endswith(LOGIN):
        return []
    sent = {**sent, **dict.fromkeys(UNTOLD & sent.keys(), "...")}
    return [repr(f"{name}={value}")[1:-1] for name, value in sent.items()]  # a comment's newline would break the line
