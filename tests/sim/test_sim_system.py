"""System mode: the simulated API over the machine that it runs on; here over folders that look like one."""

from __future__ import annotations

import json
import os
import signal
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sim_client import Client
from waiting import until

from pvenet.sim.server import Server
from pvenet.sim.state import Sim, SimError
from pvenet.sim.system import Place, open_system, process
from pvenet.sim.system.__main__ import main
from pvenet.sim.system.kernel import Kernel

NETWORK = "/nodes/pve1/network"
FILE = """auto lo
iface lo inet loopback

iface ens33 inet manual

iface ens38 inet manual

iface ens39 inet manual

auto vmbr0
iface vmbr0 inet static
\taddress 192.168.171.21/24
\tgateway 192.168.171.2
\tbridge-ports ens33
\tbridge-stp off
\tbridge-fd 0

source /etc/network/interfaces.d/*
"""


class Box:
    """A folder that looks like a machine: its files, its links, its `ifreload`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = folder / "network"
        self.links = folder / "net"
        self.go = folder / "go"
        """The script waits until this file is there."""
        self.network.mkdir(parents=True)
        (self.network / "interfaces").write_text(FILE)
        self.links.mkdir()
        (self.links / "bonding_masters").write_text("")
        for name, up in (("lo", True), ("ens33", True), ("ens38", False), ("ens39", False), ("vmbr0", True)):
            self.link(name, up=up, nic=name.startswith("ens"))
        (folder / "ip").write_text('#!/bin/sh\necho \'[{"ifname": "ens38", "altnames": ["enp3s6"]}]\'\n')
        (folder / "ip").chmod(0o755)
        (folder / "may-break").touch()
        self.place = Place(
            network=self.network,
            may_break=folder / "may-break",
            ifreload=str(folder / "ifreload"),
            kernel=Kernel(folder=self.links, ip=(str(folder / "ip"),)),
            user=0,
        )
        self.ifreload("exit 0")

    def link(self, name: str, *, up: bool, nic: bool = False) -> None:
        place = self.links / name
        place.mkdir(exist_ok=True)
        (place / "flags").write_text("0x1003\n" if up else "0x1002\n")
        (place / "ifindex").write_text(f"{len(name)}\n")
        if nic:
            (place / "device").mkdir(exist_ok=True)

    def ifreload(self, *lines: str) -> None:
        """What `ifreload` does from now on."""
        draft = self.folder / "draft"
        draft.write_text("\n".join(["#!/bin/sh", f"cd {self.folder}", *lines, ""]))
        draft.chmod(0o755)
        draft.replace(self.folder / "ifreload")

    def waits(self, *lines: str) -> None:
        """It waits for a word, but not for ever."""
        self.ifreload("n=0; while [ ! -e go ] && [ $n -lt 500 ]; do sleep 0.01; n=$((n+1)); done", *lines)

    def open(self) -> Sim:
        return open_system(self.folder / "node", node="pve1", place=self.place)

    def client(self, *faults: str) -> Client:
        return Client(self.open(), *faults)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def status(client: Client, upid: str) -> dict[str, Any]:
    found: dict[str, Any] = client.ask("GET", f"/nodes/pve1/tasks/{upid}/status").json()["data"]
    return found


def end(client: Client, upid: str) -> str:
    """How a task ended, when it has."""
    return str(until(lambda: status(client, upid).get("exitstatus")))


def log(client: Client, upid: str) -> list[str]:
    return [line["t"] for line in client.ask("GET", f"/nodes/pve1/tasks/{upid}/log").json()["data"]]


def reload(client: Client) -> str:
    return str(client.ask("PUT", NETWORK).json()["data"])


def test_what_is_staged_is_the_machines_own_file(box: Box) -> None:
    """Staging writes interfaces.new beside the file, a reload moves it there, a revert removes it."""
    client = box.client()
    staged = box.network / "interfaces.new"
    assert client.ask("POST", NETWORK, iface="vmbr1", type="bridge", autostart=1).status_code == 200
    assert "iface vmbr1" in staged.read_text()
    client.ask("DELETE", NETWORK)
    assert not staged.exists()
    client.ask("POST", NETWORK, iface="vmbr2", type="bridge", autostart=1)
    assert end(client, reload(client)) == "OK"
    assert not staged.exists()
    assert "iface vmbr2" in (box.network / "interfaces").read_text()


def test_flags_are_the_kernels(box: Box) -> None:
    """`active` is IFF_UP, `exists` a device beneath; links that the file does not name are seen when they come."""
    client = box.client()
    entries = {entry["iface"]: entry for entry in client.ask("GET", NETWORK).json()["data"]}
    assert {name for name, entry in entries.items() if entry.get("active")} == {"ens33", "vmbr0"}
    assert {name for name, entry in entries.items() if entry.get("exists")} == {"ens33", "ens38", "ens39"}
    assert entries["ens38"]["altnames"] == ["enp3s6"]
    box.link("ens42", up=True, nic=True)
    client.ask("POST", NETWORK, iface="vmbr1", type="bridge")  # a changed file, and every worker looks again
    assert client.active() == {"ens33", "ens42", "vmbr0"}


def test_flags_freeze_in_the_worker_that_looked(box: Box) -> None:
    """As in PVE, a worker knows the flags of the moment in which it read the file."""
    client = box.client()
    assert "ens38" not in client.active()
    box.link("ens38", up=True)
    assert "ens38" not in client.active()
    client.adapter.close()
    assert "ens38" in client.active()


def test_output_and_exit_code_are_the_commands(box: Box) -> None:
    """Of stderr PVE logs warnings and errors with a name, of stdout everything; the exit code becomes the status."""
    box.ifreload(
        "echo plain",
        "echo 'error: bond0: skipping slave ens99, does not exist' >&2",
        "echo 'nothing that PVE would log' >&2",
        "echo 'warning: vmbr1: something' >&2",
        'echo "$# $1" > arguments',
        "exit 1",
    )
    client = box.client()
    upid = reload(client)
    assert end(client, upid) == "command 'ifreload -a' failed: exit code 1"
    assert log(client, upid) == [
        "plain",
        "bond0 : error: bond0: skipping slave ens99, does not exist ",
        "vmbr1 : warning: vmbr1: something ",
        "TASK ERROR: command 'ifreload -a' failed: exit code 1",
    ]
    assert (box.folder / "arguments").read_text() == "1 -a\n"
    (entry,) = client.ask("GET", "/nodes/pve1/tasks").json()["data"]
    assert entry["status"] == "command 'ifreload -a' failed: exit code 1"


def test_a_good_reload_says_one_line(box: Box) -> None:
    """OK is the exit code 0, and the log's one line."""
    client = box.client()
    upid = reload(client)
    assert end(client, upid) == "OK"
    assert log(client, upid) == ["TASK OK"]


def test_a_reload_runs_while_others_ask(box: Box) -> None:
    """Nobody waits for it: its task runs, its lines come as they are said, and files can be staged."""
    box.waits("echo 'warning: bond0: later' >&2")
    client = box.client()
    upid = reload(client)
    assert status(client, upid)["status"] == "running"
    assert log(client, upid) == ["no content"]
    assert client.ask("POST", NETWORK, iface="vmbr1", type="bridge").status_code == 200
    (active,) = client.ask("GET", "/nodes/pve1/tasks", source="active").json()["data"]
    assert active["status"] == "RUNNING"
    box.go.touch()
    assert end(client, upid) == "OK"
    assert log(client, upid) == ["bond0 : warning: bond0: later ", "TASK OK"]


def test_lines_come_while_it_runs(box: Box) -> None:
    """What the command has said can be read before it ends."""
    box.ifreload("echo 'warning: bond0: early' >&2", "while [ ! -e go ]; do sleep 0.01; done")
    client = box.client()
    upid = reload(client)
    until(lambda: log(client, upid) == ["bond0 : warning: bond0: early "])
    assert status(client, upid)["status"] == "running"
    box.go.touch()
    assert end(client, upid) == "OK"


def test_a_second_reload_is_the_commands_to_refuse(box: Box) -> None:
    """It is started all the same and takes the file; the 89 comes from the lock of ifupdown2 itself."""
    box.ifreload("if ! mkdir lock; then exit 89; fi", "while [ ! -e go ]; do sleep 0.01; done")
    client = box.client()
    first = reload(client)
    until((box.folder / "lock").exists)
    client.ask("POST", NETWORK, iface="vmbr1", type="bridge")
    second = reload(client)
    assert end(client, second) == "command 'ifreload -a' failed: exit code 89"
    assert "iface vmbr1" in (box.network / "interfaces").read_text()
    assert status(client, first)["status"] == "running"
    box.go.touch()
    assert end(client, first) == "OK"


def test_stopping_interrupts_the_command(box: Box) -> None:
    """Worker and command get the signal; the task says so at once, though the command may stay."""
    box.ifreload(
        "exec 2>/dev/null",
        "trap 'touch told' TERM",
        "touch started",
        "while [ ! -e go ]; do sleep 0.01; done",
        "touch whole",
    )
    client = box.client()
    upid = reload(client)
    until((box.folder / "started").exists)
    assert client.ask("DELETE", f"/nodes/pve1/tasks/{upid}").json() == {"data": None}
    assert status(client, upid)["exitstatus"] == "command 'ifreload -a' failed: received interrupt"
    assert log(client, upid) == ["TASK ERROR: command 'ifreload -a' failed: received interrupt"]
    until((box.folder / "told").exists)
    box.go.touch()
    until((box.folder / "whole").exists)


def test_a_reload_outlives_the_server(box: Box) -> None:
    """Whoever opens the folder next finds the task running, and then its end."""
    box.waits("exit 1")
    upid = reload(box.client())
    client = box.client()
    assert status(client, upid)["status"] == "running"
    box.go.touch()
    assert end(client, upid) == "command 'ifreload -a' failed: exit code 1"


def test_a_task_that_is_gone_has_no_known_end(box: Box) -> None:
    """Killed with the machine, say: nobody wrote how it ended."""
    box.waits()
    client = box.client()
    upid = reload(client)
    os.killpg(int(upid.split(":")[2], 16), signal.SIGKILL)
    assert end(client, upid) == "unexpected status"
    assert log(client, upid) == ["no content"]


def test_the_number_of_a_process_given_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process with the task's number is not the task, and is not stopped."""
    box.waits()
    client = box.client()
    upid = reload(client)
    monkeypatch.setattr(process, "_started", lambda _pid: 1)
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("a strange process was to be killed"))
    client.ask("DELETE", f"/nodes/pve1/tasks/{upid}")
    assert status(client, upid)["exitstatus"] == "unexpected status"
    box.go.touch()


def test_a_command_that_is_killed(box: Box) -> None:
    """The worker lives and tells it."""
    box.ifreload("kill -9 $$")
    client = box.client()
    assert end(client, reload(client)) == "command 'ifreload -a' failed: got signal 9"


def test_a_command_that_goes_away(box: Box) -> None:
    """Without ifupdown2 there is no task, and what is staged stays."""
    client = box.client()
    client.ask("POST", NETWORK, iface="vmbr1", type="bridge")
    (box.folder / "ifreload").unlink()
    answer = client.ask("PUT", NETWORK)
    assert (answer.status_code, answer.reason) == (500, "you need ifupdown2 to reload network configuration")
    assert (box.network / "interfaces.new").exists()


def test_frr_is_not_there(box: Box) -> None:
    """The one parameter of a reload adds a line, as on a node without FRR."""
    client = box.client()
    upid = str(client.ask("PUT", f"{NETWORK}?regenerate-frr=1").json()["data"])
    assert end(client, upid) == "OK"
    assert log(client, upid) == ["frr is not installed, not generating any frr configuration", "TASK OK"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user": 1000}, "only root may change a machine's network"),
        ({"ifreload": "/nowhere/ifreload"}, "there is no /nowhere/ifreload (Debian: apt install ifupdown2)"),
        ({"network": Path("/nowhere")}, "there is no /nowhere/interfaces"),
        ({"may_break": Path("/nowhere")}, "nobody has allowed its network to be broken: /nowhere does not exist"),
    ],
)
def test_machines_that_must_not_be_touched(change: dict[str, Any], said: str, box: Box) -> None:
    """Each missing thing alone keeps it from starting, and nothing is written."""
    box.place = replace(box.place, **change)
    with pytest.raises(SimError) as caught:
        box.open()
    assert str(caught.value) == f"this machine can't be a node: {said}"
    assert not (box.folder / "node").exists()


def test_all_that_is_missing_is_said_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The command line refuses this machine, which nobody has given up, and leaves no trace."""
    assert not Path("/etc/pvenet-may-break").exists()
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / "node")])
    assert "/etc/pvenet-may-break does not exist" in str(caught.value)
    assert not (tmp_path / "node").exists()
    with pytest.raises(SystemExit):
        main([str(tmp_path / "node"), "--listen", "8006"])
    assert "is not HOST:PORT" in capsys.readouterr().err


def test_secrets_are_its_own(box: Box, tmp_path: Path) -> None:
    """Random ones that stay, that nobody else can read, and none that a sim is known to have."""
    sim = box.open()
    made = json.loads((sim.folder / "users.json").read_text())
    known = json.loads((Sim.init(tmp_path / "plain").folder / "users.json").read_text())
    secrets = [token["secret"] for token in made["tokens"].values()]
    secrets += [user["password"] for user in made["users"].values()]
    assert len(set(secrets)) == len(secrets)
    assert not {token["secret"] for token in known["tokens"].values()} & set(secrets)
    assert not {user["password"] for user in known["users"].values()} & set(secrets)
    assert stat.S_IMODE(sim.folder.stat().st_mode) == 0o700
    assert json.loads((box.open().folder / "users.json").read_text()) == made
    given = open_system(sim.folder, node="pve1", secret="given", place=box.place)
    assert given.users().credentials() == ("root@pam!full", "given")


def test_it_may_listen_elsewhere(box: Box) -> None:
    """With secrets of its own it may be reached from other machines, though never without TLS."""
    with Server(box.open(), host="0.0.0.0") as server:
        assert server.endpoint.url.startswith("https://0.0.0.0:")
    with pytest.raises(SimError, match="loopback only"):
        Server(box.open(), host="0.0.0.0", tls=False)


def test_a_plain_sim_leaves_it_alone(box: Box) -> None:
    """The folder of a machine is not served, or rehearsed on, as that of a simulated node."""
    folder = box.open().folder
    for look in (Sim.open, Sim.init, Client, Server):
        with pytest.raises(SimError, match=r"only `python3 -m pvenet\.sim\.system` changes it"):
            look(folder)


def test_a_folder_of_something_else(box: Box, tmp_path: Path) -> None:
    """A folder with simulated nodes, or whose node is not this machine, is refused."""
    folder = Sim.init(tmp_path / "plain", node="pve2").folder
    with pytest.raises(SimError, match="holds other nodes already: pve2"):
        open_system(folder, node="pve1", place=box.place)
    with pytest.raises(SimError, match="is not this machine's"):
        open_system(folder, node="pve2", place=box.place)
    with pytest.raises(SimError, match="is not a node name"):
        open_system(folder, node="a b", place=box.place)


def test_the_node_is_the_host(box: Box) -> None:
    """Its name is the host's, its address the one with the gateway."""
    sim = open_system(box.folder / "node", place=box.place)
    assert sim.nodes == [os.uname().nodename.partition(".")[0]]
    (entry,) = Client(sim).ask("GET", "/cluster/status").json()["data"]
    assert (entry["name"], entry["ip"], entry["online"]) == (sim.nodes[0], "192.168.171.21", 1)


def test_it_does_not_pose_as_pve(box: Box) -> None:
    """Its version has PVE's shape and tells what it is; its kernel is the machine's."""
    client = box.client()
    assert client.ask("GET", "/version").json()["data"]["repoid"] == "pvenet-sim"
    assert client.ask("GET", "/nodes/pve1/status").json()["data"]["current-kernel"]["release"] == os.uname().release


def test_faults_of_the_way_happen(box: Box) -> None:
    """What goes wrong between client and node goes wrong here too."""
    client = box.client(
        "599@GET network",
        "foreign-edit=vmbr9@GET network+2",
        "foreign-reload@GET network+3",
        "lacks=Sys.Modify@PUT network",
    )
    assert client.ask("GET", NETWORK).status_code == 599
    assert "iface vmbr9" in client.ask("GET", NETWORK).json()["changes"]
    client.ask("GET", NETWORK)
    assert "iface vmbr9" in (box.network / "interfaces").read_text()
    assert client.ask("PUT", NETWORK).status_code == 403
    (task,) = until(lambda: client.ask("GET", "/nodes/pve1/tasks").json()["data"])
    assert task["status"] == "OK"


@pytest.mark.parametrize(
    "fault",
    ["reload-fails@1", "reload-lies@1", "reload-hangs@1", "never-up=ens38@1", "path-lost@1", "node-lost@1", "reboot@1"],
)
def test_faults_of_a_made_up_machine_are_refused(fault: str, box: Box) -> None:
    """A real reload can't be told how to end."""
    with pytest.raises(SimError, match=f"only a simulated machine can be told to do this: {fault}"):
        box.client(fault)


def test_links_without_ip(box: Box) -> None:
    """Where `ip` says nothing there are no altnames, and everything else."""
    kernel = Kernel(folder=box.links, ip=("/nowhere/ip",))
    links = kernel.links()
    assert links.nics == {"ens33": (), "ens38": (), "ens39": ()}
    assert links.up == {"lo", "ens33", "vmbr0"}
    assert links.made == {"vmbr0"}
