"""`pvenet plan`: what a file would change, on many nodes at once, and nothing sent."""

from __future__ import annotations

import json
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, NoReturn

import pytest
import requests

from pvenet import errors
from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token
from pvenet.fleet.nodes import refuse
from pvenet.fleet.parallel import parallel
from pvenet.settings import Settings, connect
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from pvenet.node import Node

    Run = Callable[..., Ran]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request, as it is sent."""
    seen: list[str] = []
    send = SimAdapter.send

    def counted(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        seen.append(f"{request.method} {(request.url or '').partition('/api2/json')[2]}")
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", counted)
    return seen


@pytest.mark.usefixtures("cluster", "file")
def test_a_plan_shows_every_node_and_sends_no_write(run: Run, asked: list[str]) -> None:
    """In the order in which it would happen, with old and new values and the risk, and the counts last."""
    ran = run("plan")
    assert ran.code == 0
    assert (
        ran.out
        == """\
pve1:
  + bond bond0: slaves ens38,ens39, mode balance-rr, autostart
  ~ eth ens38: autostart no -> yes
  ~ eth ens39: autostart no -> yes
  + bridge vmbr1: ports bond0, autostart, comments "For tagged traffic"
  ~ bridge vmbr0: ports ens33 -> ens33,ens37  (risk: management)
  this touches the management path of pve1: vmbr0 on ens33 (vmbr0 carries the node's address 192.168.171.21)

pve2:
  + bond bond0: slaves ens38,ens39, mode balance-rr, autostart
  ~ eth ens38: autostart no -> yes
  ~ eth ens39: autostart no -> yes
  + bridge vmbr1: ports bond0, autostart, comments "For tagged traffic"
  ~ bridge vmbr0: ports ens33 -> ens33,ens37  (risk: management)
  this touches the management path of pve2: vmbr0 on ens33 (vmbr0 carries the node's address 192.168.171.22)

plan: 4 to create, 6 to change, 0 to delete on 2 of 2 nodes
"""
    )
    assert sorted(asked) == [
        "GET /cluster/config/nodes",
        "GET /cluster/status",
        "GET /nodes",
        "GET /nodes/pve1/network",
        "GET /nodes/pve2/network",
    ]


@pytest.mark.usefixtures("cluster")
def test_nothing_to_do_is_said(run: Run, file: Path) -> None:
    """Exit 0, also with --exit-code; where there is something to do that is 10."""
    assert run("plan", "--exit-code").code == 10
    file.write_text("nodes: {pve1: {vmbr0: {type: bridge}}, pve3: {}}")
    ran = run("plan", "--exit-code")
    assert (ran.code, ran.out) == (0, "no changes: pve1, pve3 are as network.yaml says\n")


@pytest.mark.usefixtures("cluster", "file")
def test_a_plan_as_json(run: Run) -> None:
    """Nodes with their steps, each with its fields and its risk; and the counts."""
    data = run("plan", "--json", "--node", "pve2").data
    (node,) = data["nodes"]
    assert data["counts"] == {"create": 2, "update": 3, "delete": 0}
    assert (node["node"], node["risk"], node["pending"]) == ("pve2", "management", False)
    last = node["steps"][-1]
    assert (last["action"], last["name"], last["risk"]) == ("update", "vmbr0", "management")
    assert last["fields"] == {"ports": {"before": ["ens33"], "after": ["ens33", "ens37"]}}


@pytest.mark.usefixtures("cluster", "file")
def test_the_steps_of_a_plan_are_the_changes_of_its_apply(run: Run) -> None:
    """Also what PVE does by itself: slaves start with their bond."""
    steps = run("plan", "--json", "--node", "pve2").data["nodes"][0]["steps"]
    applied = run("apply", "-f", "network.yaml", "--node", "pve2", "--yes", "--allow-management", "--json")
    (shown,) = [json.loads(line) for line in applied.out.splitlines() if json.loads(line).get("event") == "shown"]
    assert {(step["action"], step["name"]) for step in steps} == {
        (change["action"], change["name"]) for change in shown["steps"]
    }


@pytest.mark.usefixtures("cluster")
def test_what_can_not_be_put_back_or_would_be_lost_is_said(run: Run, file: Path, interfaces: Path) -> None:
    """Before anybody applies it."""
    text = interfaces.read_text().replace("iface ens40 inet manual", "iface ens40 inet dhcp\n\tpost-up echo 1")
    interfaces.write_text(text.replace("bridge-stp off", "bridge-stp on"))
    file.write_text("nodes: {pve1: {ens40: {type: eth, mtu: 1400}, vmbr0: {type: bridge, mtu: 1400}}}")
    ran = run("plan")
    assert "can't be rolled back: ens40: inet dhcp" in ran.out
    assert "would be lost: ens40: `inet dhcp` becomes `inet manual` (refused without --lossy)" in ran.out
    assert run("plan", "--json").data["nodes"][0]["not_rolled_back"] == ["ens40: inet dhcp", "vmbr0: bridge_fd 0"]


@pytest.mark.usefixtures("cluster")
def test_what_stays_and_what_is_pending_is_said(run: Run, file: Path) -> None:
    """A complete file removes the rest, and not the way to the node; what is staged already is the beginning."""
    run("bridge", "create", "vmbr5", "--node", "pve1")
    file.write_text("nodes: {pve1: {only: true}}")
    ran = run("plan")
    assert "  - bridge vmbr5  (risk: guests)" in ran.out
    assert "vmbr0 is not mentioned and stays: vmbr0 carries the node's address" in ran.out
    assert "something is pending there already" in ran.out


@pytest.mark.usefixtures("cluster")
def test_what_is_staged_from_here_and_not_in_the_file_is_shown(run: Run, file: Path) -> None:
    """An apply would make it live: its changes with their risk, exit 10, and it counts as something to do.

    The way to the node is shown once, among those who are hit.
    """
    run("eth", "set", "ens33", "--mtu", "1400", "--node", "pve1")
    file.write_text("nodes: {pve1: {vmbr0: {type: bridge}}, pve2: }")
    ran = run("plan", "--exit-code")
    assert ran.code == 10
    assert (
        ran.out
        == """\
pve1: no changes
  something is pending there already, staged from here:
    ~ eth ens33: mtu none -> 1400  (risk: management)
  this touches the management path of pve1 (vmbr0 carries the node's address 192.168.171.21)
  vmbr0 carries corosync link 0 (192.168.171.21)
    interrupted: ens33 gets a lower MTU, and larger frames are lost
  vmbr0 carries the management path: ens33 > vmbr0 > 192.168.171.21

plan: nothing more to stage; pve1 has staged changes from here, which an apply makes live
"""
    )
    node, other = run("plan", "--json").data["nodes"]
    assert (node["steps"], node["pending"], node["ours"], node["risk"]) == ([], True, True, "management")
    assert [(step["action"], step["name"], step["risk"]) for step in node["staged"]] == [
        ("update", "ens33", "management")
    ]
    assert (other["pending"], other["ours"], other["staged"], other["changes"]) == (False, False, [], None)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("entries", ["", "{vmbr9: {type: bridge}}"])
def test_what_somebody_else_has_staged_is_shown(run: Run, file: Path, interfaces: Path, entries: str) -> None:
    """With and without steps on top of it: whose it is, PVE's diff, exit 10."""
    text = interfaces.read_text()
    interfaces.with_name("interfaces.new").write_text(text.replace("For management", "Theirs"))
    file.write_text(f"nodes: {{pve1: {entries}}}")
    ran = run("plan", "--exit-code")
    assert ran.code == 10
    assert "something is pending there already that pvenet did not stage from here" in ran.out
    assert "    +#Theirs" in ran.out
    node = run("plan", "--json").data["nodes"][0]
    assert (node["pending"], node["ours"], node["staged"]) == (True, False, [])
    assert "+#Theirs" in node["changes"]


@pytest.mark.usefixtures("cluster")
def test_problems_of_all_nodes_are_told_at_once(run: Run, file: Path, asked: list[str]) -> None:
    """By their places in the file: exit 3, and nothing sent."""
    file.write_text(
        "nodes:\n"
        "  pve1:\n    bond0: {type: bond, slaves: [ens38, ens99]}\n"
        "  pve2:\n    bond0: {type: bond, slaves: [ens33]}\n    wg0: {type: eth, mtu: 9000}\n"
    )
    ran = run("plan")
    assert ran.code == 3
    assert "network.yaml:3:41: pve1: slave ens99 of bond0 does not exist (did you mean ens39?)" in ran.err
    assert "network.yaml:5:34: pve2: ens33 is already a port of vmbr0" in ran.err
    assert "network.yaml:6:5: pve2: there is no NIC wg0" in ran.err
    assert all(each.startswith("GET ") for each in asked)


@pytest.mark.usefixtures("cluster")
def test_nodes_that_are_not_there_are_told_in_the_file(run: Run, file: Path, asked: list[str]) -> None:
    """With the nearest name; one that the file does not have is a matter of usage."""
    assert run("plan", "--node", "pve3").code == 2
    assert run("plan", "--node", "pve/3").code == 2
    file.write_text("nodes: {pve1: {}, pv2: {}, other: {}}")
    asked.clear()
    ran = run("plan")
    assert ran.code == 3
    assert "network.yaml:1:19: there is no node pv2; there are pve1, pve2, pve3 (did you mean pve2?)" in ran.err
    assert "network.yaml:1:28: there is no node other" in ran.err
    assert asked == ["GET /nodes"]


@pytest.mark.usefixtures("cluster", "file")
def test_a_dead_node_is_reported_as_itself(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The others are planned; the exit code is its, and no plan is saved that lacks it."""
    send = SimAdapter.send

    def dead(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        if "/nodes/pve1/network" in (request.url or ""):
            raise requests.ConnectionError("gone")
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", dead)
    ran = run("plan", "-o", "p.json")
    assert ran.code == 6
    assert "pve2:\n  + bond bond0" in ran.out
    assert ran.out.endswith("on 1 of 2 nodes; pve1 could not be read\n")
    assert "error: pve1: " in ran.err
    assert not (tmp_path / "p.json").exists()
    assert list(run("plan", "--json").data["errors"]) == ["pve1"]


def test_a_slow_node_delays_no_other(cluster: Path) -> None:
    """Every other answer is there while one is still waited for, over connections of a bounded number."""
    connection = connect(Settings(sim=cluster, state_dir=cluster))
    go_on = threading.Event()
    connections = set()

    def look(node: Node) -> int:
        connections.add(id(node.connection))
        if node.name == "pve2":
            assert go_on.wait(30)
        return len(node.read().network.interfaces)

    names = ["pve2", *["pve1", "pve3"] * 20]
    found = parallel(lambda _: connection, names, look, at_once=3)
    first = [next(found) for _ in range(40)]
    assert {name for name, _ in first} == {"pve1", "pve3"}
    go_on.set()
    assert next(found) == ("pve2", 7)
    assert len(connections) <= 3


def test_a_fault_of_our_own_is_no_fault_of_a_node(cluster: Path) -> None:
    """It comes out where the answers are waited for."""

    def look(_: Node) -> int:
        raise ZeroDivisionError

    connection = connect(Settings(sim=cluster, state_dir=cluster))
    with pytest.raises(ZeroDivisionError):
        list(parallel(lambda _: connection, ["pve1"], look))


def test_a_connection_that_can_not_be_made_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all the nodes at once, and nobody waits for their answers."""

    def fail(_: Connection) -> NoReturn:
        raise errors.UsageError("nothing to connect with")

    monkeypatch.setattr(Connection, "another", fail)
    connection = Connection([Endpoint(host="127.0.0.1", port=1)], Token(id="root@pam!test", secret="none"))
    raised: SimpleQueue[BaseException] = SimpleQueue()

    def work() -> None:
        try:
            list(parallel(lambda _: connection, ["pve1", "pve2"], lambda node: node.name))
        except errors.UsageError as error:
            raised.put(error)

    threading.Thread(target=work, daemon=True).start()  # which does not keep the tests from ending
    assert "nothing to connect with" in str(raised.get(timeout=30))


@pytest.mark.usefixtures("cluster")
def test_a_listing_without_bridges_is_not_believed(run: Run, file: Path, asked: list[str]) -> None:
    """A node without any bridge costs one more request, which says whether they are hidden."""
    file.write_text("nodes: {pve1: {vmbr0: {type: bridge, comments: x}}}")
    run("plan")
    assert "GET /access/permissions" not in asked


@pytest.mark.usefixtures("cluster", "file")
def test_a_plan_is_saved(run: Run, tmp_path: Path) -> None:
    """JSON for machines and people: its version, an id, what it was planned against, and what shall be."""
    ran = run("plan", "-o", "p.json")
    assert ran.code == 0
    assert "`pvenet apply p.json`" in ran.err
    data = json.loads((tmp_path / "p.json").read_text())
    assert data["pvenet_plan"] == 1
    assert len(data["id"]) == 16
    assert [node["node"] for node in data["nodes"]] == ["pve1", "pve2"]
    assert all(len(node["against"]) == 64 for node in data["nodes"])
    assert data["nodes"][0]["desired"]["bond0"]["slaves"] == ["ens38", "ens39"]
    assert data["nodes"][1]["desired"]["vmbr9"] == {"state": "absent"}
    assert run("plan", "-o", "nowhere/p.json").code == 2


def test_errors_keep_their_hints() -> None:
    """The first of several is raised, with all of them told."""
    first = errors.Unreachable("no answer", hint="look")
    with pytest.raises(errors.Unreachable) as caught:
        refuse({"a": first, "b": errors.AccessError("who?")})
    assert (caught.value.message, caught.value.hint) == ("a: no answer\n  b: who?", "look")
    assert first.message == "no answer"
