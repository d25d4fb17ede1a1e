"""How the recorder asks: what it sends and how it reads the answers is its own, because the recordings judge pvenet.

Only where it asks and whom it trusts it takes from pvenet.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter

from pvenet.connection.endpoint import parse
from pvenet.connection.trust import unchecked
from pvenet.errors import UsageError
from pvenet.settings.connection import fingerprints
from pvenet.settings.read import split_fingerprints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording.scene import Form

TIMEOUT = (10.0, 60.0)
FORM = "application/x-www-form-urlencoded"


class Trouble(Exception):
    """Why nothing, or no more, is recorded; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where to ask, and with what. The secret comes from the environment only."""

    url: str
    token_id: str
    token_secret: str = field(repr=False)
    fingerprint: str | None = None
    ca_file: str | None = None
    node: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], endpoint: str | None, node: str | None) -> Place:
        """The settings of pvenet's own names; an endpoint or node named on the command line wins."""
        url = (endpoint or environ.get("PVENET_ENDPOINT", "")).split(",")[0].strip()
        missing = [name for name in ("PVENET_TOKEN_ID", "PVENET_TOKEN_SECRET") if not environ.get(name)]
        if not url or missing:
            missing = [*missing, *([] if url else ["PVENET_ENDPOINT, or --endpoint"])]
            raise Trouble(f"no node to record: set {' and '.join(missing)}")
        try:
            at, pins = parse(url), fingerprints(split_fingerprints(environ.get("PVENET_FINGERPRINT", "")))
        except UsageError as error:
            raise Trouble(f"{error.message}: {error.hint}") from None
        return cls(
            url=at.url,
            token_id=environ["PVENET_TOKEN_ID"],
            token_secret=environ["PVENET_TOKEN_SECRET"],
            fingerprint=pins[0] if pins else None,
            ca_file=environ.get("PVENET_CA_FILE") or None,
            node=node or environ.get("PVENET_NODE") or None,
        )

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, as it came."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: str
    json: Any
    seconds: float

    @classmethod
    def of(cls, response: requests.Response, seconds: float) -> Answer:
        response.encoding = "utf-8"
        try:
            body = response.json()
        except ValueError:
            body = None
        return cls(
            status=response.status_code,
            reason=response.reason or "",
            headers=tuple((str(name), str(value)) for name, value in response.raw.headers.iteritems()),
            body=response.text,
            json=body,
            seconds=round(seconds, 3),
        )

    @property
    def data(self) -> Any:
        return self.json.get("data") if isinstance(self.json, dict) else None


class Pinned(HTTPAdapter):
    """Trusts the one certificate that has the fingerprint, whoever signed it."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=unchecked(), assert_fingerprint=self._fingerprint)


class Caller:
    """Asks a place, one request at a time."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._session = requests.Session()
        self._session.trust_env = False  # no netrc, no proxy, no CA bundle of somebody else's
        if place.fingerprint:
            self._session.mount("https://", Pinned(place.fingerprint.replace(":", "")))
            self._session.verify = False  # the fingerprint is the check
        elif place.ca_file:
            self._session.verify = place.ca_file

    def ask(self, method: str, path: str, form: Form | None = None, authorization: str | None = None) -> Answer:
        """Send a request; raises Trouble where no answer comes."""
        if authorization is None:
            authorization = f"PVEAPIToken={self.place.token_id}={self.place.token_secret}"
        headers = {"Authorization": authorization} if authorization else {}
        if form is not None:
            headers["Content-Type"] = FORM
        begun = time.monotonic()
        try:
            response = self._session.request(
                method,
                f"{self.place.url}/api2/json{path}",
                data=None if form is None else urlencode(form),
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError:
            raise Trouble(
                f"{self.place.url} has a certificate that is not trusted: set PVENET_FINGERPRINT or PVENET_CA_FILE"
            ) from None
        except requests.RequestException as error:
            raise Trouble(f"{self.place.url} gives no answer to {method} {path}: {type(error).__name__}") from None
        return Answer.of(response, time.monotonic() - begun)

    def close(self) -> None:
        self._session.close()
