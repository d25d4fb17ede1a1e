"""What the kernel keeps of what a file no longer says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pvenet.kernel.left import left_behind
from pvenet.kernel.links import BondStatus, KernelLink, Report
from pvenet.model import Bond, BondMode, Bridge, Ethernet, Interface, Network

if TYPE_CHECKING:
    from collections.abc import Mapping

NIC = Ethernet(name="ens38")
JUMBO = Ethernet(name="ens38", mtu=9000)
BOND = Bond(name="bond0", slaves=("ens38",), mode=BondMode.ACTIVE_BACKUP)
MTU = frozenset({"mtu"})


def network(*interfaces: Interface) -> Network:
    return Network(interfaces={each.name: each for each in interfaces})


def report(mtu: int) -> Report:
    nic = KernelLink(name="ens38", up=True, carrier=True, mtu=mtu, altnames=("enp3s6",))
    bond = replace(nic, name="bond0", altnames=(), bond=BondStatus(mode="active-backup"))
    return Report(links={each.name: each for each in (nic, bond)})


def left(before: Network, wanted: Network, mtus: tuple[int, int], ours: Mapping[str, frozenset[str]]) -> list[str]:
    return [each.text for each in left_behind(ours, before, wanted, report(mtus[0]), report(mtus[1]))]


@pytest.mark.parametrize("mtus", [(9000, 9000), (1500, 9000)], ids=["the file named it", "it was just tried"])
def test_an_mtu_that_stays_is_named(mtus: tuple[int, int]) -> None:
    """Whether the file named it before, or only what was tried and rolled back."""
    before = network(JUMBO if mtus[0] == mtus[1] else NIC)
    said = ["ens38 keeps MTU 9000, which its file no longer names"]
    assert left(before, network(NIC), mtus, {"ens38": MTU}) == said
    bonds = network(replace(BOND, mtu=before.interfaces["ens38"].mtu)), network(BOND)
    assert left(*bonds, mtus, {"bond0": MTU}) == [said[0].replace("ens38", "bond0")]


@pytest.mark.parametrize(
    ("before", "wanted", "mtus", "ours"),
    [
        pytest.param(JUMBO, [NIC], (9000, 1500), {"ens38": MTU}, id="it went"),
        pytest.param(JUMBO, [replace(NIC, mtu=4000)], (9000, 9000), {"ens38": MTU}, id="the file names another"),
        pytest.param(replace(NIC, mtu=1500), [NIC], (1500, 1500), {"ens38": MTU}, id="the usual one"),
        pytest.param(NIC, [NIC], (9000, 9000), {"ens38": MTU}, id="no file ever named it"),
        pytest.param(JUMBO, [NIC], (9000, 9000), {"ens38": frozenset({"comments"})}, id="another field was changed"),
        pytest.param(JUMBO, [NIC, replace(BOND, mtu=9000)], (9000, 9000), {"ens38": MTU}, id="its bond names it"),
        pytest.param(JUMBO, [], (9000, 9000), {"ens38": MTU}, id="it is in no file"),
        pytest.param(
            Bridge(name="vmbr1", mtu=9000), [Bridge(name="vmbr1")], (9000, 9000), {"vmbr1": MTU}, id="a bridge follows"
        ),
    ],
)
def test_nothing_else_is_named(
    before: Interface, wanted: list[Interface], mtus: tuple[int, int], ours: Mapping[str, frozenset[str]]
) -> None:
    """An MTU that has a reason, or that no change of ours has to do with."""
    assert left(network(before), network(*wanted), mtus, ours) == []
