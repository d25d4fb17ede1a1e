"""Faults of reloads: what fails, lies, hangs, never comes up, is listed late, or cuts the way to its node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from sim_client import NETWORK, PEER, Client, exitstatus, reload, stage

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path


def test_a_failing_reload_applies_half(tmp_path: Path) -> None:
    """The next reload ends as ordered with the ordered log; what is new is not made; the one after is fine."""
    client = Client(tmp_path, "reload-fails=3:bond0 : error: bond0: no @PUT network")
    client.ask("POST", NETWORK, iface="bond0", type="bond", slaves="ens38 ens39", autostart=1)
    client.ask("GET", NETWORK)
    upid = reload(client)
    assert exitstatus(client, upid) == "command 'ifreload -a' failed: exit code 3"
    log = client.ask("GET", f"/nodes/pve1/tasks/{upid}/log").json()["data"]
    assert [line["t"] for line in log] == [
        "bond0 : error: bond0: no ",
        "TASK ERROR: command 'ifreload -a' failed: exit code 3",
    ]
    assert "ens38" in client.active()
    assert "bond0" not in client.active()
    assert exitstatus(client, reload(client)) == "OK"
    assert "bond0" in client.active()


def test_a_reload_that_lies(tmp_path: Path) -> None:
    """It says that it failed, and has applied everything."""
    client = Client(tmp_path, "reload-lies@1")
    stage(client)
    assert exitstatus(client, reload(client)) == "command 'ifreload -a' failed: exit code 1"
    assert "vmbr1" in client.active()


def test_a_reload_that_hangs_holds_its_lock(tmp_path: Path) -> None:
    """It runs for ever, and every later one ends in 89."""
    client = Client(tmp_path, "reload-hangs@PUT network")
    assert exitstatus(client, reload(client)) is None
    assert exitstatus(client, reload(client)) == "command 'ifreload -a' failed: exit code 89"


def test_a_link_that_never_comes_up(tmp_path: Path) -> None:
    """The task says OK, however often; the link is not there."""
    client = Client(tmp_path, "never-up=vmbr1@1")
    stage(client)
    for _ in range(2):
        assert exitstatus(client, reload(client)) == "OK"
        assert "vmbr1" not in client.active()


def test_a_task_that_is_listed_late(tmp_path: Path) -> None:
    """The lists don't show it at first; who knows its name can ask."""
    client = Client(tmp_path, "task-late=2@PUT network")
    upid = reload(client)
    assert client.ask("GET", "/nodes/pve1/tasks?source=all").json()["data"] == []
    assert exitstatus(client, upid) == "OK"
    client.sleep(1)
    assert len(client.ask("GET", "/nodes/pve1/tasks?source=all").json()["data"]) == 1


class TestLostPaths:
    """A reload may cut the way to its node."""

    @staticmethod
    def client(folder: Path, fault: str) -> Client:
        for node in ("pve1", "pve2"):
            Sim.init(folder, node=node)
        return Client(folder, fault)

    def test_for_a_time(self, tmp_path: Path) -> None:
        """A few answers arrive, then there is silence, then the task has ended OK."""
        client = self.client(tmp_path, "path-lost=20@PUT network")
        upid = reload(client)
        assert client.ask("GET", f"/nodes/pve1/tasks/{upid}/status").json()["data"]["status"] == "running"
        client.sleep(1)
        before = client.now
        with pytest.raises(requests.ConnectTimeout):
            client.ask("GET", "/version")
        assert client.now == before + 3
        client.sleep(20)
        assert exitstatus(client, upid) == "OK"

    def test_for_good_until_a_reload_through_a_peer(self, tmp_path: Path) -> None:
        """Peers still reach the node, and a reload through them brings the way back."""
        client = self.client(tmp_path, "path-lost@PUT network")
        reload(client)
        client.sleep(10_000)
        with pytest.raises(requests.ConnectTimeout):
            client.ask("GET", "/version")
        assert exitstatus(client, reload(client, at=PEER), at=PEER) == "OK"
        assert client.ask("GET", "/version").status_code == 200

    def test_for_peers_too(self, tmp_path: Path) -> None:
        """A node that is cut off answers 595 through its peers."""
        client = self.client(tmp_path, "node-lost@PUT network")
        reload(client)
        client.sleep(1)
        assert client.ask("GET", NETWORK, at=PEER).status_code == 595
        states = {node["node"]: node["status"] for node in client.ask("GET", "/nodes", at=PEER).json()["data"]}
        assert states == {"pve1": "offline", "pve2": "online"}


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("guest-lost=999", "there is no guest 999 on pve1"),
        ("link-lost=5", "pve1 has no link 5 to its cluster"),
        ("not-joined=nope", "there is no interface nope on pve1"),
        ("port-missing=nope", "there is no interface nope on pve1"),
        ("mtu-stays=nope", "there is no interface nope on pve1"),
        ("address-missing=nope", "there is no interface nope on pve1"),
    ],
)
def test_what_hits_nobody_is_said(tmp_path: Path, fault: str, complaint: str) -> None:
    """A fault about a name that no node has would look like a good day; nothing is reloaded."""
    client = Client(tmp_path, f"{fault}@PUT network")
    stage(client)
    answer = client.ask("PUT", NETWORK)
    assert (answer.status_code, answer.reason.partition(complaint)[1]) == (500, complaint)
    assert client.node.staged.exists()


def test_a_name_that_is_only_staged_is_one(tmp_path: Path) -> None:
    """It is there when the reload is over."""
    client = Client(tmp_path, "never-up=vmbr1@PUT network")
    stage(client)
    assert exitstatus(client, reload(client)) == "OK"
