"""A staging command that does something to the way to the node says so at once; a hint never leads there."""

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

WAY = "the management path of pve1: ens33 > vmbr0 > 192.168.171.21 (vmbr0 carries the node's address 192.168.171.21)"
ASKS = "; `pvenet apply` needs --allow-management\n"


@pytest.mark.parametrize(
    ("words", "does"),
    [
        (("bridge", "set", "vmbr0", "--remove-port", "ens33"), "cuts"),
        (("bridge", "set", "vmbr0", "--clear", "ports"), "cuts"),
        (("bridge", "set", "vmbr0", "--ports", "ens38"), "cuts"),
        (("bridge", "delete", "vmbr0"), "cuts"),
        (("bridge", "set", "vmbr0", "--clear", "cidr,gateway"), "cuts"),
        (("bridge", "set", "vmbr0", "--cidr", "192.168.171.22/24"), "moves"),
        (("bridge", "set", "vmbr0", "--gateway", "192.168.171.1"), "touches"),
        (("bridge", "set", "vmbr0", "--no-autostart"), "touches"),
        (("eth", "set", "ens33", "--mtu", "1400"), "touches"),
    ],
    ids=" ".join,
)
def test_what_is_done_to_the_way_is_said(run: Run, lab: Path, words: tuple[str, ...], does: str) -> None:
    """On stderr and in the JSON, with the way and what the apply will ask; it is staged all the same."""
    ran = run(*words)
    assert ran.code == 0
    assert f"this {does} {WAY}{ASKS}" in ran.err
    assert (lab / "pve1/etc/network/interfaces.new").exists()
    run("revert")
    assert run(*words, "--json").data["management"]["does"] == does
    assert run("apply", "--yes").code == 7


@pytest.mark.parametrize(
    "words",
    [
        ("bridge", "set", "vmbr0", "--add-port", "ens37"),
        ("bridge", "set", "vmbr0", "--comments", "x"),
        ("eth", "set", "ens38", "--mtu", "1400"),
        ("bridge", "create", "--ports", "ens38", "--cidr", "10.9.0.1/24"),
        ("bond", "create", "--slaves", "ens38,ens39"),
    ],
    ids=" ".join,
)
def test_what_leaves_it_whole_is_not(run: Run, lab: Path, words: tuple[str, ...]) -> None:
    """A further path, and whatever is elsewhere, is no news."""
    ran = run(*words)
    assert ran.code == 0
    assert "the management path" not in ran.err
    run("revert")
    assert run(*words, "--json").data["management"] is None
    assert lab.exists()


def test_a_vlan_that_carries_the_address_is_told(run: Run, lab: Path) -> None:
    """Its removal, and that it moves to another tag: whatever stands on top of the bridge."""
    run("bridge", "set", "vmbr0", "--clear", "cidr,gateway")
    run("vlan", "create", "vmbr0.10", "--cidr", "192.168.171.21/24", "--gateway", "192.168.171.2")
    assert run("apply", "--yes", "--allow-management").code == 0
    ran = run("vlan", "delete", "vmbr0.10")
    assert "this cuts the management path of pve1: ens33 > vmbr0 > vmbr0.10 > 192.168.171.21" in ran.err
    run("revert")
    assert "this cuts the management path of pve1" in run("bridge", "set", "vmbr0", "--remove-port", "ens33").err
    assert lab.exists()


def test_what_is_elsewhere_is_not_blamed_for_what_was_staged_before(run: Run, lab: Path) -> None:
    """A remark on the bridge is no news; nor is it one with the next command, which is about another interface."""
    assert lab.exists()
    assert "the management path" not in run("bridge", "set", "vmbr0", "--comments", "old").err
    ran = run("vlan", "create", "--raw-device", "ens40", "--tag", "3", "--cidr", "10.3.3.3/24")
    for words in (("vlan", "set", "ens40.3", "--mtu", "1400"), ("vlan", "delete", "ens40.3")):
        assert "the management path" not in ran.err
        ran = run(*words)
    assert (ran.code, "the management path" in ran.err) == (0, False)
    assert f"this touches {WAY}" in run("bridge", "set", "vmbr0", "--mtu", "1400").err


def test_it_is_told_of_one_path_of_two(run: Run, lab: Path) -> None:
    """Not as if nothing were left."""
    run("bridge", "set", "vmbr0", "--add-port", "ens37")
    assert run("apply", "--yes", "--allow-management").code == 0
    assert "this narrows the management path of pve1" in run("bridge", "set", "vmbr0", "--remove-port", "ens37").err
    assert lab.exists()


def test_what_is_staged_on_top_and_mends_it_is_not_told(run: Run, lab: Path) -> None:
    """It is judged from what is live: who puts the port back has cut nothing."""
    run("bridge", "set", "vmbr0", "--remove-port", "ens33")
    ran = run("bridge", "set", "vmbr0", "--add-port", "ens33")
    assert ran.code == 0
    assert "the management path" not in ran.err
    assert lab.exists()


def test_with_guests_the_way_stands_among_those_who_are_hit(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, in their lines."""
    Sim.init(tmp_path / "guests", guests=["101:web:vmbr0"])
    monkeypatch.setenv("PVENET_SIM", str(tmp_path / "guests"))
    ran = run("bridge", "set", "vmbr0", "--remove-port", "ens33")
    assert "vmbr0 carries the management path: ens33 > vmbr0 > 192.168.171.21\n" in ran.err
    assert "this cuts the management path of pve1 (vmbr0 carries the node's address 192.168.171.21)" in ran.err


@pytest.mark.parametrize("fault", ["error@GET cluster/status", "drop-before@GET cluster/status"])
def test_what_can_not_be_had_stops_no_staging(run: Run, lab: Path, fault: str) -> None:
    """The apply looks again, and refuses where it can't tell."""
    ran = run("bridge", "set", "vmbr0", "--remove-port", "ens33", "--fault", fault)
    assert ran.code == 0
    assert (lab / "pve1/etc/network/interfaces.new").exists()


@pytest.mark.parametrize("name", ["vmbr1", "vmbr00", "vmbr", "ens3"])
def test_no_hint_of_a_delete_leads_to_the_management_path(run: Run, lab: Path, name: str) -> None:
    """Who mistypes a bridge's name, and then does as the hint says, keeps the node."""
    ran = run("bridge", "delete", name)
    assert ran.code == 3
    assert "vmbr0" not in ran.err.replace(name, "")
    assert "`pvenet list` shows what is there" in ran.err
    assert lab.exists()


def test_another_name_is_still_offered(run: Run, lab: Path) -> None:
    """The nearest that is safe to delete; and of a `set`, which removes nothing, also the bridge itself."""
    set_nature(lab, reload_seconds=0.0)
    run("bridge", "create", "vmbr7")
    assert "did you mean vmbr7?" in run("bridge", "delete", "vmbr1").err
    run("bridge", "delete", "vmbr7")
    assert "did you mean vmbr0?" in run("bridge", "set", "vmbr1", "--comments", "x").err
