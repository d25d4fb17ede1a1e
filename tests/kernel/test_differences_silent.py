"""Where nothing may be claimed, because a healthy node looks so, too; and what the bridges call alone proves."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, ip_interface
from typing import TYPE_CHECKING

import pytest
from healthy import called, healthy, network_of, networks, with_link, without_link
from hypothesis import given, settings
from hypothesis import strategies as st

from pvenet.kernel.differences import HARMLESS, SLOW, Kind, differences
from pvenet.kernel.links import (
    Address,
    BondStatus,
    BridgePorts,
    BridgeStatus,
    KernelLink,
    Port,
    Report,
    Route,
    VlanStatus,
)
from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    FileOnly,
    Interface,
    Network,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

thorough = settings(max_examples=300, deadline=None)

VMBR0 = Bridge(name="vmbr0", ports=("ens33",), cidr=IPv4Interface("10.0.0.2/24"), gateway=IPv4Address("10.0.0.1"))
PLAIN = network_of(VMBR0)


def route(via: str, dev: str, proto: str = "kernel") -> Route:
    version = 6 if ":" in via else 4
    address = IPv6Address(via) if version == 6 else IPv4Address(via)
    return Route(to="default", via=address, dev=dev, proto=proto, family=version)


def extra(report: Report, name: str, address: str, **more: object) -> Report:
    new = Address(address=ip_interface(address), **more)  # type: ignore[arg-type]
    return with_link(report, name, addresses=(*(report.links[name].addresses or ()), new))


SILENT: dict[str, tuple[Network, Callable[[Report], Report]]] = {
    "no autostart, and not in the kernel": (
        network_of(VMBR0, Bridge(name="vmbr5", ports=("ens38",), autostart=False)),
        lambda report: without_link(with_link(report, "ens38", master=None, port_state=None), "vmbr5"),
    ),
    "no autostart, and down": (
        network_of(VMBR0, Bond(name="bond0", slaves=("ens38",), mode=BondMode.LACP, autostart=False)),
        lambda report: with_link(
            with_link(report, "ens38", master=None, slave=None),
            "bond0",
            up=False,
            carrier=None,
            bond=BondStatus(mode="balance-rr"),
        ),
    ),
    "a NIC that nothing starts": (
        network_of(VMBR0, Ethernet(name="ens38", autostart=False, mtu=9000, cidr=IPv4Interface("10.8.0.2/24"))),
        lambda report: with_link(report, "ens38", mtu=1500, addresses=(), carrier=False),
    ),
    "a raw device that nothing starts": (
        network_of(VMBR0, Vlan(name="ens38.5")),
        lambda report: with_link(report, "ens38", up=False, carrier=None),
    ),
    "an interface that pvenet does not model": (
        network_of(VMBR0, Other(name="vxlan1", kind="vxlan", mtu=1400, beneath=("ens38",))),
        lambda report: without_link(report, "vxlan1"),
    ),
    "a bond in OVS, which is no link": (
        network_of(
            OvsBridge(name="vmbr1", ports=("bond1", "mgmt", "ens40")),
            OvsBond(name="bond1", bridge="vmbr1", slaves=("ens38", "ens39")),
            OvsIntPort(name="mgmt", bridge="vmbr1", cidr=IPv4Interface("10.7.0.2/24")),
            OvsPort(name="ens40", bridge="vmbr1"),
        ),
        lambda report: without_link(report, "bond1"),
    ),
    "what stands in a file of interfaces.d, too": (
        network_of(replace(VMBR0, mtu=9000)),
        lambda report: replace(
            with_link(report, "vmbr0", mtu=1400), sourced={"/etc/network/interfaces.d/x": "iface vmbr0\n\tmtu 1400\n"}
        ),
    ),
    "VLAN filtering by a line that PVE does not know": (
        network_of(replace(VMBR0, file_only=FileOnly(options=("bridge-vlan-filtering yes",)))),
        lambda report: with_link(report, "vmbr0", bridge=BridgeStatus(vlan_filtering=True)),
    ),
    "a link that no file names": (
        PLAIN,
        lambda report: extra(
            replace(report, links={**report.links, "wg0": KernelLink(name="wg0", up=True, carrier=True, mtu=1420)}),
            "wg0",
            "10.66.0.1/24",
        ),
    ),
    "a guest's port": (
        PLAIN,
        lambda report: replace(
            report,
            links={
                **report.links,
                "tap100i0": KernelLink(name="tap100i0", up=True, carrier=True, mtu=1500, kind="tun", master="vmbr0"),
            },
        ),
    ),
    "an empty bridge": (network_of(Bridge(name="vmbr9")), lambda report: with_link(report, "vmbr9", carrier=False)),
    "an uplink's loss on the bridge alone": (PLAIN, lambda report: with_link(report, "vmbr0", carrier=True)),
    "an address that came by itself": (PLAIN, lambda report: extra(report, "vmbr0", "10.0.0.99/24", dynamic=True)),
    "an address of the link alone": (PLAIN, lambda report: extra(report, "vmbr0", "fe80::5/64", scope="link")),
    "an address in the file, in another line": (
        PLAIN,
        lambda report: replace(
            extra(report, "vmbr0", "fd00::1/64"), interfaces="iface vmbr0\n\tup ip a a FD00:0:0::1/64 dev vmbr0\n"
        ),
    ),
    "an address in a file of interfaces.d": (
        PLAIN,
        lambda report: replace(
            extra(report, "vmbr0", "10.3.0.1/24"), sourced={"x": "iface vmbr0:1\n address 10.3.0.1\n"}
        ),
    ),
    "an address in an option": (
        network_of(replace(VMBR0, file_only=FileOnly(options=("post-up ip addr add 10.3.0.1/24 dev vmbr0",)))),
        lambda report: extra(report, "vmbr0", "10.3.0.1/24"),
    ),
    "an address by DHCP": (
        network_of(Ethernet(name="ens41", file_only=FileOnly(method="dhcp"), cidr=IPv4Interface("10.5.0.1/24"))),
        lambda report: extra(with_link(report, "ens41", addresses=()), "ens41", "10.5.0.77/24"),
    ),
    "a mask that PVE could not read": (
        network_of(Ethernet(name="ens41", cidr=IPv4Interface("10.5.0.1/32"))),
        lambda report: extra(with_link(report, "ens41", addresses=()), "ens41", "10.5.0.1/24"),
    ),
    "a route of a router's advertisement": (
        PLAIN,
        lambda report: replace(report, routes=(*report.routes, route("fe80::2", "ens41", "ra"))),
    ),
    "a route of a routing daemon instead": (
        PLAIN,
        lambda report: replace(report, routes=(route("10.9.0.1", "ens41", "bird"),)),
    ),
    "one of two gateways": (
        network_of(VMBR0, Ethernet(name="ens41", gateway=IPv4Address("10.5.0.9"), cidr=IPv4Interface("10.5.0.1/24"))),
        lambda report: replace(report, routes=report.routes[1:]),
    ),
    "a gateway on a link without carrier": (
        network_of(Bridge(name="vmbr9", cidr=IPv4Interface("10.5.0.1/24"), gateway=IPv4Address("10.5.0.9"))),
        lambda report: replace(report, routes=()),
    ),
    "a gateway in a VRF": (
        network_of(replace(VMBR0, file_only=FileOnly(options=("vrf red",)))),
        lambda report: replace(report, routes=()),
    ),
    "a default route by a DHCP client": (
        network_of(Ethernet(name="ens41", file_only=FileOnly(method="dhcp"))),
        lambda report: replace(report, routes=(route("10.5.0.9", "ens41", "boot"),)),
    ),
    "a default route by a line that PVE does not know": (
        network_of(replace(VMBR0, file_only=FileOnly(options=("up ip r replace default via 10.9.0.1",)))),
        lambda report: replace(report, routes=(route("10.9.0.1", "ens41", "boot"),)),
    ),
    "addresses that could not be read": (PLAIN, lambda report: with_link(report, "vmbr0", addresses=None)),
    "a NIC whose altnames could not be read": (
        network_of(Bond(name="bond0", slaves=("ens38", "enp9s0"))),
        lambda report: with_link(report, "ens39", altnames=None),
    ),
    "a link of a kind that is not said": (
        PLAIN,
        lambda report: with_link(report, "vmbr0", kind=None, bridge=None),
    ),
    "a NIC that a line keeps down": (
        network_of(VMBR0, Ethernet(name="ens38", file_only=FileOnly(options=("link-down yes",)))),
        lambda report: with_link(report, "ens38", up=False, carrier=None),
    ),
}


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_claimed_of_what_a_healthy_node_may_have(case: str) -> None:
    """An apply rolls back on differences, so what may be so is none."""
    network, otherwise = SILENT[case]
    assert [each.text for each in differences(network, otherwise(healthy(network)))] == []


def test_ports_that_a_pattern_names_are_not_looked_for() -> None:
    """`bridge-ports regex eth.*` names no port."""
    network = network_of(VMBR0, Ethernet(name="ens41"))
    wild = replace(network, interfaces={**network.interfaces, "vmbr4": Bridge(name="vmbr4", ports=("regex", "eth.*"))})
    bridge = KernelLink(name="vmbr4", up=True, carrier=True, mtu=1500, bridge=BridgeStatus(vlan_filtering=False))
    report = healthy(network)
    matched = with_link(report, "ens40", master="vmbr4")
    assert differences(wild, replace(matched, links={**matched.links, "vmbr4": bridge})) == ()


def test_a_stale_partner_state_is_not_read() -> None:
    """A slave without carrier tells of a partner that is gone (pve-api#lacp-stale): its carrier alone differs."""
    network = network_of(Bond(name="bond0", slaves=("ens38", "ens39"), mode=BondMode.LACP))
    report = healthy(network)
    stale = replace(report.links["ens39"].slave, aggregator=7, mii_up=False, active=False)  # type: ignore[type-var]
    status = replace(report.links["bond0"].bond, aggregated=1)  # type: ignore[type-var]
    report = with_link(with_link(report, "ens39", carrier=False, slave=stale), "bond0", bond=status)
    assert [each.kind for each in differences(network, report)] == [Kind.NO_CARRIER]


def test_an_interface_that_somebody_brought_up_is_compared() -> None:
    """It has no autostart, but it is there, and the file says how it is to be."""
    network = network_of(Bond(name="bond0", slaves=("ens38",), mode=BondMode.LACP, autostart=False))
    report = with_link(healthy(network), "bond0", bond=BondStatus(mode="balance-rr"))
    assert [each.kind for each in differences(network, report)] == [Kind.BOND_MODE]


def test_a_lack_has_the_same_key_at_two_moments() -> None:
    """Whatever else the sentence says, so that before and after can be compared."""
    network = network_of(replace(VMBR0, mtu=9000))
    first, second = (differences(network, with_link(healthy(network), "vmbr0", mtu=mtu)) for mtu in (1500, 1400))
    assert [each.key for each in first] == [each.key for each in second] == [("vmbr0", Kind.MTU, "")]
    assert first != second


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


def test_what_never_fails_and_what_waits_are_no_same_kinds() -> None:
    """A kind is judged at once, in a last look, or not at all."""
    assert not SLOW & HARMLESS
    assert Kind.LACP_PARTNER in SLOW
    assert Kind.EXTRA_ADDRESS in HARMLESS


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
