"""An SDN lock that others hold or take, lost answers to it, /etc/hosts edited meanwhile: what pvenet says is true."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lock_matrix import SCENARIOS, LockMatrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEP = 1 if "PVENET_MATRIX" in os.environ else 6
"""Every request, or every sixth in turn; each fault with every reload, or with one in turn."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_lock_and_no_hosts_line_is_left_behind_unsaid(
    scenario: str, place: Path, told: Callable[[str], None]
) -> None:
    """The verdict is true, somebody else's lock and edit stay, and no healthy change is rolled back."""
    matrix = LockMatrix(scenario, place)
    assert matrix.said.code == 0 or matrix.scenario.confirms is False, matrix.said.message
    cells = list(matrix.cells(STEP))
    found = [f"{' '.join(cell)}: {complaint}" for cell in cells for complaint in matrix.complaints(cell)]
    told(f"lock matrix, {scenario}: {len(cells)} cells; {len(found)} wrong verdicts")
    if found:
        pytest.fail("\n".join(found), pytrace=False)
