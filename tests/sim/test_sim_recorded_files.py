"""Files that people could have written, replayed: PVE's listing, first write and updates of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from file_replay import (
    files,
    first_write_divergence,
    listing_divergence,
    reports,
    update_divergences,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _judge(told: Callable[[str], None], what: str, results: Sequence[tuple[str, Sequence[str | None]]]) -> None:
    """Say how many there were of each kind, and fail with every divergence."""
    found = [divergence for _, each in results for divergence in each if divergence]
    counts = ", ".join(f"{len(each)} {kind}" for kind, each in results)
    told(f"{what}: {counts}; {len(found)} divergences")
    assert not found, "\n".join(found)


def test_files(told: Callable[[str], None]) -> None:
    """Every file is listed, first written and updated as PVE does, and refused in its words."""
    found = list(files())
    assert len(found) == 700
    updates = [divergence for file in found for divergence in update_divergences(file)]
    assert len(updates) == 2094
    _judge(
        told,
        "files",
        [
            ("listings", [listing_divergence(file) for file in found]),
            ("first writes", [first_write_divergence(file) for file in found]),
            ("updates", updates),
        ],
    )


def test_reports(told: Callable[[str], None]) -> None:
    """So is every file of which somebody reported that it failed."""
    found = list(reports())
    assert len(found) == 18
    _judge(
        told,
        "reports",
        [
            ("listings", [listing_divergence(file) for file in found]),
            ("first writes", [first_write_divergence(file) for file in found]),
        ],
    )
