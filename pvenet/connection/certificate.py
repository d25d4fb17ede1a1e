"""What a certificate says of itself: whose it is, who signed it, until when it is valid. Pure.

The standard library tells that of a certificate only after it was verified, and one that is pinned is not: the few
fields are read here from its DER. What is not as X.509 has it gives None.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UTC_TIME, _VERSION = 0x17, 0xA0
_WIDE, _UTF8 = 0x1E, 0x0C
_NAMES = (b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x04\x0b")
"""The common name, the organisation, the unit: what names its owner is the first of them."""
_LONG = 0x80
_LONGEST = 4
"""Bytes of a length; what is longer is no certificate."""
_CENTURY = 50
"""Years of two digits below it are of this century."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a person wants to know of one."""

    subject: str
    issuer: str
    since: datetime
    until: datetime


def read_certificate(der: bytes) -> Certificate | None:
    """A certificate; None where it is none, or says what it says in another way."""
    try:
        ((_, whole),) = _parts(der)
        body = list(_parts(next(_parts(whole))[1]))
        fields = body[1:] if body[0][0] == _VERSION else body
        _serial, _algorithm, issuer, validity, subject = (content for _, content in fields[:5])
        since, until = (_time(tag, content) for tag, content in _parts(validity))
        return Certificate(subject=_name(subject), issuer=_name(issuer), since=since, until=until)
    except (ValueError, IndexError, StopIteration):
        return None


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each part. Raises ValueError where one is cut."""
    at = 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size >= _LONG:
            count = size - _LONG
            if not 0 < count <= _LONGEST:
                raise ValueError("a length without a size")
            size, at = int.from_bytes(der[at : at + count]), at + count
        if at + size > len(der):
            raise ValueError("it is cut off")
        yield tag, der[at : at + size]
        at += size


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if int(text[:2]) < _CENTURY else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _name(content: bytes) -> str:
    """The common name, or what there is instead."""
    found: dict[bytes, str] = {}
    for _, one in _parts(content):
        for _, pair in _parts(one):
            (_, kind), (tag, value) = _parts(pair)
            found[kind] = value.decode("utf-16-be" if tag == _WIDE else "utf8" if tag == _UTF8 else "latin-1")
    return next((found[name] for name in _NAMES if found.get(name)), "")
