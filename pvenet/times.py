"""Moments as people read them, in the zone of their machine. JSON keeps ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def read(text: str) -> datetime | None:
    """A moment in ISO 8601, of UTC where it names no zone; None for any other text."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        return None


def local(text: str, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """`2026-11-26 07:12`, in a zone, or that of this machine; a text that is no moment stays as it is."""
    found = read(text)
    if found is None:
        return text
    try:
        return found.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):  # too far from any time that a zone knows
        return text


def told(text: str, now: datetime, zone: tzinfo | None = None) -> str:
    """`2026-11-26 07:12 (3 min ago)`: what is said of a moment wherever a sentence or a field has one."""
    recent = ago(text, now)
    return local(text, zone) + (f" ({recent})" if recent else "")


def ago(text: str, now: datetime) -> str:
    """`3 min ago`; nothing for what is older than a day, to come, or no moment."""
    found = read(text)
    seconds = (now - found).total_seconds() if found else -1.0
    if not 0 <= seconds < _DAY:
        return ""
    if seconds < _MINUTE:
        return "just now"
    return f"{seconds // _HOUR:.0f} h ago" if seconds >= _HOUR else f"{seconds // _MINUTE:.0f} min ago"
