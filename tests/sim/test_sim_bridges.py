"""The bridges call answers as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kernel_replay import KernelReplay, setups
from sim_client import Client
from sim_replay import load

from pvenet.sim.state import Sim, write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


BRIDGES = "/nodes/pve1/sdn/zones/localnetwork/bridges"
NOT_OURS = {
    "K1-bridges-030-zone-dir": "the sim has no call for a zone",
    "K1-bridges-031-zones": "nor for all of them",
    "K1-freeze-bridges-024-bridges-during": "the recording's stand-in for `ifreload` makes a bridge earlier",
}
"""Exchanges that are not replayed, and why."""


def replayed(folder: Path, name: str, group: str = "", *, workers: int = 0) -> KernelReplay:
    """The replay of a file, or of one group of it."""
    exchanges = [e for e in load(f"kernel/{name}") if e.name not in NOT_OURS and e.name.startswith(group)]
    return KernelReplay(folder, exchanges, setups(name), workers)


def test_recorded_bridges_calls_are_answered_alike(told: Callable[[str], None], tmp_path: Path) -> None:
    """Status, reason, headers and JSON are what the real API's were, for every user and kernel of the recording."""
    replay = replayed(tmp_path, "bridges.jsonl")
    found = list(replay.differences())
    told(f"bridges.jsonl: {len(replay.exchanges)} replayed, {len(found)} differ")
    assert replay.exchanges
    assert found == []


@pytest.mark.parametrize("group", ["K1-hotplug-bridges", "K1-hotplug-nothing"])
def test_a_new_nic_is_refused_once_where_bridges_were_listed(
    told: Callable[[str], None], tmp_path: Path, group: str
) -> None:
    """The daemon's worker that listed bridges knows no NIC that came afterwards; another one does."""
    replay = replayed(tmp_path, "bridges-hotplug.jsonl", group, workers=1)
    found = list(replay.differences())
    told(f"{group}: {len(replay.exchanges)} replayed, {len(found)} differ")
    assert replay.exchanges
    assert found == []


@pytest.mark.parametrize("group", ["K1-freeze-bridges", "K1-freeze-nothing", "K1-freeze-list"])
def test_only_a_list_freezes_flags(told: Callable[[str], None], tmp_path: Path, group: str) -> None:
    """During a reload the call shows the kernel as it is, and the lists after it are right."""
    replay = replayed(tmp_path, "bridges-reload.jsonl", group, workers=1)
    replay.backend.links = None
    found = list(replay.differences())
    told(f"{group}: {len(replay.exchanges)} replayed, {len(found)} differ")
    assert replay.exchanges
    assert found == []


NOBODY = "nobody@pve!none=55555555-5555-5555-5555-555555555555"


@pytest.mark.parametrize("token", ["", NOBODY])
def test_an_old_server_has_no_such_call(tmp_path: Path, token: str) -> None:
    """Without the switch the path is unknown, whoever asks: 501 before any privilege is looked at."""
    client = Client(tmp_path, token=token)
    write_json(tmp_path / "sim.json", {"bridges_call": False})
    answer = client.ask("GET", BRIDGES)
    assert (answer.status_code, answer.reason) == (501, f"Method 'GET {BRIDGES}' not implemented")


def test_bridges_and_ports_come_in_any_order(tmp_path: Path) -> None:
    """Where arrays come in random order, so do bridges and the ports of each."""
    text = "".join(f"auto vmbr{n}\niface vmbr{n} inet manual\n\tbridge-ports eno{n} enp{n}\n\n" for n in range(4))
    Sim.init(tmp_path, node="pve1", interfaces=text)
    write_json(tmp_path / "sim.json", {"random_order": True})
    client = Client(tmp_path)
    answers = [client.ask("GET", BRIDGES).json()["data"] for _ in range(40)]
    assert len({tuple(bridge["name"] for bridge in answer) for answer in answers}) > 1
    ports = {tuple(port["name"] for port in bridge["ports"]) for answer in answers for bridge in answer}
    assert {frozenset(each) for each in ports} == {frozenset({f"eno{n}", f"enp{n}"}) for n in range(4)}
    assert len(ports) > 4
