"""Guests of the simulated node: told as recorded, with ports that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from folder_replay import FolderReplay
from hypothesis import given
from hypothesis import strategies as st
from sim_client import Client, exitstatus, reload
from sim_kernel import differences, kernel
from switched import with_vnet

from pvenet.sim.guests.config import GuestConfig, written
from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.guests.ports import ports_of
from pvenet.sim.machine.hardware import Guest
from pvenet.sim.state import Sim, SimError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOT_OURS = {
    "K3-guests-003": "the sim has no storage, and tells of no SDN zone",
    "K3-guests-036": "the sim has no call for the state of one guest",
    "K3-statd-002": "the recording's pvestatd told of guests alone, the sim's of nodes as well",
    "K3-statd-003": "the same",
    "K3-statd-007": "the same",
}
BRIDGES = "/nodes/pve1/sdn/zones/localnetwork/bridges"
FILE = (
    "auto lo\niface lo inet loopback\n\niface ens1 inet manual\n\niface ens2 inet manual\n\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.11/24\n\tgateway 192.0.2.1\n\tbridge-ports ens1\n"
    "\tbridge-stp off\n\tbridge-fd 0\n\n"
    "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports ens2\n\tbridge-stp off\n\tbridge-fd 0\n"
    "\tbridge-vlan-aware yes\n\tbridge-vids 2-4094\n\n"
)


def _sim(folder: Path, *guests: str, nodes: int = 1) -> Sim:
    sim = Sim.init(folder, interfaces=FILE, guests=guests)
    for number in range(2, nodes + 1):
        Sim.init(folder, node=f"pve{number}", interfaces=FILE.replace(".11/", f".{number + 10}/"))
    return sim


def _ports(client: Client, bridge: str) -> list[dict[str, Any]]:
    """The guests' ports of a bridge."""
    found = {each["name"]: each for each in client.ask("GET", BRIDGES).json()["data"]}
    return [port for port in found[bridge]["ports"] if "vmid" in port]


def _on_ports(client: Client) -> list[tuple[str, str]]:
    """Who has a port, wherever that hangs."""
    return sorted((each["vmid"], each["dev"]) for each in client.ask("GET", "/nodes/pve1/netstat").json()["data"])


def _resource(client: Client, vmid: int) -> dict[str, Any]:
    found = client.ask("GET", "/cluster/resources?type=vm").json()["data"]
    return next(entry for entry in found if entry["vmid"] == vmid)


def test_recorded_guests_are_told_alike(told: Callable[[str], None], tmp_path: Path) -> None:
    """Lists, configurations and refusals are what the real API's were, for every user."""
    replay = FolderReplay(tmp_path, "guests.jsonl", not_ours=NOT_OURS)
    replay.nature["pvestatd"] = False
    found = list(replay.differences())
    told(f"guests.jsonl: {replay.told(found)}")
    assert replay.exchanges
    assert found == []


def test_a_running_guest_has_ports_on_its_bridges(tmp_path: Path) -> None:
    """A tap, a container's veth, the firewall's port, each with its VLANs on a bridge that knows them."""
    client = Client(
        _sim(tmp_path, "101:web:vmbr1:20", "101:web:vmbr1", "102:db:vmbr1:30,firewall", "205:ct:vmbr0:9,ct")
    )
    assert _ports(client, "vmbr0") == [{"name": "veth205i0", "vmid": "205", "index": "net0"}]
    assert _ports(client, "vmbr1") == [
        {"name": "tap101i0", "vmid": "101", "index": "net0", "primary_vlan": 20, "vlans": []},
        {"name": "tap101i1", "vmid": "101", "index": "net1", "primary_vlan": 1, "vlans": ["2-4094"]},
        {"name": "fwpr102p0", "vmid": "102", "index": "net0", "primary_vlan": 30, "vlans": []},
    ]
    assert _on_ports(client) == [("101", "net0"), ("101", "net1"), ("102", "net0"), ("205", "net0")]


def test_a_stopped_guest_has_none(tmp_path: Path) -> None:
    """Who does not run is in the lists, with the bridge of its configuration, and nowhere in the kernel."""
    client = Client(_sim(tmp_path, "110:old:vmbr9,stopped"))
    assert _on_ports(client) == []
    assert _resource(client, 110)["status"] == "stopped"
    (entry,) = client.ask("GET", "/nodes/pve1/qemu").json()["data"]
    assert (entry["vmid"], entry["name"], entry["status"]) == (110, "old", "stopped")
    assert ",bridge=vmbr9" in client.ask("GET", "/nodes/pve1/qemu/110/config").json()["data"]["net0"]


def test_a_port_stays_behind_when_its_bridge_goes(tmp_path: Path) -> None:
    """A guest runs on without its bridge, and does not hang on one of the same name that is made later."""
    client = Client(_sim(tmp_path, "101:web:vmbr1"))
    client.ask("DELETE", "/nodes/pve1/network/vmbr1")
    reload(client)
    client.sleep(1)
    assert _on_ports(client) == [("101", "net0")]
    client.ask("POST", "/nodes/pve1/network", iface="vmbr1", type="bridge", bridge_ports="ens2", autostart=1)
    reload(client)
    client.sleep(1)
    assert _ports(client, "vmbr1") == []
    GuestFolder(client.node).restart(client.now)
    assert [port["name"] for port in _ports(client, "vmbr1")] == ["tap101i0"]


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (("101",), "is not a guest"),
        (("99:web:vmbr0",), "is not a guest"),
        (("101:web",), "is not a guest"),
        (("101:we b:vmbr0",), "is not a guest"),
        (("101:web:vmbr0:0",), "is not a guest"),
        (("101:web:vmbr0:4095",), "no VLAN 4095"),
        (("101:web:vmbr0,idle",), "unknown word idle"),
        (("101:web:vmbr0", "101:db:vmbr0"), "named twice"),
        (("101:web:vmbr0", "101:web:vmbr0,ct"), "named twice"),
        (("101:web:vmbr9",), "no bridge vmbr9 for guest 101"),
    ],
)
def test_what_is_no_guest_makes_no_node(tmp_path: Path, texts: tuple[str, ...], complaint: str) -> None:
    """A guest that can't be is refused with what may be written, and no node is made."""
    with pytest.raises(SimError, match=complaint):
        _sim(tmp_path, *texts)
    assert Sim(tmp_path).nodes == []


def test_a_guest_is_on_one_node(tmp_path: Path) -> None:
    """A number that is taken on another node is refused."""
    _sim(tmp_path, "101:web:vmbr0")
    with pytest.raises(SimError, match="guest 101 exists already"):
        Sim.init(tmp_path, node="pve2", interfaces=FILE, guests=["101:web:vmbr0"])


def test_what_is_pending_becomes_live_with_a_start(tmp_path: Path) -> None:
    """The configuration says the new bridge at once, the kernel when the guest has started anew."""
    client = Client(_sim(tmp_path, "101:web:vmbr0"), "guest-stops=101@GET version", "guest-starts=101@GET version")
    path = client.node.folder / "qemu-server" / "101.conf"
    path.write_text("#a %3A note\nname: web\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0\nonboot: 1\n\n"
                    "[PENDING]\ndelete: onboot\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr1\n\n"
                    "[before]\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr9\nsnaptime: 1795600000\n")  # fmt: skip
    config, current = (
        client.ask("GET", f"/nodes/pve1/qemu/101/config{query}").json()["data"] for query in ("", "?current=1")
    )
    assert ("vmbr1" in config["net0"], "vmbr0" in current["net0"]) == (True, True)
    assert ("onboot" in config, current["onboot"], config["description"]) == (False, 1, "a : note")
    pending = client.ask("GET", "/nodes/pve1/qemu/101/pending").json()["data"]
    assert {"key": "onboot", "value": 1, "delete": 1} in pending
    assert [port["name"] for port in _ports(client, "vmbr0")] == ["tap101i0"]
    client.ask("GET", "/version")
    assert [port["name"] for port in _ports(client, "vmbr1")] == ["tap101i0"]
    kept = GuestConfig.parse("qemu", 101, path.read_text())
    assert (kept.pending, kept.live["description"]) == ({}, "a : note")
    assert kept.snapshots["before"]["net0"].endswith("vmbr9")


def test_a_guest_that_starts_and_stops_meanwhile(tmp_path: Path) -> None:
    """Its port comes and goes at once; the cluster's list follows when pvestatd has reported."""
    client = Client(_sim(tmp_path, "101:web:vmbr0,stopped"), "guest-starts=101@1", "guest-stops=101@GET version")
    client.now += 1  # a moment after a report
    assert _on_ports(client) == [("101", "net0")]
    assert _resource(client, 101)["status"] == "stopped"
    client.sleep(10)
    assert _resource(client, 101)["status"] == "running"
    client.ask("GET", "/version")
    assert _on_ports(client) == []


def test_a_guest_that_migrates_meanwhile(tmp_path: Path) -> None:
    """It is gone here with its port, and runs there; the cluster does not know its state at first."""
    sim = _sim(tmp_path, "101:web:vmbr1:20", "102:db:vmbr0", nodes=2)
    client = Client(sim, "guest-migrates=101@GET version", "guest-migrates=102:pve2@GET version")
    client.now += 1
    client.ask("GET", "/version")
    assert _on_ports(client) == []
    unknown = _resource(client, 101)
    assert unknown == {"id": "qemu/101", "node": "pve2", "status": "unknown", "type": "qemu", "vmid": 101}
    answer = client.ask("GET", "/nodes/pve1/qemu/101/config")
    assert answer.reason == "Configuration file 'nodes/pve1/qemu-server/101.conf' does not exist"
    there = client.ask("GET", "/nodes/pve2/netstat").json()["data"]
    assert sorted(each["vmid"] for each in there) == ["101", "102"]
    client.sleep(10)
    assert (_resource(client, 101)["status"], _resource(client, 101)["name"]) == ("running", "web")


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("guest-starts=999@1", "there is no guest 999"),
        ("guest-migrates=101@1", "there is no other node in"),
        ("guest-starts=110@1", "guest 110 can't start: pve1 lacks one of its bridges"),
    ],
)
def test_what_no_guest_can_do_is_said(tmp_path: Path, fault: str, complaint: str) -> None:
    """A fault that asks the impossible is no silence."""
    client = Client(_sim(tmp_path, "101:web:vmbr0", "110:old:vmbr9,stopped"), fault)
    assert complaint in client.ask("GET", "/nodes/pve1/netstat").reason


def test_a_vnet_stands_beside_the_file(tmp_path: Path) -> None:
    """It is made of interfaces.d, keeps its ports over reloads, is in no bridges call, and goes with its stanza."""
    client = Client(Sim(with_vnet(tmp_path, ("101:web:vnet1", "102:db:vmbr1"))))
    before = kernel(client)
    assert {port.name for port in before.ports("vnet1")} == {"vmbr1.20", "tap101i0"}
    client.ask("PUT", "/nodes/pve1/network/ens37", type="eth", comments="x")
    assert exitstatus(client, reload(client)) == "OK"
    assert differences(before, kernel(client)) == {}
    assert [row["name"] for row in client.ask("GET", BRIDGES).json()["data"]] == ["vmbr0", "vmbr1"]
    (client.node.interfaces.parent / "interfaces.d" / "sdn").unlink()
    assert exitstatus(client, reload(client)) == "OK"
    assert set(differences(before, kernel(client))) == {"vnet1", "vmbr1.20", "tap101i0"}


def test_a_port_that_does_not_come_back(tmp_path: Path) -> None:
    """The guest runs on after the reload, and only its port hangs nowhere."""
    client = Client(_sim(tmp_path, "101:web:vmbr0", "102:db:vmbr0"), "guest-lost=101@1")
    client.ask("PUT", "/nodes/pve1/network/ens2", type="eth", comments="x")
    assert len(_ports(client, "vmbr0")) == 2
    reload(client)
    client.sleep(1)
    assert [port["name"] for port in _ports(client, "vmbr0")] == ["tap102i0"]
    assert _on_ports(client) == [("101", "net0"), ("102", "net0")]


def test_a_reboot_starts_the_guests_that_ran(tmp_path: Path) -> None:
    """Their ports are on their bridges again."""
    client = Client(_sim(tmp_path, "101:web:vmbr0"), "guest-lost=101@PUT network", "reboot=0@GET version")
    reload(client)
    client.sleep(1)
    assert _ports(client, "vmbr0") == []
    client.ask("GET", "/version")
    assert [port["name"] for port in _ports(client, "vmbr0")] == ["tap101i0"]


def test_ports_are_those_of_the_recorded_configurations() -> None:
    """VLAN, trunks, firewall and a cable that is out; a NIC without a bridge has no port."""
    text = (
        "net0: virtio=BC:24:11:2C:69:EC,bridge=vmbr0,firewall=1,tag=20\n"
        "net1: e1000=BC:24:11:2C:69:ED,bridge=vmbr1,link_down=1,trunks=10;20-30\nnet2: virtio=BC:24:11:2C:69:0C\n"
    )
    assert ports_of(GuestConfig.parse("qemu", 100, text)) == (
        Guest(vmid=100, index=0, bridge="vmbr0", firewall=True, tag=20),
        Guest(vmid=100, index=1, bridge="vmbr1", trunks=("10", "20-30"), carrier=False),
    )


KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True).filter(lambda key: key not in {"delete", "description"})
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
NOTES = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Zl", "Zp", "Cc")), min_size=1, max_size=30)


@given(
    values=st.dictionaries(KEYS, TEXTS),
    notes=st.lists(NOTES, max_size=3),
    snapshots=st.dictionaries(KEYS, st.dictionaries(KEYS, TEXTS), max_size=2),
)
def test_a_configuration_is_read_as_it_was_written(
    values: dict[str, str], notes: list[str], snapshots: dict[str, dict[str, str]]
) -> None:
    """Whatever its values and notes: a note that looks like a section or a value is none."""
    live = values | ({"description": "\n".join(notes)} if notes else {})
    config = GuestConfig.parse("qemu", 100, written(live, snapshots))
    assert (config.live, config.snapshots, config.pending) == (live, snapshots, {})


def test_a_tap_that_a_file_makes_counts_as_a_guests_port(tmp_path: Path) -> None:
    """By its name alone, also where there is no guest."""
    made = "auto tap100i0\niface tap100i0 inet manual\n\tpre-up ip tuntap add dev tap100i0 mode tap\n"
    client = Client(Sim.init(tmp_path, interfaces=FILE + made))
    assert _on_ports(client) == [("100", "net0")]
