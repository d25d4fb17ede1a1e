"""What a request carries: the credentials, what makes an endpoint trusted, and the session that holds both."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 40.0
"""Seconds. PVE's own hand-over to another node has a limit of 30 s (facts, section 13)."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """An API token; `id` is written whole, `USER@REALM!NAME`."""

    id: str
    secret: str = field(repr=False)

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


@dataclass(frozen=True, kw_only=True)
class Answer:
    """PVE's whole answer: `data`, and what it says beside it (`changes`, `total`)."""

    data: Any
    beside: Mapping[str, Any] = field(default_factory=dict)


class Serializer:
    """proxmoxer's serializer interface, keeping the siblings of `data` that its own throws away."""

    @staticmethod
    def loads(response: requests.Response) -> Answer:
        envelope = json.loads(response.content)
        if not isinstance(envelope, dict) or "data" not in envelope:
            raise ValueError
        return Answer(data=envelope.pop("data"), beside=envelope)

    @staticmethod
    def loads_errors(response: requests.Response) -> dict[str, Any]:
        try:
            envelope = json.loads(response.content)
        except ValueError:
            return {}
        return envelope if isinstance(envelope, dict) else {}


class Pinned(HTTPAdapter):
    """Trusts the one certificate that has the fingerprint, whoever signed it."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, assert_fingerprint=self._fingerprint)


class Session(requests.Session):
    """Adds what ProxmoxResource does not pass: timeouts, no redirects, and a line for `--debug`."""

    def __init__(self, debug: Callable[[str], None] | None) -> None:
        super().__init__()
        self.trust_env = False  # else ~/.netrc replaces our Authorization, and a variable our trust
        self.read_timeout = READ_TIMEOUT
        self._debug = debug

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", (min(CONNECT_TIMEOUT, self.read_timeout), self.read_timeout))
        kwargs["allow_redirects"] = False  # 8006 answers plain HTTP with 301, and a redirected POST becomes a GET
        if self._debug is None:
            return super().request(method, url, *args, **kwargs)
        begun = time.monotonic()
        form = "" if "/access/ticket" in url else " ".join(f"{k}={v}" for k, v in (kwargs.get("data") or {}).items())
        status = "no answer"
        try:
            response = super().request(method, url, *args, **kwargs)
            status = f"{response.status_code} {response.reason}"
            return response
        finally:
            self._debug(f"{method} {url} {form}-> {status} ({time.monotonic() - begun:.3f} s)".replace("  ", " "))
