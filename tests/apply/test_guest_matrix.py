"""Guests that come and go, or are lost, at every request of an apply: what pvenet says in the end is true."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guest_matrix import SCENARIOS, GuestMatrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEP = 1 if "PVENET_MATRIX" in os.environ else 3
"""Every request, or every third in turn."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_verdict_about_guests_is_true(scenario: str, place: Path, told: Callable[[str], None]) -> None:
    """Nobody is lost unsaid, no healthy change is rolled back, and none is cut whom nobody has agreed to."""
    matrix = GuestMatrix(scenario, place)
    assert matrix.code == 0, matrix.message
    cells = list(matrix.cells(STEP))
    found = [f"{' '.join(cell)}: {complaint}" for cell in cells for complaint in matrix.complaints(cell)]
    told(f"guest matrix, {scenario}: {len(cells)} cells; {len(found)} wrong verdicts")
    if found:
        pytest.fail("\n".join(found), pytrace=False)
