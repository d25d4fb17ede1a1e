"""Reloads and their tasks on a sim."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from sim_client import Client
from sim_replay import FIXTURES, Replay, load

from pvenet.sim.machine.reload import applied, ifreload
from pvenet.sim.machine.tasks import Upid

if TYPE_CHECKING:
    from pathlib import Path

NICS: dict[str, tuple[str, ...]] = dict.fromkeys(("ens33", "ens37", "ens38", "ens39", "ens40", "ens41"), ())
BASE = (FIXTURES / "walkthrough" / "interfaces.start").read_text().replace("ens33\n", "ens33 ens37\n")
NETWORK = "/nodes/pve1/network"


def status(client: Client, upid: str) -> dict[str, Any]:
    found: dict[str, Any] = client.ask("GET", f"/nodes/pve1/tasks/{upid}/status").json()["data"]
    return found


@pytest.mark.parametrize("group", ["E", "G", "H", "I"])
def test_recorded_exchanges_are_answered_alike(group: str, tmp_path: Path) -> None:
    """Tasks, locks and leftovers answer as they did."""
    assert list(Replay(tmp_path, load(group)).differences()) == []


def bad_files() -> list[tuple[str, str, dict[str, Any]]]:
    """Hand-written files of real/7-bad.jsonl, and what became of their reloads."""
    found = []
    lines = [json.loads(line) for line in (FIXTURES / "real" / "7-bad.jsonl").read_text().splitlines()]
    edits = {line["name"][5:]: line["note"] for line in lines if line["name"].startswith("edit-")}
    for line in lines:
        name = line["name"].removeprefix("result-")
        if name != line["name"] and name != "back-to-good":
            found.append((name, edits[name], line["note"]))
    return found


@pytest.mark.parametrize(("name", "text", "result"), bad_files(), ids=[name for name, _, _ in bad_files()])
def test_bad_files_end_as_on_a_real_kernel(name: str, text: str, result: dict[str, Any]) -> None:
    """What ifupdown2 said of a bad file is what a sim says."""
    source = BASE.index("source")
    whole = BASE[:source] + text + "\n" + BASE[source:]
    up, made = frozenset({"lo", "ens33", "ens37", "vmbr0"}), frozenset({"vmbr0"})
    outcome = ifreload(whole, NICS, up, made)
    failed = result["exitstatus"] != "OK"
    assert outcome.exit_code == int(failed)
    # The numbers of lines depend on the rest of the file, which is not recorded.
    wanted = [line for line in result["log"] if not line.startswith("TASK ")]
    if name == "garbage-line":
        assert [line.partition("line")[0] for line in outcome.log] == [line.partition("line")[0] for line in wanted]
        wanted = list(outcome.log)
    assert list(outcome.log) == wanted


@pytest.mark.parametrize("name", ["3-modes-fresh", "3-modes-inplace", "4-vlan"])
def test_links_and_logs_are_the_real_kernels(name: str, tmp_path: Path) -> None:
    """After each reload the links that were up on a real kernel are up, and the log says the same."""
    client = Client(tmp_path)
    client.node.interfaces.write_text(BASE)
    upid, compared = "", 0
    for line in (FIXTURES / "real" / f"{name}.jsonl").read_text().splitlines():
        data = json.loads(line)
        request = data.get("request", {"method": "GET", "path": ""})
        path = request["path"].removeprefix("/api2/json")
        if request["method"] != "GET":
            answer = client.ask(request["method"], path, **request["form"] or {})
            assert answer.status_code == data["response"]["status"]
            upid = answer.json()["data"] or upid
        elif path.endswith("/log"):
            client.sleep(1)
            log = client.ask("GET", f"/nodes/pve1/tasks/{upid}/log").json()
            assert log == json.loads(data["response"]["body"])
            compared += 1
        elif "kernel_summary" in data:
            links = dict(re.findall(r"([\w.]+)(?:@\w+)?=(UP|DOWN)", data["kernel_summary"]))
            up = client.node.advance(client.now).up - {"lo"}
            assert up == {link for link, state in links.items() if state == "UP"}
            compared += 1
    assert compared > 9


def test_links_come_up_one_after_another(tmp_path: Path) -> None:
    """While a reload runs, a list shows some links and not yet others; slaves before bonds before bridges."""
    client = Client(tmp_path)
    (tmp_path / "sim.json").write_text('{"reload_seconds": 10}')
    client.ask("POST", NETWORK, iface="bond0", type="bond", slaves="ens38 ens39")
    client.ask("POST", NETWORK, iface="vmbr1", type="bridge", bridge_ports="bond0", autostart=1)
    upid = client.ask("PUT", NETWORK).json()["data"]
    seen = [client.active() - {"ens33", "ens37", "vmbr0"}]
    while status(client, upid)["status"] == "running":
        client.sleep(1)
        if (now := client.active() - {"ens33", "ens37", "vmbr0"}) != seen[-1]:
            seen.append(now)
    assert seen == [
        set(),
        {"ens38"},
        {"ens38", "ens39"},
        {"ens38", "ens39", "bond0"},
        {"ens38", "ens39", "bond0", "vmbr1"},
    ]


def test_deleted_links_are_gone_and_their_slaves_stay(tmp_path: Path) -> None:
    """A reload takes down what the file does not name any more, and leaves the former slaves up."""
    client = Client(tmp_path)
    client.ask("POST", NETWORK, iface="bond0", type="bond", slaves="ens38 ens39", autostart=1)
    client.ask("PUT", NETWORK)
    client.sleep(1)
    client.ask("DELETE", f"{NETWORK}/bond0")
    client.ask("PUT", NETWORK)
    client.sleep(1)
    assert client.active() >= {"ens38", "ens39"}
    assert client.node.machine().made == {"vmbr0"}


def test_a_second_reload_takes_the_staging_and_applies_nothing(tmp_path: Path) -> None:
    """A reload during a reload ends in 89; its staging is consumed, and a third one applies it (real/8-double)."""
    client = Client(tmp_path)
    (tmp_path / "sim.json").write_text('{"reload_seconds": 3}')
    first = client.ask("PUT", NETWORK).json()["data"]
    client.ask("POST", NETWORK, iface="vmbr1", type="bridge", autostart=1)
    second = client.ask("PUT", NETWORK).json()["data"]
    client.sleep(1)
    assert status(client, second)["exitstatus"] == "command 'ifreload -a' failed: exit code 89"
    assert status(client, first)["status"] == "running"
    assert "changes" not in client.ask("GET", NETWORK).json()
    client.sleep(3)
    assert status(client, first)["exitstatus"] == "OK"
    assert "vmbr1" not in client.active()
    client.ask("PUT", NETWORK)
    client.sleep(4)
    assert "vmbr1" in client.active()


def test_two_tasks_of_a_second_have_two_names(tmp_path: Path) -> None:
    """The number of the process tells tasks of the same second apart."""
    client = Client(tmp_path)
    upids = [client.ask("PUT", NETWORK).json()["data"] for _ in range(3)]
    assert len(set(upids)) == 3
    assert all(str(Upid.parse(upid)) == upid for upid in upids)


def test_a_stopped_reload_keeps_what_it_had_done(tmp_path: Path) -> None:
    """A stopped task says that it was interrupted, and lets the next reload run."""
    client = Client(tmp_path)
    (tmp_path / "sim.json").write_text('{"reload_seconds": 10}')
    client.ask("POST", NETWORK, iface="bond0", type="bond", slaves="ens38 ens39", autostart=1)
    upid = client.ask("PUT", NETWORK).json()["data"]
    client.sleep(5)
    assert client.ask("DELETE", f"/nodes/pve1/tasks/{upid}").status_code == 200
    assert status(client, upid)["exitstatus"] == "command 'ifreload -a' failed: received interrupt"
    client.sleep(20)
    assert "ens38" in client.active()
    assert "bond0" not in client.active()
    again = client.ask("PUT", NETWORK).json()["data"]
    client.sleep(20)
    assert status(client, again)["exitstatus"] == "OK"
    assert "bond0" in client.active()


def test_a_clock_that_is_set_back_undoes_nothing(tmp_path: Path) -> None:
    """What has come up stays up when the clock jumps."""
    client = Client(tmp_path)
    client.ask("POST", NETWORK, iface="vmbr1", type="bridge", autostart=1)
    client.ask("PUT", NETWORK)
    client.sleep(0.29)
    assert "vmbr1" in client.active()
    client.sleep(-100)
    assert "vmbr1" in client.active()


def test_filters_of_the_task_list(tmp_path: Path) -> None:
    """Active and finished ones, by type and status, and page by page."""
    client = Client(tmp_path)
    upids = []
    for _ in range(3):
        upids.append(client.ask("PUT", NETWORK).json()["data"])
        client.sleep(2)
    upids.append(client.ask("PUT", NETWORK).json()["data"])

    def names(query: str) -> list[str]:
        return [entry["upid"] for entry in client.ask("GET", f"/nodes/pve1/tasks?{query}").json().get("data")]

    assert names("") == upids[2::-1]
    assert names("source=active") == upids[3:]
    assert names("source=all") == upids[::-1]
    assert names("limit=1&start=1") == upids[1:2]
    assert names("typefilter=vzdump") == []
    assert names("errors=1") == []
    assert names("statusfilter=ok,warning") == upids[2::-1]
    assert names("since=1800000002") == upids[2:0:-1]
    assert names("userfilter=ROOT") == upids[2::-1]
    assert client.ask("GET", "/nodes/pve1/tasks?source=none").status_code == 400


def test_a_vlan_brings_up_its_raw_device() -> None:
    """Links beneath one that is started come up with it, in whatever spelling, and circles end."""
    text = "auto vlan50\niface vlan50 inet manual\n\tvlan-raw-device bond0\n\niface bond0 inet manual\n\tslaves ens38\n"
    steps = ifreload(text, NICS, frozenset({"lo"}), frozenset()).steps
    assert [step.link for step in steps] == ["ens38", "bond0", "vlan50"]
    assert applied(steps, frozenset({"lo"}), frozenset(), NICS)[1] == {"bond0", "vlan50"}
    circle = (
        "auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports vmbr1\n\niface vmbr1 inet manual\n\tbridge-ports vmbr0\n"
    )
    assert ifreload(circle, NICS, frozenset({"lo"}), frozenset()).exit_code == 1


def test_others_tasks(tmp_path: Path) -> None:
    """Who may neither audit nor modify the node can't see, read or stop what others run; a user owns its tokens'."""
    client = Client(tmp_path)
    (tmp_path / "sim.json").write_text('{"reload_seconds": 10}')
    upid = client.ask("PUT", NETWORK).json()["data"]
    nobody = Client(tmp_path, token="nobody@pve!none=55555555-5555-5555-5555-555555555555")
    assert nobody.ask("GET", "/cluster/tasks").json()["data"] == []
    assert nobody.ask("GET", f"/nodes/pve1/tasks/{upid}").status_code == 403
    answer = nobody.ask("DELETE", f"/nodes/pve1/tasks/{upid}")
    assert answer.reason == "Permission check failed (/nodes/pve1, Sys.Modify)"
    (running,) = client.ask("GET", "/cluster/tasks").json()["data"]
    assert running["upid"] == upid
    assert "status" not in running
    assert "endtime" not in running
    assert client.ask("DELETE", "/nodes/pve1/tasks/foo").json()["errors"] == {"upid": "unable to parse worker upid"}


def test_former_slaves_without_autostart_go_down(tmp_path: Path) -> None:
    """A sim remembers whose slave a NIC is; PVE's `auto` keeps it up when the bond goes, and nothing else does."""
    client = Client(tmp_path)
    client.ask("POST", NETWORK, iface="bond0", type="bond", slaves="ens38 ens39", autostart=1)
    client.ask("PUT", NETWORK)
    client.now += 1
    assert client.active() >= {"bond0", "ens38", "ens39"}
    client.ask("DELETE", f"{NETWORK}/bond0")
    client.ask("PUT", f"{NETWORK}/ens39", type="eth", autostart=0)
    client.ask("PUT", NETWORK)
    client.now += 1
    assert "ens38" in client.active()
    assert not client.active() & {"bond0", "ens39"}


def test_tasks_that_somebody_threw_away(tmp_path: Path) -> None:
    """A running task whose file is gone is forgotten, and holds nothing up."""
    client = Client(tmp_path)
    client.ask("PUT", NETWORK)
    for path in client.node.tasks.iterdir():
        path.unlink()
    client.ask("GET", NETWORK)
    assert client.node.machine().reloads == ()


def test_a_file_that_somebody_threw_away(tmp_path: Path) -> None:
    """Without an interfaces file there are the NICs that the machine has."""
    client = Client(tmp_path)
    client.node.interfaces.unlink()
    entries = client.ask("GET", NETWORK).json()["data"]
    assert sorted(entry["iface"] for entry in entries) == sorted(NICS)
    assert client.ask("PUT", f"{NETWORK}/ens33", type="eth").status_code == 200
    assert "--- /etc/network/interfaces\t1970-01-01" in client.ask("GET", NETWORK).json()["changes"]
