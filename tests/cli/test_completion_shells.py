"""Completion in the shells themselves, as Typer has them read it; one that is not installed here is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from shells import BIN, offered_by_fish, script, typed

if TYPE_CHECKING:
    from pathlib import Path

BECOMES = {
    "bridge set vm": "bridge set vmbr0",
    "bond create --mode 802.3ad --slaves ens40,ens41,ens38,ens39,e": "bond create --mode 802.3ad --slaves "
    "ens40,ens41,ens38,ens39,ens37",
    "bond create --slaves ens38,ens4": "bond create --slaves ens38,ens4",
}


@pytest.fixture
def shell(request: pytest.FixtureRequest) -> str:
    """A shell that is installed here."""
    name = str(request.param)
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed here, so that its completion was not tried")
    return name


@pytest.mark.parametrize("line", BECOMES)
@pytest.mark.parametrize("shell", ["bash", "zsh"], indirect=True)
def test_a_line_becomes_what_it_can_only_mean(shell: str, line: str, lab: Path, tmp_path: Path) -> None:
    """At a TAB behind a word's beginning, also behind a comma; what is ambiguous stays."""
    assert typed(shell, f"pvenet {line}", tmp_path, {"PVENET_SIM": str(lab)}) == f"pvenet {BECOMES[line]}"


@pytest.mark.parametrize("shell", ["bash"], indirect=True)
def test_bash_takes_words_apart_and_they_are_put_together_again(shell: str, lab: Path, tmp_path: Path) -> None:
    """Behind `--option=` and after an endpoint with a port, at both of which bash ends a word."""
    line = f"pvenet --sim={lab} bridge set vmbr0 --clear=gateway6,comm"
    assert typed(shell, line, tmp_path, {}) == f"{line}ents"
    elsewhere = "pvenet --endpoint https://pve1:8006 apply --on-failure=k"
    assert typed(shell, elsewhere, tmp_path, {}) == f"{elsewhere}eep"


@pytest.mark.parametrize("shell", ["fish"], indirect=True)
@pytest.mark.usefixtures("shell")
def test_fish_offers_the_same(lab: Path, tmp_path: Path) -> None:
    """Behind a command, behind a comma; where nothing is known, its own names of files alone."""
    environment = {"PVENET_SIM": f"{lab}"}
    assert offered_by_fish("pvenet bridge set ", tmp_path, environment) == ["vmbr0"]
    listed = offered_by_fish("pvenet bond create --slaves ens38,ens4", tmp_path, environment)
    assert listed == ["ens38,ens40", "ens38,ens41"]
    assert set(offered_by_fish("pvenet bridge set ", tmp_path, {})) == {"completion.fish", "lab/"}


@pytest.mark.parametrize("shell", ["bash"], indirect=True)
def test_it_is_installed_by_one_command(shell: str, tmp_path: Path) -> None:
    """`pvenet --install-completion`, run in the shell, has it read at its next start."""
    environment = {"HOME": f"{tmp_path}", "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [shell, "-c", "pvenet --install-completion; true"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "bash completion installed in" in done.stdout
    assert (tmp_path / ".bash_completions" / "pvenet.sh").read_text() == script(shell).strip()
    assert f"source '{tmp_path}/.bash_completions/pvenet.sh'" in (tmp_path / ".bashrc").read_text()
