"""`pvenet tree`: the node as a picture, in a terminal, as a file and as data."""

from __future__ import annotations

import io
import sys
from threading import Event
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from guest_lab import GUESTS, guest_lab

from pvenet.access import ZONE
from pvenet.cli import main
from pvenet.cli.help import parted
from pvenet.cli.tree import tree
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran

    Run = Callable[..., Ran]

SEES = {"path": "/nodes/pve1", "privileges": ["Sys.Audit"]}
SHOWS = {"path": ZONE, "privileges": ["SDN.Use"]}
SHOWN = """\
pve1

ens33  up 1G ─── vmbr0  bridge, 192.168.171.21/24, gateway 192.168.171.2

ens38  up 1G ─┐
ens39  up 1G ─┴─ bond0  bond, 802.3ad, LACP partner 02:00:00:00:5c:01
                 └─ vmbr1  bridge, VLANs 2-4094
                    ├─ 101 web    net0 VLAN 20
                    ├─ 102 db     net0
                    └─ 205 proxy  net0 VLAN 30, stopped

not used
ens37  down
ens40  down
ens41  down
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with three guests on vmbr1."""
    folder = tmp_path / "lab"
    guest_lab(folder, *GUESTS)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


@pytest.mark.usefixtures("lab")
def test_a_node_is_a_picture(run: Run) -> None:
    """From the cable to the guest; nothing else is said where nothing else is to be said."""
    ran = run("tree")
    assert (ran.code, ran.out, ran.err) == (0, SHOWN, "")


@pytest.mark.usefixtures("lab")
def test_nothing_waits_for_the_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """List, bridges and guests are asked while it is awaited, and it is asked for once."""
    awaited = {"network": Event(), "bridges": Event(), "netstat": Event()}
    reports: list[bool] = []
    send = SimAdapter.send

    def sent(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        what = (request.url or "").rpartition("/")[2]
        if what == "report":
            reports.append(all(event.wait(20) for event in awaited.values()))
        if what in awaited:
            awaited[what].set()
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", sent)
    assert run("tree").out == SHOWN
    assert reports == [True]


def test_the_help_shows_one(run: Run) -> None:
    """As it is drawn."""
    out = run("tree", "--help").out
    (example,) = parted(tree.__doc__).examples
    assert len(example.splitlines()) > 5
    for line in example.splitlines():
        assert line in out


def test_what_is_staged_is_marked(run: Run, lab: Path) -> None:
    """With a line that says what the marks are."""
    assert lab.exists()
    run("bridge", "delete", "vmbr1")
    run("vlan", "create", "vmbr0.7", "--cidr", "10.0.7.1/24")
    ran = run("tree")
    assert "└─ - vmbr1  bridge" in ran.out
    assert "└─ + vmbr0.7  VLAN 7, 10.0.7.1/24" in ran.out
    assert "├─ 101 web    net0 VLAN 20" in ran.out
    assert "+ created, ~ changed, - deleted" in ran.err


def test_somebodys_changes_are_not_marked_and_said(
    run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody knows what was there before."""
    assert lab.exists()
    run("bridge", "create", "vmbr5")
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "elsewhere"))
    ran = run("tree")
    assert "no cable     ─── vmbr5  bridge, not there" in ran.out
    assert "somebody's changes are pending on pve1, shown as if they were live" in ran.err


@pytest.mark.usefixtures("lab")
def test_the_list_alone_is_enough(run: Run, granted: Callable[..., None]) -> None:
    """Without report, bridges call and guests the picture is smaller, and it says what is missing."""
    granted({**SEES, "privileges": ["Sys.Audit"]}, SHOWS)
    ran = run("tree", "--fault", "report-odd@GET report")
    assert ran.code == 0
    assert "ens39  up   ─┴─ bond0  bond, 802.3ad\n" in ran.out
    assert "101" not in ran.out
    assert "carrier, speed and LACP partners are not known" in ran.err
    assert "VM.Audit on /vms is missing" in ran.err


@pytest.mark.usefixtures("lab")
def test_a_cable_that_is_out_has_a_sign(run: Run) -> None:
    """At the NIC and at the bond, and a sentence beneath."""
    ran = run("tree", "--fault", "no-carrier=ens39@GET report")
    assert "! ens39  no carrier ─┴─ ! bond0" in ran.out
    assert "differs from the file\n! bond0: 802.3ad, ens39 has no carrier" in ran.out


@pytest.mark.usefixtures("lab")
def test_the_same_as_data(run: Run) -> None:
    """Nested as the picture is, with what is not known."""
    data = run("tree", "--json").data
    assert data["node"] == "pve1"
    assert [cable["name"] for cable in data["trunks"][1]["cables"]] == ["ens38", "ens39"]
    assert [guest["vmid"] for guest in data["trunks"][1]["parts"][0]["parts"][0]["guests"]] == [101, 102, 205]
    assert [nic["name"] for nic in data["unused"]] == ["ens37", "ens40", "ens41"]
    assert data["not_known"] == []


@pytest.mark.usefixtures("lab")
def test_an_encoding_without_boxes_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no escapes in their place."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    assert main(["tree"]) == 0
    assert b"ens39  up 1G -+- bond0" in raw.getvalue()


@pytest.mark.usefixtures("lab")
def test_a_terminal_gets_colours_unless_it_does_not_want_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a terminal, and not with NO_COLOR."""
    assert "\x1b" not in run("tree").out
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("pvenet.cli.output._is_terminal", lambda _stream: True)
    assert "\x1b[32mup 1G\x1b[0m" in run("tree").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("tree").out


class TestSvg:
    @pytest.mark.usefixtures("lab")
    def test_it_is_written_beside_the_picture(self, run: Run, tmp_path: Path) -> None:
        """Well-formed, anew each time, and nothing is left beside it."""
        folder = tmp_path / "wiki"
        folder.mkdir()
        path = folder / "pve1.svg"
        path.write_text("old")
        ran = run("tree", "--svg", str(path))
        assert (ran.code, ran.out) == (0, SHOWN)
        assert f"saved: {path}" in ran.err
        assert ET.parse(path).getroot().tag.endswith("svg")
        assert list(folder.iterdir()) == [path]

    @pytest.mark.usefixtures("lab")
    def test_nothing_is_written_through_a_link_of_others(self, run: Run, tmp_path: Path) -> None:
        """In a folder where others can write a link may lead anywhere."""
        shared, target = tmp_path / "shared", tmp_path / "precious"
        shared.mkdir()
        shared.chmod(0o777)
        target.write_text("precious")
        (shared / "pve1.svg").symlink_to(target)
        ran = run("tree", "--svg", str(shared / "pve1.svg"))
        assert ran.code == 2
        assert "is a link in a folder that others can write" in ran.err
        assert target.read_text() == "precious"

    @pytest.mark.usefixtures("lab")
    def test_an_own_link_stays_one(self, run: Run, tmp_path: Path) -> None:
        """What it leads to is written."""
        target, link = tmp_path / "target.svg", tmp_path / "link.svg"
        link.symlink_to(target)
        assert run("tree", "--svg", str(link)).code == 0
        assert link.is_symlink()
        assert target.read_text().startswith("<svg")

    @pytest.mark.usefixtures("lab")
    @pytest.mark.parametrize("place", ["", "missing/pve1.svg"])
    def test_a_place_that_takes_no_file_is_wrong_usage(self, run: Run, tmp_path: Path, place: str) -> None:
        """A folder, or one that is not there; nothing is left."""
        folder = tmp_path / "place"
        folder.mkdir()
        ran = run("tree", "--svg", str(folder / place) if place else str(folder))
        assert ran.code == 2
        assert "can't be written" in ran.err
        assert not list(folder.iterdir())
