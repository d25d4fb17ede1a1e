"""The certificate of a sim: made by itself once, and kept, so that its fingerprint stays."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CERTIFICATE = "certificate.pem"
FINGERPRINT = "certificate.fingerprint"
DAYS = 3650


def certificate(folder: Path) -> tuple[Path, str]:
    """The file with key and certificate, and the SHA-256 fingerprint as PVE shows it."""
    path, known = folder / CERTIFICATE, folder / FINGERPRINT
    if not (path.exists() and known.exists()):
        pem, fingerprint = _make()
        path.touch(mode=0o600)
        path.write_bytes(pem)
        known.write_text(fingerprint + "\n", encoding="ascii")
    return path, known.read_text(encoding="ascii").strip()


def _make() -> tuple[bytes, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pvenet simulated node")])
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + made.public_bytes(serialization.Encoding.PEM), made.fingerprint(hashes.SHA256()).hex(":").upper()
