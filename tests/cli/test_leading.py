"""What a hint says to type leads to where the command line went that it stands under."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from pvenet.cli.leading import leading
from pvenet.settings import Options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("`pvenet diff` shows it", "`pvenet diff --profile a,b --node pve1` shows it"),
        ("`pvenet rollback --node pve2` goes back", "`pvenet rollback --node pve2 --profile a,b` goes back"),
        ("`pvenet rollback --rollout r1` undoes it", "`pvenet rollback --rollout r1 --profile a,b` undoes it"),
        ("`pvenet help lint-rules` explains them", "`pvenet help lint-rules` explains them"),
        ("`pvenet --sim lab list` tries it", "`pvenet --sim lab list` tries it"),
        ("`pvenet apply --help` explains them", "`pvenet apply --help` explains them"),
        ("`ifreload -a` on pve1", "`ifreload -a` on pve1"),
    ],
)
def test_a_command_has_what_said_where(text: str, said: str) -> None:
    """Unless it says it itself, or goes nowhere."""
    assert leading(text, Options(profile="a,b", node="pve1")) == said


def test_nothing_is_added_that_holds_by_itself() -> None:
    """What the environment says, and several nodes, of which no one is meant."""
    text = "`pvenet diff` shows it"
    assert leading(text, Options()) == leading(text, Options(node="all")) == leading(text, Options(node="a,b")) == text
    assert leading(text, Options(node="all"), "b") == "`pvenet diff --node b` shows it"


def test_a_folder_is_quoted_for_a_shell(tmp_path: Path) -> None:
    """Whatever its name has in it."""
    options = Options(sim=tmp_path / "my lab", state_dir=tmp_path / "it's")
    command = leading("`pvenet wait`", options).strip("`")
    assert shlex.split(command) == ["pvenet", "wait", "--sim", f"{options.sim}", "--state-dir", f"{options.state_dir}"]


def commands(text: str) -> list[list[str]]:
    """What a text says to type, in words."""
    return [shlex.split(found) for found in re.findall(r"`pvenet ([^`]+)`", text)]


def test_a_hint_after_staging_can_be_typed(lab: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the command line said where to go, and the hint says it again."""
    monkeypatch.delenv("PVENET_SIM")
    diff, apply = commands(run("--sim", str(lab), "bond", "create", "--slaves", "ens38,ens39").err)
    assert "+ bond bond0" in run(*diff).out
    assert run(*apply, "--yes").code == 0
    wrong = run("show", "vmbr7", "--sim", str(lab))
    assert "did you mean vmbr0?" in wrong.err


@pytest.mark.usefixtures("cluster")
def test_what_is_said_of_several_nodes_names_each(run: Run) -> None:
    """`status`, `doctor`, `list` and `diff`: each command is about the node that it stands under, and works."""
    run("bond", "create", "--slaves", "ens38,ens39", "--node", "pve1")
    run("bond", "create", "--slaves", "ens38,ens39", "--node", "pve2")
    assert run("apply", "--yes", "--no-wait", "--node", "pve2").code == 0
    status, doctor, listed = run("status").out, run("doctor").out, run("list", "--node", "all").err
    assert commands(status)[0] == ["apply", "--node", "pve1"]
    assert ["wait", "--node", "pve2"] in commands(status)
    assert ["diff", "--node", "pve1"] in commands(" ".join(doctor.split()))
    assert ["wait", "--node", "pve2"] in commands(" ".join(doctor.split()))
    assert commands(listed) == [["diff", "--node", "pve1"]]
    assert run(*commands(listed)[0]).code == run("wait", "--node", "pve2").code == 0


@pytest.mark.usefixtures("cluster")
def test_the_hint_of_an_error_names_the_node(run: Run) -> None:
    """The one that was named on the command line."""
    run("bond", "create", "--slaves", "ens38,ens39", "--node", "pve2")
    refused = run("bond", "delete", "bond7", "--node", "pve2")
    assert refused.code != 0
    assert all(words[-2:] == ["--node", "pve2"] for words in commands(refused.err))
    fault = ("--fault", "reload-fails@PUT network")
    failed = run("apply", "--yes", "--on-failure", "keep", "--node", "pve2", *fault)
    assert ["apply", "--node", "pve2"] in commands(failed.err)
