"""The forge's workflow, which may do no more than the scripts do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return data


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_nothing_but_the_scripts(path: Path) -> None:
    """The only command of a workflow is .ci/run, so that CI can be run anywhere."""
    steps = [step for job in workflow(path)["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_little_and_ends(path: Path) -> None:
    """It reads the repository and writes nothing, each job has its limit, and each action a version."""
    data = workflow(path)
    assert data["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 85 for job in data["jobs"].values())
    uses = [step["uses"] for job in data["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(use.startswith("actions/") and use.rpartition("@v")[2].isdecimal() for use in uses)


def test_ci_runs_every_python_that_is_supported() -> None:
    """The oldest Python of the matrix is the oldest that the package allows."""
    matrix = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["run"]["strategy"]["matrix"]["python"]
    assert f'requires-python = ">={matrix[0]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
