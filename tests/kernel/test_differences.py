"""What the kernel has otherwise than a file says, and that a healthy node is never told different."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface, ip_interface
from typing import TYPE_CHECKING, Any

import pytest
from healthy import IN_SYNC, called, healthy, network_of, networks, with_link, without_link
from hypothesis import given, settings

from pvenet.kernel.differences import differences
from pvenet.kernel.links import Address, Report, Route, SlaveStatus
from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    Network,
    Vlan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.kernel.links import BondStatus

thorough = settings(max_examples=300)

LACP = network_of(
    Bridge(
        name="vmbr0", ports=("ens33",), cidr=IPv4Interface("10.0.0.2/24"), gateway=IPv4Address("10.0.0.1"), mtu=9000
    ),
    Bond(name="bond0", slaves=("ens38", "enp9s0"), mode=BondMode.LACP),
    Bridge(name="vmbr1", ports=("bond0",), vlan_aware=True, vids=("2-4094",)),
    Vlan(name="storage", raw_device="vmbr1", tag=77),
)
PAIR = network_of(
    Bond(name="bond0", slaves=("ens38", "ens39"), mode=BondMode.ACTIVE_BACKUP, primary="ens38"),
    Bridge(name="vmbr1", ports=("bond0", "ens40")),
    Ethernet(name="ens41", cidr6=IPv6Interface("fd00:1::2/64")),
)


def texts(network: Network, report: Report | None, **more: Any) -> list[str]:
    return [each.text for each in differences(network, report, **more)]


def bond(report: Report, **changes: object) -> Report:
    status: BondStatus | None = report.links["bond0"].bond
    assert status is not None
    return with_link(report, "bond0", bond=replace(status, **changes))  # type: ignore[arg-type]


def extra(report: Report, name: str, *addresses: str, **changes: Any) -> Report:
    new = [Address(address=ip_interface(each), **changes) for each in addresses]
    return with_link(report, name, addresses=(*(report.links[name].addresses or ()), *new))


def leaves(report: Report, *routes: Route) -> Report:
    return replace(report, routes=routes)


CASES: dict[str, tuple[Network, Callable[[Report], Report], str]] = {
    "a bond in another mode": (
        LACP,
        lambda report: bond(report, mode="balance-rr", partner_mac=None, aggregated=None),
        "bond0: 802.3ad in the file, balance-rr in the kernel",
    ),
    "a primary that did not take": (
        PAIR,
        lambda report: bond(report, primary=None),
        "bond0: primary ens38 in the file, none in the kernel",
    ),
    "a pulled cable": (
        LACP,
        lambda report: bond(with_link(report, "ens39", carrier=False), aggregated=1),
        "bond0: 802.3ad, enp9s0 has no carrier: 1 of 2 slaves carries traffic",
    ),
    "a slave that has not joined": (
        PAIR,
        lambda report: with_link(report, "ens39", master=None, slave=None),
        "bond0: ens39 has carrier and is not one of its slaves",
    ),
    "a slave that is elsewhere": (
        PAIR,
        lambda report: with_link(report, "ens39", master="vmbr7", slave=None),
        "bond0: ens39 has carrier and is not one of its slaves (it is in vmbr7)",
    ),
    "no LACP partner": (
        LACP,
        lambda report: bond(report, partner_mac=None, aggregated=1),
        "bond0: 802.3ad, no LACP partner answers on ens38, enp9s0: are the switch's ports a LAG?",
    ),
    "two LACP partners": (
        LACP,
        lambda report: with_link(
            bond(report, aggregated=1),
            "ens39",
            slave=SlaveStatus(active=False, mii_up=True, aggregator=2, actor=IN_SYNC - {"in_sync"}, partner=IN_SYNC),
        ),
        (
            "bond0: 802.3ad, 1 of 2 slaves with carrier is in its active aggregator (ens38 in 1, enp9s0 in 2, not in "
            "sync): do all lead to ports of one LAG?"
        ),
    ),
    "a slow slave": (
        PAIR,
        lambda report: with_link(report, "ens39", speed=100),
        "bond0: ens39 runs at 100 Mbit/s, ens38 at 1000",
    ),
    "a port that is not on its bridge": (
        LACP,
        lambda report: with_link(report, "bond0", master=None),
        "vmbr1: bond0 is not one of its ports",
    ),
    "a port without carrier": (
        PAIR,
        lambda report: with_link(report, "ens40", carrier=False),
        "vmbr1: its port ens40 has no carrier",
    ),
    "a port that learns": (
        PAIR,
        lambda report: with_link(report, "ens40", port_state="learning"),
        "vmbr1: its port ens40 is learning, not forwarding (STP)",
    ),
    "a bridge that is not VLAN-aware": (
        LACP,
        lambda report: with_link(report, "vmbr1", bridge=replace(report.links["vmbr1"].bridge, vlan_filtering=False)),  # type: ignore[type-var]
        "vmbr1: VLAN-aware yes in the file, VLAN filtering off in the kernel",
    ),
    "an MTU that did not take": (
        LACP,
        lambda report: with_link(report, "vmbr0", mtu=1500),
        "vmbr0: MTU 9000 in the file, 1500 in the kernel (its port ens33 has 1500)",
    ),
    "another VLAN": (
        LACP,
        lambda report: with_link(report, "storage", vlan=replace(report.links["storage"].vlan, id=78)),  # type: ignore[type-var]
        "storage: VLAN 77 in the file, 78 in the kernel",
    ),
    "a VLAN on something else": (
        LACP,
        lambda report: with_link(report, "storage", parent="vmbr0"),
        "storage: on vmbr1 in the file, on vmbr0 in the kernel",
    ),
    "an address that is missing": (
        LACP,
        lambda report: with_link(report, "vmbr0", addresses=()),
        "vmbr0: 10.0.0.2/24 in the file, not there in the kernel",
    ),
    "an address with another mask": (
        LACP,
        lambda report: with_link(report, "vmbr0", addresses=(Address(address=ip_interface("10.0.0.2/16")),)),
        "vmbr0: 10.0.0.2/24 in the file, 10.0.0.2/16 in the kernel",
    ),
    "an address that no file names": (
        LACP,
        lambda report: extra(report, "vmbr0", "10.0.0.7/24"),
        "10.0.0.7/24 is on vmbr0 but in no file",
    ),
    "a default route that leaves elsewhere": (
        LACP,
        lambda report: leaves(report, Route(to="default", via=IPv4Address("10.9.0.1"), dev="vmbr9", proto="boot")),
        "the default route leaves by vmbr9, the file says vmbr0",
    ),
    "a default route to somebody else": (
        LACP,
        lambda report: leaves(report, Route(to="default", via=IPv4Address("10.0.0.9"), dev="vmbr0", proto="kernel")),
        "the default route by vmbr0 goes to 10.0.0.9, the file says 10.0.0.1",
    ),
    "no default route": (LACP, leaves, "the default route by vmbr0 to 10.0.0.1 is missing"),
    "a default route beside the one of the file": (
        LACP,
        lambda report: leaves(report, *report.routes, Route(to="default", via=IPv4Address("10.9.0.1"), dev="wg0")),
        "the default route by wg0 to 10.9.0.1 is in no file",
    ),
    "a NIC that is gone": (
        PAIR,
        lambda report: without_link(report, "ens40"),
        "ens40, on which vmbr1 stands: the kernel has no such link",
    ),
    "a bridge that is gone": (
        LACP,
        lambda report: without_link(report, "vmbr0"),
        "vmbr0: the kernel has no such link",
    ),
    "a bridge that is down": (LACP, lambda report: with_link(report, "vmbr0", up=False, carrier=None), "vmbr0 is down"),
    "a NIC without carrier": (PAIR, lambda report: with_link(report, "ens41", carrier=False), "ens41 has no carrier"),
    "a NIC that a bridge has and no file gives it": (
        PAIR,
        lambda report: with_link(report, "ens33", master="vmbr1"),
        "ens33 is in vmbr1, but in no file",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_differs_is_one_sentence(case: str) -> None:
    """Each thing that goes wrong on a node is told, alone, in words for people."""
    network, corrupt, said = CASES[case]
    report = healthy(network)
    assert texts(network, report) == []
    assert texts(network, corrupt(report)) == [said]


@thorough
@given(networks())
def test_a_healthy_kernel_differs_in_nothing(network: Network) -> None:
    """Whatever the mode, the spelling of a VLAN, and the name by which a NIC is called."""
    bridges = [each for each in network.interfaces.values() if isinstance(each, Bridge)]
    told = {each.name: called(each) for each in bridges}
    assert texts(network, healthy(network)) == []
    assert texts(network, healthy(network), bridges=told) == []
