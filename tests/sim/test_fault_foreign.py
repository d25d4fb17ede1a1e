"""Faults in which somebody else works on the node, or cuts its power."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from sim_client import NETWORK, PEER, Client, exitstatus, reload, stage

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path


def test_others_work_on_the_node_that_is_asked_about(tmp_path: Path) -> None:
    """Also where the request arrives at another, which hands it on."""
    for node in ("pve1", "pve2"):
        Sim.init(tmp_path, node=node)
    client = Client(tmp_path, "foreign-edit@GET network", "foreign-reload@GET network+2")
    at_peer = Sim(tmp_path).node("pve2")
    assert "vmbr99" in client.ask("GET", NETWORK, at=PEER).json()["changes"]
    assert "changes" not in client.ask("GET", NETWORK, at=PEER).json()
    assert "vmbr99" in client.node.applied()
    assert "vmbr99" not in at_peer.text()


def test_others_edit_revert_and_reload(tmp_path: Path) -> None:
    """What others do happens just before the ordered request."""
    client = Client(
        tmp_path,
        "foreign-edit@GET network",
        "foreign-edit=vmbr98@GET network+2",
        "foreign-revert@GET network+3",
        "foreign-reload@GET network+4",
    )
    stage(client)
    names = {entry["iface"] for entry in client.ask("GET", NETWORK).json()["data"]}
    assert "vmbr99" in names
    assert "+iface vmbr98" in client.ask("GET", NETWORK).json()["changes"]
    assert "changes" not in client.ask("GET", NETWORK).json()
    stage(client)
    assert "changes" not in client.ask("GET", NETWORK).json()
    tasks = client.ask("GET", "/nodes/pve1/tasks?source=all").json()["data"]
    assert [task["user"] for task in tasks] == ["root@pam"]


@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        ("foreign-edit", ["+iface vmbr99 inet manual", "+\tbridge-ports none", "+\tbridge-stp off", "+\tbridge-fd 0"]),
        ("foreign-comment=vmbr0", ["+#Somebody else was here", "-#For management"]),
        ("foreign-comment=ens41", ["+#Somebody else was here"]),
        ("foreign-autostart=vmbr0", ["-auto vmbr0"]),
        ("foreign-autostart=ens41", ["+auto ens41"]),
        ("foreign-set=vmbr0:mtu=1400", ["+\tmtu 1400"]),
        ("foreign-set=vmbr0:bridge_ports=ens33 ens37", ["+\tbridge-ports ens33 ens37", "-\tbridge-ports ens33"]),
        ("foreign-delete=vmbr0", ["-\tbridge-ports ens33"]),
        ("foreign-alias", ["+iface vmbr0:1 inet static", "+\taddress 198.51.100.99/24"]),
        ("foreign-alias=vmbr0:7", ["+iface vmbr0:7 inet static"]),
        ("foreign-edit=vmbr0", []),
        ("foreign-delete=vmbr7", []),
        ("foreign-comment=vmbr7", []),
    ],
)
def test_what_others_can_edit(fault: str, lines: list[str], tmp_path: Path) -> None:
    """Any field of any interface, by PVE's own rules: what it would refuse does not happen."""
    client = Client(tmp_path)
    stage(client)  # PVE has written the file: what differs afterwards is theirs
    reload(client)
    client.sleep(1)
    Client(tmp_path, f"{fault}@GET network").ask("GET", NETWORK)
    changes = client.ask("GET", NETWORK).json().get("changes", "").split("\n")
    changed = [
        line for line in changes if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"} and line.strip("+-")
    ]
    assert set(lines) <= set(changed)
    if not lines or fault.startswith(("foreign-comment", "foreign-autostart", "foreign-set")):
        assert sorted(changed) == sorted(lines)


def test_a_reboot_applies_what_is_staged(tmp_path: Path) -> None:
    """Nothing answers for a while; then the staged file is the file, and what was running has ended somehow."""
    client = Client(tmp_path, "reboot=30@GET network")
    upid = reload(client)
    stage(client)
    with pytest.raises(requests.ConnectTimeout):
        client.ask("GET", NETWORK)
    client.sleep(30)
    assert "vmbr1" in client.active()
    assert "ens37" not in client.active()
    assert not client.node.staged.exists()
    assert exitstatus(client, upid) == "unexpected status"
