"""Every fault at every request of the whole scenario: what pvenet says in the end is true, cell by cell."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fault_cells import KernelMatrix, Matrix
from fault_matrix import LAYOUTS
from fault_scenarios import KERNEL_SCENARIOS, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fault_matrix import Walk

BAD_DAYS = (
    ("guests", "one", "reload-fails"),
    ("management", "peer", "never-up=bond0"),
    ("management", "peer", "path-lost"),
    ("armed", "one", "path-lost=65"),
)
"""What a first reload may do, so that something comes after it."""


@pytest.fixture(scope="module")
def tally() -> Counter[str]:
    """How many cells ended in which verdict."""
    return Counter()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a thousand scenarios sync a lot of journals."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_verdict_is_true(scenario: str, layout: str, place: Path, tally: Counter[str]) -> None:
    """One fault at each request of a scenario that would have gone well."""
    matrix = Matrix(scenario, layout, place)
    assert matrix.told.witness.count >= 9
    _hold(matrix, tally)


@pytest.mark.parametrize(("scenario", "layout", "base"), BAD_DAYS)
def test_every_verdict_on_a_bad_day_is_true(
    scenario: str, layout: str, base: str, place: Path, tally: Counter[str]
) -> None:
    """One more fault at each request after a reload that goes wrong."""
    _hold(Matrix(scenario, layout, place, (f"{base}@PUT network",)), tally)


@pytest.mark.parametrize("scenario", KERNEL_SCENARIOS)
def test_every_verdict_on_a_kernel_is_true(scenario: str, place: Path, tally: Counter[str]) -> None:
    """Flags that are all up prove nothing: applied is what the kernel has, and rolled back what it really lacks."""
    _hold(KernelMatrix(scenario, place), tally)


def _verdict(walk: Walk) -> str:
    for done in walk.done:
        if done.name in ("apply", "rollback") and done.end is not None:
            return str(done.end.verdict)
        if done.name == "revert":
            return "not reverted" if done.code else "reverted"
    return "refused while staging"


def _hold(matrix: Matrix, tally: Counter[str]) -> None:
    found = []
    for cell in matrix.cells():
        complaints, walk = matrix.complaints(cell)
        tally[_verdict(walk)] += 1
        found += [f"{cell}: {complaint}" for complaint in complaints]
    tally["wrong"] += len(found)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_the_matrix_is_told(tally: Counter[str], told: Callable[[str], None]) -> None:
    """Its size, its verdicts, and how many are wrong."""
    bad = tally.pop("wrong", 0)
    verdicts = ", ".join(f"{number} {name}" for name, number in sorted(tally.items()))
    told(f"fault matrix: {tally.total()} cells: {verdicts}; {bad} wrong verdicts")
    assert bad == 0
