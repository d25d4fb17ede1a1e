"""`list`, `diff` and `revert` of several nodes."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from recorder import set_nature
from typed import Typed

from pvenet.journal import Journals, State
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

BOND = ["bond", "create", "--slaves", "ens38,ens39"]


@pytest.fixture
def staged_on(cluster: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something is staged from here on pve1 and pve2, and by somebody else on pve3."""
    run("--node", "pve1", *BOND)
    run("--node", "pve2", "bridge", "create")
    monkeypatch.setenv("PVENET_STATE_DIR", str(cluster.with_name("elsewhere")))
    run("--node", "pve3", *BOND)
    monkeypatch.delenv("PVENET_STATE_DIR")
    return cluster


def pending(folder: Path) -> list[str]:
    """The nodes with something pending."""
    return sorted(path.parents[2].name for path in folder.glob("pve*/etc/network/interfaces.new"))


@pytest.mark.usefixtures("staged_on")
def test_a_list_of_several_has_the_node_in_each_row(run: Run) -> None:
    """The array is the one of one node otherwise; the text has a heading a node."""
    one = run("list", "--node", "pve1", "--json").data
    rows = run("list", "--node", "pve1,pve3", "--json").data
    assert [{key: each for key, each in row.items() if key != "node"} for row in rows if row["node"] == "pve1"] == one
    assert {row["node"] for row in rows} == {"pve1", "pve3"}
    ran = run("list", "--node", "all")
    assert [line for line in ran.out.splitlines() if line.startswith("pve")] == ["pve1:", "pve2:", "pve3:"]
    assert "staged on pve1, not live yet" in ran.err
    assert "somebody's changes are pending on pve3" in ran.err


def test_a_profile_may_mean_all(cluster: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As any setting; a command about one node says so."""
    monkeypatch.setenv("PVENET_NODE", "all")
    assert {row["node"] for row in run("list", "--json").data} == {"pve1", "pve2", "pve3"}
    assert "this command takes one node, and there are 3: pve1, pve2, pve3" in run("show", "vmbr0").err
    assert run("list", "--node", "pve2", "--json").data[0].keys() & {"node"} == set()
    assert "this command takes one node, and 2 are named" in run("show", "vmbr0", "--node", "pve1,pve2").err
    assert cluster.exists()


def test_which_node_waits_to_be_confirmed_is_said(cluster: Path, run: Run) -> None:
    """There is not much time to find out; where none waits it is as with any command about one node."""
    assert run("confirm").err.endswith("hint: choose one with --node or PVENET_NODE\n")
    for node, state in (("pve1", State.APPLIED), ("pve2", State.CONFIRMING)):
        journals = Journals(cluster / ".pvenet", node)
        begun = journals.begin(endpoint=f"sim:{cluster}", baseline=(), now="2026-01-01T00:00:00.000+00:00")
        journals.write(replace(begun, state=state))
    ran = run("confirm")
    assert ran.code == 2
    assert ran.err.endswith("hint: choose one with --node; waiting to be confirmed: pve2\n")


def test_a_node_that_fails_keeps_no_other_from_being_shown(cluster: Path, run: Run) -> None:
    """The error names it, and its exit code is the command's."""
    node = Sim(cluster).node("pve2")
    node.save(node.machine().but(online=False))
    ran = run("list", "--node", "pve1,pve2")
    assert "pve1:" in ran.out
    assert ran.code not in (0, 2)
    assert "pve2" in ran.err
    rows = run("diff", "--node", "pve1,pve2", "--json")
    assert [(row["node"], row["exit"], bool(row["error"])) for row in rows.data] == [
        ("pve1", 0, False),
        ("pve2", rows.code, True),
    ]


@pytest.mark.usefixtures("staged_on")
def test_a_diff_of_several_is_an_array(run: Run) -> None:
    """An object of one node each; --exit-code counts any of them."""
    one = run("diff", "--node", "pve1", "--json").data
    rows = run("diff", "--node", "all", "--json").data
    assert rows[0] == {**one, "error": None, "exit": 0}
    assert [row["ours"] for row in rows] == [True, True, False]
    assert run("diff", "--node", "pve1,pve2", "--exit-code").code == 10
    assert run("diff", "--node", "pve1,pve3").out.count("\n+iface bond0 inet manual") == 2


def test_revert_of_several_leaves_alone_what_is_not_ours(staged_on: Path, run: Run) -> None:
    """The others are reverted, and which was not is said, with its exit code."""
    ran = run("revert", "--node", "all", "--yes", "--json")
    assert [(row["node"], row["reverted"], row["exit"]) for row in ran.data] == [
        ("pve1", True, 0),
        ("pve2", True, 0),
        ("pve3", False, 7),
    ]
    assert ran.code == 7
    assert "changes are pending on pve3 that pvenet did not stage from here" in ran.err
    assert pending(staged_on) == ["pve3"]
    assert run("revert", "--node", "all", "--yes", "--discard").code == 0
    assert pending(staged_on) == []


def test_a_revert_of_several_that_fails_on_one_goes_on(staged_on: Path, run: Run) -> None:
    """The first DELETE is refused; the next node's is sent all the same."""
    ran = run("revert", "--node", "pve1,pve2", "--yes", "--json", "--fault", "error@DELETE network")
    assert [row["reverted"] for row in ran.data] == [False, True]
    assert ran.code == ran.data[0]["exit"] != 0
    assert pending(staged_on) == ["pve1", "pve3"]


def test_without_a_yes_nothing_is_reverted(staged_on: Path, run: Run) -> None:
    """Off a terminal and with --json there is nobody to ask; where nothing is pending, nothing is asked."""
    assert run("revert", "--node", "all").code == 7
    assert run("revert", "--node", "all", "--json").code == 7
    assert pending(staged_on) == ["pve1", "pve2", "pve3"]
    run("revert", "--node", "pve1,pve2", "--yes")
    assert run("revert", "--node", "pve1,pve2").code == 0


@pytest.mark.parametrize(("answer", "left"), [("y", ["pve3"]), ("n", ["pve1", "pve2", "pve3"])])
def test_revert_of_several_asks_once(staged_on: Path, answer: str, left: list[str]) -> None:
    """With what it means on each node above the question, and not about what is left alone."""
    set_nature(staged_on, reload_seconds=0.0)
    typed = Typed("revert", "--node", "all", environment=dict(os.environ))
    try:
        typed.until("pve1:")
        typed.until("+ bond bond0")
        typed.until("pve2:")
        typed.until("Throw this away on 2 nodes now? [y/N]")
        typed.type(f"{answer}\n")
        typed.end()
    finally:
        typed.kill()
    assert typed.code == 7
    assert pending(staged_on) == left


@pytest.mark.usefixtures("staged_on")
def test_a_dry_revert_of_several_throws_nothing_away(cluster: Path, run: Run) -> None:
    """It names what each node would lose and what would be sent; what is not ours fails as it would."""
    ran = run("revert", "--dry-run", "--node", "all")
    assert ran.code == 7
    assert "pve1:\nwould throw away:\n~ eth ens38: autostart no -> yes" in ran.out
    assert "DELETE /nodes/pve2/network" in ran.out
    assert "/nodes/pve3/" not in ran.out
    assert "nothing was sent (--dry-run)" in ran.err
    assert pending(cluster) == ["pve1", "pve2", "pve3"]
    rows = run("revert", "--dry-run", "--discard", "--node", "pve3,pve1", "--json").data
    assert [(row["node"], row["reverted"], len(row["requests"])) for row in rows] == [
        ("pve3", False, 1),
        ("pve1", False, 1),
    ]


@pytest.mark.usefixtures("cluster")
def test_a_status_is_of_the_nodes_that_are_named(run: Run) -> None:
    """One, several or all, as for every command."""
    for words, names in {"all": ["pve1", "pve2", "pve3"], "pve3,pve1": ["pve3", "pve1"], "pve2": ["pve2"]}.items():
        assert [each["node"] for each in run("status", "--node", words, "--json").data] == names
    assert run("status", "--node", ",").code == 2
