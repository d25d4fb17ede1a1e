"""NICs that are named by a MAC or another name, on the command line and in a network file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from recorder import set_nature

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

NICS = {"ens1f0": ("enp1s0f0", "enxbc2411000001"), "ens1f1": ("enxbc2411000002",), "ens2": ("enxbc2411000003",)}
FILE = """nodes:
  pve1:
    left: {type: eth, mac: "BC:24:11:00:00:01", mtu: 9000}
    right: {type: eth, mac: bc:24:11:00:00:02}
    bond0: {type: bond, slaves: [left, right], mode: active-backup, primary: left, mtu: 9000}
    left.20: {type: vlan}
    vmbr7: {type: bridge, ports: [enxbc2411000003]}
"""


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node whose altnames tell its MACs, as PVE 9's do."""
    folder = tmp_path / "lab"
    Sim.init(folder, nics=NICS)
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "network.yaml"
    path.write_text(FILE)
    return path


def listed(run: Run) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in run("list", "--json").data}


@pytest.mark.parametrize(
    ("words", "by"),
    [
        ("bc:24:11:00:00:01,BC-24-11-00-00-02", "MAC"),
        ("enxbc2411000001,enxBC2411000002", "MAC"),
        ("enp1s0f0,bc:24:11:00:00:02", "another name"),
    ],
)
def test_a_command_takes_them_wherever_a_nic_is_named(run: Run, words: str, by: str) -> None:
    """What is staged has PVE's names, and what that is today is said."""
    ran = run("bond", "create", "--slaves", words)
    assert f"slaves {words.replace(',', ', ')} by {by}: today ens1f0, ens1f1\n" in ran.err
    assert listed(run)["bond0"]["slaves"] == ["ens1f0", "ens1f1"]


def test_every_field_that_names_a_nic_takes_them(run: Run) -> None:
    """Also what comes to a list and leaves it, a VLAN's raw device, a bond's primary, and the NIC that is changed."""
    assert run("bond", "create", "--slaves", "ens1f0", "--mode", "active-backup").code == 0
    changed = ("--add-slave", "enxbc2411000002", "--remove-slave", "bc:24:11:00:00:01", "--primary", "enxbc2411000002")
    assert run("bond", "set", "bond0", *changed).code == 0
    assert run("vlan", "create", "--raw-device", "enxbc2411000003", "--tag", "7").code == 0
    assert run("eth", "set", "bc:24:11:00:00:03", "--comments", "x").code == 0
    found = listed(run)
    assert (found["bond0"]["slaves"], found["bond0"]["primary"]) == (["ens1f1"], "ens1f1")
    assert found["ens2.7"]["raw_device"] == "ens2"
    assert found["ens2"]["comments"] == "x"


def test_one_that_no_nic_has_is_refused_with_those_that_there_are(run: Run) -> None:
    """State, MAC, and whether it is used."""
    run("bridge", "create", "vmbr1", "--ports", "ens2")
    ran = run("bond", "create", "--slaves", "bc:24:11:00:00:09,ens1f1")
    assert ran.code == 3
    assert "no NIC has the MAC bc:24:11:00:00:09" in ran.err
    assert "ens2: bc:24:11:00:00:03, down, used by vmbr1" in ran.err
    assert "ens1f0: bc:24:11:00:00:01, down, free" in ran.err


def without_altnames(run: Run, lab: Path) -> dict[str, str]:
    """The node as PVE 8 has it, and its NICs' MACs by the report."""
    machine = Sim(lab).node("pve1")
    machine.save(machine.described().but(nics=dict.fromkeys(NICS, ())))
    return {each["name"]: each["mac"] for each in run("nics", "--json").data["nics"]}


def test_without_altnames_the_report_tells(run: Run, lab: Path) -> None:
    """PVE 8's listing has no MAC."""
    mac = without_altnames(run, lab)["ens2"]
    assert run("bridge", "create", "--ports", mac).code == 0
    assert listed(run)["vmbr0"]["ports"] == ["ens2"]


def test_a_file_names_cards(run: Run, file: Path) -> None:
    """Its own names are resolved everywhere, VLANs among them, and the plan says so."""
    assert run("check", "-f", str(file)).code == 0
    ran = run("plan", "-f", str(file))
    assert "note: bond0: slaves left, right by MAC: today ens1f0, ens1f1" in ran.out
    assert run("apply", "-f", str(file), "--yes").code == 0
    found = listed(run)
    assert found["bond0"]["slaves"] == ["ens1f0", "ens1f1"]
    assert found["bond0"]["primary"] == "ens1f0"
    assert found["ens1f0.20"]["raw_device"] == "ens1f0"
    assert found["vmbr7"]["ports"] == ["ens2"]
    assert found["ens1f0"]["mtu"] == 9000
    assert run("plan", "-f", str(file), "--exit-code").code == 0
    assert "left" not in run("export").out


def test_a_file_with_a_card_that_is_not_there_is_refused_where_it_says_so(run: Run, file: Path) -> None:
    """With its line, and the NICs that there are; of what follows from it nothing is said."""
    file.write_text(FILE.replace("00:02}", "00:09}"))
    ran = run("plan", "-f", str(file))
    assert ran.code == 3
    assert ran.err.count("network.yaml:") == 1
    assert "network.yaml:4:" in ran.err
    assert "no NIC has the MAC bc:24:11:00:00:09" in ran.err


def test_a_saved_plan_is_stale_when_a_name_means_another_nic(run: Run, lab: Path, file: Path, tmp_path: Path) -> None:
    """The file is as it was, and what it would be on is not."""
    plan = tmp_path / "saved.plan"
    assert run("plan", "-f", str(file), "-o", str(plan)).code == 0
    run("sim", "rename", str(lab), "ens1f0=ens1f1", "ens1f1=ens1f0")
    ran = run("apply", str(plan), "--yes")
    assert (ran.code, "is another NIC than when this was planned" in ran.err) == (7, True), ran.err
    run("sim", "rename", str(lab), "ens1f0=ens1f1", "ens1f1=ens1f0")
    assert run("apply", str(plan), "--yes").code == 0


def test_without_altnames_the_report_tells_that_a_saved_plan_is_stale(run: Run, lab: Path, tmp_path: Path) -> None:
    """No word of it is a MAC any more, and the report is asked whose its names are."""
    mac = without_altnames(run, lab)["ens2"]
    file, plan = tmp_path / "one.yaml", tmp_path / "saved.plan"
    file.write_text(f"nodes: {{pve1: {{vmbr7: {{type: bridge, ports: [{mac}]}}}}}}\n")
    assert run("plan", "-f", str(file), "-o", str(plan)).code == 0
    run("sim", "rename", str(lab), "ens1f0=ens2", "ens2=ens1f0")
    ran = run("apply", str(plan), "--yes")
    assert (ran.code, "ens2 on pve1 is another NIC than when this was planned" in ran.err) == (7, True), ran.err
    assert "is not known, because" not in ran.out
    run("sim", "rename", str(lab), "ens1f0=ens2", "ens2=ens1f0")
    unproven = "note: ens2: whether it is the NIC that this was planned for is not known, because its MAC is not\n"
    ran = run("apply", str(plan), "--yes", "--fault", "error@GET report", "--fault", "error@GET report+2")
    assert (ran.code, unproven in ran.out) == (0, True), ran.out + ran.err
