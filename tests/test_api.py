"""The public API: the names of `pvenet`, what they lead to, and what they cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import pvenet

ROOT = Path(pvenet.__file__).parent

API = {
    "connect to a node": {"Journals", "Node", "Settings", "connect", "load_settings"},
    "describe its network": {"Bond", "Bridge", "Ethernet", "OvsBond", "OvsBridge", "OvsIntPort", "Vlan"},
    "change it": {"ApplyOptions", "Runtime", "StageOptions", "Staging", "apply_staged", "revert", "stage"},
    "handle the outcome": {"PvenetError", "Verdict", "confirm", "errors", "roll_back", "status"},
}
"""Every public name, by what a script wants. Whoever adds or removes one tells users in the changelog."""


def test_the_public_names_are_these() -> None:
    """And `dir` shows no others."""
    assert set(pvenet.__all__) == set().union(*API.values())
    assert dir(pvenet) == sorted(pvenet.__all__)


@pytest.mark.parametrize("name", sorted(pvenet.__all__))
def test_a_public_name_is_there(name: str) -> None:
    """Each is documented where it is made, and none has the name of another module, which would take its place."""
    found = getattr(pvenet, name)
    assert found.__doc__
    if name != "errors":
        assert not (ROOT / name).exists()
        assert not (ROOT / f"{name}.py").exists()


def test_a_type_checker_sees_the_same() -> None:
    """Every name is what the imports for type checkers alone say that it is."""
    tree = ast.parse(Path(pvenet.__file__).read_text(encoding="utf8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            if node.module == "pvenet":
                seen[alias.name] = import_module(f"pvenet.{alias.name}")
            else:
                seen[alias.asname or alias.name] = getattr(import_module(str(node.module)), alias.name)
    assert seen == {name: getattr(pvenet, name) for name in pvenet.__all__}


def test_another_name_is_an_error_as_of_any_module() -> None:
    """So that `hasattr` and `from pvenet import ...` tell the truth."""
    assert not hasattr(pvenet, "applly")


def test_importing_costs_nothing() -> None:
    """`import pvenet` loads no other module of pvenet, and no library."""
    script = "import sys; before = set(sys.modules); import pvenet; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} <= {"pvenet", *sys.stdlib_module_names}
    assert "pvenet." not in done.stdout
