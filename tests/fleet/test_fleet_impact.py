"""A plan says whom it hits on each node, and a rollout cuts nobody whom nobody has agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from housed import housed
from recorder import set_nature
from switched import with_vnet

from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran

    Run = Callable[..., Ran]

UNPLUGGED = """\
defaults:
  vmbr1: {type: bridge, ports: []}
nodes: {pve1: , pve2: , pve3: }
"""
WIDENED = "nodes: {pve1: {vmbr0: {type: bridge, ports: [ens33, ens37]}}, pve2: {bond1: {type: bond, slaves: [ens37]}}}"


@pytest.fixture(autouse=True)
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three nodes of a cluster; PVENET_SIM names them."""
    guests = (("101:web:vmbr1:20", "110:old:vmbr1,stopped", "300:mail:vmbr0"), ("202:db:vmbr1",), ("303:x:vmbr0",))
    folder = housed(tmp_path / "nodes", *guests)
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


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


def test_a_plan_says_for_each_node_whom_it_hits(run: Run, file: Path) -> None:
    """In the lines of an apply, beneath the node's changes; in JSON the whole of it."""
    file.write_text(UNPLUGGED)
    ran = run("plan")
    assert (
        ran.out
        == """\
pve1:
  ~ bridge vmbr1: ports bond0 -> none  (risk: guests)
  vmbr1 carries 1 running guest: 101 web (net0, VLAN 20); and 1 that is stopped: 110 old
    cut: none of vmbr1's uplinks remains (bond0)

pve2:
  ~ bridge vmbr1: ports bond0 -> none  (risk: guests)
  vmbr1 carries 1 running guest: 202 db (net0)
    cut: none of vmbr1's uplinks remains (bond0)

pve3:
  ~ bridge vmbr1: ports bond0 -> none  (risk: guests)

plan: 0 to create, 3 to change, 0 to delete on 3 of 3 nodes
"""
    )
    first, second, third = (node["impact"] for node in run("plan", "--json").data["nodes"])
    assert [found["guests_cut"] for found in (first, second, third)] == [[101], [202], []]
    assert [card["name"] for bridge in first["bridges"] for card in bridge["guests"]] == ["mail", "web", "old"]


def test_each_thing_is_asked_once(run: Run, file: Path, asked: list[str]) -> None:
    """The cluster, its guests and who may see them for all; the bridges a node, and a configuration a guest on one."""
    file.write_text(UNPLUGGED)
    run("plan")
    each = [text for text in asked if "/nodes/pve" in text and not text.endswith("/network")]
    assert sorted(set(asked) - set(each)) == [
        "GET /access/permissions?path=%2Fvms",
        "GET /cluster/config/nodes",
        "GET /cluster/resources?type=vm",
        "GET /cluster/status",
        "GET /nodes",
        *(f"GET /nodes/pve{number}/network" for number in (1, 2, 3)),
    ]
    assert asked.count("GET /cluster/resources?type=vm") == 1
    assert asked.count("GET /cluster/config/nodes") == 1
    assert asked.count("GET /access/permissions?path=%2Fvms") == 1
    assert sorted(each) == sorted([
        *(f"GET /nodes/pve{number}/sdn/zones/localnetwork/bridges" for number in (1, 2, 3)),
        *(f"GET /nodes/pve{number}/netstat" for number in (1, 2, 3)),
        *(f"GET /nodes/{place}/pending" for place in ("pve1/qemu/101", "pve1/qemu/110", "pve2/qemu/202")),
    ])  # fmt: skip


def test_who_is_on_a_vnet_is_known_before_the_question(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    """By the report, of the nodes that have such guests alone; and cut on no node unless that is agreed to."""
    folder = with_vnet(tmp_path / "vnets", ("101:web:vnet1",), ("202:db:vmbr1",))
    monkeypatch.setenv("PVENET_SIM", str(folder))
    file.write_text(UNPLUGGED.replace(", pve3: ", ""))
    out = run("plan").out
    assert "  vnet1 carries 1 running guest: 101 web (net0)\n    cut: none of vmbr1's uplinks remains" in out
    assert "not known" not in out
    assert [text for text in asked if text.endswith("/report")] == ["GET /nodes/pve1/report"]
    ran = run("apply", "-f", "network.yaml", "--yes", "--allow-guests", "202")
    assert (ran.code, "this cuts running guests on\n  pve1: 101 web" in ran.err) == (7, True)
    assert staged(folder) == []


def test_nothing_is_asked_where_nobody_can_be_hit(run: Run, file: Path, asked: list[str]) -> None:
    """A further port and a new bond take nothing from anybody."""
    file.write_text(WIDENED)
    run("plan")
    assert sorted(asked) == [
        "GET /cluster/config/nodes",
        "GET /cluster/status",
        "GET /nodes",
        "GET /nodes/pve1/network",
        "GET /nodes/pve2/network",
    ]


def test_a_node_that_can_not_tell_fails_nothing(run: Run, file: Path) -> None:
    """What is not known is said, with what grants it, and the plan stands."""
    file.write_text(UNPLUGGED)
    bridges = "nodes/pve2/sdn/zones/localnetwork/bridges"
    ran = run("plan", "--fault", f"lacks=SDN.Audit@GET {bridges}")
    assert ran.code == 0
    assert "not known: what is on the bridges of pve" in ran.out
    assert "SDN.Audit on /sdn/zones/localnetwork is missing" in ran.out
    assert "pveum acl modify /sdn/zones/localnetwork" in ran.out
    assert "plan: 0 to create, 3 to change" in ran.out


@pytest.mark.parametrize("fault", ["error@GET cluster/resources", "drop-before@GET cluster/resources"])
def test_a_list_that_can_not_be_had_is_asked_of_each_node_again(run: Run, file: Path, fault: str) -> None:
    """And the running guests are known by the bridges in any case."""
    file.write_text(UNPLUGGED)
    ran = run("plan", "--fault", fault)
    assert ran.code == 0
    assert "101" in ran.out
    assert "cut: none of vmbr1's uplinks remains" in ran.out


def test_what_is_staged_from_here_already_counts_too(run: Run, file: Path) -> None:
    """An apply of the plan makes it live with the rest."""
    run("bridge", "set", "vmbr1", "--clear", "ports", "--node", "pve2")
    file.write_text("nodes: {pve2: {bond1: {type: bond, slaves: [ens37]}}}")
    ran = run("plan")
    assert "  vmbr1 carries 1 running guest: 202 db (net0)\n    cut: none of vmbr1's uplinks remains" in ran.out


# --- a rollout --------------------------------------------------------------------------------------------------------


def staged(folder: Path) -> list[str]:
    """The nodes on which something is pending."""
    return [path.name for path in folder.glob("pve*") if (path / "etc/network/interfaces.new").exists()]


@pytest.mark.parametrize("allowed", [(), ("--allow-guests", "101"), ("--allow-guests", "999")])
def test_guests_are_cut_on_no_node_unless_all_are_agreed_to(
    run: Run, file: Path, nodes: Path, allowed: tuple[str, ...], asked: list[str]
) -> None:
    """Refused before anything is staged on any node, with all the nodes and the numbers for the command line."""
    file.write_text(UNPLUGGED)
    ran = run("apply", "-f", "network.yaml", "--yes", *allowed)
    assert ran.code == 7
    first = "" if "101" in allowed else "  pve1: 101 web\n"
    assert f"error: this cuts running guests on\n{first}  pve2: 202 db\nnothing was sent" in ran.err
    assert "if that is intended, add --allow-guests 101,202" in ran.err
    assert staged(nodes) == []
    assert all(text.startswith("GET") for text in asked)


def test_a_guest_that_starts_after_the_plan_is_refused_without_a_false_word(
    run: Run, file: Path, nodes: Path, asked: list[str]
) -> None:
    """Its node's change was staged, and is taken back: something was sent, and nothing was reloaded."""
    file.write_text("nodes: {pve1: {vmbr1: {type: bridge, ports: []}}}")
    starts = "guest-starts=110@PUT network/*"
    ran = run("apply", "-f", "network.yaml", "--yes", "--allow-guests", "101", "--fault", starts)
    assert ran.code == 7
    assert "nothing was reloaded" in ran.err
    assert "nothing was sent" not in ran.err
    assert any(text.startswith("PUT") for text in asked)
    assert staged(nodes) == []


LOSSY = """\
defaults: {vmbr0: {type: bridge, ports: []}}
nodes: {pve1: {ens37: {type: eth, mtu: 1400}}, pve3: }
"""


def test_all_that_is_to_be_agreed_to_is_refused_at_once(run: Run, file: Path, nodes: Path) -> None:
    """A loss, the management paths and the guests of all nodes; one more command agrees to it."""
    hand = nodes / "pve1/etc/network/interfaces"
    hand.write_text(hand.read_text().replace("iface ens37 inet manual", "iface ens37 inet dhcp"))
    file.write_text(LOSSY)
    ran = run("apply", "-f", "network.yaml", "--yes", "--json")
    last = ran.lines[-1]
    assert (ran.code, last["exit"], last["kind"]) == (7, 7, "lossy")
    told = last["message"].splitlines()
    assert told[0] == "the API can't change this on pve1 without a loss:"
    assert [line.partition(": ")[0] for line in told[2:]] == [
        "this touches the management path of",
        "  pve1",
        "  pve3",
        "this cuts running guests on",
        "  pve1",
        "  pve3",
        "nothing was sent",
    ]
    add = "add --lossy --allow-management --allow-guests 300,303"
    assert last["hint"] == f"edit /etc/network/interfaces on the node instead; if all of that is intended, {add}"
    assert staged(nodes) == []
    some = run("apply", "-f", "network.yaml", "--yes", "--json", "--lossy", "--allow-guests", "all").lines[-1]
    assert (some["kind"], some["hint"]) == ("management_risk", "if that is intended, add --allow-management")
    assert run("apply", "-f", "network.yaml", "--dry-run", *add.removeprefix("add ").split()).code == 0


@pytest.mark.parametrize("allowed", ["101,202", "all"])
def test_who_is_agreed_to_is_cut_on_every_node(run: Run, file: Path, allowed: str) -> None:
    """Each node finds out again by itself, right before its reload."""
    file.write_text(UNPLUGGED)
    ran = run("apply", "-f", "network.yaml", "--yes", "--allow-guests", allowed)
    assert ran.code == 0
    assert ran.err.count("carries 1 running guest") == 2


def test_a_bridge_that_goes_is_found_by_the_report_then(run: Run, file: Path) -> None:
    """Once its removal is staged the bridges call tells nothing of it any more."""
    file.write_text("nodes: {pve2: {vmbr1: {state: absent}}}")
    assert run("apply", "-f", "network.yaml", "--yes").code == 7
    ran = run("apply", "-f", "network.yaml", "--yes", "--allow-guests", "202")
    assert ran.code == 0
    assert "guest 202 db (net0) has lost vmbr1, as agreed" in ran.err


def test_who_starts_on_the_way_is_not_covered(run: Run, file: Path, nodes: Path) -> None:
    """The rollout stops there, and takes back what it staged."""
    file.write_text(UNPLUGGED)
    start = "guest-starts=110@GET nodes/pve1/sdn/zones/localnetwork/bridges+2"
    ran = run("apply", "-f", "network.yaml", "--yes", "--allow-guests", "101,202", "--fault", start)
    assert ran.code == 7
    assert "this cuts guest 110 old on pve1, which is running" in ran.err
    assert staged(nodes) == []


def test_a_saved_plan_keeps_what_was_shown_and_is_held_to_the_same(run: Run, file: Path) -> None:
    """Whom it hits is found out again when it is applied."""
    file.write_text(UNPLUGGED)
    assert run("plan", "-o", "p.json").code == 0
    assert '"guests_cut": [\n' in file.with_name("p.json").read_text()
    ran = run("apply", "p.json", "--yes", "--allow-guests", "101")
    assert (ran.code, "pve2: 202 db" in ran.err) == (7, True)
    assert run("apply", "p.json", "--yes", "--allow-guests", "all").code == 0
