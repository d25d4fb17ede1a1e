"""Journals that this user can't read: nobody knows what is open, and no command says that nothing is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ordinary import ordinary_user
from recorder import set_nature

from pvenet import errors
from pvenet.fleet.book import Rollouts
from pvenet.journal import Journals, LockJournals, nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran

KNOWING = (
    "status",
    "rollback --yes",
    "apply --yes",
    "apply --dry-run",
    "wait",
    "confirm",
    "revert",
    "rescue",
    "history",
    "history show 1",
    "bridge create vmbr7",
)
"""Commands that go by what is open."""
READING = ("list", "tree", "links", "nics", "diff", "lint")


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state folder of an ordinary user, with a simulated node."""
    from pvenet.sim.state import Sim

    with ordinary_user() as home:
        Sim.open(home / "lab")
        set_nature(home / "lab", reload_seconds=0.0)
        monkeypatch.chdir(home)
        monkeypatch.setenv("PVENET_SIM", str(home / "lab"))
        monkeypatch.setenv("PVENET_STATE_DIR", str(home / "state"))
        try:
            yield home / "state"
        finally:
            monkeypatch.undo()


@pytest.fixture
def applied(state: Path, run: Callable[..., Ran]) -> Path:
    """The same, after an apply for whose end nobody waited."""
    assert run("bond", "create", "--slaves", "ens38,ens39").code == 0
    assert run("apply", "--yes", "--no-wait").code == 0
    return state


def closed(state: Path, what: str) -> Path:
    """Close what a glob names to its owner."""
    (path,) = state.parent.glob(what)
    path.chmod(0)
    return path


@pytest.mark.parametrize("what", ["state/journals/pve1", "state/journals", "state", "state/journals/pve1/*.json"])
def test_no_command_goes_by_journals_that_can_not_be_read(
    applied: Path, run: Callable[..., Ran], what: str, subtests: pytest.Subtests
) -> None:
    """Whichever part of the way to them is closed: it is an error that says what, why and what to do; nothing is sent.

    What only reads warns, and goes on.
    """
    path = closed(applied, what)
    for words in KNOWING:
        with subtests.test(words):
            ran = run(*words.split())
            assert ran.code == 1, ran
            assert "can't be read: Permission denied" in ran.err
            assert str(path) in ran.err
            assert "chmod -R u+rwX" in ran.err
            assert "nothing is pending" not in ran.out + ran.err
            assert "move it away" not in ran.err
    for words in READING:
        with subtests.test(words):
            ran = run(*words.split())
            assert ran.code == 0, ran
            assert "warning: what was begun from here is not known" in ran.err
    with subtests.test("doctor"):
        ran = run("doctor")
        assert ran.code == 1, ran
        assert "and pvenet changes nothing" in " ".join(ran.out.split())


def test_a_folder_that_is_not_there_has_no_journals(state: Path, run: Callable[..., Ran]) -> None:
    """Nothing was begun from here then, and nothing is wrong."""
    assert nodes(state) == ()
    assert Journals(state, "pve1").all() == ()
    assert LockJournals(state).kept() == ()
    assert Rollouts(state).all() == ()
    assert run("status").code == 0


@pytest.mark.parametrize("folder", ["sdn-locks", "rollouts"])
def test_a_record_that_can_not_be_read_is_not_passed_over(state: Path, folder: str) -> None:
    """Of SDN locks and rollouts neither: the folder, and each file in it."""
    kept = LockJournals(state).kept if folder == "sdn-locks" else Rollouts(state).all
    (state / folder).mkdir(parents=True)
    file = state / folder / "r1.json"
    file.write_text("{}")
    assert kept() == ()
    for path in (file, file.parent):
        path.chmod(0)
        with pytest.raises(errors.JournalUnreadable, match="Permission denied"):
            kept()


def test_of_several_nodes_the_others_are_shown(applied: Path, run: Callable[..., Ran]) -> None:
    """What can be read is told, and the exit code is that of what can't."""
    for name in ("pve2", "pve3"):
        (applied / "journals" / name).mkdir()
    closed(applied, "state/journals/pve2")
    ran = run("history")
    assert ran.code == 1
    assert "bond0" in ran.out
    assert "pve2: the journals of pve2 can't be read" in ran.err


def test_whose_they_are_is_said(state: Path) -> None:
    """Where they are somebody else's: who that is, and both ways out."""
    from pvenet.journal.refused import unreadable

    denied = PermissionError(13, "Permission denied", "/root/x")
    hint = unreadable("the journals of pve1", state, denied).hint
    if os.geteuid() != Path("/root").stat().st_uid:
        assert "/root belongs to root" in hint
        assert "sudo chown -R" in hint
    assert "--state-dir" in hint
