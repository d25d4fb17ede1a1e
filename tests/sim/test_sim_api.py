"""The simulated node's API gives the recorded answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from sim_client import HERE, Client
from sim_replay import FIXTURES, Replay, load

from pvenet.sim.inspect import inspect
from pvenet.sim.machine.network_state import NetworkState
from pvenet.sim.machine.simulated import RELOAD
from pvenet.sim.state import Sim, SimError, write_json

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("group", ["B", "C", "D", "walkthrough/exchanges.jsonl"])
def test_recorded_exchanges_are_answered_alike(group: str, tmp_path: Path) -> None:
    """Status, reason, headers, JSON and both files are what the real API's were."""
    assert list(Replay(tmp_path, load(group)).differences()) == []


def test_first_use_makes_the_walkthrough(tmp_path: Path) -> None:
    """An empty folder becomes the walk-through's node, byte for byte."""
    sim = Sim.open(tmp_path / "new")
    assert sim.nodes == ["pve1"]
    assert sim.node("pve1").applied() == (FIXTURES / "walkthrough" / "interfaces.start").read_text()
    assert sim.host("pve1").up == {"lo", "ens33", "ens37", "vmbr0"}


def test_edits_by_hand_are_seen(tmp_path: Path) -> None:
    """What a person writes into the folder is the truth at the next request."""
    client = Client(tmp_path)
    client.node.stage("auto lo\niface lo inet loopback\n\niface vmbr9 inet manual\n\tbridge-ports none\n")
    answer = client.ask("GET", "/nodes/pve1/network").json()
    assert "vmbr9" in {entry["iface"] for entry in answer["data"]}
    assert "+iface vmbr9 inet manual" in answer["changes"]


def test_a_node_with_its_own_nics(tmp_path: Path) -> None:
    """A node made from NICs has a minimal file, and a second of its name is refused."""
    Sim.init(tmp_path, node="a", nics=["eno1", "eno2"])
    client = Client(tmp_path)
    entries = client.ask("GET", "/nodes/a/network").json()["data"]
    assert [(entry["iface"], entry.get("exists")) for entry in entries] == [("eno1", 1), ("eno2", 1)]
    with pytest.raises(SimError, match="node a exists already"):
        Sim.init(tmp_path, node="a")


def test_a_node_from_a_file_has_booted_with_it(tmp_path: Path) -> None:
    """The NICs that a file names exist, and what it starts is up."""
    text = "auto vmbr0\niface vmbr0 inet static\n\taddress 10.0.0.1/24\n\tbridge-ports bond0\n\n"
    text += "iface bond0 inet manual\n\tbond-slaves eno1 eno2\n"
    sim = Sim.init(tmp_path, node="a", interfaces=text)
    assert set(sim.host("a").nics) == {"eno1", "eno2"}
    assert sim.host("a").up == {"lo", "eno1", "eno2", "bond0", "vmbr0"}
    assert sim.node("a").machine().ip == "10.0.0.1"


def test_a_folder_of_bare_files_is_a_sim(tmp_path: Path) -> None:
    """Nodes that came without a machine, out of git say, get one from their file."""
    place = tmp_path / "pve7" / "etc" / "network"
    place.mkdir(parents=True)
    (place / "interfaces").write_text("auto eno1\niface eno1 inet dhcp\n")
    assert Sim.open(tmp_path).nodes == ["pve7"]
    assert Sim.open(tmp_path).host("pve7").up == {"lo", "eno1"}


@pytest.mark.parametrize("name", ["", "a/b", "-a", "a_b", ".."])
def test_node_names_are_names_of_hosts(name: str, tmp_path: Path) -> None:
    """What can't be a host's name can't be a node's."""
    with pytest.raises(SimError, match="not a node name"):
        Sim.init(tmp_path, node=name)


def test_broken_files_of_the_sim_are_named(tmp_path: Path) -> None:
    """A person who breaks a file of the sim is told which."""
    sim = Sim.open(tmp_path)
    write_json(tmp_path / "sim.json", {"wrokers": 3})
    with pytest.raises(SimError, match=r"sim.json holds an unknown switch: wrokers"):
        sim.config()
    (tmp_path / "sim.json").write_text("{")
    with pytest.raises(SimError, match=r"sim.json is not valid JSON"):
        sim.config()


def test_the_states_of_a_node(tmp_path: Path) -> None:
    """Every state is reached by its calls, and a reload is defined in all of them."""
    client = Client(tmp_path)

    def state() -> NetworkState:
        return inspect(client.adapter.sim, client.now)[0].state

    assert state() is NetworkState.CLEAN
    client.ask("POST", "/nodes/pve1/network", iface="vmbr1", type="bridge")
    assert state() is NetworkState.STAGED
    client.ask("PUT", "/nodes/pve1/network")
    assert state() is NetworkState.RELOADING
    client.ask("POST", "/nodes/pve1/network", iface="vmbr2", type="bridge")
    assert state() is NetworkState.RELOADING_STAGED
    client.sleep(1)
    assert state() is NetworkState.STAGED
    client.ask("DELETE", "/nodes/pve1/network")
    assert state() is NetworkState.CLEAN
    assert set(RELOAD) == set(NetworkState)


def test_a_look_from_outside(tmp_path: Path) -> None:
    """A person sees each node's links and tasks without asking its API."""
    client = Client(tmp_path)
    client.ask("POST", "/nodes/pve1/network", iface="bond0", type="bond", slaves="ens38", autostart=1)
    client.ask("PUT", "/nodes/pve1/network")
    client.sleep(1)
    (view,) = inspect(client.adapter.sim, client.now)
    assert {link for link, up in view.links.items() if up} == {"ens33", "ens37", "ens38", "bond0", "vmbr0"}
    assert view.links["ens41"] is False
    assert [task.exitstatus for task in view.tasks] == ["OK"]
    assert (view.name, view.online, view.address) == ("pve1", True, "192.168.171.21")


def test_a_name_in_the_path_and_another_in_the_form(tmp_path: Path) -> None:
    """A parameter that contradicts the path is refused, in whatever place."""
    client = Client(tmp_path)
    answer = client.ask("PUT", "/nodes/pve1/network/ens38", iface="ens39", type="eth")
    assert answer.json()["errors"] == {"iface": "duplicate parameter (already defined in URI) with conflicting values!"}
    assert client.ask("PUT", "/nodes/pve1/network/ens38", iface="ens38", type="eth").status_code == 200


@pytest.mark.parametrize(
    ("place", "text", "complaint"),
    [
        ("pve1/machine.json", '{"nicks": {}}', "does not describe a machine"),
        ("pve1/machine.json", '{"guests": {"vmid": 101}}', "does not describe a machine"),
        ("pve1/machine.json", '{"hardware": ["ens33"]}', "does not describe a machine"),
        ("pve1/machine.json", '{"links": []}', "does not describe a machine"),
        ("pve1/guests.json", '{"web": {}}', "does not say which guests run"),
        ("pve1/links.json", '{"0": 3}', "does not say which links are dead"),
        ("pve1/reload-later.json", '{"at": 1}', "does not say when to reload"),
        ("sdn/.running-config", '{"zones": []}', "does not say which zones are applied"),
    ],
)
def test_a_broken_file_is_an_answer(place: str, text: str, complaint: str, tmp_path: Path) -> None:
    """A file of the sim that a person broke is named in an answer of 500."""
    client = Client(tmp_path)
    Sim.init(tmp_path, node="pve2")
    (tmp_path / place).write_text(text)
    answers = [client.ask("GET", path) for path in ("/nodes/pve1/network", "/cluster/sdn/zones", "/cluster/status")]
    assert {answer.reason.partition(": ")[0] for answer in answers if answer.status_code == 500} == {
        f"{tmp_path / place} {complaint}"
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "000001.json is not valid JSON"),
        ("[]", "000001.json does not hold a JSON object"),
        ('{"upid": "x"}', "000001.json does not describe a task"),
        ('{"steps": 5}', "000001.json does not describe a task"),
        ('{"told": [{"link": "bond0"}]}', "000001.json does not describe a task"),
    ],
)
def test_a_broken_task_is_an_answer(text: str, complaint: str, tmp_path: Path) -> None:
    """So is a task's file, whatever is asked of the tasks."""
    client = Client(tmp_path)
    client.node.tasks.mkdir(exist_ok=True)
    (client.node.tasks / "000001.json").write_text(text)
    for path in ("/nodes/pve1/tasks", "/cluster/tasks"):
        answer = client.ask("GET", path)
        assert answer.status_code == 500
        assert complaint in answer.reason


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    """A comment in another encoding loses what is no UTF-8, as PVE's does, and the node still answers."""
    client = Client(tmp_path)
    before = client.node.interfaces.read_bytes().replace(b"#For", b"#F\xfcr")
    client.node.interfaces.write_bytes(before)
    assert client.ask("PUT", "/nodes/pve1/network/ens38", type="eth").status_code == 200
    assert "#F\ufffdr management" in client.node.staged.read_text("utf-8")
    assert client.ask("GET", "/nodes/pve1/network").status_code == 200


def test_repeated_fields_are_joined(tmp_path: Path) -> None:
    """A field that comes twice is one value with a comma, which PVE then refuses as a slave."""
    client = Client(tmp_path)
    form = [("iface", "bond0"), ("type", "bond"), ("slaves", "ens38"), ("slaves", "ens39")]
    answer = client.session.post(f"{HERE}/nodes/pve1/network", data=form, timeout=5)
    assert (answer.status_code, answer.reason[:45]) == (500, "bond 'bond0' - wrong interface type on slave ")
    assert "ens38,ens39" in answer.reason


def test_the_query_of_a_post_counts(tmp_path: Path) -> None:
    """Parameters of a POST may stand in its address."""
    client = Client(tmp_path)
    assert client.ask("POST", "/nodes/pve1/network?iface=vmbr1&type=bridge").status_code == 200
    assert client.ask("GET", "/nodes/pve1/network/vmbr1").json()["data"]["type"] == "bridge"


def test_random_order_on_request(tmp_path: Path) -> None:
    """Arrays come in another order each time when the sim is told so, and only then."""
    client = Client(tmp_path)

    def orders() -> set[tuple[str, ...]]:
        answers = (client.ask("GET", "/nodes/pve1/network").json()["data"] for _ in range(8))
        return {tuple(entry["iface"] for entry in entries) for entries in answers}

    assert len(orders()) == 1
    write_json(tmp_path / "sim.json", {"random_order": True})
    assert len(orders()) > 1


def test_workers_freeze_flags_each_for_itself(tmp_path: Path) -> None:
    """A worker that is asked during a reload keeps saying what it saw, until a file changes (real/2-frozen-b)."""
    client = Client(tmp_path)
    write_json(tmp_path / "sim.json", {"workers": 3, "reload_seconds": 4})
    client.ask("POST", "/nodes/pve1/network", iface="vmbr1", type="bridge", autostart=1)
    client.ask("PUT", "/nodes/pve1/network")
    assert "vmbr1" not in client.active()
    client.sleep(5)
    assert "vmbr1" not in client.active()
    client.adapter._connection += 1
    assert "vmbr1" in client.active()
    client.adapter._connection += 2
    assert "vmbr1" not in client.active()
    client.ask("PUT", "/nodes/pve1/network")
    client.sleep(5)
    assert any("vmbr1" not in client.active() for client.adapter._connection in range(3))
    client.ask("PUT", "/nodes/pve1/network/ens41", type="eth")
    client.ask("DELETE", "/nodes/pve1/network")
    for client.adapter._connection in range(3):
        assert "vmbr1" in client.active()


class TestCluster:
    """Several nodes in one folder."""

    @pytest.fixture
    def client(self, tmp_path: Path) -> Client:
        Sim.init(tmp_path, node="pve1")
        Sim.init(tmp_path, node="pve2", nics=["eno1"])
        return Client(tmp_path)

    def test_any_endpoint_reaches_every_node(self, client: Client) -> None:
        """A call for another node is handed over to it."""
        assert client.ask("POST", "/nodes/pve2/network", iface="vmbr0", type="bridge").status_code == 200
        assert client.adapter.sim.node("pve2").staged.exists()
        assert not client.node.staged.exists()

    def test_the_endpoint_is_where_the_name_leads(self, client: Client) -> None:
        """A client that names a node in the address arrives there."""
        entries = client.ask("GET", "/nodes/localhost/network", at=HERE.replace("pve1", "pve2")).json()["data"]
        assert [entry["iface"] for entry in entries] == ["eno1"]

    def test_the_lists_know_all(self, client: Client) -> None:
        """Nodes, resources and status of the cluster name every node."""
        assert [entry["node"] for entry in client.ask("GET", "/nodes").json()["data"]] == ["pve1", "pve2"]
        assert len(client.ask("GET", "/cluster/resources?type=node").json()["data"]) == 2
        whole, *nodes = client.ask("GET", "/cluster/status").json()["data"]
        assert (whole["type"], whole["nodes"], whole["quorate"]) == ("cluster", 2, 1)
        assert [(node["name"], node["local"], node["online"]) for node in nodes] == [("pve1", 1, 1), ("pve2", 0, 1)]

    def test_a_node_that_is_down(self, client: Client) -> None:
        """Its peers answer 595 for it, and show it as offline; itself it says nothing."""
        other = client.adapter.sim.node("pve2")
        other.save(other.machine().but(online=False))
        answer = client.ask("GET", "/nodes/pve2/network")
        assert (answer.status_code, answer.reason, answer.content) == (595, "Connection refused", b"")
        assert [entry["status"] for entry in client.ask("GET", "/nodes").json()["data"]] == ["online", "offline"]
        with pytest.raises(requests.ConnectTimeout):
            client.ask("GET", "/version", at=HERE.replace("pve1", "pve2"))

    def test_tasks_of_the_cluster(self, client: Client) -> None:
        """The tasks of all nodes stand in one list."""
        upids = {client.ask("PUT", f"/nodes/{node}/network").json()["data"] for node in ("pve1", "pve2")}
        client.sleep(1)
        assert {entry["upid"] for entry in client.ask("GET", "/cluster/tasks").json()["data"]} == upids
