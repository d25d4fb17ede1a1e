"""No healthy node is rolled back, whatever its kernel has otherwise than its file says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from lab import BOND, Lab

from pvenet import errors
from pvenet.events import Verdict
from pvenet.kernel.judgement import Require
from pvenet.model import BondMode, Bridge
from pvenet.sim.machine.hardware import OTHER_SWITCH, PLAIN

if TYPE_CHECKING:
    from pathlib import Path

LACP = replace(BOND, mode=BondMode.LACP)
BACKUP = replace(BOND, mode=BondMode.ACTIVE_BACKUP, primary="ens38")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def cabled(lab: Lab, nic: str, **nature: Any) -> None:
    """What a NIC and its cable are like."""
    node = lab.adapter.sim.node("pve1")
    machine = node.described()
    node.save(machine.but(hardware={**machine.hardware, nic: PLAIN.but(**nature)}))


def test_a_slave_that_negotiates_less_than_the_others_is_a_warning(lab: Lab) -> None:
    """The bond is as it was asked for; what the cable's other end speaks is not for a reload."""
    cabled(lab, "ens39", speed=100)
    lab.tagged()
    assert lab.apply().verdict is Verdict.APPLIED
    assert "bond0: ens39 runs at 100 Mbit/s, ens38 at 1000" in lab.warnings


def test_a_primary_that_is_for_the_bonds_next_making_is_a_warning(lab: Lab) -> None:
    """It reaches the file and not the kernel (pve-api#bond-primary), as staging it has said."""
    lab.stage({"bond0": BACKUP})
    lab.apply()
    lab.stage({"bond0": replace(BACKUP, primary="ens39")})
    assert lab.apply().verdict is Verdict.APPLIED
    assert "bond0: primary ens39 in the file, ens38 in the kernel" in lab.warnings


def test_a_mode_that_goes_back_without_its_primary_is_rolled_back_and_said(lab: Lab) -> None:
    """The bond had one when it was made; no reload gives it back."""
    lab.stage({"bond0": BACKUP})
    lab.apply()
    lab.stage({"bond0": replace(BACKUP, mode=BondMode.BALANCE_RR, primary=None)})
    lab.order("not-joined=ens39@PUT network")
    assert "rolled back and verified" in lab.failed(errors.RolledBack).message
    assert "bond0: primary ens38 in the file, none in the kernel" in lab.warnings


def test_what_no_reload_reaches_keeps_what_it_had(lab: Lab) -> None:
    """Without autostart a bridge that is up stays as it is, and its file is for the next time."""
    lab.stage({"vmbr7": Bridge(name="vmbr7", ports=("ens38",))})
    lab.apply()
    lab.stage({"vmbr7": Bridge(name="vmbr7", ports=("ens38",), autostart=False, mtu=1400)})
    assert lab.apply().verdict is Verdict.APPLIED
    assert "vmbr7: MTU 1400 in the file, 1500 in the kernel" in lab.warnings


def test_a_new_slave_outside_of_the_lag_is_a_warning(lab: Lab) -> None:
    """The bond lacks nothing that it had; the switch's port is still to be set."""
    cabled(lab, "ens39", partner=OTHER_SWITCH)
    lab.stage({"bond0": replace(LACP, slaves=("ens38",))})
    lab.apply()
    lab.stage({"bond0": LACP})
    assert lab.apply().verdict is Verdict.APPLIED
    assert "1 of 2 slaves with carrier is in its active aggregator" in lab.warnings


def test_a_new_slave_outside_of_the_lag_fails_where_lacp_is_required(lab: Lab) -> None:
    """`--require lacp` wants all of it."""
    cabled(lab, "ens39", partner=OTHER_SWITCH)
    lab.stage({"bond0": replace(LACP, slaves=("ens38",))})
    lab.apply()
    lab.stage({"bond0": LACP})
    assert "ens39" in lab.failed(errors.RolledBack, require=frozenset({Require.LACP})).message


def test_a_slave_that_leaves_the_lag_is_rolled_back(lab: Lab) -> None:
    """It was in sync before."""
    lab.stage({"bond0": LACP})
    lab.apply()
    lab.stage({"bond0": replace(LACP, mtu=9000)})
    lab.order("partner-splits=bond0@PUT network")
    assert "ens39" in lab.failed(errors.RolledBack).message
