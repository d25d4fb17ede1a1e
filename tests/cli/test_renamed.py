"""`pvenet renamed`: the file follows NICs that have other names, now or with the next boot."""

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

FILE = """auto lo
iface lo inet loopback

auto eno1
iface eno1 inet manual
\tmtu 9000

iface eno2 inet manual

iface eno3 inet manual

auto bond0
iface bond0 inet manual
\tbond-slaves eno2 eno3
\tbond-mode active-backup
\tbond-primary eno2
\tbond-miimon 100

auto vmbr0
iface vmbr0 inet static
\taddress 192.168.171.21/24
\tgateway 192.168.171.2
\tbridge-ports eno1
\tbridge-stp off
\tbridge-fd 0
\tpost-up ethtool -K eno1 tso off

auto eno2.20
iface eno2.20 inet manual

auto vlan30
iface vlan30 inet manual
\tvlan-raw-device eno1

source /etc/network/interfaces.d/*
"""
NICS = {f"eno{number}": (f"enxbc241100000{number}",) for number in (1, 2, 3, 4)}
HOOK = "line 26 of /etc/network/interfaces, in the stanza of vmbr0, names eno1: post-up ethtool -K eno1 tso off"
APPLY = ("apply", "--yes", "--allow-management")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """A node that pvenet has seen."""
    folder = tmp_path / "lab"
    Sim.init(folder, nics=NICS, interfaces=FILE)
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    run("list")
    return folder


def rename(run: Run, lab: Path, *names: str) -> None:
    assert run("sim", "rename", str(lab), *names).code == 0


def on(run: Run) -> dict[str, list[str]]:
    """Who stands on what, by the list."""
    return {
        each["name"]: each.get("ports") or each.get("slaves") or [each.get("raw_device")]
        for each in run("list", "--json").data
        if each["type"] != "eth"
    }


def test_every_stanza_that_named_it_is_changed_and_applied(lab: Path, run: Run) -> None:
    """As any plan: staged, applied, verified; and afterwards nothing is gone and nothing left to do."""
    rename(run, lab, "eno1=enp5s0", "eno2=enp6s0")
    ran = run("renamed", "--json")
    assert ran.code == 0
    assert ran.data["renames"] == [{"old": "eno1", "new": "enp5s0"}, {"old": "eno2", "new": "enp6s0"}]
    assert ran.data["by_hand"] == [HOOK]
    assert ran.data["early"] == []
    assert run(*APPLY).code == 0
    assert on(run) == {
        "bond0": ["eno3", "enp6s0"],
        "vmbr0": ["enp5s0"],
        "enp6s0.20": ["enp6s0"],
        "vlan30": ["enp5s0"],
    }
    assert run("show", "enp5s0", "--json").data["mtu"] == 9000
    assert {"eno1", "eno2"}.isdisjoint(each["name"] for each in run("list", "--json").data)
    assert run("show", "bond0", "--json").data["primary"] == "enp6s0"
    assert "nothing to do" in run("renamed").err
    assert run("status", "--json").data[0]["nics"] == ""


def test_two_that_were_swapped_are_swapped_once(lab: Path, run: Run) -> None:
    """What was applied is what is meant from then on; a second time there is nothing to do."""
    rename(run, lab, "eno1=eno2", "eno2=eno1")
    assert {each["name"] for each in run("nics", "--json").data["gone"]} == {"eno1", "eno2"}
    assert run("renamed").code == 0
    assert run(*APPLY).code == 0
    assert on(run)["vmbr0"] == ["eno2"]
    assert on(run)["bond0"] == ["eno1", "eno3"]
    assert "nothing to do" in run("renamed").err


def test_what_was_reverted_can_be_staged_again(lab: Path, run: Run) -> None:
    """Staging alone settles nothing."""
    rename(run, lab, "eno1=eno2", "eno2=eno1")
    for _ in range(2):
        assert run("renamed", "--json").data["renames"] != []
        run("diff")
        assert run("revert").code == 0


def test_names_can_be_meant_as_they_are(lab: Path, run: Run) -> None:
    """Nothing is sent, and nobody asks again."""
    rename(run, lab, "eno1=eno2", "eno2=eno1")
    assert run("renamed", "--forget", "--json").data["renames"] == []
    assert "nothing to do" in run("renamed").err
    assert run("nics", "--json").data["gone"] == []


def test_a_failed_apply_puts_back_what_was_there(lab: Path, run: Run) -> None:
    """As of any plan: the file names the NIC that is gone, and what was remembered of it is what it was."""
    rename(run, lab, "eno1=enp5s0")
    run("renamed")
    assert run(*APPLY, "--fault", "reload-fails@PUT network").code == 8
    assert on(run)["vmbr0"] == ["eno1"]
    assert run("nics", "--json").data["gone"][0]["now"] == "enp5s0"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("eno7=eno8", "nothing in the file names eno7"),
        ("eno1=eno2", "eno2 is a slave of bond0 and the raw device of eno2.20 already"),
        ("eno1=eno4,eno2=eno4", "two NICs would be eno4"),
        ("eno1=lan0", "PVE takes lan0 for no NIC"),
        ("eno1=eno1", "eno1 has that name already"),
    ],
)
@pytest.mark.usefixtures("lab")
def test_names_that_can_not_be_are_refused_before_anything_is_sent(run: Run, given: str, told: str) -> None:
    """With what to do instead."""
    ran = run("renamed", "--map", given, "--yes")
    assert (ran.code, told in ran.err, "hint: " in ran.err) == (3, True, True)
    assert not run("diff", "--json").data["pending"]


@pytest.mark.parametrize("given", ["eno1", "eno1=", "=eno1", "eno1=a,eno1=b"])
@pytest.mark.usefixtures("lab")
def test_what_names_nothing_is_wrong_usage(run: Run, given: str) -> None:
    """An old and a new name, each old one once."""
    assert run("renamed", "--map", given).code == 2


def test_where_nobody_knows_the_candidates_are_named(lab: Path, run: Run) -> None:
    """A card that was replaced: its MAC is another, and a person has to say which it is."""
    run("sim", "unplug", str(lab), "eno1")
    ran = run("renamed")
    assert ran.code == 3
    assert "eno1, a port of vmbr0 and the raw device of vlan30, is gone; no NIC has its MAC" in ran.err
    assert "--map eno1=NIC" in ran.err
    assert "eno4: bc:24:11:00:00:04, down, free" in ran.err
    assert run("renamed", "--map", "eno1=eno4", "--json").data["early"] == []


def test_lines_that_a_new_stanza_would_lose_need_consent(lab: Path, run: Run, interfaces: Path) -> None:
    """A VLAN under another name is made anew, without what the API can't send."""
    interfaces.write_text(FILE.replace("iface eno2.20 inet manual\n", "iface eno2.20 inet manual\n\tpost-up true\n"))
    run("list")
    rename(run, lab, "eno2=enp6s0")
    ran = run("renamed")
    assert ran.code == 7, ran.err
    assert "post-up true" in ran.err
    assert run("renamed", "--lossy").code == 0


class TestBeforeABoot:
    """Names that no NIC has yet."""

    def test_it_is_staged_and_the_boot_makes_it_live(self, lab: Path, run: Run) -> None:
        """What that means is said before; `status` knows it; after the boot the node is as it was."""
        ran = run("renamed", "--map", "eno1=enp5s0", "--yes")
        assert ran.code == 0
        assert "this is for the next boot of pve1: enp5s0 is not a NIC there yet" in ran.err
        status = run("status", "--json").data[0]
        assert "for the next boot: enp5s0 is not a NIC there yet" in status["what"]
        assert status["nics"] == ""
        rename(run, lab, "eno1=enp5s0")
        assert on(run)["vmbr0"] == ["enp5s0"]
        assert run("nics", "--json").data["gone"] == []
        assert "nothing to do" in run("renamed").err
        assert not run("links", "--exit-code").code

    @pytest.mark.usefixtures("lab")
    def test_nobody_who_can_be_asked_is_no_consent(self, run: Run) -> None:
        """Nothing is staged."""
        assert run("renamed", "--map", "eno1=enp5s0", "--json").code == 7
        assert not run("diff", "--json").data["pending"]

    @pytest.mark.usefixtures("lab")
    def test_a_dry_run_asks_nothing_and_sends_nothing(self, run: Run) -> None:
        """It has the requests."""
        ran = run("renamed", "--map", "eno1=enp5s0", "--json", "--dry-run")
        assert (ran.code, ran.data["early"]) == (0, ["enp5s0"])
        assert ran.data["requests"] != []
        assert not run("diff", "--json").data["pending"]


def test_a_name_that_a_card_has_left_to_another_is_told(lab: Path, run: Run) -> None:
    """It was taken out, and the next one has its name: the file is not changed so that both stand on one."""
    assert run("sim", "unplug", str(lab), "eno1").code == 0
    rename(run, lab, "eno2=eno1")
    texts = [each["text"] for each in run("nics", "--json").data["gone"]]
    left = "eno1, a port of vmbr0 and the raw device of vlan30, is another NIC now; no NIC has its MAC, "
    assert next(iter(texts)).startswith(left)
    ran = run("renamed")
    assert ran.code == 3
    assert left in ran.err
    assert "--map eno1=" in ran.err
    assert run("renamed", "--map", "eno2=eno1,eno1=eno4").code == 0


ALIASED = "\niface eno2.20:1 inet static\n\taddress 10.0.9.1/24\n"


def test_what_stands_on_a_name_and_can_not_be_written_is_in_the_way(lab: Path, run: Run) -> None:
    """An alias of a VLAN: it is told which, and nothing is staged by half."""
    file = lab / "pve1/etc/network/interfaces"
    file.write_text(FILE.replace("\nsource", f"{ALIASED}\nsource"))
    rename(run, lab, "eno2=enp6s0")
    ran = run("renamed")
    assert ran.code == 3
    assert "eno2.20:1, of the kind alias, is on top of eno2.20" in ran.err
    assert "take them out of /etc/network/interfaces on the node" in ran.err
    assert not run("diff", "--json").data["pending"]
    file.write_text(file.read_text().replace(ALIASED, ""))
    assert run("renamed").code == 0


WENT_WRONG = ["reload-fails@PUT network", "never-up=enp5s0@PUT network"]


@pytest.mark.parametrize("fault", WENT_WRONG)
def test_one_that_fails_is_rolled_back_to_names_that_are_not_there(lab: Path, run: Run, fault: str) -> None:
    """By one reload, whose failure for names that were not there before either is no failure to go back."""
    rename(run, lab, "eno1=enp5s0", "eno2=enp6s0")
    before = on(run)
    run("renamed")
    ran = run(*APPLY, "--timeout", "5", "--fault", fault)
    assert ran.code == 8
    assert "pve1 has what was there before; its reload fails because eno1, eno2 are not there, as before" in ran.err
    assert len(list((lab / "pve1/tasks").glob("*.json"))) == 2
    (status,) = run("status", "--json").data
    assert (status["state"], status["pending"]) == ("rolled_back", False)
    assert "eno1, a port of vmbr0 and the raw device of vlan30, is gone" in status["nics"]
    assert on(run) == before
    assert run("renamed").code == 0


@pytest.mark.parametrize(
    "more",
    [
        "reload-fails=1:error: vmbr0: no",
        "reload-fails=89",
        "reload-fails=143:vmbr0 : error: vmbr0: bridge port eno1 does not exist ",
    ],
)
def test_a_way_back_that_fails_for_more_than_that_is_none(lab: Path, run: Run, more: str) -> None:
    """An error that names none of the NICs that were not there is one; so is a reload that was not gone through."""
    rename(run, lab, "eno1=enp5s0", "eno2=enp6s0")
    run("renamed")
    later = [word for time in range(2, 9) for word in ("--fault", f"{more}@PUT network+{time}")]
    ran = run(*APPLY, "--timeout", "5", "--fault", WENT_WRONG[0], *later)
    assert ran.code == 9
    assert "pve1 was not rolled back" in ran.err


def test_it_is_rolled_back_on_request_too(lab: Path, run: Run) -> None:
    """Whoever wants the file from before has it, as far as names that are not there can be had."""
    rename(run, lab, "eno1=enp5s0")
    run("renamed")
    assert run(*APPLY).code == 0
    ran = run("rollback", "--yes", "--allow-management")
    assert ran.code == 0
    assert on(run)["vmbr0"] == ["eno1"]
    assert "its reload fails because eno1 is not there, as before" in ran.err


def test_what_was_gone_before_is_not_for_the_next_boot(lab: Path, run: Run) -> None:
    """Only the names that were staged are; a card that was taken out is told beside them."""
    assert run("sim", "unplug", str(lab), "eno3").code == 0
    assert run("renamed", "--map", "eno1=nic0", "--yes").code == 0
    (status,) = run("status", "--json").data
    assert "for the next boot: nic0 is not a NIC there yet" in status["what"]
    assert "eno3, a slave of bond0, is gone" in status["nics"]


def test_no_report_is_asked_for_where_the_list_tells_enough(lab: Path, run: Run) -> None:
    """It occupies the node for seconds (pve-api#report-occupies)."""
    rename(run, lab, "eno1=enp5s0")
    ran = run("status", "--debug")
    assert "GET" in ran.err
    assert "report" not in ran.err


def test_a_report_that_can_not_be_had_is_told(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without altnames it alone has the MACs: whoever is refused hears why nothing is known."""
    Sim.init(tmp_path / "old", nics=("eno1", "eno2", "eno3"), interfaces=FILE)
    monkeypatch.setenv("PVENET_SIM", str(tmp_path / "old"))
    run("nics")
    rename(run, tmp_path / "old", "eno1=enp5s0")
    ran = run("renamed", "--fault", "error@GET report")
    assert ran.code == 3
    assert "the report would tell, and could not be had: " in ran.err
    assert "which NIC has its MAC" in ran.err
    assert "pveum" not in ran.err
    ran = run("renamed", "--fault", "lacks=Sys.Audit@1")
    assert (ran.code, "or grant the right, and run this again; on the node, as root:\n  pveum" in ran.err) == (3, True)
    assert run("renamed").code == 0


SWITCHED = """auto eno1
iface eno1 inet manual
\tovs_type OVSPort
\tovs_bridge vmbr0

auto bond0
iface bond0 inet manual
\tovs_bonds eno2 eno3
\tovs_type OVSBond
\tovs_bridge vmbr0
\tovs_options bond_mode=active-backup

auto vmbr0
iface vmbr0 inet static
\taddress 192.168.171.21/24
\tgateway 192.168.171.2
\tovs_type OVSBridge
\tovs_ports eno1 bond0
"""


def test_ports_and_bonds_of_open_vswitch_follow(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port's old stanza stays as a plain NIC's, which nothing uses."""
    Sim.init(tmp_path / "ovs", nics=NICS, interfaces=SWITCHED, ovs=True)
    set_nature(tmp_path / "ovs", reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(tmp_path / "ovs"))
    run("list")
    rename(run, tmp_path / "ovs", "eno1=enp1s0", "eno2=enp2s0")
    assert run("renamed").code == 0
    assert run(*APPLY).code == 0
    listed = {each["name"]: each for each in run("list", "--json").data}
    assert sorted(listed["vmbr0"]["ports"]) == ["bond0", "enp1s0"]
    assert sorted(listed["bond0"]["slaves"]) == ["eno3", "enp2s0"]
    assert listed["enp1s0"]["type"] == "OVSPort"
    assert not run("nics", "--json").data["gone"]
    assert "nothing to do" in run("renamed").err


@pytest.mark.usefixtures("lab")
def test_what_the_next_boot_is_told_of_is_a_sentence(run: Run) -> None:
    """Also of a NIC that nothing uses; and where there is nothing to do, that is said of the file."""
    used = run("renamed", "--map", "eno3=enp1s0", "--yes").err
    assert "and cut what is there now (eno3 is a slave of bond0).\n" in used
    run("revert", "--yes")
    run("eth", "set", "eno4", "--comments", "spare")
    run("apply", "--yes")
    idle = run("renamed", "--map", "eno4=enp1s0", "--yes").err
    assert "and cut what is there now (the file has eno4).\n" in idle
    run("revert", "--yes")
    assert run("renamed").err == "nothing to do: no NIC that the file of pve1 names has another name now\n"
