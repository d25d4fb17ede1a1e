"""Every fault of a reload and of the kernel under an apply that is left: `pvenet wait` ends as the apply would have."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fault_cells import FULL
from fault_scenarios import KERNEL_SCENARIOS
from left_matrix import LeftKernelMatrix, LeftMatrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fault_matrix import Cell

SCENARIOS = (("guests", "one"), ("management", "peer"), ("armed", "one"), ("unconfirmed", "one"), ("delete", "one"))
STEP = 1 if FULL else 4
"""Every cell, or every fourth."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("scenario", KERNEL_SCENARIOS)
def test_a_reload_that_was_left_ends_as_its_apply_would_have(
    scenario: str, place: Path, told: Callable[[str], None]
) -> None:
    """The same verdict and exit code, whether nobody waited or the apply was killed at its reload."""
    matrix = LeftKernelMatrix(scenario, place)
    _hold(matrix, list(matrix.named())[::STEP], told)


@pytest.mark.parametrize(("scenario", "layout"), SCENARIOS)
def test_a_reload_that_fails_or_is_lost_ends_the_same(
    scenario: str, layout: str, place: Path, told: Callable[[str], None]
) -> None:
    """By its task, by its answer, by the way to the node; also armed, and where nobody confirms."""
    matrix = LeftMatrix(scenario, layout, place)
    _hold(matrix, list(matrix.at_reload())[:: (STEP + 1) // 2], told)


def _hold(matrix: LeftMatrix, cells: list[Cell], told: Callable[[str], None]) -> None:
    found = [text for cell in cells for text in matrix.differences(cell)]
    name = matrix.scenario.scenario
    told(f"left matrix, {name}: {len(cells)} cells, each left in two ways; {len(found)} end otherwise")
    if found:
        pytest.fail("\n".join(found), pytrace=False)
