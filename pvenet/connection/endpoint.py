"""Where HTTP goes: an endpoint's spelling, and its addresses."""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pvenet import errors

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

PORT = 8006

_NAME = re.compile(r"(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})*\.?")
_SPELLING = "write it as https://HOST:8006"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`https://host:8006`, or a simulated node in process."""

    host: str
    port: int = PORT
    scheme: str = "https"
    adapter: BaseAdapter | None = field(default=None, compare=False)
    """What answers instead of the network, for a `sim:DIR` endpoint."""
    label: str = ""
    """How messages call it; the URL where it is empty."""
    fingerprint: str | None = field(default=None, compare=False)
    """The certificate to pin here, where it is not the connection's."""
    known_as: str | None = field(default=None, compare=False)
    """The name in its certificate, where it is reached by another."""

    def __str__(self) -> str:
        return self.label or self.url

    @property
    def url(self) -> str:
        """`scheme://host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """Where the API begins."""
        return f"{self.url}/api2/json"

    def addresses(self) -> frozenset[str]:
        """The host's IP addresses as text; none for a simulated node, or where the name does not resolve now."""
        if self.adapter is not None:
            return frozenset()
        with suppress(ValueError):  # nothing has to be resolved
            return frozenset({str(ipaddress.ip_address(self.host)).partition("%")[0]})
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # the latter for what can be no name, which a cluster may hold all the same
            return frozenset()
        return frozenset(str(entry[4][0]).split("%")[0] for entry in found)


def parse(text: str) -> Endpoint:
    """An endpoint as a person writes it: `pve1`, `192.168.171.21:8006`, `https://pve1:8006/`, `fd00::1`, `[fd00::1]`.

    Raises UsageError for what is none, and for http:// to anything but this machine.
    """
    text = text.strip()
    if "@" in text:  # first of all: no message below may show what stands before it
        raise errors.UsageError(
            "an endpoint holds no credentials", hint="give them as PVENET_TOKEN_ID and PVENET_TOKEN_SECRET"
        )
    scheme, host, port = _split(text)
    if scheme == "http" and not _loopback(host):
        raise errors.UsageError(
            f"http:// would send the credentials to {host} in the clear",
            hint=f"write {Endpoint(host=host, port=port)}",
        )
    return Endpoint(host=host, port=port, scheme=scheme)


def _split(text: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    if _address(text):
        text = f"[{text}]"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname or "", PORT if parts.port is None else parts.port
    except ValueError:
        host, port = "", 0
    if (
        not text.isprintable()
        or not port
        or not (_NAME.fullmatch(host) or _address(host))
        or parts.scheme not in ("http", "https")
    ):
        raise errors.UsageError(f"{text!r} is not an endpoint", hint=_SPELLING)
    if parts.path.rstrip("/") not in ("", "/api2/json") or parts.query:
        raise errors.UsageError(
            f"{text!r} goes on after host and port; leave out the path, which is known", hint=_SPELLING
        )
    return parts.scheme, host, port


def _address(text: str) -> bool:
    """Whether it is an IPv6 address, perhaps with its zone; one of IPv4 is spelled as a name is."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
