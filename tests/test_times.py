"""Moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pvenet.times import ago, local, told

BEGUN = "2026-11-26T23:12:33.131+00:00"


@pytest.mark.parametrize(
    ("hours", "shown"), [(0, "2026-11-26 23:12"), (1, "2026-11-27 00:12"), (-5, "2026-11-26 18:12")]
)
def test_a_moment_is_shown_in_a_zone(hours: int, shown: str) -> None:
    """The day is that of the zone."""
    assert local(BEGUN, timezone(timedelta(hours=hours))) == shown


def test_a_sentence_has_the_moment_and_how_long_ago_it_was() -> None:
    """In the zone of whoever reads it; of another day the moment alone."""
    now = datetime.fromisoformat(BEGUN) + timedelta(minutes=3)
    assert told(BEGUN, now, timezone(timedelta(hours=1))) == "2026-11-27 00:12 (3 min ago)"
    assert told(BEGUN, now + timedelta(days=2), UTC) == "2026-11-26 23:12"
    assert told("an unknown time", now) == "an unknown time"


@pytest.mark.parametrize("text", ["", "yesterday", "1700000000.001"])
def test_what_is_no_moment_stays(text: str) -> None:
    """A journal may hold any text there."""
    assert local(text, UTC) == text
    assert ago(text, datetime(2026, 1, 1, tzinfo=UTC)) == ""


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (timedelta(seconds=-1), ""),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), ""),
    ],
)
def test_how_long_ago_is_said_for_a_day(later: timedelta, said: str) -> None:
    """Then the date says more; a clock that was set back says nothing."""
    assert ago(BEGUN, datetime.fromisoformat(BEGUN) + later) == said
