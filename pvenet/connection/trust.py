"""Whom to trust: the adapters that settle it before anything is sent, and the certificate that was seen."""

from __future__ import annotations

import hashlib
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from pvenet import errors
from pvenet.connection.exchange import Adapter

if TYPE_CHECKING:
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.exchange import Exchange

PEEK_TIMEOUT = 5.0


class Pinned(Adapter):
    """Trusts the one certificate that has the fingerprint, whoever signed it."""

    def __init__(self, fingerprint: str, exchange: Exchange | None = None) -> None:
        self._fingerprint = fingerprint
        super().__init__(exchange)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # with a context of our own: the default one loads every CA of the system anew for each connection, and PVE
        # closes the connection after every answer that pvedaemon gave
        super().init_poolmanager(*args, **kwargs, ssl_context=unchecked(), assert_fingerprint=self._fingerprint)


class Signed(Adapter):
    """Trusts what a CA has signed.

    With a context of our own, because the default one is strict since Python 3.13 about extensions that PVE's own CA
    and its certificates need not have. `known_as` is the name that the certificate has to have, where it is not the one
    that is asked.
    """

    def __init__(self, known_as: str | None = None, *, exchange: Exchange | None = None) -> None:
        self._names: dict[str, Any] = {"server_hostname": known_as, "assert_hostname": known_as} if known_as else {}
        super().__init__(exchange)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        super().init_poolmanager(*args, **{**kwargs, **self._names, "ssl_context": context})


def authorities(ca_file: Path | None) -> str | bool:
    """What `requests` takes for `verify`: the CA file, or the system's CAs. Raises UsageError for a file of none.

    True, which stands for the CAs that come with `requests`, where the system has none.
    """
    if ca_file is None:
        paths = ssl.get_default_verify_paths()
        return paths.cafile or paths.capath or True
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        raise errors.UsageError(f"{ca_file} holds no CA certificate", hint=_CA_HINT) from None
    except OSError as error:
        raise errors.UsageError(f"the CA file {ca_file} can't be read: {error.strerror}", hint=_CA_HINT) from None
    return str(ca_file)


def unreadable() -> errors.UsageError:
    """The error for CA certificates that were there when the connection was made."""
    return errors.UsageError("the CA certificates can't be read any more", hint=_CA_HINT)


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


def unchecked() -> ssl.SSLContext:
    """What takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def checked(ca_file: Path | None) -> ssl.SSLContext:
    """What takes a certificate that a CA has signed for its name. Raises UsageError for a CA file of none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    where = authorities(ca_file)
    place = str(DEFAULT_CA_BUNDLE_PATH if where is True else where)
    context.load_verify_locations(**{"capath" if Path(place).is_dir() else "cafile": place})
    return context


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in DER, as `AA:BB:...`."""
    digest = hashlib.sha256(certificate).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


_CA_HINT = "copy /etc/pve/pve-root-ca.pem from a node, and name the copy in PVENET_CA_FILE"
