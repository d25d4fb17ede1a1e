"""What is remembered of NICs on disk: whose node's it is, and when it is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from clock import FakeTime
from recorder import Recorder, connection, set_nature

from pvenet.journal import Place
from pvenet.node import Node, Reading
from pvenet.seen import Seen
from pvenet.sim import boot
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

NICS = {"eno1": ("enxbc2411000001",), "eno2": ("enxbc2411000002",)}


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    text = "auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports eno1\n\tbridge-stp off\n\tbridge-fd 0\n"
    Sim.init(tmp_path / "lab", nics=NICS, interfaces=text)
    set_nature(tmp_path / "lab", reload_seconds=0.0)
    return tmp_path / "lab"


class Client:
    """Somebody who reads a node, and remembers in a state folder."""

    def __init__(self, lab: Path, state: Path, host: str = "sim") -> None:
        time = FakeTime()
        self.lab = lab
        self.node = Node(connection(Recorder(lab, time), "root@pam!full", host, clock=time.clock), "pve1")
        self.seen = Seen(state, self.node.connection)
        self.node.connection.noted = self.seen.note
        self.path = state / "nics" / "pve1.json"

    def look(self) -> list[tuple[str, str]]:
        reading: Reading = self.node.read()
        self.seen.keep(self.seen.sights())
        return [(each.old, each.new) for each in self.seen.sight("pve1", reading.network).renames]


def test_a_reading_leaves_names_and_macs(lab: Path, tmp_path: Path) -> None:
    """In a file that is its owner's alone; and nothing that the listing says besides."""
    client = Client(lab, tmp_path / "state")
    client.look()
    assert client.path.stat().st_mode & 0o777 == 0o600
    assert client.path.parent.stat().st_mode & 0o777 == 0o700
    (record,) = json.loads(client.path.read_text())
    assert {mac: each["name"] for mac, each in record["cards"].items()} == {
        "bc:24:11:00:00:01": "eno1",
        "bc:24:11:00:00:02": "eno2",
    }


def test_nothing_is_written_where_nothing_changed(lab: Path, tmp_path: Path) -> None:
    """A second reading leaves the very file."""
    client = Client(lab, tmp_path / "state")
    client.look()
    before = client.path.stat()
    Client(lab, tmp_path / "state").look()
    assert client.path.stat() == before


def test_a_rename_is_known_in_another_process(lab: Path, tmp_path: Path) -> None:
    """Whatever the disk has, and again and again."""
    Client(lab, tmp_path / "state").look()
    boot.rename(Sim(lab), "pve1", {"eno1": "enp5s0"}, 0.0)
    for _ in range(2):
        assert Client(lab, tmp_path / "state").look() == [("eno1", "enp5s0")]


@pytest.mark.parametrize("text", ["", "{", "[]", "[1]", '[{"endpoint": 1}]', '{"a": 1}', "null", "[" * 9999])
def test_a_file_that_is_none_is_begun_anew(lab: Path, tmp_path: Path, text: str) -> None:
    """It is what is remembered, and no command fails for it."""
    client = Client(lab, tmp_path / "state")
    client.look()
    client.path.write_text(text)
    assert client.look() == []
    assert len(json.loads(client.path.read_text())) == 1


def test_what_others_may_have_written_is_not_believed(lab: Path, tmp_path: Path) -> None:
    """A file that a group can write says nothing."""
    client = Client(lab, tmp_path / "state")
    client.look()
    boot.rename(Sim(lab), "pve1", {"eno1": "enp5s0"}, 0.0)
    client.path.chmod(0o660)
    assert client.look() == []


def test_a_state_folder_that_takes_nothing_is_no_matter(lab: Path, tmp_path: Path) -> None:
    """The reading stands."""
    (tmp_path / "state").write_text("a file")
    assert Client(lab, tmp_path / "state").look() == []


def test_what_is_somebody_elses_is_not_believed(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a file that is another user's."""
    client = Client(lab, tmp_path / "state")
    client.look()
    boot.rename(Sim(lab), "pve1", {"eno1": "enp5s0"}, 0.0)
    assert client.look() == [("eno1", "enp5s0")]
    owner = client.path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    assert client.look() == []


def test_a_certificate_says_more_than_macs(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two records that a node may be, as after a copy of a VM's disk, the one with its certificate is its own."""
    host = "https://192.0.2.11:8006"
    place = Place(endpoint=host, certificate="AA:01", certificates={host: "AA:01"})
    monkeypatch.setattr("pvenet.seen.place_of", lambda _: place)
    client = Client(lab, tmp_path / "state")
    client.look()
    (own,) = json.loads(client.path.read_text())
    cards = {mac: each | {"name": f"old{each['name']}"} for mac, each in own["cards"].items()}
    copy = own | {"endpoint": "https://192.0.2.99:8006", "certificate": "BB:02", "cards": cards}
    network = client.node.read().network
    for records, names in (([copy, own], {"eno1", "eno2"}), ([copy], {"oldeno1", "oldeno2"})):
        client.path.write_text(json.dumps(records))
        assert {known.name for known in client.seen.sight("pve1", network).memory.values()} == names
