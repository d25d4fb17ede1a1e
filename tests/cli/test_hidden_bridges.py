"""A token that may see some of a node's bridges, or none: what each command says, and what it leaves alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pvenet.access import ZONE
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

NODE = {"path": "/nodes/pve1", "privileges": ["Sys.Audit", "Sys.Modify"]}
NOT_HANDED_DOWN = {"path": ZONE, "privileges": ["SDN.Use"], "propagate": False}


def bridge(name: str) -> dict[str, Any]:
    return {"path": f"{ZONE}/{name}", "privileges": ["SDN.Use"]}


@pytest.fixture
def granted(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Go on as a token that has these entries of the list, and may change the node."""

    def go(*entries: dict[str, Any]) -> None:
        path = lab / "users.json"
        users = json.loads(path.read_text())
        users["acl"] += [{"who": "nobody@pve", **entry} for entry in (NODE, *entries)]
        path.write_text(json.dumps(users))
        monkeypatch.setenv("PVENET_TOKEN_ID", "nobody@pve!none")
        monkeypatch.setenv("PVENET_TOKEN_SECRET", users["tokens"]["nobody@pve!none"]["secret"])

    return go


@pytest.fixture
def vmbr1(run: Run, interfaces: Path) -> str:
    """A second bridge, live, and the file with it."""
    for words in (["bridge", "create", "vmbr1", "--ports", "ens40"], ["apply", "--yes"]):
        assert run(*words).code == 0
    return interfaces.read_text()


WORDS = {
    "list": ["list"],
    "uplink": ["eth", "set", "ens33", "--mtu", "1400"],
    "create": ["bridge", "create", "vmbr7"],
    "diff": ["diff"],
    "apply": ["apply", "--yes"],
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_right_that_is_not_handed_down_shows_no_bridge(
    words: list[str], run: Run, granted: Callable[..., None], staged: Path
) -> None:
    """PVE lists the privilege with 0: each command names what is missing, and stages nothing."""
    granted(NOT_HANDED_DOWN)
    ran = run(*words)
    assert ran.code == 5
    assert f"lacks SDN.Audit on {ZONE}, propagated to the bridges beneath it" in ran.err
    assert f"pveum acl modify {ZONE} --tokens 'nobody@pve!none'" in ran.err
    assert not staged.exists()


@pytest.mark.usefixtures("vmbr1")
@pytest.mark.parametrize("words", [WORDS["uplink"], WORDS["create"], ["apply", "--yes"]], ids=lambda words: words[0])
def test_the_uplink_is_not_changed_where_its_bridge_is_hidden(
    words: list[str], run: Run, granted: Callable[..., None], staged: Path
) -> None:
    """vmbr1 alone is seen: nothing that is listed leads to the node, so that nobody can tell what a change cuts."""
    granted(bridge("vmbr1"))
    ran = run(*words)
    assert ran.code == 5
    assert f"lacks SDN.Audit on {ZONE}" in ran.err
    assert not staged.exists()


@pytest.mark.usefixtures("vmbr1")
@pytest.mark.parametrize("seen", ["vmbr0", "vmbr1"])
def test_a_list_without_some_bridges_warns(seen: str, run: Run, granted: Callable[..., None]) -> None:
    """It shows what may be seen, and names the missing right on stderr."""
    granted(NOT_HANDED_DOWN, bridge(seen))
    ran = run("list", "--json")
    assert ran.code == 0
    assert {entry["name"] for entry in ran.data if entry["type"] == "bridge"} == {seen}
    assert "warning: bridges may be missing" in ran.err
    assert f"lacks SDN.Audit on {ZONE}" in ran.err


@pytest.mark.usefixtures("vmbr1")
@pytest.mark.parametrize(
    "words",
    [["show", "vmbr1"], ["bridge", "set", "vmbr1", "--comments", "x"], ["bridge", "delete", "vmbr1"]],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_hidden_bridge_is_not_said_to_be_missing(
    words: list[str], run: Run, granted: Callable[..., None], staged: Path
) -> None:
    """PVE tells of a single interface with Sys.Audit alone: it is there, and a right is missing."""
    granted(bridge("vmbr0"))
    ran = run(*words)
    assert ran.code == 5
    assert f"lacks SDN.Audit on {ZONE}/vmbr1" in ran.err
    assert not staged.exists()


def test_what_is_not_there_is_said_to_be_missing(run: Run, granted: Callable[..., None]) -> None:
    """Whatever may be seen."""
    granted(bridge("vmbr0"))
    for name in ("vmbr1", "no such name"):
        ran = run("show", name)
        assert ran.code == 3
        assert f"there is no interface {name}" in ran.err


def test_a_new_bridge_that_would_be_hidden_is_not_left_behind(
    run: Run, granted: Callable[..., None], staged: Path
) -> None:
    """Nobody has reverted it: a right is missing, and nothing stays pending."""
    granted(bridge("vmbr0"))
    ran = run("bridge", "create", "vmbr7")
    assert ran.code == 5
    assert f"lacks SDN.Audit on {ZONE}" in ran.err
    assert "vmbr7" in ran.err
    assert "reverted" not in ran.err
    assert not staged.exists()
    assert "nothing is pending" in run("status").out


def test_a_new_bridge_that_would_be_hidden_leaves_what_was_staged(
    run: Run, granted: Callable[..., None], staged: Path
) -> None:
    """Only the bridge is taken back, and the rest is still ours."""
    granted(bridge("vmbr0"))
    assert run("eth", "set", "ens40", "--mtu", "1400").code == 0
    before = staged.read_text()
    assert run("bridge", "create", "vmbr7").code == 5
    assert staged.read_text() == before
    assert run("revert").code == 0


@pytest.mark.usefixtures("vmbr1")
def test_a_name_that_a_hidden_bridge_has_is_told(run: Run, granted: Callable[..., None], staged: Path) -> None:
    """PVE says that it exists already, and the listing does not have it."""
    granted(bridge("vmbr0"))
    ran = run("bridge", "create", "vmbr1")
    assert ran.code == 5
    assert f"lacks SDN.Audit on {ZONE}/vmbr1" in ran.err
    assert not staged.exists()


def test_one_may_stage_what_one_sees_and_not_apply_it(run: Run, granted: Callable[..., None], interfaces: Path) -> None:
    """With rights on every bridge by name nobody can tell that there is no other."""
    granted(bridge("vmbr0"))
    before = interfaces.read_text()
    assert run("eth", "set", "ens40", "--mtu", "1400").code == 0
    ran = run("apply", "--yes", "--allow-management")
    assert ran.code == 5
    assert f"lacks SDN.Audit on {ZONE}" in ran.err
    assert interfaces.read_text() == before


# --- nodes that are not there ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [["list"], ["show", "vmbr0"], ["bond", "create"], ["apply", "--yes"], ["diff"], ["status"]],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("node", ["PVE1", "pve11"])
def test_a_node_that_is_not_there_is_told_with_the_nearest(words: list[str], node: str, run: Run, lab: Path) -> None:
    """Names are told apart by case, too: PVE passes PVE1 on to a node that does not answer (pve-api#nodes)."""
    assert lab.exists()
    ran = run("--node", node, *words)
    assert ran.code == 2
    assert f"there is no node {node}" in ran.err
    assert "did you mean pve1?" in ran.err


def test_a_right_on_one_node_is_not_missing_on_one_that_is_not_there(run: Run, granted: Callable[..., None]) -> None:
    """The name is wrong, not the token."""
    granted()
    ran = run("--node", "PVE1", "apply", "--yes")
    assert ran.code == 2
    assert "did you mean pve1?" in ran.err


def test_a_node_that_is_off_is_not_said_to_be_missing(run: Run, cluster: Path) -> None:
    """It is in the cluster, and does not answer."""
    node = Sim(cluster).node("pve2")
    node.save(node.machine().but(online=False))
    ran = run("--node", "pve2", "list")
    assert ran.code == 6
    assert "is the node online?" in ran.err
