"""What is read of a certificate's DER, judged by a library that knows the whole of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pvenet.connection.certificate import read_certificate

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime(2026, 11, 26, 5, 0, 0, tzinfo=UTC)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=16)  # at most 64 bytes
UNITS = {NameOID.ORGANIZATION_NAME: "PVE Cluster Node", NameOID.ORGANIZATIONAL_UNIT_NAME: "a unit"}


def der(names: dict[x509.ObjectIdentifier, str], issuer: str, since: datetime, until: datetime) -> bytes:
    """A certificate of these names, in this time."""
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in names.items()])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


@given(NAMES, NAMES, st.integers(0, 100 * 365))
def test_names_and_times_are_read(subject: str, issuer: str, days: int) -> None:
    """Of every script, and of both spellings of a time: two digits of the year, or four from 2050 on."""
    until = NOW + timedelta(days=days)
    found = read_certificate(der({**UNITS, NameOID.COMMON_NAME: subject}, issuer, NOW, until))
    assert found is not None
    assert (found.subject, found.issuer, found.since, found.until) == (subject, issuer, NOW, until)


def test_who_has_no_common_name_is_named_by_the_rest() -> None:
    """The organisation; nobody where there is no name at all."""
    found = read_certificate(der(UNITS, "ca", NOW, NOW))
    assert found is not None
    assert found.subject == "PVE Cluster Node"
    empty = read_certificate(der({}, "ca", NOW, NOW))
    assert empty is not None
    assert empty.subject == ""


@given(st.binary(max_size=200))
def test_what_is_no_certificate_is_none(noise: bytes) -> None:
    """Whatever bytes come, nothing is raised."""
    assert read_certificate(noise) is None


@pytest.mark.parametrize("kept", range(1, 120, 7))
def test_a_cut_certificate_is_none(kept: int) -> None:
    """Nothing is guessed of a part."""
    assert read_certificate(der(UNITS, "ca", NOW, NOW)[:kept]) is None


@given(st.integers(0, 250), st.integers(0, 255))
def test_a_changed_byte_raises_nothing(at: int, value: int) -> None:
    """It is read otherwise, or it is none."""
    whole = bytearray(der({NameOID.COMMON_NAME: "pve1"}, "ca", NOW, NOW))
    whole[at] = value
    read_certificate(bytes(whole))
