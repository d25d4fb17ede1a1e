"""Where nothing may be claimed, because a healthy node looks so, too; and what the bridges call alone proves."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, ip_interface
from typing import TYPE_CHECKING

import pytest
from healthy import called, healthy, network_of, with_link, without_link
from hypothesis import settings

from pvenet.kernel.differences import HARMLESS, SLOW, Kind, differences
from pvenet.kernel.links import (
    Address,
    BondStatus,
    BridgeStatus,
    KernelLink,
    Report,
    Route,
    SlaveStatus,
)
from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    FileOnly,
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

thorough = settings(max_examples=300)

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
        network_of(VMBR0, Vlan(name="ens38.5", raw_device="ens38", tag=5)),
        lambda report: with_link(report, "ens38", up=False, carrier=None),
    ),
    "a VLAN whose parent is elsewhere": (
        network_of(VMBR0, Vlan(name="ens38.5", raw_device="ens38", tag=5)),
        lambda report: with_link(report, "ens38.5", parent=None),
    ),
    "a port of OVS that has no stanza": (
        network_of(OvsBridge(name="vmbr1", ports=("ens40",))),
        lambda report: report,
    ),
    "a bond in a mode that can't be read": (
        network_of(VMBR0, Other(name="bond0", kind="bond", beneath=("ens38",), unread=("bond_mode lacp",))),
        lambda report: without_link(report, "bond0"),
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
    "an address of the host alone": (PLAIN, lambda report: extra(report, "vmbr0", "10.0.0.5/32", scope="host")),
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
    "two gateways, one of them on a link without carrier": (
        network_of(VMBR0, Ethernet(name="ens41", gateway=IPv4Address("10.5.0.9"), cidr=IPv4Interface("10.5.0.1/24"))),
        lambda report: replace(with_link(report, "vmbr0", carrier=False), routes=()),
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
    "a slave that says itself whose it is": (
        network_of(
            VMBR0, Bond(name="bond0"), Ethernet(name="ens38", file_only=FileOnly(options=("bond-master bond0",)))
        ),
        lambda report: with_link(report, "ens38", master="bond0", slave=SlaveStatus(active=True, mii_up=True)),
    ),
    "a port that a line of its bridge adds": (
        network_of(replace(VMBR0, file_only=FileOnly(options=("post-up ip link set ens38 master vmbr0",)))),
        lambda report: with_link(report, "ens38", master="vmbr0", port_state="forwarding"),
    ),
    "the first of two gateways of one stanza, of which PVE lists the last": (
        PLAIN,
        lambda report: replace(
            report,
            routes=(route("10.0.0.254", "vmbr0"),),
            interfaces="iface vmbr0 inet static\n\tgateway 10.0.0.254\n\tgateway 10.0.0.1\n",
        ),
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


def test_a_gateway_of_the_file_counts_by_its_own_interface() -> None:
    """That its address stands in the text of the file excuses no other interface."""
    report = replace(
        healthy(PLAIN), routes=(route("10.0.0.1", "ens41"),), interfaces="iface vmbr0\n\tgateway 10.0.0.1\n"
    )
    said = [each.text for each in differences(PLAIN, report)]
    assert said == ["the default route leaves by ens41, the file says vmbr0"]


def test_ports_that_a_pattern_names_are_not_looked_for() -> None:
    """`bridge-ports regex eth.*` names no port."""
    network = network_of(VMBR0, Ethernet(name="ens41"))
    wild = replace(network, interfaces={**network.interfaces, "vmbr4": Bridge(name="vmbr4", ports=("regex", "eth.*"))})
    bridge = KernelLink(name="vmbr4", up=True, carrier=True, mtu=1500, bridge=BridgeStatus(vlan_filtering=False))
    report = healthy(network)
    matched = with_link(report, "ens40", master="vmbr4")
    assert differences(wild, replace(matched, links={**matched.links, "vmbr4": bridge})) == ()


def test_a_bridge_that_the_bridges_call_has_seen_is_there() -> None:
    """The report is of another moment."""
    report = without_link(healthy(PLAIN), "vmbr0")
    assert [each.kind for each in differences(PLAIN, report)][:1] == [Kind.MISSING]
    assert differences(PLAIN, report, {"vmbr0": called(VMBR0)}) == ()


def test_a_port_of_ovs_without_a_link_is_not_missing() -> None:
    """OVS knows ports that are none of the kernel's."""
    network = Network(interfaces={"vmbr1": OvsBridge(name="vmbr1", ports=("patch0",))})
    links = {"vmbr1": KernelLink(name="vmbr1", up=True, carrier=True, mtu=1500, kind="openvswitch")}
    assert differences(network, Report(links=links)) == ()


BOND = Bond(name="bond0", slaves=("ens38", "ens39"), mode=BondMode.ACTIVE_BACKUP, primary="ens39")


def test_a_slave_that_is_not_there_yet_is_one_lack() -> None:
    """Without carrier it has not joined for that, and is no primary."""
    network = network_of(BOND)
    report = with_link(healthy(network), "ens39", master=None, slave=None, carrier=False)
    without = replace(report.links["bond0"].bond, primary=None)  # type: ignore[type-var]
    found = differences(network, with_link(report, "bond0", bond=without))
    assert [each.key for each in found] == [("bond0", Kind.NO_CARRIER, "ens39")]


def test_a_slave_that_is_down_is_told_as_that() -> None:
    """Whether it has carrier can't be known."""
    network = network_of(BOND)
    report = with_link(healthy(network), "ens39", up=False, carrier=None)
    assert [each.text for each in differences(network, report)] == ["ens39 is down"]


def test_nobody_can_answer_where_no_slave_has_carrier() -> None:
    """Each slave is told of, and no partner asked for; nor does the bridge above name a bond's or a VLAN's carrier."""
    network = network_of(
        replace(BOND, mode=BondMode.LACP, primary=None),
        Vlan(name="bond0.5", raw_device="bond0", tag=5),
        Bridge(name="vmbr1", ports=("bond0",)),
        Bridge(name="vmbr5", ports=("bond0.5",)),
    )
    report = healthy(network)
    for name in ("ens38", "ens39", "bond0", "bond0.5"):
        report = with_link(report, name, carrier=False)
    alone = replace(report.links["bond0"].bond, partner_mac=None)  # type: ignore[type-var]
    found = differences(network, with_link(report, "bond0", bond=alone))
    assert [each.key for each in found] == [("bond0", Kind.NO_CARRIER, slave) for slave in ("ens38", "ens39")]
    assert found[0].text.endswith("0 of 2 slaves carry traffic")


def test_what_a_release_does_not_say_of_lacp_is_not_missing() -> None:
    """Without the states of the slaves the count of those in the aggregator decides (pve-api#lacp-up)."""
    network = network_of(replace(BOND, mode=BondMode.LACP, primary=None))
    report = healthy(network)
    for name in ("ens38", "ens39"):
        report = with_link(report, name, slave=SlaveStatus(active=True, mii_up=True))
    assert differences(network, report) == ()


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


def test_what_never_fails_and_what_waits_are_no_same_kinds() -> None:
    """A kind is judged at once, in a last look, or not at all."""
    assert not SLOW & HARMLESS
    assert Kind.LACP_PARTNER in SLOW
    assert Kind.EXTRA_ADDRESS in HARMLESS
