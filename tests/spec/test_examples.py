"""The setups of PVE's administration guide, each as a network file that is applied and gives the file it must."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import fastjsonschema
import pytest
from conftest import FIXTURES
from recorder import set_nature

from pvenet.sim.state import Sim
from pvenet.spec.parse import parse
from pvenet.spec.schema import schema
from pvenet.spec.tree import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

EXAMPLES = sorted((FIXTURES / "examples").glob("*.yaml"))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A simulated node with three NICs and nothing else, reached through none of them; its live file."""
    folder = tmp_path / "bare"
    Sim.init(folder, node="pve1", nics=("eno1", "eno2", "eno3"))
    set_nature(folder, reload_seconds=0.0, ovs=True)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder / "pve1/etc/network/interfaces"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_its_file(example: Path, bare: Path, run: Callable[..., Ran]) -> None:
    """Checked, applied, verified; byte for byte; and planned again there is nothing to do."""
    assert run("check", "-f", str(example)).code == 0
    ran = run("apply", "-f", str(example), "--yes", "--allow-management")
    assert ran.code == 0, ran.err
    wanted = example.with_suffix(".interfaces")
    if os.environ.get("UPDATE"):
        wanted.write_text(bare.read_text())
    assert bare.read_text() == wanted.read_text()
    assert run("plan", "-f", str(example), "--exit-code").code == 0


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_takes_an_example(example: Path) -> None:
    """So an editor has nothing to mark."""
    fastjsonschema.validate(schema(), plain(parse(example.read_text(encoding="utf8"))[0]))


def test_there_are_examples() -> None:
    """The guide's setups that the API can write; NAT needs `post-up` lines, which it can't."""
    assert len(EXAMPLES) >= 9
