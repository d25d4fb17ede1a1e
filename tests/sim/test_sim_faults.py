"""Faults happen when they are ordered, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests
from sim_client import HERE, Client

from pvenet.sim.faults import KINDS, Address, Fault, parse, usage
from pvenet.sim.state import Sim, SimError

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = "/nodes/pve1/network"
VALUES = {
    "SECONDS": "=1",
    "PRIVILEGE": "=Sys.Audit",
    "LINK": "=bond0",
    "IFACE": "=vmbr0",
    "STATUS[:after]": "=520",
    "JSON": "=[]",
    "IFACE:FIELD=VALUE": "=vmbr0:mtu=1400",
}
"""For the kinds that need one."""
PEER = HERE.replace("pve1", "pve2")


def stage(client: Client, iface: str = "vmbr1") -> requests.Response:
    return client.ask("POST", NETWORK, iface=iface, type="bridge", autostart=1)


def reload(client: Client, at: str = HERE) -> str:
    upid: str = client.ask("PUT", NETWORK, at=at).json()["data"]
    return upid


def exitstatus(client: Client, upid: str, at: str = HERE) -> str | None:
    client.sleep(1)
    status: str | None = client.ask("GET", f"/nodes/pve1/tasks/{upid}/status", at=at).json()["data"].get("exitstatus")
    return status


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop-before@1", Fault(kind="drop-before", at=1)),
        ("595@4", Fault(kind="595", at=4)),
        ("599=after@12", Fault(kind="599", at=12, value="after")),
        ("delay=2.5@3", Fault(kind="delay", at=3, value="2.5")),
        ("lacks=Sys.Modify@2", Fault(kind="lacks", at=2, value="Sys.Modify")),
        ("reload-fails=1:x : error: x: a@b @1", Fault(kind="reload-fails", at=1, value="1:x : error: x: a@b ")),
        ("drop-after@PUT network", Fault(kind="drop-after", at=1, address=Address(method="PUT", path="network"))),
        (
            "599=after@GET network+2",
            Fault(kind="599", at=2, value="after", address=Address(method="GET", path="network")),
        ),
    ],
)
def test_faults_are_words(text: str, fault: Fault) -> None:
    """A fault reads as it is written."""
    assert parse(text) == fault
    assert str(fault) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("drop-before", "does not say at which request"),
        ("drop-before@0", "does not say at which request"),
        ("drop-before@x", "does not say at which request"),
        ("@1", "does not say at which request"),
        ("600@1", "unknown fault '600'; there are: drop-before"),
        ("restart=1@1", "fault restart takes no value: restart@1"),
        ("delay@1", "fault delay needs a value: delay=SECONDS@1"),
        ("delay=long@1", "'long' is no number of seconds"),
        ("595=before@1", "'before' says nothing about an answer"),
        ("reload-fails=x@1", "'x' is no exit code"),
        ("gateway=abc@1", "'abc' is no status of HTTP, from 200 to 599"),
        ("gateway=99@1", "'99' is no status"),
        ("gateway=520:before@1", "'before' says nothing about an answer"),
        ("trickle=slow@1", "'slow' is no number of seconds"),
        ("foreign-set=vmbr0@1", "'vmbr0' sets no field: write IFACE:FIELD=VALUE"),
        ("foreign-set=vmbr0:colour=red@1", "PVE would refuse 'vmbr0:colour=red'"),
        ("foreign-set=vmbr0:mtu=9@1", "mtu: value must have a minimum value of 1280"),
        ("drop-after@FETCH network", "no method FETCH, only DELETE, GET, POST, PUT"),
        ("drop-after@PUT netwrok", r"no request is `PUT netwrok`; with PUT there are: network, network/\*"),
        ("drop-after@PUT", "does not say at which request"),
        ("drop-after@PUT network+0", "counted from 1"),
        ("drop-after@GET network?type=bridge", "is no request: write KIND@METHOD PATH"),
        ("drop-after@GET network/a/b", "no request is"),
    ],
)
def test_what_is_no_fault_is_refused(text: str, complaint: str) -> None:
    """The complaint says what to write instead."""
    with pytest.raises(SimError, match=complaint):
        parse(text)


class TestAddresses:
    """A fault is for what is asked."""

    def test_the_reload_and_nothing_else(self, tmp_path: Path) -> None:
        """However many requests come before it, and whatever else is put."""
        client = Client(tmp_path, "drop-after@PUT network")
        stage(client)
        assert client.ask("PUT", f"{NETWORK}/vmbr1", type="bridge", comments="x").status_code == 200
        with pytest.raises(requests.ConnectionError):
            reload(client)
        assert "vmbr1" in client.node.applied()
        client.sleep(1)
        assert exitstatus(client, reload(client)) == "OK"

    def test_any_interface(self, tmp_path: Path) -> None:
        """`*` is one part of a path, and not none."""
        client = Client(tmp_path, "599@PUT network/*")
        stage(client)
        assert client.ask("PUT", NETWORK).status_code == 200
        assert client.ask("PUT", f"{NETWORK}/vmbr0", type="bridge").status_code == 599
        assert client.ask("PUT", f"{NETWORK}/vmbr0", type="bridge").status_code == 200

    @pytest.mark.parametrize(
        ("where", "path"),
        [
            ("GET network", "/nodes/pve1/network?type=bridge"),
            ("get /network/", "/nodes/pve1/network"),
            ("GET nodes/pve1/network", "/nodes/pve1/network"),
            ("GET api2/json/nodes/*/network", "/nodes/localhost/network"),
            ("GET cluster/status", "/cluster/status"),
            ("GET access/permissions", "/access/permissions"),
            ("GET network/vmbr0", "/nodes/pve1/network/vmbr0"),
        ],
    )
    def test_the_second_match(self, where: str, path: str, tmp_path: Path) -> None:
        """Others are not counted; a path is the node's or the whole, its query aside."""
        client = Client(tmp_path, f"599@{where}+2")
        asked = [path, "/version", path, path]
        assert [client.ask("GET", each).status_code for each in asked] == [200, 200, 599, 200]

    def test_the_name_of_a_task(self, tmp_path: Path) -> None:
        """It has an @ of its own, and comes with or without percent signs."""
        client = Client(tmp_path)
        upid = reload(client)
        client = Client(tmp_path, f"599@GET tasks/{upid}/log", "595@GET tasks/*/status")
        assert client.ask("GET", f"/nodes/pve1/tasks/{upid}/status").status_code == 595
        assert client.ask("GET", f"/nodes/pve1/tasks/{quote(upid, safe='')}/log").status_code == 599

    def test_a_reload_that_is_ordered_to_fail(self, tmp_path: Path) -> None:
        """The addressed one, not the first."""
        client = Client(tmp_path, "reload-fails=3@PUT network+2", "never-up=ens38@POST network")
        ends = [exitstatus(client, reload(client)) for _ in range(3)]
        assert ends == ["OK", "command 'ifreload -a' failed: exit code 3", "OK"]

    def test_what_lasts(self, tmp_path: Path) -> None:
        """It begins with the addressed request."""
        client = Client(tmp_path, "lacks=Sys.Modify@POST network+2")
        assert [stage(client, f"vmbr{n}").status_code for n in (1, 2, 3)] == [200, 403, 403]


def test_every_kind_can_be_ordered() -> None:
    """Each kind has words that order it."""
    for name, kind in KINDS.items():
        value = VALUES.get(kind.value, "")
        assert parse(f"{name}{value}@1").kind == name


def test_a_connection_that_drops_before(tmp_path: Path) -> None:
    """Nothing was done, and the next request is served."""
    client = Client(tmp_path, "drop-before@POST network")
    with pytest.raises(requests.ConnectionError):
        stage(client)
    assert not client.node.staged.exists()
    assert stage(client).status_code == 200


def test_a_connection_that_drops_after(tmp_path: Path) -> None:
    """It was done, and nobody says so."""
    client = Client(tmp_path, "drop-after@POST network")
    with pytest.raises(requests.ConnectionError):
        stage(client)
    assert client.node.staged.exists()


@pytest.mark.parametrize(("fault", "staged"), [("595@POST network", False), ("599=after@POST network", True)])
def test_the_proxys_answers(fault: str, staged: bool, tmp_path: Path) -> None:  # noqa: FBT001  an expectation
    """A status of the proxy's has no body, and the node may have acted or not."""
    client = Client(tmp_path, fault)
    answer = stage(client)
    assert (str(answer.status_code), answer.content) == (fault[:3], b"")
    assert client.node.staged.exists() is staged


class TestAnswers:
    """What comes back is not always what the node said."""

    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("status", [408, 429, 500, 520, 524, 530])
    def test_a_gateways(self, status: int, tmp_path: Path, *, after: bool) -> None:
        """A text of its own, with nothing of PVE's about it; the node may have acted or not."""
        client = Client(tmp_path, f"gateway={status}{':after' if after else ''}@POST network")
        answer = stage(client)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/plain; charset=UTF-8")
        assert answer.text.endswith("\n")
        assert answer.headers["Server"] == "gateway"
        assert client.node.staged.exists() is after

    @pytest.mark.parametrize("after", [False, True])
    def test_an_error_of_pves(self, tmp_path: Path, *, after: bool) -> None:
        """In PVE's own form, which proves nothing."""
        client = Client(tmp_path, f"error{'=after' if after else ''}@POST network")
        answer = stage(client)
        assert (answer.status_code, answer.reason) == (500, "something failed")
        assert answer.json() == {"data": None, "message": "something failed\n"}
        assert client.node.staged.exists() is after

    @pytest.mark.parametrize("after", [False, True])
    def test_broken_tls(self, tmp_path: Path, *, after: bool) -> None:
        """Nobody can say what it was."""
        client = Client(tmp_path, f"tls-broken{'=after' if after else ''}@POST network")
        with pytest.raises(requests.exceptions.SSLError):
            stage(client)
        assert client.node.staged.exists() is after

    def test_a_torn_one(self, tmp_path: Path) -> None:
        """The node has acted; also where there is no body to be torn."""
        client = Client(tmp_path, "torn@POST network", "torn@GET network+2")
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            stage(client)
        assert client.node.staged.exists()
        assert client.ask("GET", NETWORK).status_code == 200
        client.session.headers["Authorization"] = "PVEAPIToken=nobody@pam!x=1"
        with pytest.raises(requests.ConnectionError):
            client.ask("GET", NETWORK)

    def test_one_that_trickles(self, tmp_path: Path) -> None:
        """Each byte comes in time, and the whole only to a client that waits as long for all of it."""
        client = Client(tmp_path, "trickle=0.015625@GET version", "trickle=2@GET version+2")
        before = client.now
        answer = client.ask("GET", "/version")
        assert client.now == before + len(answer.content) / 64
        assert answer.json()["data"]["release"] == "9.2"
        before = client.now
        with pytest.raises(requests.ConnectionError, match="timed out"):
            client.ask("GET", "/version")
        assert client.now == before + 5

    @pytest.mark.parametrize("text", ['{"data":null}', "[]", "null", '{"data":{"status":5}}', "{", "[[@1]]"])
    def test_an_odd_one(self, text: str, tmp_path: Path) -> None:
        """200 and whatever was ordered; the node has acted."""
        client = Client(tmp_path, f"odd-answer={text}@POST network")
        answer = stage(client)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert client.node.staged.exists()


def test_a_slow_answer(tmp_path: Path) -> None:
    """A client that waits long enough gets it; another one does not know that it was done."""
    client = Client(tmp_path, "delay=4@POST network", "delay=6@DELETE network")
    before = client.now
    assert stage(client).status_code == 200
    assert client.now == before + 4
    with pytest.raises(requests.ReadTimeout):
        client.ask("DELETE", NETWORK)
    assert client.now == before + 9
    assert not client.node.staged.exists()


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


def test_flags_freeze(tmp_path: Path) -> None:
    """From the ordered request on flags stay as they are, until a file changes."""
    client = Client(tmp_path, "freeze@PUT network")
    stage(client)
    reload(client)
    assert "vmbr1" not in client.active()
    client.sleep(1)
    assert "vmbr1" not in client.active()
    stage(client, "vmbr2")
    assert "vmbr1" in client.active()


def test_a_privilege_that_goes_missing(tmp_path: Path) -> None:
    """From the ordered request on nobody has it."""
    client = Client(tmp_path, "lacks=Sys.Modify@POST network+2")
    assert stage(client).status_code == 200
    assert stage(client, "vmbr2").reason == "Permission check failed (/nodes/pve1, Sys.Modify)"


def test_a_lock_that_is_held(tmp_path: Path) -> None:
    """One staging call waits in vain; reading is free."""
    client = Client(tmp_path, "locked@1")
    assert client.ask("GET", NETWORK).status_code == 200
    assert stage(client).reason == "can't lock file '/etc/network/.pve-interfaces.lock' - got timeout"
    assert stage(client).status_code == 200


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


def test_the_usage_names_every_kind() -> None:
    """A person can read what can be ordered, and what it does."""
    lines = dict(usage())
    assert len(lines) == len(KINDS)
    assert lines["delay=SECONDS@WHERE"] == "the answer takes longer"
    assert "path-lost[=SECONDS]@WHERE" in lines


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
    ("method", "path", "status"), [("DELETE", NETWORK, 200), ("PUT", NETWORK, 200), ("DELETE", f"{NETWORK}/x", 400)]
)
def test_a_call_that_takes_no_lock_leaves_it(method: str, path: str, status: int, tmp_path: Path) -> None:
    """A revert, a reload, or what is refused before: the lock is still held when the next call wants it."""
    client = Client(tmp_path, "locked@1")
    assert client.ask(method, path).status_code == status
    assert [stage(client).status_code for _ in "12"] == [500, 200]


def test_a_restart_forgets_what_workers_kept(tmp_path: Path) -> None:
    """The request that meets the restart is lost, and the flags are fresh again."""
    client = Client(tmp_path, "freeze@POST network", "restart@GET network+3")
    stage(client)
    reload(client)
    client.active()
    client.sleep(1)
    assert "vmbr1" not in client.active()
    with pytest.raises(requests.ConnectionError):
        client.active()
    assert "vmbr1" in client.active()
