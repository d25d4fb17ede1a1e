"""An endpoint looked at from outside: its addresses, its port, its certificate. No credentials are sent."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from pvenet.connection.trust import PEEK_TIMEOUT, authorities, fingerprint, untrusted

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
        certificate = _handshake(endpoint, _unchecked())
        if pinned and fingerprint(certificate).replace(":", "") != pinned.replace(":", "").upper():
            raise untrusted(endpoint, "Fingerprints did not match")
        return certificate
    try:
        return _handshake(endpoint, _checked(trust))
    except ssl.SSLCertVerificationError as error:
        raise untrusted(endpoint, str(error)) from None


def _handshake(endpoint: Endpoint, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection((endpoint.host, endpoint.port), timeout=PEEK_TIMEOUT) as raw,
        context.wrap_socket(raw, server_hostname=endpoint.known_as or endpoint.host) as tls,
    ):
        return tls.getpeercert(binary_form=True) or b""


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _checked(trust: Trust) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    place = authorities(trust.ca_file)
    if place is True:
        context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    elif trust.ca_file:
        context.load_verify_locations(cafile=trust.ca_file)
    else:
        context.load_default_certs()
    return context
