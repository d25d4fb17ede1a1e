"""Who may import whom. This table is the architecture; whoever changes the architecture changes the table."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pvenet"

ALLOWED = {
    "errors": {""},
    "model": {""},
    "limits": {""},
    "plain": {""},
    "foreign": {""},
    "private": {""},
    "hosts": {"", "model"},
    "severity": {""},
    "stanza_lines": {""},
    "times": {""},
    "unexpected": {"", "errors"},
    "changes": {"", "model", "plain"},
    "plan": {"", "changes", "errors", "limits", "model", "severity"},
    "impact": {"", "access", "changes", "kernel", "model", "plan", "severity"},
    "wire": {"", "changes", "limits", "model", "stanza_lines"},
    "kernel": {"", "model", "stanza_lines"},
    "lint": {"", "impact", "kernel", "limits", "model"},
    "events": {"", "changes", "impact", "plan"},
    "nics": {"", "kernel", "model"},
    "seen": {"", "connection", "journal", "kernel", "model", "nics", "node", "private"},
    "recent": {"", "model", "private"},
    "outcome": {"", "errors", "events"},
    "edit": {"", "errors", "limits", "model"},
    "login": {"", "access", "cluster", "connection", "errors", "settings"},
    "render": {
        "",
        "access",
        "changes",
        "doctor",
        "errors",
        "events",
        "foreign",
        "impact",
        "journal",
        "kernel",
        "lint",
        "login",
        "model",
        "nics",
        "outcome",
        "plan",
        "spec",
        "times",
    },
    "access": {"", "errors", "model"},
    "connection": {"", "errors"},
    "parallel": {"", "connection", "errors"},
    "cluster": {"", "access", "connection", "errors", "model"},
    "sdn": {"", "connection", "errors"},
    "node": {"", "access", "cluster", "connection", "errors", "model", "wire"},
    "observe": {"", "access", "connection", "errors", "kernel", "node"},
    "guests": {"", "access", "connection", "errors", "impact", "node", "parallel"},
    "journal": {"", "changes", "connection", "errors", "hosts", "model", "node", "private", "wire"},
    "routes": {"", "cluster", "connection", "errors", "journal", "model", "node"},
    "apply": {
        "",
        "access",
        "changes",
        "cluster",
        "connection",
        "errors",
        "events",
        "guests",
        "hosts",
        "impact",
        "journal",
        "kernel",
        "model",
        "nics",
        "node",
        "observe",
        "outcome",
        "parallel",
        "plain",
        "plan",
        "routes",
        "sdn",
        "seen",
        "times",
        "unexpected",
        "wire",
    },
    "doctor": {
        "",
        "access",
        "apply",
        "cluster",
        "connection",
        "errors",
        "fleet",
        "hosts",
        "journal",
        "kernel",
        "model",
        "nics",
        "node",
        "parallel",
        "private",
        "severity",
        "times",
        "unexpected",
        "wire",
    },
    "settings": {"", "errors", "connection", "foreign", "limits", "private", "sim"},
    "cli": {
        "",
        "apply",
        "changes",
        "cluster",
        "connection",
        "doctor",
        "edit",
        "errors",
        "events",
        "fleet",
        "foreign",
        "impact",
        "journal",
        "kernel",
        "lint",
        "login",
        "model",
        "nics",
        "node",
        "private",
        "recent",
        "render",
        "seen",
        "settings",
        "sim",
        "spec",
        "times",
        "unexpected",
    },
    "automation": {
        "",
        "apply",
        "changes",
        "cluster",
        "errors",
        "events",
        "fleet",
        "foreign",
        "journal",
        "model",
        "node",
        "outcome",
        "render",
        "settings",
        "sim",
        "spec",
        "unexpected",
        "wire",
    },
    "ansible": {"", "automation"},
    "spec": {
        "",
        "changes",
        "edit",
        "errors",
        "foreign",
        "hosts",
        "impact",
        "limits",
        "lint",
        "model",
        "nics",
        "plan",
        "wire",
    },
    "fleet": {
        "",
        "access",
        "apply",
        "cluster",
        "connection",
        "errors",
        "events",
        "guests",
        "impact",
        "journal",
        "kernel",
        "lint",
        "model",
        "nics",
        "node",
        "observe",
        "outcome",
        "parallel",
        "plan",
        "private",
        "spec",
        "times",
    },
    "sim": {""},
}
"""A part of pvenet and the parts that it may import; "" is the package itself."""

PURE = {
    "access",
    "changes",
    "edit",
    "errors",
    "events",
    "foreign",
    "hosts",
    "impact",
    "kernel",
    "limits",
    "lint",
    "model",
    "outcome",
    "plan",
    "render",
    "severity",
    "stanza_lines",
    "times",
    "wire",
}
FORBIDDEN_TO_PURE = {"os", "time", "pathlib", "socket", "subprocess", "requests", "proxmoxer", "typer", "rich", "sys"}
ONLY = {
    "ansible": {"ansible"},
    "proxmoxer": {"connection"},
    "typer": {"cli"},
    "rich": {"cli"},
    "cryptography": {"sim"},
    "keyring": {"settings"},
    "urllib3": {"connection", "sim"},
    "yaml": {"spec"},
    "pydantic": {"spec"},
}
"""Third parties, and the parts that may touch them."""
CALLED = {"PyYAML": "yaml", "ansible-core": "ansible"}
"""Packages whose module has another name."""
PURE_OF_SPEC = {
    "addresses.py",
    "network_spec.py",
    "desired.py",
    "check.py",
    "export.py",
    "from_network.py",
    "linting.py",
    "node_plan.py",
    "diagnostics.py",
}
"""What of a network file meets neither disk nor YAML nor pydantic."""
PURE_OF_DOCTOR = {"clock.py", "finding.py", "kernel.py", "release.py", "rights.py"}
"""What of the doctor judges what others have asked."""
PURE_IN_PART = {*(("spec", name) for name in PURE_OF_SPEC), *(("doctor", name) for name in PURE_OF_DOCTOR)}


def part(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path) -> set[str]:
    """The dotted names of modules that a file imports, also in functions and for typing only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


FILES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__main__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_the_table_allows(path: Path) -> None:
    """No module reaches for a part of pvenet that is not beneath it."""
    own = part(path)
    if own == "__init__":
        return
    for name in imports(path):
        if name.split(".")[0] == "pvenet":
            target = name.split(".")[1]
            target = "" if target not in ALLOWED else target
            assert target == own or target in ALLOWED[own], f"{path.name} imports {name}"


def test_nothing_is_allowed_that_nobody_uses() -> None:
    """What the table says of a part is what the part does: an import that has gone leaves the table, too."""
    used: dict[str, set[str]] = {name: {""} for name in ALLOWED}
    for path in FILES:
        for name in imports(path):
            if name.startswith("pvenet.") and part(path) in used:
                used[part(path)].add(name.split(".")[1])
    assert {name: allowed - used[name] for name, allowed in ALLOWED.items() if allowed - used[name]} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_third_parties_stay_in_their_places(path: Path) -> None:
    """The pure core meets no clock, disk or network, and each library is met in its own place."""
    own = part(path)
    roots = {name.split(".")[0] for name in imports(path)}
    if own in PURE or (own, path.name) in PURE_IN_PART:
        assert not roots & (FORBIDDEN_TO_PURE | {"yaml", "pydantic"})
    for library, places in ONLY.items():
        assert library not in roots or own in places


def test_what_is_imported_is_a_dependency() -> None:
    """A library that another one brings along is asked for by its own name, in a version that has what is used."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf8"))["project"]
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {CALLED.get(name, name) for name in (re.split(r"[^\w-]", each)[0] for each in asked)}
    roots = {name.split(".")[0] for path in FILES for name in imports(path)}
    assert roots - sys.stdlib_module_names - {"pvenet", "ansible_collections"} <= names


def test_the_table_names_every_part() -> None:
    """Nothing stands in pvenet/ that the table does not know."""
    parts = {part(path) for path in FILES} - {"__init__"}
    assert parts == set(ALLOWED)


def test_contributing_shows_the_same_table() -> None:
    """Its rows are the parts, each with what it may import; the last ones, which use nearly all, say so in words."""
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf8").partition("## From a command line")[0]
    found = re.findall(r"^\| `(\w+)` \|.*\| ?(.*?) ?\|$", text, re.MULTILINE)
    assert sorted(name for name, _ in found) == sorted(ALLOWED)  # each once
    rows = dict(found)
    for name in ALLOWED.keys() - {"apply", "automation", "fleet", "cli"}:
        assert set(re.findall(r"`(\w+)`", rows[name])) == ALLOWED[name] - {""}, name
