"""Where HTTP goes: an endpoint's spelling, its addresses, and the certificate that was seen there."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pvenet import errors

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

PORT = 8006
SIM = "sim:"
_PEEK_TIMEOUT = 5.0


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
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError:
            return frozenset()
        return frozenset(str(entry[4][0]).split("%")[0] for entry in found)


def parse(text: str) -> Endpoint:
    """An endpoint as a person writes it: `pve1`, `192.168.171.21:8006`, `https://pve1:8006/`, `[fd00::1]`.

    Raises UsageError for what is none, and for http:// to anything but this machine.
    """
    url = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:%-]+", host):
        raise errors.UsageError(f"{text!r} is no endpoint", hint="write it as https://HOST:8006")
    if parts.username or parts.password:
        raise errors.UsageError(
            "an endpoint holds no credentials", hint="give them as PVENET_TOKEN_ID and PVENET_TOKEN_SECRET"
        )
    if parts.scheme == "http" and not _loopback(host):
        raise errors.UsageError(
            f"http:// would send the credentials to {host} in the clear", hint=f"write https://{host}:{port}"
        )
    return Endpoint(host=host, port=port, scheme=parts.scheme)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def untrusted(endpoint: Endpoint, reason: str) -> errors.Unreachable:
    """The error for a TLS failure; it names the certificate's fingerprint where there is one to see."""
    seen = _peek(endpoint)
    if seen is None:
        return errors.Untrusted(f"{endpoint} does not speak TLS as it should", hint="check host and port")
    if "ingerprints did not match" in reason:
        what = "has another certificate than the pinned one"
    elif "ostname mismatch" in reason or "doesn't match" in reason:
        what = "has a certificate for another name"
    else:
        what = "has a certificate that is not trusted"
    return errors.Untrusted(
        f"{endpoint} {what}; its SHA-256 fingerprint is\n  {seen}",
        hint="compare it with `pvenode cert info` on the node; if it is the same, pin it:\n"
        f"  export PVENET_FINGERPRINT={seen}\n"
        "or name the CA that signed it: PVENET_CA_FILE=/path/to/pve-root-ca.pem",
        fingerprint=seen,
    )


def _peek(endpoint: Endpoint) -> str | None:
    """The fingerprint of the certificate that an endpoint shows; nothing is sent to it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((endpoint.host, endpoint.port), timeout=_PEEK_TIMEOUT) as raw,
            context.wrap_socket(raw, server_hostname=endpoint.host) as tls,
        ):
            certificate = tls.getpeercert(binary_form=True)
    except OSError:
        return None
    return fingerprint(certificate) if certificate else None


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in DER, as `AA:BB:...`."""
    digest = hashlib.sha256(certificate).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
