"""The collection as a thing by itself: its documentation, its metadata, and the wheel and the tarball that hold it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tarfile
import tomllib
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder
from paths import ROOT
from playbooks import BIN, environment, needs_ansible
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from pathlib import Path

COLLECTION = ROOT / "pvenet" / "ansible"
MODULES = ("apply", "confirm", "facts", "interfaces", "rollback")
PLUGINS = sorted((COLLECTION / "plugins").rglob("*.py"))


def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf8"))


@needs_ansible
def test_ansible_doc_shows_every_module(tmp_path: Path) -> None:
    """With the options that the module takes, and no others."""
    names = [f"pvenet.network.{name}" for name in MODULES]
    here = {**os.environ, **environment(tmp_path)}
    command = [str(BIN / "ansible-doc"), "--json", *names]
    shown = json.loads(subprocess.run(command, env=here, check=True, capture_output=True, text=True).stdout)
    for name in MODULES:
        documented = shown[f"pvenet.network.{name}"]["doc"]["options"]
        taken = _options(name)
        assert set(documented) == set(taken), name
        for option, about in taken.items():
            told = documented[option]
            for key in ("type", "elements", "choices", "default", "aliases"):
                assert told.get(key) == about.get(key), (name, option, key)


def _options(name: str) -> dict[str, dict[str, Any]]:
    """The options of a module, as it hands them to ansible-core."""
    parameters: dict[str, Any] = {}
    exec((COLLECTION / "plugins/module_utils/parameters.py").read_text(encoding="utf8"), parameters)
    asked: list[dict[str, Any]] = []
    text = (COLLECTION / f"plugins/modules/{name}.py").read_text(encoding="utf8")
    lines = [line for line in text.splitlines() if "import run" not in line and "ansible_collections" not in line]
    space = {**parameters, "run": lambda _, options, **__: asked.append(options), "__name__": "module"}
    exec(compile("\n".join(lines), name, "exec"), space)
    space["main"]()
    return {**parameters["CONNECTION"], **asked[0]}


def test_it_has_the_version_of_pvenet() -> None:
    """One release, one number; and the Ansible that the extra asks for is the one that the collection needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    assert yaml(COLLECTION / "galaxy.yml")["version"] == project["version"]
    (needed,) = project["optional-dependencies"]["ansible"]
    needs = yaml(COLLECTION / "meta/runtime.yml")["requires_ansible"]
    assert needs.removesuffix(".0") == needed.removeprefix("ansible-core")
    assert sorted(yaml(COLLECTION / "meta/runtime.yml")["action_groups"]["network"]) == list(MODULES)


def test_only_what_imports_ansible_core_beyond_its_libraries_is_under_the_gpl() -> None:
    """Each file says its licence; `ansible.module_utils` is BSD, all else of ansible-core GPL."""
    for path in PLUGINS:
        text = path.read_text(encoding="utf8")
        found = {name for name in _imported(text) if name.startswith("ansible.")}
        action = path.parent.name == "action"
        assert all(name.startswith("ansible.module_utils") for name in found) != (action and bool(found)), path
        licence = "GPL-3.0-or-later" if action else "MIT"
        assert f"# SPDX-License-Identifier: {licence}\n" in text, path
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    assert project["license"] == "MIT AND GPL-3.0-or-later"
    assert yaml(COLLECTION / "galaxy.yml")["license"] == ["MIT", "GPL-3.0-or-later"]
    assert "GNU GENERAL PUBLIC LICENSE" in (COLLECTION / "COPYING").read_text()
    assert (COLLECTION / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def _imported(text: str) -> set[str]:
    return {node.module or "" for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}


def test_each_module_has_its_action_plugin() -> None:
    """By which it runs on the controller."""
    for folder in ("action", "modules"):
        assert [path.stem for path in sorted((COLLECTION / "plugins" / folder).glob("*.py"))] == list(MODULES)


def test_the_wheel_has_it_where_ansible_looks(tmp_path: Path) -> None:
    """Once, and not a second time within the package; an editable installation has no copy that grows stale."""
    held = {f"ansible_collections/pvenet/network/{name}" for name in _files(COLLECTION)}
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in names if name.startswith("ansible_collections/")} == held
    assert not any(name.startswith("pvenet/ansible/") for name in names)
    (editable,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path / "editable"), versions=["editable"])
    with ZipFile(editable) as archive:
        assert not any("ansible_collections" in name for name in archive.namelist())


def _files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".ansible" not in path.parts
    }


@needs_ansible
def test_the_tarball_has_the_same(tmp_path: Path) -> None:
    """What `ansible-galaxy collection install` takes, with no leftovers of this checkout."""
    command = [str(BIN / "ansible-galaxy"), "collection", "build", str(COLLECTION), "--output-path", str(tmp_path)]
    subprocess.run(command, env={**os.environ, "ANSIBLE_HOME": str(tmp_path)}, check=True, capture_output=True)
    (built,) = tmp_path.glob("pvenet-network-*.tar.gz")
    with tarfile.open(built) as archive:
        names = {member.name for member in archive if member.isfile()}
    assert names - {"MANIFEST.json", "FILES.json"} == _files(COLLECTION) - {"galaxy.yml"}


@needs_ansible
def test_where_pvenet_is_missing_it_is_told_for_which_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that runs Ansible, as a tarball of the collection alone finds it; no other interpreter would help."""
    text = (COLLECTION / "plugins/module_utils/answer.py").read_text(encoding="utf8")
    space: dict[str, Any] = {"CONNECTION": {}, "__name__": "answer"}
    monkeypatch.setitem(sys.modules, "pvenet.automation", None)
    exec("\n".join(line for line in text.splitlines() if "ansible_collections" not in line), space)
    failed: dict[str, Any] = {}

    class Module:
        def __init__(self, **_: Any) -> None: ...

        def fail_json(self, **result: Any) -> None:
            failed.update(result)
            raise SystemExit(1)

    space["AnsibleModule"] = Module
    with pytest.raises(SystemExit):
        space["run"]("facts", {})
    told = f"pvenet is not installed for {sys.executable}, the Python that runs Ansible"
    assert failed["msg"].splitlines()[0] == told
    assert "pip install pvenet" in failed["msg"]
