"""What a request carries: the credentials, what makes an endpoint trusted, and the session that holds both."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LOGIN = "/access/ticket"
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 40.0
"""Seconds. PVE's own hand-over to another node has a limit of 30 s (facts, section 13)."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """An API token; `id` is written whole, `USER@REALM!NAME`."""

    id: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!-~]+", self.id) or not re.fullmatch(r"[!-~]+", self.secret):
            raise errors.UsageError(
                "the token's name or secret is empty, or holds blanks or letters that no token has",
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
        status = "no answer"
        try:
            response = super().request(method, url, *args, **kwargs)
            status = f"{response.status_code} {response.reason}"
            return response
        finally:
            words = [method, url, *_shown(url, kwargs), "->", status]
            self._debug(f"{' '.join(words)} ({time.monotonic() - begun:.3f} s)")


def _shown(url: str, request: Mapping[str, Any]) -> list[str]:
    """What was sent beside method and path, a word each; nothing of a login, which holds the password."""
    if url.endswith(LOGIN):
        return []
    sent = {**(request.get("params") or {}), **(request.get("data") or {})}
    return [repr(f"{name}={value}")[1:-1] for name, value in sent.items()]  # a comment's newline would break the line
