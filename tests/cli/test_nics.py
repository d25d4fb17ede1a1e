"""`pvenet nics`, and what other commands say of NICs that have other names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from recorder import set_nature

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

FILE = """auto lo
iface lo inet loopback

iface eno1 inet manual

iface eno2 inet manual

auto vmbr0
iface vmbr0 inet static
\taddress 192.168.171.21/24
\tgateway 192.168.171.2
\tbridge-ports eno1
\tbridge-stp off
\tbridge-fd 0
"""
SAID = "eno1, a port of vmbr0, is gone; the NIC with its MAC is enp5s0 now"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node whose altnames tell its MACs, as PVE 9's do."""
    folder = tmp_path / "lab"
    Sim.init(folder, nics={"eno1": ("enxbc2411000001",), "eno2": ("enxbc2411000002",)}, interfaces=FILE)
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


def test_it_tells_the_cards_behind_the_names(lab: Path, run: Run) -> None:
    """MAC, state with speed, who uses each, other names; and what it was called before."""
    assert run("nics").out == (
        "name  state   mac                used by\n"
        "eno1  up 1G   bc:24:11:00:00:01  vmbr0\n"
        "    also enxbc2411000001\n"
        "eno2  down    bc:24:11:00:00:02\n"
        "    also enxbc2411000002\n"
    ).replace("up 1G ", "up 1G").replace("down  ", "down ").replace("state ", "state")
    run("sim", "rename", str(lab), "eno1=enp5s0")
    ran = run("nics")
    assert "enp5s0  down   bc:24:11:00:00:01\n    also enxbc2411000001; was eno1\n" in ran.out
    assert ran.out.endswith(f"\n\n! {SAID}\n")
    assert "`pvenet renamed`" in ran.err
    data = run("nics", "--json").data
    assert [(each["name"], each["was"]) for each in data["nics"]] == [("eno2", None), ("enp5s0", "eno1")]
    assert data["gone"][0] | {"text": ""} == {
        "name": "eno1",
        "uses": "a port of vmbr0",
        "there": False,
        "now": "enp5s0",
        "mac": "bc:24:11:00:00:01",
        "text": "",
    }


def test_without_a_report_it_works_with_the_list(lab: Path, run: Run) -> None:
    """MACs come from altnames, and that speed and carrier are not known is said."""
    run("nics")
    run("sim", "rename", str(lab), "eno1=enp5s0")
    ran = run("nics", "--json", "--fault", "report-odd@GET report")
    assert [(each["name"], each["mac"], each["speed"], each["carrier"]) for each in ran.data["nics"]] == [
        ("eno2", "bc:24:11:00:00:02", None, None),
        ("enp5s0", "bc:24:11:00:00:01", None, None),
    ]
    assert ran.data["gone"][0]["now"] == "enp5s0"
    assert "speed and carrier are not known" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("show", "vmbr0"),
        ("tree",),
        ("bridge", "set", "vmbr0", "--comments", "x"),
        ("plan", "-f", "none.yaml"),
    ],
)
def test_any_command_that_meets_it_says_so(lab: Path, run: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    """Once, on stderr, with the command that mends it; and nothing where all is as it was."""
    file = tmp_path / "network.yaml"
    file.write_text("nodes: {pve1: {vmbr0: {type: bridge}}}\n")
    words = tuple(str(file) if word == "none.yaml" else word for word in words)
    assert "eno1" not in run(*words).err
    run("revert", "--yes")
    run("sim", "rename", str(lab), "eno1=enp5s0")
    ran = run(*words)
    assert ran.err.count(f"warning: pve1: {SAID}\n") == 1
    assert "`pvenet renamed --node pve1`" in ran.err


def test_a_dry_run_remembers_nothing(lab: Path, run: Run) -> None:
    """Nothing is written to the state folder."""
    run("bridge", "set", "vmbr0", "--comments", "x", "--dry-run")
    assert list(lab.rglob("nics/*")) == []
    run("list")
    assert len(list(lab.rglob("nics/*.json"))) == 1


def test_another_folder_is_another_node(lab: Path, run: Run, tmp_path: Path) -> None:
    """Simulated nodes of one name may have the same MACs, and are not the same."""
    state = ("--state-dir", str(tmp_path / "kept"))
    run("list", *state)
    Sim.init(tmp_path / "other", nics={"ens1": ("enxbc2411000001",)}, interfaces=FILE)
    assert "now" not in run("list", "--sim", str(tmp_path / "other"), *state).err
    run("sim", "rename", str(lab), "eno1=enp5s0")
    assert SAID in run("list", *state).err
