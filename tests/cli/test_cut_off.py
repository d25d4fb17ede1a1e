"""A node that a change from here may have cut off: every command says where the way back is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pvenet.journal import Journals, State
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

POINTED = "the last change from here to pve1 may have cut it off: `pvenet status --node pve1`"


@pytest.fixture
def left(
    lab: Path, run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """A node that is off, after a change that is left in this state; its journal."""
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "kept"))
    assert run("bond", "create", "--slaves", "ens38,ens39").code == 0
    assert run("apply", "--yes").code == 0
    journals = Journals(tmp_path / "kept", "pve1")
    (journal,) = journals.all()
    path = journals.path(journal)
    text = path.read_text()
    path.write_text(text.replace('"state": "applied"', f'"state": "{request.param}"'))
    node = Sim(lab).node("pve1")
    node.save(node.machine().but(online=False))
    return path


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (State.RELOADING, "list"),
        (State.ROLLING_BACK, "rollback --yes --node pve1"),
        (State.FAILED, "revert --node pve1"),
    ],
    indirect=["left"],
)
@pytest.mark.usefixtures("left")
def test_every_command_points_to_the_console(run: Callable[..., Ran], words: str) -> None:
    """With the node named, and without."""
    ran = run(*words.split())
    assert ran.code == 6, ran
    assert POINTED in ran.err
    assert "`pvenet rescue --node pve1` prints" in ran.err


@pytest.mark.parametrize("left", [State.ROLLING_BACK], indirect=True)
@pytest.mark.usefixtures("left")
def test_what_says_it_by_itself_points_nowhere(run: Callable[..., Ran]) -> None:
    """`pvenet status` has the way back in its answer."""
    ran = run("status")
    assert ran.code == 6
    assert "on its console, as root" in ran.out
    assert POINTED not in ran.err


@pytest.mark.parametrize("left", [State.APPLIED], indirect=True)
@pytest.mark.usefixtures("left")
def test_a_change_that_ended_well_has_cut_nothing_off(run: Callable[..., Ran]) -> None:
    """Then it is the node, or what lies between."""
    ran = run("list")
    assert ran.code == 6
    assert POINTED not in ran.err


@pytest.mark.parametrize("left", [State.RELOADING], indirect=True)
def test_a_change_to_a_node_elsewhere_is_not_meant(left: Path, run: Callable[..., Ran]) -> None:
    """Of the same name at another place: its journal says so."""
    left.write_text(left.read_text().replace('"endpoint": "sim:', '"endpoint": "sim:/elsewhere'))
    ran = run("list")
    assert ran.code == 6
    assert POINTED not in ran.err
