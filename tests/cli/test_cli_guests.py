"""`pvenet guests`: who hangs where, on one node or all, and what can't be known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from guest_lab import GUESTS, guest_lab
from recorder import set_nature

from pvenet import errors
from pvenet.access import ZONE
from pvenet.apply.listing import listed
from pvenet.fleet import guests as fleet_guests
from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from pvenet.journal import Journals
    from pvenet.node import Node, Reading

    Run = Callable[..., Ran]

SEES = {"path": "/nodes/pve1", "privileges": ["Sys.Audit"]}
BRIDGES = {"path": ZONE, "privileges": ["SDN.Audit"]}
SHOWN = """\
bridge  guest  name   state    card  vlan  firewall
vmbr1   101    web    running  net0  20    no
vmbr1   102    db     running  net0        no
vmbr1   205    proxy  stopped  net0  30    yes

pve1: no guest on vmbr0
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with three guests on vmbr1."""
    folder = tmp_path / "lab"
    guest_lab(folder, *GUESTS)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


def asked(ran: Ran) -> list[str]:
    """The paths that were read, but for the guests' own."""
    lines = [line.partition("/api2/json/")[2].split()[0] for line in ran.err.splitlines() if line.startswith("debug:")]
    return [path for path in lines if "/pending" not in path]


@pytest.mark.usefixtures("lab")
def test_a_line_a_card(run: Run) -> None:
    """Number, name, state, card, VLAN and firewall by bridge, and where nobody is."""
    ran = run("guests")
    assert (ran.code, ran.out, ran.err) == (0, SHOWN, "")
    assert run("guests", "vmbr0").out == "pve1: no guest on vmbr0\n"
    assert run("guests", "vmbr1").out == SHOWN.partition("\n\n")[0] + "\n"


@pytest.mark.usefixtures("lab")
def test_the_same_as_data(run: Run) -> None:
    """Every bridge, each with the cards on it."""
    (node,) = run("guests", "--json").data["nodes"]
    assert (node["node"], node["not_known"]) == ("pve1", [])
    vmbr0, vmbr1 = node["bridges"]
    assert vmbr0 == {"name": "vmbr0", "guests": []}
    assert [(card["vmid"], card["running"], card["tag"]) for card in vmbr1["guests"]] == [
        (101, True, 20),
        (102, True, None),
        (205, False, 30),
    ]
    assert vmbr1["guests"][2] == {
        "vmid": 205,
        "name": "proxy",
        "index": "net0",
        "running": False,
        "pending": False,
        "tag": 30,
        "trunks": [],
        "firewall": True,
        "link_down": False,
        "loose": False,
        "type": "lxc",
        "template": False,
    }


@pytest.mark.usefixtures("lab")
def test_a_bridge_that_is_nowhere_is_wrong_usage(run: Run) -> None:
    """The nearest name is told."""
    ran = run("guests", "vmbr10")
    assert ran.code == 2
    assert "there is no bridge or vnet vmbr10 on pve1" in ran.err
    assert "did you mean vmbr1?" in ran.err


def test_who_has_lost_its_bridge_is_on_none(run: Run, lab: Path) -> None:
    """It runs, the kernel has its port on nothing, and its configuration is no proof; the picture shows it, too."""
    node = Sim(lab).node("pve1")
    GuestFolder(node).lose(101, 0.0)
    ran = run("guests", "vmbr1")
    assert "vmbr1   101    web    on no bridge  net0  20    no" in ran.out
    assert "vmbr1   102    db     running       net0        no" in ran.out
    cards = run("guests", "--json").data["nodes"][0]["bridges"][1]["guests"]
    assert {card["vmid"]: card["loose"] for card in cards} == {101: True, 102: False, 205: False}
    assert "101 web    net0 VLAN 20, on no bridge" in run("tree").out
    run("bridge", "set", "vmbr1", "--clear", "ports")
    assert "101" not in run("apply", "--json").err
    assert "this cuts guest 102 db on pve1" in run("apply").err


def test_all_nodes_are_shown_unless_one_is_named(run: Run, lab: Path) -> None:
    """The list of guests is asked for once, and the report of nobody."""
    guest_lab(lab, "301:mail:vmbr0", node="pve2")
    ran = run("guests", "--debug")
    assert "node  bridge  guest  name   state    card  vlan  firewall" in ran.out
    assert "pve2  vmbr0   301    mail   running  net0        no" in ran.out
    assert asked(ran).count("cluster/resources") == 1
    assert not [path for path in asked(ran) if path.endswith("report")]
    assert "301" not in run("guests", "--node", "pve1").out
    assert run("guests", "vmbr1", "--json", "--node", "pve2").data["nodes"][0]["bridges"] == [
        {"name": "vmbr1", "guests": []}
    ]


def test_a_node_that_does_not_answer_is_told_beside_the_others(
    run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the others have is shown all the same; the exit code is the failure's."""
    guest_lab(lab, "301:mail:vmbr0", node="pve2")

    def read(node: Node, journals: Journals) -> tuple[Reading, tuple[str, ...]]:
        if node.name == "pve2":
            raise errors.Unreachable("nobody answers")
        return listed(node, journals)

    monkeypatch.setattr(fleet_guests, "listed", read)
    ran = run("guests", "vmbr7")
    assert (ran.code, ran.out) == (6, "")
    assert "error: pve2: nobody answers" in ran.err
    ran = run("guests", "--json")
    assert [node["node"] for node in ran.data["nodes"]] == ["pve1"]
    assert ran.data["errors"] == {"pve2": "nobody answers"}


def test_without_the_bridges_call_the_report_tells(run: Run, lab: Path) -> None:
    """A release before 9.1 has no such call; what is shown is the same."""
    set_nature(lab, bridges_call=False)
    ran = run("guests", "--debug")
    assert (ran.code, ran.out) == (0, SHOWN)
    assert "nodes/pve1/report" in asked(ran)
    assert "not known" not in ran.err


def test_a_bridge_whose_removal_is_staged_keeps_its_guests(run: Run, lab: Path) -> None:
    """The bridges call leaves it out, and the kernel still has it."""
    assert lab.exists()
    assert run("bridge", "delete", "vmbr1").code == 0
    ran = run("guests", "vmbr1", "--debug")
    assert ran.out.count("running") == 2
    assert "nodes/pve1/report" in asked(ran)


@pytest.mark.usefixtures("lab")
def test_what_is_missing_is_said_and_nobody_is_claimed_to_be_none(run: Run, granted: Callable[..., None]) -> None:
    """Without VM.Audit the kernel's ports are left: numbers without names; and what grants the rest."""
    granted(SEES, BRIDGES)
    ran = run("guests")
    assert ran.code == 0
    assert "vmbr1   101    running  net0  20    not known" in ran.out
    assert "pve1: no guest is known of on vmbr0" in ran.out
    assert "not known: which guests pve1 has (VM.Audit on /vms is missing)" in ran.err
    assert "pveum acl modify /vms --tokens 'nobody@pve!none' --roles NetGuestsPvenet" in ran.err
    (node,) = run("guests", "--json").data["nodes"]
    assert [lack["privilege"] for lack in node["not_known"]] == ["VM.Audit"]


@pytest.mark.usefixtures("lab")
def test_a_guest_that_is_hidden_has_a_number_and_a_missing_right(run: Run, granted: Callable[..., None]) -> None:
    """The list is silent about one that an entry of its own hides; the kernel has its port."""
    granted(SEES, BRIDGES, {"path": "/vms", "privileges": ["VM.Audit"]}, {"path": "/vms/102", "privileges": []})
    ran = run("guests")
    assert "vmbr1   101    web    running" in ran.out
    assert "vmbr1   102           running" in ran.out
    assert "not known: who guest 102 is (VM.Audit on /vms/102 is missing)" in ran.err


@pytest.mark.usefixtures("lab")
def test_without_any_right_nothing_is_claimed(run: Run, granted: Callable[..., None]) -> None:
    """Not even that a bridge is nowhere; every right that is missing is named."""
    granted()
    ran = run("guests", "vmbr1")
    assert (ran.code, ran.out) == (0, "")
    for right in (f"SDN.Audit on {ZONE}", "Sys.Audit on /nodes/pve1", "VM.Audit on /vms"):
        assert f"({right} is missing)" in ran.err


def test_guests_on_open_vswitch_are_where_their_configuration_says(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel does not tell their bridge, and so no report is asked for."""
    text = (
        "auto vmbr0\niface vmbr0 inet manual\n\tovs_type OVSBridge\n\tovs_ports ens33\n\n"
        "auto ens33\niface ens33 inet manual\n\tovs_type OVSPort\n\tovs_bridge vmbr0\n"
    )
    guest_lab(tmp_path / "ovs", "101:web:vmbr0:20", text=text, ovs=True)
    monkeypatch.setenv("PVENET_SIM", str(tmp_path / "ovs"))
    ran = run("guests", "--debug")
    assert "vmbr0   101    web   running  net0  20    no" in ran.out
    assert "nodes/pve1/report" not in asked(ran)
    ran = run("links", "--exit-code")
    assert (ran.code, ran.err) == (0, "")
    assert re.search(r"^ens33 .* ovs-system$", ran.out, re.MULTILINE)


@pytest.mark.usefixtures("lab")
def test_a_bridge_that_may_be_hidden_is_not_said_to_be_nowhere(run: Run, granted: Callable[..., None]) -> None:
    """Where one bridge can be seen and others may not, a name is no mistake, and it is said why."""
    granted(SEES, {"path": f"{ZONE}/vmbr0", "privileges": ["SDN.Audit"]})
    ran = run("guests", "vmbr7")
    assert ran.code == 0
    assert "warning: bridges may be missing" in ran.err
