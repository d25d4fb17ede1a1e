"""The simulated node's modules stand in an order."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Nothing in pvenet/sim goes round in a circle, imports for typing and in functions included."""
    paths = {_name(path): path for path in (ROOT / "pvenet" / "sim").rglob("*.py")}
    TopologicalSorter({name: _imports(path, set(paths)) - {name} for name, path in paths.items()}).prepare()


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path, known: set[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole & known or {str(node.module)}
    return found & known
