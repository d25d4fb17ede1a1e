"""The SDN lock of the simulated cluster, and what applying the SDN configuration does to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from folder_replay import FolderReplay
from sim_client import Client, stage

from pvenet.sim.sdn.folder import SdnFolder
from pvenet.sim.state import Sim, write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from sim_replay import Exchange

LOCK = "/cluster/sdn/lock"
NO_DRY_RUN = "the sim has no dry run"
NOT_OURS = {
    **dict.fromkeys((f"K5-sdnlock-{number:03}" for number in (2, 3, 4, 6, 8, 10, 12, 23, 44)), NO_DRY_RUN),
    "K5-sdnlock-058": "it counts tasks of exchanges that were held back",
}
"""Exchanges that are not replayed, and why."""
HELD_BACK = "01a2149c-6c4a-7750-a740-ccd703d9fd72"
"""The token of K5-sdnlock-049, whose exchange is not among these."""


class _Replay(FolderReplay):
    """The recording, with the lock that was taken in an exchange that was held back."""

    def _prepare(self, number: int, exchange: Exchange) -> None:
        super()._prepare(number, exchange)
        if exchange.name.startswith("K5-sdnlock-050"):
            (self.adapter.sim.folder / "sdn" / ".lock").write_text(HELD_BACK)


def _token(client: Client) -> str:
    answer = client.ask("POST", LOCK)
    assert answer.status_code == 200, answer.reason
    token: str = answer.json()["data"]
    return token


def _tasks(client: Client, node: str = "pve1") -> list[tuple[str, str, str]]:
    """Type, user and end of the node's tasks, the newest first."""
    listed = client.ask("GET", f"/nodes/{node}/tasks").json()["data"]
    return [(task["type"], task["user"], task["status"]) for task in listed]


def _is_live(client: Client, iface: str = "vmbr1", node: str = "pve1") -> bool:
    return iface in client.active(node)


def test_the_recorded_lock_is_answered_alike(told: Callable[[str], None], tmp_path: Path) -> None:
    """Who may have it, who is refused while it is held, what is good when it is gone."""
    replay = _Replay(tmp_path, "sdn-lock.jsonl", not_ours=NOT_OURS)
    (tmp_path / "sdn").rmdir()
    found = list(replay.differences())
    told(f"sdn-lock.jsonl: {replay.told(found)}")
    assert replay.exchanges
    assert found == []


def test_an_sdn_apply_takes_what_is_staged_on_every_node(tmp_path: Path) -> None:
    """A task of whoever asked, and on each node an ordinary reload by root, a moment later."""
    Sim.init(tmp_path)
    client = Client(Sim.init(tmp_path, node="pve2"))
    stage(client)
    client.ask("POST", "/nodes/pve2/network", iface="vmbr1", type="bridge", autostart=1)
    upid = client.ask("PUT", "/cluster/sdn").json()["data"]
    assert upid.split(":")[5:8] == ["reloadnetworkall", "", "root@pam!full"]
    assert client.node.staged.exists()
    client.sleep(5)
    assert _tasks(client) == [("reloadnetworkall", "root@pam", "OK"), ("srvreload", "root@pam", "OK")]
    assert _tasks(client, "pve2") == [("srvreload", "root@pam", "OK")]
    assert (_is_live(client), _is_live(client, node="pve2")) == (True, True)
    log = client.ask("GET", f"/nodes/pve1/tasks/{upid}/log").json()["data"]
    assert [line["t"] for line in log] == [
        *("pve1: reloading network config", "pve2: reloading network config", "TASK OK"),
    ]


def test_its_task_is_ok_where_a_node_was_not_reached(tmp_path: Path) -> None:
    """Only the log says so. pve-api#sdn-apply-task."""
    for name in ("pve1", "pve3"):
        Sim.init(tmp_path, node=name)
    client = Client(Sim.init(tmp_path, node="pve2"))
    there = client.adapter.sim.node("pve2")
    there.save(there.machine().but(online=False))
    upid = client.ask("PUT", "/cluster/sdn").json()["data"]
    client.sleep(5)
    log = [line["t"] for line in client.ask("GET", f"/nodes/pve1/tasks/{upid}/log").json()["data"]]
    assert log == [
        "pve1: reloading network config",
        "pve2: reloading network config",
        "command 'pvesh set /nodes/pve2/network --regenerate-frr 0' failed: exit code 255",
        "pve3: reloading network config",
        "TASK OK",
    ]
    there.save(there.machine().but(online=True))
    assert _tasks(client, "pve2") == []


def test_the_node_itself_ignores_the_lock(tmp_path: Path) -> None:
    """Staging and reloading go on while somebody holds it."""
    client = Client(tmp_path)
    _token(client)
    assert stage(client).status_code == 200
    assert client.ask("PUT", "/nodes/pve1/network").status_code == 200


def test_the_holder_applies_and_lets_go(tmp_path: Path) -> None:
    """With the token, which releases the lock; or keeps it where that was asked for."""
    client = Client(tmp_path)
    token = _token(client)
    assert client.ask("PUT", f"/cluster/sdn?lock-token={token}&release-lock=0").status_code == 200
    assert client.ask("PUT", "/cluster/sdn").status_code == 500
    assert client.ask("PUT", f"/cluster/sdn?lock-token={token}").status_code == 200
    _token(client)


def test_a_lock_that_somebody_else_takes(tmp_path: Path) -> None:
    """It can't be had, and is not released by a token that is none; who came first keeps his."""
    client = Client(tmp_path, f"sdn-locked@POST {LOCK[1:]}", "sdn-locked@GET version")
    refused = client.ask("POST", LOCK)
    assert refused.reason.startswith("could not acquire lock for SDN config: invalid lock token provided!")
    assert client.ask("DELETE", f"{LOCK}?lock-token=x").reason.startswith("could not release lock: invalid lock token")
    assert client.ask("DELETE", f"{LOCK}?force=1").status_code == 200
    token = _token(client)
    client.ask("GET", "/version")
    assert client.ask("DELETE", f"{LOCK}?lock-token={token}").status_code == 200


def test_a_lock_that_is_taken_away(tmp_path: Path) -> None:
    """Somebody's force leaves the old token good, and another one's lock makes it bad."""
    client = Client(tmp_path, "foreign-sdn-unlock@GET version", "sdn-locked@GET version+2")
    token = _token(client)
    client.ask("GET", "/version")
    assert client.ask("DELETE", f"{LOCK}?lock-token={token}").status_code == 200
    client.ask("GET", "/version")
    assert client.ask("DELETE", f"{LOCK}?lock-token={token}").status_code == 500


@pytest.mark.parametrize("held", [False, True])
def test_somebody_elses_apply(tmp_path: Path, *, held: bool) -> None:
    """It reloads the node with what is staged there, at once; the lock keeps it off."""
    client = Client(tmp_path, "foreign-sdn-apply@GET version")
    stage(client)
    if held:
        _token(client)
    client.ask("GET", "/version")
    client.sleep(2)
    assert _is_live(client) is not held
    assert client.node.staged.exists() is held
    assert [task[0] for task in _tasks(client)] == ([] if held else ["srvreload", "reloadnetworkall"])


def test_without_quorum_nothing_is_written(tmp_path: Path) -> None:
    """It takes 10 s until that is said; the node's own calls work as ever."""
    Sim.init(tmp_path)
    client = Client(Sim.init(tmp_path, node="pve2"), "link-lost=0@PUT network")
    client.ask("PUT", "/nodes/pve1/network")
    client.sleep(8)
    client.session.request = _patient(client.session.request)  # type: ignore[method-assign]
    for method, path in (("POST", LOCK), ("DELETE", LOCK), ("PUT", "/cluster/sdn"), ("POST", "/cluster/sdn/rollback")):
        before = client.now
        answer = client.ask(method, path)
        assert (answer.status_code, answer.reason.partition(": ")[2]) == (
            500,
            "cfs-lock 'domain-sdn' error: no quorum!",
        )
        assert client.now - before == pytest.approx(9.93)
    assert stage(client).status_code == 200


def _patient(request: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    return lambda *words, **named: request(*words, **named | {"timeout": (3, 30)})


def test_an_old_server_has_no_lock(tmp_path: Path) -> None:
    """The calls are not there, and applying needs none."""
    client = Client(tmp_path)
    write_json(tmp_path / "sim.json", {"sdn_lock": False})
    for method in ("POST", "DELETE"):
        answer = client.ask(method, LOCK)
        assert (answer.status_code, answer.reason) == (501, f"Method '{method} {LOCK}' not implemented")
    assert client.ask("PUT", "/cluster/sdn").status_code == 200


def test_tokens_differ_and_tell_their_time(tmp_path: Path) -> None:
    """Two of the same moment are two."""
    client = Client(tmp_path)
    first = _token(client)
    SdnFolder(tmp_path).release()
    second = _token(client)
    assert first != second
    assert first[:13].replace("-", "") == second[:13].replace("-", "") == f"{int(client.now * 1000):012x}"
