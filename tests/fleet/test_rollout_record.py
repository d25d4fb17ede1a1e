"""What the record of a rollout says is so, whatever was done to its nodes since; and how it goes on from there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from test_rollout_parallel import NODES, TAGGED, is_live, on, standing, unanswered

from pvenet.fleet.book import Rollouts
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    import requests
    from conftest import Ran

    Run = Callable[..., Ran]

APPLY = ("apply", "-f", "network.yaml", "--yes")
UNDO = ("rollback", "--rollout", "r1", "--yes")


def test_a_canary_that_dies_before_its_turn_is_not_left_out(cluster: Path, run: Run, file: Path) -> None:
    """Nobody follows one that nobody has seen go well, whoever else may be skipped."""
    file.write_text(TAGGED)
    dead = unanswered("pve2", 2)
    ran = run(*APPLY, "--skip-unreachable", "--max-failures", "3", "--canary", "pve2", *dead)
    assert ran.code == 6
    assert "not reached: pve1, pve3" in ran.err
    assert not any(is_live(cluster, node) for node in NODES)


def test_a_resume_of_one_node_leaves_the_others_for_the_next(cluster: Path, run: Run, file: Path) -> None:
    """Only of a node that was looked at it can be said that it is as the file says."""
    file.write_text(TAGGED)
    run(*APPLY, *on("pve1", "reload-fails"))
    ran = run(*APPLY, "--resume", "--node", "pve2")
    assert ran.code == 0
    assert "this was the rollout r1: the same command with --resume goes on with it" in ran.err
    assert standing(cluster) == {"pve1": "rolled_back", "pve2": "applied", "pve3": "untouched"}
    assert run(*APPLY, "--resume").code == 0
    assert all(is_live(cluster, node) for node in NODES)
    assert set(standing(cluster).values()) == {"applied"}


def test_a_node_that_was_rolled_back_by_itself_is_not_taken_for_done(cluster: Path, run: Run, file: Path) -> None:
    """Neither by the history nor by --resume, which asks for a new rollout."""
    file.write_text(TAGGED)
    run(*APPLY)
    assert run("rollback", "--node", "pve2", "--yes").code == 0
    shown = {each["node"]: each["stands"] for each in run("history", "show", "r1", "--json").data["nodes"]}
    assert shown == {"pve1": "applied", "pve2": "undone", "pve3": "applied"}
    ran = run(*APPLY, "--resume")
    assert ran.code == 7
    assert "the rollout r1 of network.yaml was rolled back on pve2; nothing was sent" in ran.err
    ran = run(*UNDO, "--json")
    assert [row["node"] for row in ran.end["nodes"]] == ["pve3", "pve1"]
    assert not any(is_live(cluster, node) for node in NODES)


def test_a_rollout_elsewhere_is_not_gone_on_with_here(
    cluster: Path, run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clusters may have nodes of the same names, and one file for both: what is done in one is not in the other."""
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "state"))
    other = shutil.copytree(cluster, tmp_path / "other")
    file.write_text(TAGGED)
    assert run(*APPLY, *on("pve2", "reload-fails")).code == 8
    ran = run(*APPLY, "--resume", "--sim", str(other))
    assert ran.code == 7
    assert "the rollout r1 of network.yaml was of nodes elsewhere that have the same names" in ran.err
    assert run(*APPLY, "--sim", str(other), *on("pve3", "reload-fails")).code == 8
    ran = run(*APPLY, "--resume")
    assert "going on with the rollout r1: pve1 is done" in ran.err
    ran = run(*APPLY, "--resume", "--sim", str(other))
    assert "going on with the rollout r2: pve1, pve2 are done" in ran.err
    assert all(is_live(place, node) for place in (cluster, other) for node in NODES)


def test_a_node_whose_undoing_is_refused_stays_applied(cluster: Path, run: Run, file: Path) -> None:
    """It is live, and nothing was sent to it; what is left is said, and how the others go back."""
    file.write_text(TAGGED)
    run(*APPLY)
    run("bond", "set", "bond0", "--mode", "active-backup", "--node", "pve2")
    run("apply", "--yes", "--node", "pve2")
    ran = run(*UNDO)
    assert ran.code == 7
    assert standing(cluster) == {"pve1": "applied", "pve2": "applied", "pve3": "undone"}
    assert (
        "left of the rollout r1: pve2, pve1. `pvenet rollback --rollout r1` goes on with it; "
        "`pvenet rollback --node pve1` puts back pve1 alone"
    ) in ran.err
    assert run("rollback", "--node", "pve1", "--yes").code == 0
    assert [is_live(cluster, node) for node in NODES] == [False, True, False]


def test_a_node_that_is_away_when_it_is_to_go_back_ends_it_there(cluster: Path, run: Run, file: Path) -> None:
    """It stays applied in the record, who was not reached is said, and the same command goes on when it is back."""
    file.write_text(TAGGED)
    run(*APPLY)
    dead = [word for nth in range(1, 16) for word in ("--fault", f"595@GET nodes/pve2/network+{nth}")]
    ran = run(*UNDO, "--json", *dead)
    assert (ran.code, ran.end["rollout"]) == (6, "r1")
    verdicts = {row["node"]: row["verdict"] for row in ran.end["nodes"]}
    assert verdicts == {"pve3": "rolled_back", "pve2": "failed", "pve1": "untouched"}
    assert standing(cluster) == {"pve1": "applied", "pve2": "applied", "pve3": "undone"}
    ran = run(*UNDO, "--json")
    assert [row["node"] for row in ran.end["nodes"]] == ["pve2", "pve1"]
    assert not any(is_live(cluster, node) for node in NODES)


def test_a_rollback_that_fails_ends_it_there(cluster: Path, run: Run, file: Path) -> None:
    """Its verdict is in the record, no other node is touched, and the same command goes on."""
    file.write_text(TAGGED)
    run(*APPLY)
    fails = [word for nth in range(1, 9) for word in ("--fault", f"reload-fails@PUT nodes/pve3/network+{nth}")]
    ran = run(*UNDO, "--timeout", "3", *fails)
    assert ran.code not in (0, 7)
    assert "not reached: pve2, pve1" in ran.err
    assert standing(cluster)["pve3"] in ("failed", "unknown")
    assert [is_live(cluster, node) for node in NODES[:2]] == [True, True]
    assert run(*UNDO).code == 0
    assert not any(is_live(cluster, node) for node in NODES)
    assert set(standing(cluster).values()) == {"undone"}


def test_the_summary_says_which_rollout_it_was(run: Run, file: Path, cluster: Path) -> None:
    """So that a script can undo it, or go on; null where nothing was kept."""
    file.write_text(TAGGED)
    assert run(*APPLY, "--dry-run", "--json").end["rollout"] is None
    assert run(*APPLY, "--json", *on("pve2", "reload-fails")).end["rollout"] == "r1"
    assert run(*APPLY, "--resume", "--json").end["rollout"] == "r1"
    assert run(*APPLY, "--json").end["rollout"] is None
    assert [each.id for each in Rollouts(cluster / ".pvenet").all()] == ["r1"]


def test_the_end_of_a_node_is_told_as_it_is_in_the_end(
    cluster: Path, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was staged, interrupted before its reload and taken back does not stay pending, and no event says so."""
    file.write_text(TAGGED)
    send = SimAdapter.send

    def interrupted(self: SimAdapter, request: requests.PreparedRequest, **rest: Any) -> requests.Response:
        if request.method == "GET" and "sdn/zones/localnetwork/bridges" in (request.url or "") and staged.exists():
            monkeypatch.undo()
            raise KeyboardInterrupt
        return send(self, request, **rest)

    staged = cluster / "pve1/etc/network/interfaces.new"
    folder = str(cluster)
    monkeypatch.setattr(SimAdapter, "send", interrupted)
    ran = run(*APPLY, "--json", "--sim", folder)
    (end,) = [line for line in ran.lines if line["event"] == "end"]
    (row,) = [row for row in ran.end["nodes"] if row["node"] == "pve1"]
    assert ran.code == 130
    assert not staged.exists()
    assert end["message"] == row["message"] == "interrupted; what was staged on pve1 was removed again"
    assert (end["exit"], end["verdict"]) == (130, "failed")


def test_a_canary_that_is_away_from_the_start_is_not_left_out(cluster: Path, run: Run, file: Path) -> None:
    """Nothing is sent to any."""
    file.write_text(TAGGED)
    ran = run(*APPLY, "--skip-unreachable", "--canary", "pve2", *unanswered("pve2", 1))
    assert ran.code == 6
    assert not any(is_live(cluster, node) for node in NODES)


def test_a_resumed_rollout_keeps_its_canary(cluster: Path, run: Run, file: Path) -> None:
    """It is first again until it has gone well, and ends it whatever may fail."""
    file.write_text(TAGGED)
    assert run(*APPLY, "--canary", "pve2", *on("pve2", "reload-fails")).code == 8
    ran = run(*APPLY, "--resume", "--max-failures", "3", *on("pve2", "reload-fails"))
    assert ran.code == 8
    assert "not reached: pve1, pve3" in ran.err
    assert not any(is_live(cluster, node) for node in NODES)
