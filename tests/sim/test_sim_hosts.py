"""The simulated node's `/etc/hosts`, and what else was recorded of a node beside its network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from folder_replay import FolderReplay
from sim_client import Client

from pvenet.sim.machine.hardware import Guest
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTS = "/nodes/pve1/hosts"
BUILD = "its server is another build, which tells its version otherwise"
NOT_ASKED = "pvenet asks for nothing of the kind, and the sim has no such call"
HA = "the sim manages no guest by HA, and pvenet asks for the state alone"


def _numbered(reason: str, *numbers: int) -> dict[str, str]:
    return {f"K6-node-{number:03}": reason for number in numbers}


NOT_OURS = {
    **_numbered(NOT_ASKED, 7, 9, 11, 12, 32, 33, *range(68, 74)),
    **_numbered(BUILD, *range(14, 18), *range(20, 26)),
    **_numbered(HA, *range(35, 40), *range(46, 55), *range(86, 100), *range(101, 108)),
    **_numbered("it names no zone, where the server of A057 named them all", 63, 64),
    **{f"K6-ha-{number:03}": HA for number in (*range(1, 5), *range(6, 12))},
}
"""Exchanges that are not replayed, and why."""


def _read(client: Client) -> tuple[str, str]:
    """The text, and its digest."""
    data = client.ask("GET", HOSTS).json()["data"]
    return data["data"], data["digest"]


def test_recorded_hosts_are_answered_alike(told: Callable[[str], None], tmp_path: Path) -> None:
    """Who may read and who may write, digests that are stale, and the ports of guests that netstat lists."""
    replay = FolderReplay(tmp_path, "node-ha.jsonl", not_ours=NOT_OURS)
    ports = [Guest(vmid=100, index=0, bridge="vmbr0"), Guest(vmid=102, index=0, bridge=None)]
    ports.append(Guest(vmid=101, index=1, bridge="vmbr0", container=True))
    replay.node.save(replay.node.machine().but(guests=tuple(ports)))
    found = list(replay.differences())
    told(f"node-ha.jsonl: {replay.told(found)}")
    assert replay.exchanges
    assert found == []


def test_a_node_begins_with_its_own_line(tmp_path: Path) -> None:
    """Of its name and its address, also in its report; a person's edit is told."""
    client = Client(Sim.init(tmp_path, interfaces="auto a\niface a inet static\n\taddress 192.0.2.11/24\n"))
    assert _read(client)[0].splitlines()[-1] == "192.0.2.11 pve1.lan pve1"
    path = client.node.folder / "etc" / "hosts"
    path.write_text("# mine\n\n::1 localhost\n")
    assert _read(client)[0] == "# mine\n\n::1 localhost\n"
    path.unlink()
    text, _digest = _read(client)
    assert text.splitlines()[-1] == "192.0.2.11 pve1.lan pve1"
    assert f"\n# cat /etc/hosts\n{text}\n#" in client.ask("GET", "/nodes/pve1/report").json()["data"]


@pytest.mark.parametrize("text", ["# nothing\n", "127.0.0.1 localhost # here\n\n\t::1 ip6-localhost\n"])
def test_a_hosts_file_may_hold_comments(tmp_path: Path, text: str) -> None:
    """What is written is read again, byte for byte."""
    client = Client(tmp_path)
    assert client.ask("POST", HOSTS, data=text).status_code == 200
    assert _read(client)[0] == text


def test_hosts_that_somebody_edits_meanwhile(tmp_path: Path) -> None:
    """The digest that was read is stale then, and what somebody wrote stays."""
    client = Client(tmp_path, "foreign-hosts@POST hosts", "foreign-hosts@POST hosts+2")
    text, digest = _read(client)
    answer = client.ask("POST", HOSTS, data=text, digest=digest)
    assert (answer.status_code, answer.reason.partition(" - ")[0]) == (500, "detected modified configuration")
    edited, digest = _read(client)
    assert edited.startswith(text)
    assert client.ask("POST", HOSTS, data=text, digest=digest).status_code == 500
    _, digest = _read(client)
    assert client.ask("POST", HOSTS, data=text, digest=digest).status_code == 200
    assert _read(client)[0] == text
