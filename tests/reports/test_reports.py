"""The files of real people, with what they tried: what pvenet has to say and do there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from conftest import FIXTURES, Ran
from file_replay import host_of

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPORTS = sorted(path.name for path in (FIXTURES / "reports").iterdir() if path.is_dir())
AGREED = ("apply", "--yes", "--allow-management", "--timeout", "8")
BACK = ("rollback", "--yes", "--allow-management")


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., Ran]) -> Callable[..., list[Ran]]:
    """Run command lines on the simulated node of a report."""

    def go(report: str, *lines: tuple[str, ...]) -> list[Ran]:
        place, folder = FIXTURES / "reports" / report, tmp_path / "node"
        text = (place / "interfaces").read_text(encoding="utf8", errors="surrogateescape")
        ovs = "ovs_" in text
        nics = host_of((place / "nics").read_text().split(), ovs=ovs).nics
        Sim.init(folder, nics=nics, interfaces=text, ovs=ovs)
        config = json.loads((folder / "sim.json").read_text())
        (folder / "sim.json").write_text(json.dumps(config | {"reload_seconds": 0.0}))
        monkeypatch.setenv("PVENET_SIM", str(folder))
        return [run(*line) for line in lines]

    return go


def commands(report: str) -> list[tuple[str, ...]]:
    lines = (FIXTURES / "reports" / report / "commands").read_text().splitlines()
    words = [tuple(line.split()[1:]) for line in lines if line.startswith("pvenet ") and ">" not in line]
    return [each for each in words if each[0] != "sim"]


@pytest.mark.parametrize("report", REPORTS)
def test_what_people_tried_ends_in_a_sentence(
    report: str, tried: Callable[..., list[Ran]], told: Callable[[str], None]
) -> None:
    """No traceback, nothing unknown, nothing that others are blamed for."""
    ran = tried(report, *commands(report))
    text = "".join(each.out + each.err for each in ran)
    told(f"report {report}: exit {', '.join(str(each.code) for each in ran)}")
    assert "Traceback" not in text
    assert "changed again since" not in text
    assert "somebody else" not in text
    assert {each.code for each in ran} <= {0, 3, 7, 8}


def test_a_second_address_wants_consent_and_is_told_as_lost(tried: Callable[..., list[Ran]]) -> None:
    """Report 28: the write takes an address from the management path, and a rollback can't put it back."""
    staged, refused, applied, back = tried(
        "28-two-addresses", ("bond", "set", "bond3", "--mtu", "9000"), ("apply", "--yes"), AGREED, BACK
    )
    said = "eno1 loses: address 192.0.2.28/24"
    assert said in staged.err
    assert refused.code == 7
    assert (applied.code, back.code) == (0, 0)
    assert f"{said}; a rollback could not put that back" in applied.err
    assert "can't be put back through the API: eno1: address 192.0.2.28/24" in back.err


def test_what_pve_never_writes_is_told(tried: Callable[..., list[Ran]]) -> None:
    """Report 16."""
    staged, applied, back = tried("16-mac-learning-lost", ("vlan", "set", "eno1.4003", "--mtu", "1450"), AGREED, BACK)
    assert "vmbr4001 loses: bridge-disable-mac-learning 1" in staged.err
    assert "vmbr4001 loses: bridge-disable-mac-learning 1" in applied.err
    assert back.code == 0
    assert "can't be put back through the API: vmbr4001: bridge-disable-mac-learning 1" in back.err


def test_a_bridge_that_becomes_vlan_aware_and_vids_that_pve_refuses_are_told(tried: Callable[..., list[Ran]]) -> None:
    """Report 37."""
    _, applied, back = tried("37-vids-from-1", ("bridge", "set", "vmbr1", "--vids", "10,20"), AGREED, BACK)
    assert "vmbr0 loses: bridge-vlan-aware no, which becomes yes" in applied.err
    assert "a rollback could not put this back: vmbr1: PVE refuses the vids 1-4094" in applied.err
    assert back.code == 0
    assert "as far as the API can put it back" in back.out + back.err


def test_what_pve_does_of_itself_is_nobody_elses(tried: Callable[..., list[Ran]]) -> None:
    """Report 09: an internal port that no bridge lists becomes a plain NIC, and the rollback makes it anew."""
    commented, staged, applied, back = tried(
        "09-ovs-autostart-and-unlisted",
        ("ovs-port", "set", "dmz", "--comments", "x"),
        ("ovs-bond", "set", "bond0", "--comments", "x"),
        AGREED,
        BACK,
    )
    assert (commented.code, staged.code, applied.code, back.code) == (0, 0, 0, 0)
    assert "lan loses: what makes it an OVS port, because no OVS bridge lists it: cidr 192.0.2.77/24" in applied.err
    assert "cuts the management path of pve1" in applied.err
    assert "somebody" not in applied.err + back.err


def test_a_nic_by_its_altname_is_no_failure(tried: Callable[..., list[Ran]]) -> None:
    """Report 33: whether it is up can't be told."""
    _, applied = tried("33-altname", ("bridge", "set", "vmbr1", "--comments", "x"), AGREED)
    assert applied.code == 0
    assert "whether enp2s0 is up is not known" in applied.err


def test_a_reload_that_fails_as_before_is_rolled_back(tried: Callable[..., list[Ran]]) -> None:
    """Report 35: what fails is not what was changed, and the node has what was there before."""
    _, applied = tried("35-reload-fails-before", ("eth", "set", "eno1", "--comments", "x"), AGREED)
    assert applied.code == 8
    assert "its reload fails for br0, which this does not touch" in applied.err


@pytest.mark.parametrize(("times", "code"), [((), 8), ((2,), 8), ((2, 3), 9)])
def test_a_reload_that_fails_for_what_was_changed_is_not_waved_through(
    tried: Callable[..., list[Ran]], times: tuple[int, ...], code: int
) -> None:
    """The bridge that was changed lacks its port, as before; all is as it was where the kernel has the rest of it,
    perhaps after another reload.
    """
    faults = (word for number in times for word in ("--fault", f"address-missing=br0@PUT network+{number}"))
    _, applied = tried("35-reload-fails-before", ("bridge", "set", "br0", "--mtu", "1400"), (*AGREED, *faults))
    assert applied.code == code
    assert ("its reload fails because dummy0 is not there, as before" in applied.err) is (code == 8)


def test_a_refusal_of_every_write_is_foreseen_in_pves_words(tried: Callable[..., list[Ran]]) -> None:
    """Report 10, before anything is sent."""
    (refused,) = tried("10-ovs-names-and-modes", ("ovs-bond", "set", "bond0", "--comments", "x"))
    assert refused.code == 3
    assert "interface 'ens_stor' is not defined as OVS port/bond" in refused.err
    assert "nothing was sent" in refused.err
