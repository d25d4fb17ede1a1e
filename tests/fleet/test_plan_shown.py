"""A saved plan does on a node what it shows of it, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from network_file import tagged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

FILE = "nodes: {pve1: {vmbr6: {type: bridge, ports: [ens40]}}, pve2: {vmbr6: {type: bridge, ports: [ens40]}}}"
REFUSED = "saved shows of pve1 something else than what would be done there; nothing was sent to it"


@pytest.fixture
def saved(run: Run, file: Path, cluster: Path) -> Path:
    """A plan for two of three nodes."""
    assert cluster.exists()
    file.write_text(FILE)
    assert run("plan", "-o", "saved").code == 0
    return file.with_name("saved")


def live(cluster: Path) -> str:
    return "".join((cluster / node / "etc/network/interfaces").read_text() for node in ("pve1", "pve2"))


def _other_port(node: dict[str, Any]) -> None:
    node["desired"]["vmbr6"]["ports"] = ["ens41"]


def _one_more(node: dict[str, Any]) -> None:
    node["desired"]["vmbr7"] = {"type": "bridge"}


def _one_less(node: dict[str, Any]) -> None:
    node["desired"] = {}


def _other_text(node: dict[str, Any]) -> None:
    node["steps"][0]["fields"]["ports"]["after"] = ["ens41"]


def _no_text(node: dict[str, Any]) -> None:
    node["steps"] = []


def _nonsense(node: dict[str, Any]) -> None:
    node["steps"] = {"vmbr6": 7}


def _number(node: dict[str, Any]) -> None:
    node["steps"][0]["fields"]["autostart"]["after"] = 1


@pytest.mark.parametrize(
    "change",
    [_other_port, _one_more, _one_less, _other_text, _no_text, _nonsense, _number],
    ids=lambda each: each.__name__,
)
@pytest.mark.parametrize("how", [("--yes",), ("--dry-run",), ("--stage-only",)], ids=" ".join)
def test_what_is_shown_and_what_would_be_done_are_held_against_each_other(
    run: Run, saved: Path, cluster: Path, change: Callable[[dict[str, Any]], None], how: tuple[str, ...]
) -> None:
    """Whichever of them was changed, or plans otherwise: refused as a node is that has changed, before all nodes."""
    data = json.loads(saved.read_text())
    change(data["nodes"][0])
    saved.write_text(json.dumps(data))
    before = live(cluster)
    ran = run("apply", "saved", *how)
    assert (ran.code, live(cluster)) == (7, before)
    assert f"error: {REFUSED}\n" in ran.err
    assert run("apply", "saved", "--yes", "--node", "pve2").code == 0  # of which it shows what it does


def test_a_node_stands_in_a_plan_once(run: Run, saved: Path) -> None:
    """Else one of them would be shown, and the other one applied."""
    data = json.loads(saved.read_text())
    data["nodes"] += data["nodes"][:1]
    saved.write_text(json.dumps(data))
    ran = run("apply", "saved", "--yes")
    assert (ran.code, "saved was changed after it was saved" in ran.err) == (2, True)


def test_a_plan_that_shows_nothing_is_applied_as_ever(run: Run, saved: Path) -> None:
    """Nobody was shown anything else: `plan show` refuses it."""
    data = json.loads(saved.read_text())
    for node in data["nodes"]:
        del node["steps"]
    saved.write_text(json.dumps(data))
    assert run("plan", "show", "saved").code == 2
    assert run("apply", "saved", "--yes").code == 0


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    "text",
    [
        tagged("pve1", "pve2"),
        "nodes: {pve1: {only: true, vmbr0: {type: bridge, ports: [ens33], cidr: 192.168.171.21/24}}}",
        "defaults: {ens40: {type: eth, mtu: 1400, comments: 'a\\nb'}}\nnodes: {pve1: {vmbr9: {state: absent}}, pve2: }",
        "nodes: {pve1: {bond7: {type: bond, slaves: [ens38, ens39]}, vlan7: {type: vlan, raw_device: bond7, tag: 7}}}",
        "nodes: {pve1: {vmbr6: {type: OVSBridge, ports: [ens40]}}}",
    ],
)
def test_a_plan_that_nobody_touched_shows_what_it_does(run: Run, file: Path, text: str) -> None:
    """Of every kind, and on top of what is staged there already."""
    file.write_text(text)
    assert run("bridge", "create", "vmbr8", "--node", "pve1").code == 0
    assert run("plan", "-o", "saved").code == 0
    ran = run("apply", "saved", "--dry-run", "--allow-management", "--allow-guests", "all", "--lossy")
    assert (ran.code, ran.err.partition("error")[2]) == (0, "")


def test_several_nodes_that_have_changed_are_named_as_people_do(run: Run, saved: Path) -> None:
    """With commas, and in the plural."""
    assert saved.exists()
    for node in ("pve1", "pve2"):
        assert run("bridge", "create", "vmbr7", "--node", node).code == 0
    ran = run("apply", "saved", "--yes")
    assert ran.code == 7
    assert "pve1, pve2 are no longer what they were when this was planned; nothing was sent to them\n" in ran.err
