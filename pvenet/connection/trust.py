"""Whom to trust: what settles it before anything is sent, and the certificate that was seen."""

from __future__ import annotations

import hashlib
import socket
import ssl
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet import errors

if TYPE_CHECKING:
    from pvenet.connection.endpoint import Endpoint

PEEK_TIMEOUT = 5.0


def untrusted(endpoint: Endpoint, reason: str) -> errors.Untrusted:
    """The error for a certificate that is not trusted; it names the fingerprint."""
    seen = seen_at(endpoint)
    if seen is None:
        return errors.Untrusted(f"{endpoint} has a certificate that is not trusted", hint=_CA_HINT)
    if _is_about_pin(reason):
        hint = (
            "was it renewed? Somebody may be between here and the node: compare it with `pvenode cert info` there,\n"
            f"and only if it is the same:\n  pvenet login {endpoint} --accept-changed {seen}\n"
            f"or, where the pin is not a profile's:\n  export PVENET_FINGERPRINT={seen}"
        )
        return errors.Untrusted(
            f"{endpoint} {_what(reason)}; what it shows now is\n  {seen}", hint=hint, fingerprint=seen
        )
    return errors.Untrusted(
        f"{endpoint} {_what(reason)}; its SHA-256 fingerprint is\n  {seen}",
        hint="compare it with `pvenode cert info` on the node; if it is the same, pin it:\n"
        f"  export PVENET_FINGERPRINT={seen}\n"
        "or name the CA that signed it: PVENET_CA_FILE=/path/to/pve-root-ca.pem",
        fingerprint=seen,
    )


def _is_about_pin(reason: str) -> bool:
    return "ingerprints did not match" in reason


def _what(reason: str) -> str:
    # OpenSSL's and urllib3's words, which decide about nothing but ours
    if _is_about_pin(reason):
        return "has a different certificate from the pinned one"
    if "mismatch" in reason or "doesn't match" in reason:
        return "has a certificate for another name"
    if "expired" in reason or "not yet valid" in reason:
        return "has a certificate that is not valid now"
    return "has a certificate that is not trusted"


def seen_at(endpoint: Endpoint) -> str | None:
    """The fingerprint of the certificate that an endpoint shows; nothing is sent to it."""
    return _shown(endpoint, unchecked())


def vouched_at(endpoint: Endpoint, ca_file: Path | None) -> str | None:
    """The same of a certificate that a CA has signed for this name, the CA file's or the system's; else None.

    Raises UsageError for a CA file of none.
    """
    return _shown(endpoint, checked(ca_file))


def _shown(endpoint: Endpoint, context: ssl.SSLContext) -> str | None:
    try:
        certificate = handshake(endpoint, context)
    except (OSError, UnicodeError):
        return None
    return fingerprint(certificate) if certificate else None


def handshake(endpoint: Endpoint, context: ssl.SSLContext) -> bytes:
    """The certificate, in DER, that a handshake alone meets. Raises OSError, and UnicodeError for what is no name."""
    with (
        socket.create_connection((endpoint.host, endpoint.port), timeout=PEEK_TIMEOUT) as raw,
        context.wrap_socket(raw, server_hostname=endpoint.known_as or endpoint.host) as tls,
    ):
        return tls.getpeercert(binary_form=True) or b""


@cache
def unchecked() -> ssl.SSLContext:
    """What takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def checked(ca_file: Path | None) -> ssl.SSLContext:
    """What takes a certificate that a CA has signed for its name, the CA file's or the system's.

    A context of our own, because the default one is strict since Python 3.13 about extensions that PVE's own CA and its
    certificates need not have. Raises UsageError for CAs that can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ca_file is None:
            place = _system_s()
            context.load_verify_locations(**{"capath" if Path(place).is_dir() else "cafile": place})
        else:
            place = str(ca_file)
            context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        raise errors.UsageError(f"{place} holds no CA certificate", hint=_CA_HINT) from None
    except OSError as error:
        raise errors.UsageError(f"the CA file {place} can't be read: {error.strerror}", hint=_CA_HINT) from None
    return context


def _system_s() -> str:
    """Where the system has its CAs; those that come with `requests` where it has none."""
    paths = ssl.get_default_verify_paths()
    if found := paths.cafile or paths.capath:
        return found
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return str(DEFAULT_CA_BUNDLE_PATH)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in DER, as `AA:BB:...`."""
    digest = hashlib.sha256(certificate).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


_CA_HINT = "copy /etc/pve/pve-root-ca.pem from a node, and name the copy in PVENET_CA_FILE"
