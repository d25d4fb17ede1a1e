"""The cluster of the simulated nodes: told as recorded, with links that die and a quorum that goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from folder_replay import FolderReplay
from sim_client import PEER, Client, reload

from pvenet.sim.corosync.config import Corosync
from pvenet.sim.corosync.links import reloaded
from pvenet.sim.sdn.folder import SdnFolder
from pvenet.sim.state import Sim, SimError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sim_replay import Exchange

NO_CONFIG = "of the cluster's configuration the sim tells nothing but the nodes"
ALONE = {
    **dict.fromkeys((f"K4-cluster-{number:03}" for number in (3, 4, 5, 6, 9, 13, 18, 24, 25, 31, 36, 37)), NO_CONFIG),
    **dict.fromkeys((f"K4-cluster-{number:03}" for number in (42, 43, 44, 45, 51, 52, 56, 63, 64, 67)), NO_CONFIG),
}
"""Exchanges that are not replayed, and why."""
TOGETHER = {
    "K4-two-nodes-003": NO_CONFIG,
    "K4-two-nodes-004": NO_CONFIG,
    "K4-two-nodes-008": "the sim manages no guest by HA, and pvenet asks for the state alone",
    "K4-two-nodes-025": "its server is another build, which tells its version otherwise",
    "K4-two-nodes-024": "the sim has no dry run",
    "K4-two-nodes-034": "its nodes reach each other without ssh",
}
FILE = (
    "auto lo\niface lo inet loopback\n\niface ens33 inet manual\n\n"
    "auto ens37\niface ens37 inet static\n\taddress 10.9.0.21/24\n\niface ens38 inet manual\n\n"
    "iface ens39 inet manual\n\niface ens40 inet manual\n\niface ens41 inet manual\n\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.168.171.21/24\n\tgateway 192.168.171.2\n"
    "\tbridge-ports ens33\n\tbridge-stp off\n\tbridge-fd 0\n\nsource /etc/network/interfaces.d/*\n"
)
"""That of the recordings' two nodes."""
LINKS = {"037": ((1,), 0.0), "060": ((0, 1), 6.3), "079": ((), 1.3)}
"""Which links of pve2 were dead from an exchange on, and for how many seconds already."""


def _cluster(folder: Path, *, nodes: int = 2) -> Sim:
    for number in range(1, nodes + 1):
        text = FILE.replace(".21/", f".{number + 20}/")
        Sim.init(folder, node=f"pve{number}", interfaces=text, links=[f"10.9.0.{number + 20}"])
    return Sim(folder)


def _status(client: Client, at: str = "") -> dict[str, int]:
    """Whether the cluster is quorate, and who of it is there."""
    entries = client.ask("GET", "/cluster/status", **({"at": at} if at else {})).json()["data"]
    return {entry["name"]: entry["quorate" if entry["type"] == "cluster" else "online"] for entry in entries}


class _Together(FolderReplay):
    """The recording of two nodes; what was done to their links stands in the notes."""

    def _prepare(self, number: int, exchange: Exchange) -> None:
        super()._prepare(number, exchange)
        node = self.adapter.sim.node("pve2")
        place = exchange.name.split("-")[3]
        if place == "029":
            SdnFolder(self.adapter.sim.folder).lock(exchange.sent)  # its own exchange was held back
        dead, since = LINKS.get(place, (None, 0.0))
        if dead is not None:
            reloaded(node, dead, exchange.sent - since)


def test_a_recorded_node_alone_is_told_alike(told: Callable[[str], None], tmp_path: Path) -> None:
    """For every user, and with a corosync.conf of nodes that are not there."""
    replay = FolderReplay(tmp_path, "corosync.jsonl", group="K4-cluster", not_ours=ALONE)
    replay.nature["pvestatd"] = False
    found = list(replay.differences())
    told(f"corosync.jsonl, alone: {replay.told(found)}")
    assert replay.exchanges
    assert found == []


def test_a_recorded_cluster_is_told_alike(told: Callable[[str], None], tmp_path: Path) -> None:
    """Two nodes with two links, one of which dies, and then the other; then both are there again."""
    sim = _cluster(tmp_path)
    (tmp_path / "corosync.conf").write_text(sim.corosync().text().replace("cluster_name: sim", "cluster_name: lab"))
    replay = _Together(sim, "corosync.jsonl", group="K4-two-nodes", not_ours=TOGETHER)
    replay.nature["pvestatd"] = False
    found = list(replay.differences())
    told(f"corosync.jsonl, two nodes: {replay.told(found)}")
    assert replay.exchanges
    assert found == []


def test_the_nodes_of_a_folder_are_a_cluster(tmp_path: Path) -> None:
    """Over the addresses that they are known by, and further links where they were told; alone a node is in none."""
    alone = Client(Sim.init(tmp_path / "alone"))
    assert alone.ask("GET", "/cluster/config/nodes").json()["data"] == []
    Sim.init(tmp_path / "two", interfaces=FILE)
    client = Client(Sim.init(tmp_path / "two", node="pve2", interfaces=FILE.replace(".21/", ".22/")))
    found = {each["node"]: each for each in client.ask("GET", "/cluster/config/nodes").json()["data"]}
    told = {"node": "pve2", "name": "pve2", "nodeid": "2", "quorum_votes": "1", "ring0_addr": "192.168.171.22"}
    assert found["pve2"] == told
    three = Client(_cluster(tmp_path / "three", nodes=3))
    links = [each["ring1_addr"] for each in three.ask("GET", "/cluster/config/nodes").json()["data"]]
    assert links == ["10.9.0.21", "10.9.0.22", "10.9.0.23"]
    assert _status(three) == {"sim": 1, "pve1": 1, "pve2": 1, "pve3": 1}


def test_a_cluster_file_is_read_as_pve_writes_it(tmp_path: Path) -> None:
    """What a person writes into it is told, a name for an address too; what was read is written alike."""
    sim = _cluster(tmp_path)
    path = tmp_path / "corosync.conf"
    assert Corosync.parse(path.read_text()).text() == path.read_text()
    path.write_text(path.read_text().replace("ring0_addr: 192.168.171.22", "ring0_addr: pve2.lan"))
    entries = Client(sim).ask("GET", "/cluster/config/nodes").json()["data"]
    assert [entry["ring0_addr"] for entry in entries] == ["192.168.171.21", "pve2.lan"]
    assert _status(Client(sim)) == {"sim": 1, "pve1": 1, "pve2": 1}


def test_one_link_of_two_is_not_missed(tmp_path: Path) -> None:
    """Nothing tells that a link is dead."""
    client = Client(_cluster(tmp_path), "link-lost=1@PUT network")
    reload(client)
    client.sleep(10)
    assert _status(client) == {"sim": 1, "pve1": 1, "pve2": 1}


def test_without_any_link_the_quorum_goes(tmp_path: Path) -> None:
    """6 s later, on both of two nodes; the node itself can be changed as ever, and a later reload brings all back."""
    client = Client(_cluster(tmp_path), "link-lost=0@PUT network", "link-lost=1@PUT network")
    reload(client)
    client.sleep(1)
    assert _status(client) == {"sim": 1, "pve1": 1, "pve2": 1}
    lost = client.ask("GET", "/nodes/pve2/network")
    assert (lost.status_code, lost.reason) == (595, "No route to host")
    client.sleep(6)
    assert _status(client) == {"sim": 0, "pve1": 1, "pve2": 0}
    assert _status(client, PEER) == {"sim": 0, "pve1": 0, "pve2": 1}
    listed = {entry["node"]: entry["status"] for entry in client.ask("GET", "/nodes").json()["data"]}
    assert listed == {"pve1": "online", "pve2": "offline"}
    reload(client)
    client.sleep(2)
    assert _status(client) == {"sim": 1, "pve1": 1, "pve2": 1}


def test_of_three_nodes_two_go_on(tmp_path: Path) -> None:
    """Only the node whose links died has no quorum."""
    client = Client(_cluster(tmp_path, nodes=3), "link-lost=0@PUT network", "link-lost=1@PUT network")
    reload(client)
    client.sleep(8)
    assert _status(client) == {"sim": 0, "pve1": 1, "pve2": 0, "pve3": 0}
    assert _status(client, PEER) == {"sim": 1, "pve1": 0, "pve2": 1, "pve3": 1}


def test_a_link_dies_with_its_address(tmp_path: Path) -> None:
    """Whatever interface has it: a reload that takes the addresses of all links takes the quorum."""
    client = Client(_cluster(tmp_path))
    client.ask("PUT", "/nodes/pve1/network/ens37", type="eth", delete="cidr")
    reload(client)
    client.sleep(10)
    assert _status(client) == {"sim": 1, "pve1": 1, "pve2": 1}
    client.ask(
        "PUT", "/nodes/pve1/network/vmbr0", type="bridge", bridge_ports="ens33", cidr="192.168.171.99/24", autostart=1
    )
    reload(client)
    client.sleep(1)
    assert _status(client)["sim"] == 1
    client.sleep(6)
    assert _status(client) == {"sim": 0, "pve1": 1, "pve2": 0}
    client.ask(
        "PUT", "/nodes/pve1/network/vmbr0", type="bridge", bridge_ports="ens33", cidr="192.168.171.21/24", autostart=1
    )
    reload(client)
    client.sleep(2)
    assert _status(client) == {"sim": 1, "pve1": 1, "pve2": 1}


def test_what_is_no_address_of_a_link_is_refused(tmp_path: Path) -> None:
    """No node is made."""
    with pytest.raises(SimError, match="not an address of a link"):
        Sim.init(tmp_path, links=["10.9.0.21 }"])
    assert Sim(tmp_path).nodes == []
