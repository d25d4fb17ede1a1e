"""`pvenet sim`: looking into simulated nodes, and what goes wrong on order."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
from recorded import STARTS
from recorder import set_nature

from pvenet.sim.faults import KINDS
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]


class TestInit:
    """`pvenet sim init`."""

    def test_a_file_that_is_not_there_is_told_as_everywhere(self, tmp_path: Path, run: Run) -> None:
        """Without a number of the system's, and nothing is made."""
        ran = run("sim", "init", str(tmp_path / "lab"), "--interfaces", "nope")
        assert (ran.code, ran.err) == (2, "error: the file nope can't be read: No such file or directory\n")
        assert not (tmp_path / "lab").exists()

    def test_a_node_is_made_without_editing_anything(self, tmp_path: Path, run: Run) -> None:
        """Its altnames, Open vSwitch, and a file with bytes that are no text and ends of lines of its own."""
        lab, file = tmp_path / "lab", tmp_path / "interfaces"
        text = b"auto lo\r\niface lo inet loopback\r\n\r\niface enp2s0 inet manual\r\n#\xfc\r\n"
        file.write_bytes(text)
        made = run(
            *("sim", "init", str(lab), "--ovs", "--nic", "eno1,nic1=enx020000680083", "--nic", "nic1=enp2s0"),
            *("--interfaces", str(file)),
        )
        assert made.code == 0
        assert (lab / "pve1" / "etc" / "network" / "interfaces").read_bytes() == text
        listed = run("--sim", str(lab), "list", "--json").data
        assert sorted(each["name"] for each in listed) == ["eno1", "enp2s0"]
        assert run("--sim", str(lab), "ovs-bridge", "create", "vmbr5", "--ports", "eno1").code == 0

    @pytest.mark.parametrize("nic", ["=enp2s0", "nic1="])
    def test_a_nic_that_is_none_is_told(self, tmp_path: Path, run: Run, nic: str) -> None:
        """A name is on both sides of the equals sign."""
        assert run("sim", "init", str(tmp_path / "lab"), "--nic", nic).code == 2

    def test_guests_are_made_with_their_node(self, tmp_path: Path, run: Run) -> None:
        """One that is repeated gets another NIC; one that is none is told with what may be written."""
        lab = tmp_path / "lab"
        wrong = run("sim", "init", str(lab), "--guest", "101:web")
        assert (wrong.code, "write ID:NAME:BRIDGE" in wrong.err, "hint" in wrong.err) == (2, True, False)
        guests = ("101:web:vmbr0:20", "101:web:vmbr0", "205:proxy:vmbr0,ct,stopped")
        assert run("sim", "init", str(lab), *(word for guest in guests for word in ("--guest", guest))).code == 0
        nets = [line for line in (lab / "pve1/qemu-server/101.conf").read_text().splitlines() if "bridge=vmbr0" in line]
        assert [net.partition(":")[0] for net in nets] == ["net0", "net1"]
        assert (lab / "pve1" / "lxc" / "205.conf").exists()


class TestShow:
    """`pvenet sim show DIR`."""

    def test_a_fresh_node_is_clean_and_has_no_tasks(self, lab: Path, run: Run) -> None:
        """Name, state, address; the links that are up, and those that are not."""
        assert run("sim", "show", str(lab)).out == (
            "pve1: clean, online, 192.168.171.21\n  up    ens33 ens37 vmbr0\n  down  ens38 ens39 ens40 ens41\n"
        )

    def test_what_is_staged_and_what_was_done_shows(self, lab: Path, run: Run) -> None:
        """Staged first; after the apply a task that ended well, and the bond up."""
        run("bond", "create", "--slaves", "ens38,ens39")
        assert "pve1: staged" in run("sim", "show", str(lab)).out
        run("apply", "--yes")
        (data,) = run("sim", "show", str(lab), "--json").data
        assert data["state"] == "clean"
        assert "bond0" in data["up"]
        (task,) = data["tasks"]
        assert (task["type"], task["user"], task["status"]) == ("srvreload", "root@pam!full", "OK")
        assert task["log"] == ["TASK OK"]
        assert "srvreload of root@pam!full: OK" in run("sim", "show", str(lab)).out

    def test_a_reload_that_runs_shows(self, lab: Path, run: Run) -> None:
        """The node is reloading, its task is running, and nobody knows yet how long it takes."""
        set_nature(lab, reload_seconds=600)
        run("bond", "create", "--slaves", "ens38,ens39")
        run("apply", "--yes", "--no-wait")
        run_show = run("sim", "show", str(lab), "--json")
        (data,) = run_show.data
        assert data["state"] == "reloading"
        assert (data["tasks"][0]["status"], data["tasks"][0]["seconds"]) == ("running", None)

    def test_every_node_is_shown_or_one(self, lab: Path, run: Run) -> None:
        """In the order of their names; --node picks one; a node that is off is unreachable."""
        machine = Sim.init(lab, node="pve2", nics=["eno1"]).node("pve2").machine()
        Sim(lab).node("pve2").save(machine.but(online=False))
        assert [each["node"] for each in run("sim", "show", str(lab), "--json").data] == ["pve1", "pve2"]
        assert run("sim", "show", str(lab), "--node", "pve2").out.startswith("pve2: clean, unreachable, ")

    def test_looking_makes_nothing(self, tmp_path: Path, run: Run) -> None:
        """Exit 2 where there is no node, or none of that name; the folder stays as it is."""
        ran = run("sim", "show", str(tmp_path / "nothing"))
        assert ran.code == 2
        assert "pvenet sim init" in ran.err
        assert not (tmp_path / "nothing").exists()

    def test_a_broken_folder_is_told_in_one_line(self, lab: Path, run: Run) -> None:
        """Exit 2, naming the file."""
        (lab / "pve1" / "machine.json").write_text("{")
        ran = run("sim", "show", str(lab))
        assert ran.code == 2
        assert "machine.json is not valid JSON" in ran.err
        assert run("sim", "show", str(lab), "--node", "nope").code == 2


class TestFaults:
    """`pvenet sim faults`, and `--fault` with `--sim` and `sim serve`."""

    def test_every_kind_is_listed(self, run: Run) -> None:
        """As it is written, and what it does."""
        listed = run("sim", "faults", "--json").data
        assert len(listed) == len(KINDS)
        for each in listed:
            assert f"{each['fault']}  " in run("sim", "faults").out
            assert each["about"] in run("sim", "faults").out
        assert "GET network+2    the second of those" in run("sim", "faults").out

    @pytest.mark.parametrize(
        "fault", ["boo@1", "delay@1", "restart", "restart=5@1", "delay=x@1", "restart@0", "restart@PUT netwrok"]
    )
    def test_a_fault_that_is_none_is_told_before_anything_is_served(self, lab: Path, run: Run, fault: str) -> None:
        """Exit 2, and where the list is."""
        ran = run("sim", "serve", str(lab), "--listen", "127.0.0.1:0", "--fault", fault)
        assert ran.code == 2
        assert "pvenet sim faults" in ran.err

    @pytest.mark.parametrize("before", [True, False])
    def test_a_command_meets_what_is_ordered(self, lab: Path, run: Run, *, before: bool) -> None:
        """Its own requests are counted, also where it is ordered before the command's name; nothing is left of it."""
        place, fault = ("--sim", str(lab), "--node", "pve1", "--debug"), ("--fault", "599@1", "--fault", "599@2")
        words = ("bridge", "create", "--ports", "ens40")
        ran = run(*place, *fault, *words) if before else run(*words, *place, *fault)
        assert ran.code == 6
        told = [line for line in ran.err.splitlines() if line.startswith("debug: ")]
        assert ["-> 599" in line for line in told] == [True, True, False]  # the last asks whether there is such a node
        assert run(*words, *place).code == 0

    def test_a_reload_that_fails_on_order_is_rolled_back(self, lab: Path, run: Run) -> None:
        """The bad day that can be rehearsed with one command."""
        run("--sim", str(lab), "bridge", "create", "--ports", "ens40")
        ran = run("--sim", str(lab), "apply", "--yes", "--fault", "reload-fails@PUT network")
        assert ran.code == 8
        assert "rolled back and verified on pve1: vmbr1" in ran.err

    @pytest.mark.parametrize(
        ("fault", "place", "said"), [("boo@1", "--sim", "`pvenet sim faults`"), ("599@1", "--endpoint", "--sim DIR")]
    )
    def test_what_can_not_be_ordered_is_refused(self, lab: Path, run: Run, fault: str, place: str, said: str) -> None:
        """A fault that is none; and a real node can't be told what to do."""
        ran = run(place, str(lab), "list", "--fault", fault)
        assert ran.code == 2
        assert said in ran.err

    def test_what_is_ordered_happens_at_its_request(self, lab: Path) -> None:
        """The second request is answered by a proxy, the third is lost, the fourth is as ever."""
        command = [sys.executable, "-m", "pvenet", "sim", "serve", str(lab), "--listen", "127.0.0.1:0", "--plain-http"]
        command += ["--json", "--fault", "599@2", "--fault", "drop-before@3"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout
                at = json.loads(server.stdout.readline())
                token = f"PVEAPIToken={at['token_id']}={at['token_secret']}"
                url = f"{at['endpoint']}/api2/json/nodes/pve1/network"
                session = requests.Session()
                session.trust_env = False
                session.headers["Authorization"] = token
                assert [session.get(url, timeout=10).status_code for _ in range(2)] == [200, 599]
                with pytest.raises(requests.ConnectionError):
                    session.get(url, timeout=10)
                assert session.get(url, timeout=10).status_code == 200
                session.close()
            finally:
                server.terminate()


def test_a_folder_that_came_without_its_small_files_is_checked(tmp_path: Path, run: Run) -> None:
    """A node's interfaces file is enough, as out of git."""
    network = tmp_path / "git" / "pve9" / "etc" / "network"
    network.mkdir(parents=True)
    (network / "interfaces").write_text(STARTS["vlans"])
    assert run("sim", "check", str(tmp_path / "git"), "--exit-code").code == 0
    assert run("sim", "show", str(tmp_path / "git")).out.startswith("pve9: clean, online, ")


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:0=192.0.2.1", "192.0.2.1:0"])
def test_where_nothing_can_be_served_is_told(lab: Path, run: Run, listen: str) -> None:
    """No place, no address that a node has, no loopback: exit 2, naming it."""
    ran = run("sim", "serve", str(lab), "--listen", listen, "--plain-http")
    assert ran.code == 2
    assert "192.0.2.1" in ran.err or f"--listen {listen} is not HOST:PORT" in ran.err


class TestCards:
    """`pvenet sim rename` and `sim unplug`."""

    def test_a_nic_gets_another_name_and_one_is_taken_out(self, lab: Path, run: Run) -> None:
        """The answer has the NICs that the node has booted with."""
        ran = run("sim", "rename", str(lab), "ens37=enp5s0", "--json")
        assert ran.data == {
            "folder": str(lab),
            "node": "pve1",
            "nics": ["ens33", "enp5s0", "ens38", "ens39", "ens40", "ens41"],
        }
        ran = run("sim", "unplug", str(lab), "ens40,ens41")
        assert ran.err == "pve1 has booted: its NICs are ens33, enp5s0, ens38, ens39\n"

    @pytest.mark.parametrize("word", ["ens37", "ens37=", "=enp5s0"])
    def test_what_renames_nothing_is_told(self, lab: Path, run: Run, word: str) -> None:
        """A name is on both sides of the equals sign."""
        ran = run("sim", "rename", str(lab), word)
        assert (ran.code, "OLD=NEW" in ran.err) == (2, True)

    def test_of_several_nodes_one_has_to_be_named(self, lab: Path, run: Run) -> None:
        """A NIC of the same name is on each of them."""
        run("sim", "init", str(lab), "--node", "pve2")
        assert run("sim", "unplug", str(lab), "ens41").code == 2
        assert run("sim", "unplug", str(lab), "ens41", "--node", "pve2").code == 0
        assert "ens41" in Sim(lab).node("pve1").described().nics
        assert "ens41" not in Sim(lab).node("pve2").described().nics
