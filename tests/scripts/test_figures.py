"""`scripts/figures` counts what it says, on a package made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import figures
import pytest

if TYPE_CHECKING:
    from pathlib import Path

TREE = {
    "__init__.py": "",
    "__main__.py": "from house.top import go\n",
    "top.py": "from house import room\n\n\ndef go() -> None:\n    import house.cellar\n",
    "room/__init__.py": "from house.room.table import Table\n",
    "room/table.py": (
        "from typing import TYPE_CHECKING\n\nfrom house import leg\n\n"
        "if TYPE_CHECKING:\n    from house.top import go\n\n\n"
        'class Table:\n    def stand(self) -> int:\n        """A docstring\n        of two lines."""\n'
        "        one = 1\n        return one\n\n    def fall(self) -> None: ...\n"
    ),
    "leg.py": "from house.floor import Floor\n",
    "floor.py": "import house.leg\nimport house.cellar as beneath\n",
    "cellar.py": "import os\n",
}
"""leg and floor import each other; for type checkers, table imports top as well."""


@pytest.fixture(name="house")
def fixture_house(tmp_path: Path) -> dict[str, figures.Module]:
    for name, text in TREE.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return figures.read(tmp_path / "house")


def test_a_module_has_its_part_lines_and_bodies(house: dict[str, figures.Module]) -> None:
    """A body is what stands below the docstring."""
    table = house["house.room.table"]
    assert (table.part, table.lines, table.bodies) == ("room", 16, (2, 1))
    assert house["house.top"].part == "top"


def test_imports_in_functions_count_and_those_for_typing_only_where_asked(house: dict[str, figures.Module]) -> None:
    """A name that is imported from a module leads to the module, one that is a module leads to it."""
    imports = figures.graph(house)
    assert imports["house.top"] == {"house.room", "house.cellar"}
    assert imports["house.room.table"] == {"house.leg"}
    assert figures.graph(house, typing=True)["house.room.table"] == {"house.leg", "house.top"}


def test_the_longest_chain_counts_a_circle_once_and_no_package(house: dict[str, figures.Module]) -> None:
    """Nor does it begin at `__main__`."""
    assert figures.longest_chain(figures.graph(house)) == [
        "house.top",
        "house.room.table",
        "house.floor <-> house.leg",
        "house.cellar",
    ]


def test_circles_are_found_with_and_without_typing(house: dict[str, figures.Module]) -> None:
    """Packages that pass on a name belong to a circle, too."""
    small = frozenset({"house.floor", "house.leg"})
    assert figures.circles(figures.graph(house)) == [small]
    assert figures.circles(figures.graph(house, typing=True)) == [
        small,
        frozenset({"house.room", "house.room.table", "house.top"}),
    ]


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([5], 0.9, 5), (list(range(1, 11)), 0.9, 9), ([3, 1, 2, 9], 0.5, 2)]
)
def test_a_percentile_is_one_of_the_values(values: list[int], share: float, expected: int) -> None:
    """The smallest that the share does not exceed."""
    assert figures.percentile(values, share) == expected


def test_the_report_has_every_figure(house: dict[str, figures.Module]) -> None:
    """Parts are added up, and the largest module is named."""
    lines = list(figures.report(house))
    assert "room               2     17" in lines
    assert "all                8     27" in lines
    assert "longest import chain: 4" in lines
    assert "import circles: 1" in lines
    assert "import circles, typing counted: 2" in lines
    assert "function bodies: median 1, 90th percentile 2 lines" in lines
    assert lines[-1] == "largest module: house.room.table, 16 lines"


def test_nothing_in_pvenet_imports_in_a_circle() -> None:
    """Neither when it runs nor for type checkers: whoever reads a module needs none of those that read it."""
    modules = figures.read(figures.PACKAGE)
    assert [figures.circles(figures.graph(modules, typing=typing)) for typing in (False, True)] == [[], []]
