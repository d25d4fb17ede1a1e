"""An endpoint looked at from outside: its addresses, its port, its certificate. No credentials are sent."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from pvenet.connection.trust import PEEK_TIMEOUT, checked, fingerprint, handshake, unchecked, untrusted

if TYPE_CHECKING:
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Trust


def knock(endpoint: Endpoint) -> float:
    """The seconds that a connection to the port takes. Raises OSError."""
    begun = time.monotonic()
    with socket.create_connection((endpoint.host, endpoint.port), timeout=PEEK_TIMEOUT):
        return time.monotonic() - begun


def pin(endpoint: Endpoint, trust: Trust) -> str | None:
    """The fingerprint that is pinned for an endpoint."""
    return endpoint.fingerprint or trust.fingerprint


def shown(endpoint: Endpoint, trust: Trust) -> bytes:
    """The certificate that an endpoint shows, in DER, trusted as a connection to it would be.

    Raises Untrusted, UsageError for CAs that can't be read, and OSError where there is no TLS.
    """
    pinned = pin(endpoint, trust)
    if pinned or trust.insecure:
        certificate = handshake(endpoint, unchecked())
        if pinned and fingerprint(certificate).replace(":", "") != pinned.replace(":", "").upper():
            raise untrusted(endpoint, "Fingerprints did not match")
        return certificate
    try:
        return handshake(endpoint, checked(trust.ca_file))
    except ssl.SSLCertVerificationError as error:
        raise untrusted(endpoint, str(error)) from None
