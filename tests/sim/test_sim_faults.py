"""Faults happen when they are ordered, and only then: those of requests and answers, privileges, flags and locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from sim_client import NETWORK, Client, reload, stage

from pvenet.sim.faults import Script
from pvenet.sim.http.frame import Request, Response
from pvenet.sim.machine.backend import NO_ORDERS

if TYPE_CHECKING:
    from pathlib import Path


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


def at(node: str, method: str = "PUT") -> Request:
    """A request about a node's network."""
    return Request(method=method, target=f"/api2/json/nodes/{node}/network")


DONE = Response(status=200, reason="OK")


def test_two_reloads_at_once_have_their_own_faults() -> None:
    """Each fails as was ordered for its node, whichever comes first and whichever ends first."""
    script = Script(["reload-fails=3@PUT nodes/pve1/network", "reload-fails=7@PUT nodes/pve2/network"])
    first, second, third = (script.next(at(node)).orders for node in ("pve1", "pve2", "pve3"))
    assert (first.exit_code, second.exit_code, third) == (3, 7, NO_ORDERS)
    script.seen(at("pve3"), DONE)
    script.seen(at("pve2"), DONE)
    assert script.next(at("pve1")).orders == first
    assert script.next(at("pve2")).orders == NO_ORDERS


def test_what_lasts_is_about_the_node_at_which_it_began() -> None:
    """That node, and what names none; where the request named none, every node; a privilege is lacking on all."""
    asked = (at("pve1", "GET"), at("pve2", "GET"), Request(method="GET", target="/api2/json/access/permissions?path=/"))
    begun = Script(["freeze@GET nodes/pve1/network"])
    assert [begun.next(request).freeze for request in asked] == [True, False, True]
    everywhere = Script(["freeze@GET access/permissions"])
    assert [everywhere.next(request).freeze for request in (*reversed(asked), asked[0])] == [True] * 4
    lacking = Script(["lacks=Sys.Modify@GET nodes/pve1/network"])
    assert [bool(lacking.next(request).lacking) for request in asked] == [True] * 3
