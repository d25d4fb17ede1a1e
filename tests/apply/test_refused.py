"""A node whose file has lines that ifupdown2 can't read: every reload fails for them, and goes through all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from killed import back
from lab import TAGGED, Lab

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.events import Verdict, Verified
from pvenet.journal import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAP = "mapping ens41\n\tscript /usr/local/sbin/map-scheme\n\tmap HOME ens41-home\n\n"


@pytest.fixture
def lab(tmp_path: Path) -> Callable[[str], Lab]:
    """With these lines before the first NIC, and something staged that touches no management."""

    def make(lines: str) -> Lab:
        lab = Lab(tmp_path / "lab")
        file = lab.network_folder / "interfaces"
        file.write_text(file.read_text().replace("iface ens33 ", f"{lines}iface ens33 ", 1))
        lab.tagged()
        return lab

    return make


@pytest.mark.parametrize("verify", [Verify.AUTO, Verify.FLAGS])
def test_what_fails_for_such_a_line_as_before_is_verified_and_told(lab: Callable[[str], Lab], verify: Verify) -> None:
    """The apply, the way back and the next apply, each with a warning that names the lines."""
    made = lab(MAP)
    before = made.node.read().network.interfaces.keys() - TAGGED.keys()
    assert made.apply(verify=verify).verdict is Verdict.APPLIED
    told = "the reload of pve1 fails as before for lines of /etc/network/interfaces that ifupdown2 can't read: "
    assert told in made.warnings
    assert "(`script /usr/local/sbin/map-scheme`)" in made.warnings
    assert "(`map HOME ens41-home`)" in made.warnings
    assert any(isinstance(event, Verified) for event in made.events)
    assert {"bond0", "vmbr1"} <= made.up
    made.forget()
    back(made)
    assert told in made.warnings
    assert made.states == [State.ROLLED_BACK]
    assert made.node.read().network.interfaces.keys() == before
    made.tagged()
    assert made.apply(verify=verify).verdict is Verdict.APPLIED


@pytest.mark.parametrize(
    ("fault", "lacks"),
    [("port-missing=bond0", "bond0 is not one of its ports"), ("never-up=vmbr1", "not active: vmbr1")],
)
def test_what_is_not_as_it_should_be_is_rolled_back_all_the_same(
    lab: Callable[[str], Lab], fault: str, lacks: str
) -> None:
    """The reload's exit code tells nothing more, but the flags and the kernel do: exit 8."""
    made = lab(MAP)
    made.order(f"{fault}@PUT network")
    error = made.failed(errors.RolledBack)
    assert "the reload of pve1 fails as before for lines" in error.message
    assert lacks in error.message


def test_another_error_beside_it_fails_as_ever(lab: Callable[[str], Lab]) -> None:
    """A slave that is missing is named, and what was there is put back, as before."""
    made = lab(MAP)
    machine = made.adapter.sim.node("pve1").described()
    nics = {name: each for name, each in machine.nics.items() if name != "ens39"}
    made.adapter.sim.node("pve1").save(machine.but(nics=nics))
    error = made.failed(errors.RolledBack)
    assert "skipping slave ens39" in error.message
    assert made.states == [State.ROLLED_BACK]


def test_a_line_that_could_be_ours_is_no_excuse(lab: Callable[[str], Lab]) -> None:
    """Options that a request sets: whoever made it, the reload failed for it."""
    made = lab("mapping ens41\n\tmtu 1400\n\n")
    assert "error processing line 'mtu 1400'" in made.failed(errors.StateUnknown).message


def test_a_line_that_was_an_option_before_is_no_excuse(tmp_path: Path) -> None:
    """PVE's first write moves the stanza from above it (pve-api#f73): the reload failed for that, and for nothing
    before.
    """
    lab = Lab(tmp_path / "lab")
    file = lab.network_folder / "interfaces"
    stanza = "iface ens41 inet manual\n"
    file.write_text(f"{stanza}\n\tfoo x\n\n" + file.read_text().replace(stanza, ""))
    lab.tagged()
    assert "error processing line 'foo x'" in lab.failed(errors.StateUnknown).message
