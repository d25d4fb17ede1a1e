"""The examples for forges: read as the forge reads them, and their scripts run on a simulated node."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import documents
import pytest
from paths import ROOT
from ruamel.yaml import YAML

from pvenet.render.prometheus import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import Ran

FILE = "nodes: {pve1: {bond0: {type: bond, slaves: [ens38, ens39], mode: active-backup}}}\n"
GH = '#!/bin/sh\necho "$@" > gh.words\n'
"""Stands where GitHub's own tool would: it only writes down what it is asked."""


def example(name: str, page: str = "pipelines") -> Any:
    """The YAML block of a page that is this file."""
    (text,) = [
        block for block in documents.blocks(documents.page(page), "yaml") if block.startswith((f"# {name}\n", name))
    ]
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


@pytest.fixture
def runner(lab: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A job's shell, in a folder with the file: as runners have it, it ends at the first command that fails."""
    tools = file.with_name("tools")
    tools.mkdir()
    gh = tools / "gh"
    gh.write_text(GH)
    gh.chmod(0o755)
    file.write_text(FILE)
    monkeypatch.setenv("PATH", f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    monkeypatch.setenv("NUMBER", "7")
    assert lab.exists()

    def go(script: str) -> None:
        ended = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script], check=False, capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}{ended.stderr}"

    return go


def steps(job: Mapping[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_workflow_for_github_plans_and_applies(runner: Callable[[str], None], interfaces: Path) -> None:
    """Its scripts, one after another; the comment and the summary have the Markdown, and the bond is live."""
    workflow = example(".github/workflows/network.yml")
    assert "PVENET_TOKEN_SECRET" in workflow["env"]
    plan, apply = workflow["jobs"]["plan"], workflow["jobs"]["apply"]
    for script in steps(plan):
        runner(script)
    assert Path("summary.md").read_text() == Path("plan.md").read_text()
    assert Path("plan.md").read_text().startswith("### pvenet plan: 1 to create, 2 to change")
    assert Path("gh.words").read_text().startswith("pr comment 7 --body-file plan.md")
    (artifact,) = [step["with"]["path"] for step in plan["steps"] if "upload-artifact" in step.get("uses", "")]
    assert Path(artifact).exists()
    assert (apply["needs"], apply["if"]) == ("plan", "github.event_name == 'push'")
    for script in steps(apply):
        runner(script)
    assert "iface bond0" in interfaces.read_text()


def test_the_pipeline_for_gitlab_plans_and_applies(runner: Callable[[str], None], interfaces: Path) -> None:
    """Its scripts, stage after stage; the reports are where the pipeline says, in the form that GitLab reads."""
    pipeline = example(".gitlab-ci.yml")
    jobs = [pipeline[stage] for stage in pipeline["stages"]]
    assert [job["stage"] for job in jobs] == pipeline["stages"]
    for job in jobs:
        for script in job["script"]:
            runner(script)
    reports = {kind: path for job in jobs for kind, path in job.get("artifacts", {}).get("reports", {}).items()}
    assert json.loads(Path(reports["codequality"]).read_text()) == []
    assert json.loads(Path(reports["terraform"]).read_text()) == {"create": 1, "update": 2, "delete": 0}
    assert all(Path(path).exists() for path in pipeline["plan"]["artifacts"]["paths"])
    assert "iface bond0" in interfaces.read_text()


def test_a_plan_that_is_stale_is_not_applied(runner: Callable[[str], None], interfaces: Path) -> None:
    """Where a node was changed between plan and apply, the last job ends with 7 and has sent nothing."""
    pipeline = example(".gitlab-ci.yml")
    for script in (*pipeline["check"]["script"], *pipeline["plan"]["script"]):
        runner(script)
    runner("pvenet eth set ens40 --mtu 1400 && pvenet apply --yes")
    before = interfaces.read_text()
    runner(f"{pipeline['apply']['script'][-1]} || test $? = 7")
    assert interfaces.read_text() == before


def test_the_hook_checks_the_files_that_it_is_for(run: Callable[..., Ran], file: Path) -> None:
    """Its entry takes several files, and its pattern is that of network files; the example names it."""
    (hook,) = YAML(typ="safe", pure=True).load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook.keys() >= {"id", "name", "entry", "language"}
    word, *words = hook["entry"].split()
    file.with_name("other.yaml").write_text("nodes: {pve1: {vmbr0: {type: brigde}}}")
    assert word == "pvenet"
    assert run(*words, "network.yaml").code == 0
    assert run(*words, "network.yaml", "other.yaml").code == 3
    for path, wanted in {"network.yaml": True, "sites/a/network.yml": True, "my-network.yaml": False}.items():
        assert bool(re.search(hook["files"], path)) is wanted
    (repo,) = example(".pre-commit-config.yaml")["repos"]
    assert [each["id"] for each in repo["hooks"]] == [hook["id"]]


def test_the_alerts_are_about_metrics_that_there_are() -> None:
    """Every name in their expressions is one that `drift --prometheus` writes."""
    (group,) = example("groups:", "dashboards")["groups"]
    for rule in group["rules"]:
        named = set(re.findall(r"pvenet_\w+", rule["expr"]))
        assert named
        assert named <= NAMES.keys()
