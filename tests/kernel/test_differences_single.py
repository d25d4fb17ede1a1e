"""Each single lack of a healthy report is one difference, of its kind; and what the bridges call alone proves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from healthy import called, healthy, network_of, networks, with_link, without_link
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_model import with_odd_values

from pvenet.kernel.differences import Kind, differences
from pvenet.kernel.links import BondStatus, BridgePorts, BridgeStatus, Port, Report, VlanStatus
from pvenet.model import Bond, BondMode, Bridge, Interface, Network, Vlan

thorough = settings(max_examples=300)


def by_call(network: Network, **changes: BridgePorts) -> list[str]:
    bridges = [each for each in network.interfaces.values() if isinstance(each, Bridge)]
    return [each.text for each in differences(network, None, {each.name: called(each) for each in bridges} | changes)]


AWARE = network_of(
    Bridge(name="vmbr1", ports=("ens38", "enp9s0"), vlan_aware=True, vids=("2-4094",)), Bridge(name="vmbr2")
)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (BridgePorts(name="vmbr1", vlan_filtering=None), ["vmbr1: the kernel has no such link"]),
        (
            BridgePorts(name="vmbr1", vlan_filtering=True, ports=(Port(name="ens38"), Port(name="tap100i0"))),
            ["vmbr1: enp9s0 is not one of its ports"],
        ),
        (
            BridgePorts(name="vmbr1", vlan_filtering=False, ports=(Port(name="ens38"), Port(name="ens39"))),
            ["vmbr1: VLAN-aware yes in the file, VLAN filtering off in the kernel"],
        ),
    ],
)
def test_the_bridges_call_alone_proves_what_it_can(told: BridgePorts, said: list[str]) -> None:
    """Bridges, their ports (also one that the file calls by its altname) and VLAN filtering, without a report."""
    assert by_call(AWARE) == []
    assert by_call(AWARE, vmbr1=told) == said


def test_a_port_that_either_has_seen_is_there() -> None:
    """The report and the bridges call are seconds apart: what one saw on the bridge was there, or comes."""
    report = healthy(AWARE)
    nothing = BridgePorts(name="vmbr1", vlan_filtering=True)
    gone = with_link(report, "ens38", master=None, port_state=None)
    assert differences(AWARE, report, {"vmbr1": nothing}) == ()
    assert differences(AWARE, gone, {"vmbr1": called(Bridge(name="vmbr1", ports=("ens38",), vlan_aware=True))}) == ()
    assert [each.kind for each in differences(AWARE, gone, {"vmbr1": nothing})] == [Kind.PORT_MISSING]


def test_a_port_that_is_not_on_its_bridge_has_a_cable_all_the_same() -> None:
    """That it is pulled is told beside: whoever knew of the one does not know of the other."""
    report = healthy(AWARE)
    gone = with_link(report, "ens38", master=None, port_state=None, carrier=False)
    assert [each.text for each in differences(AWARE, gone)] == [
        "vmbr1: ens38 has no carrier",
        "vmbr1: ens38 is not one of its ports",
    ]
    assert [each.text for each in differences(AWARE, with_link(report, "ens38", carrier=False))] == [
        "vmbr1: its port ens38 has no carrier"
    ]


Corruption = tuple[Report, tuple[str, Kind, str]]


def corruptions(network: Network) -> list[Corruption]:
    """Each single thing that can be otherwise in a healthy report, with the key of the lack."""
    report, found = healthy(network), list[Corruption]()
    for name, interface in network.interfaces.items():
        found += _of(report, name, interface)
    found.append((without_link(report, "vmbr0"), ("vmbr0", Kind.MISSING, "")))
    found.append((with_link(report, "ens41", carrier=False), ("ens41", Kind.NO_CARRIER, "ens41")))
    without = tuple(each for each in report.routes if each.family == 6)
    found.append((replace(report, routes=without), ("vmbr0", Kind.DEFAULT_ROUTE, "10.0.0.1")))
    return found


def _of(report: Report, name: str, interface: Interface) -> list[Corruption]:
    found = list[Corruption]()
    link = report.links.get(name)
    if link is None or not interface.autostart:
        return found
    if interface.mtu:
        found.append((with_link(report, name, mtu=1400), (name, Kind.MTU, "")))
    for each in (interface.cidr, interface.cidr6):
        if each:
            kept = tuple(known for known in link.addresses or () if known.address != each)
            found.append((with_link(report, name, addresses=kept), (name, Kind.ADDRESS, str(each))))
    match interface:
        case Bond():
            found += _of_bond(report, interface)
        case Bridge():
            plain = BridgeStatus(vlan_filtering=not interface.vlan_aware)
            found.append((with_link(report, name, bridge=plain), (name, Kind.VLAN_FILTERING, "")))
            for port in interface.ports:
                found.append((with_link(report, port, master=None), (name, Kind.PORT_MISSING, port)))
                found.append((with_link(report, port, port_state="blocking"), (name, Kind.STP, port)))
        case Vlan():
            found.append((with_link(report, name, vlan=VlanStatus(id=99)), (name, Kind.VLAN_ID, "")))
            found.append((with_link(report, name, parent="ens37"), (name, Kind.VLAN_PARENT, "")))
        case _:
            pass
    return found


def _of_bond(report: Report, bond: Bond) -> list[Corruption]:
    healthy_status = report.links[bond.name].bond
    assert healthy_status is not None

    def with_status(report: Report, **changes: object) -> Report:
        return with_link(report, bond.name, bond=replace(healthy_status, **changes))  # type: ignore[arg-type]

    other = "balance-rr" if bond.mode is not BondMode.BALANCE_RR else "802.3ad"
    found = [(with_status(report, mode=other), (bond.name, Kind.BOND_MODE, ""))]
    for slave in bond.slaves:
        real = next(key for key, each in report.links.items() if slave in (key, *(each.altnames or ())))
        pulled = with_status(with_link(report, real, carrier=False), aggregated=1)
        left = with_status(with_link(report, real, master=None, slave=None), aggregated=1)
        found.append((pulled, (bond.name, Kind.NO_CARRIER, slave)))
        found.append((left, (bond.name, Kind.SLAVE_NOT_JOINED, slave)))
        found.append((with_link(report, real, speed=10), (bond.name, Kind.SPEED, slave)))
    if bond.mode is BondMode.LACP:
        found.append((with_status(report, partner_mac=None), (bond.name, Kind.LACP_PARTNER, "")))
        found.append((with_status(report, aggregated=1), (bond.name, Kind.LACP_SPLIT, "")))
    if bond.primary:
        found.append((with_status(report, primary=None), (bond.name, Kind.PRIMARY, "")))
    return found


@thorough
@given(st.data())
def test_each_single_lack_is_told_alone_and_by_its_kind(data: st.DataObject) -> None:
    """One thing that is otherwise is one difference, about the interface that the file names."""
    network = data.draw(networks())
    report, key = data.draw(st.sampled_from(corruptions(network)))
    assert [each.key for each in differences(network, report)] == [key]


def test_a_bond_whose_hash_policy_can_not_be_read_is_compared_in_all_else() -> None:
    """The kernel has policies that pvenet does not know, as vlan+srcmac; its slaves and its mode are as any bond's."""
    bond = Bond(name="bond0", slaves=("ens38", "ens39"), mode=BondMode.LACP)
    plain = network_of(bond, Bridge(name="vmbr1", ports=("bond0",)))
    odd = with_odd_values(plain, ["bond0"])
    report = healthy(plain)
    assert differences(odd, report) == ()
    for broken in (
        without_link(report, "bond0"),
        with_link(report, "ens38", master=None, slave=None),
        with_link(report, "bond0", bond=BondStatus(mode="balance-rr")),
        with_link(report, "ens39", up=False, carrier=None),
    ):
        assert differences(odd, broken) == differences(plain, broken) != ()
