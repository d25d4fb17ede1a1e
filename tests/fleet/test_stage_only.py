"""`pvenet apply -f FILE --stage-only`: a file's changes are staged on its nodes, and no node is reloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

TAGGED = """\
defaults:
  bond0: {type: bond, slaves: [ens38, ens39], mode: balance-rr}
nodes: {pve1: , pve2: , pve3: }
"""
ONLY = ("apply", "-f", "network.yaml", "--stage-only")


def pending(cluster: Path, node: str) -> str:
    """What is staged on a node, as the file that it will have."""
    file = cluster / node / "etc/network/interfaces.new"
    return file.read_text() if file.exists() else ""


def test_all_nodes_are_staged_and_none_is_reloaded(run: Run, file: Path, cluster: Path) -> None:
    """Without a question; the end says where, and what comes next, and that works."""
    file.write_text(TAGGED)
    ran = run(*ONLY)
    assert ran.code == 0
    assert "+ bond bond0: slaves ens38,ens39" in ran.out
    assert [line.split()[:2] for line in ran.out.splitlines()[-3:]] == [[f"pve{n}", "staged"] for n in (1, 2, 3)]
    assert "staged on pve1, pve2, pve3, not live yet: `pvenet diff --node NODE` shows it, " in ran.err
    assert "`pvenet apply -f network.yaml` on all of them" in ran.err
    for node in ("pve1", "pve2", "pve3"):
        assert "iface bond0" in pending(cluster, node)
        assert not list((cluster / node / "tasks").glob("*"))
    assert "bond0" in run("diff", "--node", "pve2").out
    assert run("apply", "-f", "network.yaml", "--yes").code == 0
    assert not pending(cluster, "pve3")


def test_again_there_is_nothing_to_stage(run: Run, file: Path, cluster: Path) -> None:
    """What is staged already stays, and is shown."""
    file.write_text(TAGGED)
    run(*ONLY)
    before = pending(cluster, "pve1")
    ran = run(*ONLY)
    assert ran.code == 0
    assert "nothing to stage" in ran.err
    assert pending(cluster, "pve1") == before


def test_what_an_apply_would_have_to_be_allowed_is_staged(run: Run, file: Path, cluster: Path) -> None:
    """As a staging command does; the apply asks."""
    file.write_text("nodes:\n  pve1:\n    vmbr0: {type: bridge, ports: [ens37]}\n")
    ran = run(*ONLY)
    assert ran.code == 0
    assert "this touches the management path of pve1" in ran.out
    assert "bridge-ports ens37" in pending(cluster, "pve1")
    assert run("apply", "--node", "pve1", "--yes").code == 7


def test_the_gates_of_staging_hold_for_all_nodes_at_first(run: Run, file: Path, cluster: Path) -> None:
    """Somebody else's changes on one node, and nothing is staged on any; with --adopt it goes on top of them."""
    file.write_text(TAGGED)
    theirs = cluster / "pve2/etc/network/interfaces"
    theirs.with_name("interfaces.new").write_text(theirs.read_text().replace("iface ens37", "auto ens37\niface ens37"))
    ran = run(*ONLY)
    assert ran.code == 7
    assert "changes are pending on pve2 that pvenet did not stage" in ran.err
    assert "stage on top of them with --adopt" in ran.err
    assert not pending(cluster, "pve1")
    assert run(*ONLY, "--adopt").code == 0
    assert "iface bond0" in pending(cluster, "pve2")
    assert "auto ens37" in pending(cluster, "pve2")


def test_the_first_that_fails_ends_it_and_what_was_staged_stays(run: Run, file: Path, cluster: Path) -> None:
    """Each node is told truly; nothing is live anywhere."""
    file.write_text(TAGGED)
    ran = run(*ONLY, "--json", "--fault", "error@POST nodes/pve2/network")
    assert ran.code == 4
    assert [(row["node"], row["verdict"]) for row in ran.end["nodes"]] == [
        ("pve1", "staged"),
        ("pve2", "failed"),
        ("pve3", "untouched"),
    ]
    assert (ran.end["event"], ran.end["exit"]) == ("summary", 4)
    assert "iface bond0" in pending(cluster, "pve1")
    assert not pending(cluster, "pve2")
    assert not pending(cluster, "pve3")


def test_a_saved_plan_is_staged_as_well_and_stays_good(run: Run, file: Path, cluster: Path) -> None:
    """It was not applied: it is refused later for what it is, a plan against a node that was otherwise."""
    file.write_text(TAGGED)
    run("plan", "-f", "network.yaml", "-o", "saved")
    assert run("apply", "saved", "--stage-only").code == 0
    assert "iface bond0" in pending(cluster, "pve2")
    ran = run("apply", "saved", "--stage-only")
    assert ran.code == 7
    assert "are no longer what they were when this was planned" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("apply", "--stage-only"),
        (*ONLY, "--no-wait"),
        (*ONLY, "--confirm-within", "60"),
        (*ONLY, "--arm"),
        (*ONLY, "--update-hosts"),
        (*ONLY, "--require", "lacp"),
        (*ONLY, "--canary", "pve1"),
    ],
    ids=" ".join,
)
def test_what_is_about_a_reload_does_not_go_with_it(
    run: Run, file: Path, cluster: Path, words: tuple[str, ...]
) -> None:
    """Wrong usage, with nothing sent."""
    file.write_text(TAGGED)
    ran = run(*words)
    assert ran.code == 2
    assert "--stage-only" in ran.err
    assert not pending(cluster, "pve1")
