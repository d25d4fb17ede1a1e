"""Networks, and the kernel that a healthy node has of one: said independently of pvenet.kernel, to judge it by."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pvenet.kernel.links import (
    Address,
    BondStatus,
    BridgePorts,
    BridgeStatus,
    KernelLink,
    Port,
    Report,
    Route,
    SlaveStatus,
    VlanStatus,
)
from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    FileOnly,
    Interface,
    Link,
    Network,
    OvsBridge,
    OvsIntPort,
    Vlan,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
ALTNAME = {"ens39": "enp9s0"}
IN_SYNC = frozenset({"active", "aggregating", "in_sync", "collecting", "distributing"})
PARTNER = "52:54:00:00:00:99"


def network_of(*interfaces: Interface) -> Network:
    """A network of some interfaces, and of all NICs, each by the name that the others call it by."""
    used = {name for each in interfaces for name in (*getattr(each, "slaves", ()), *getattr(each, "ports", ()))}
    used |= {each.name for each in interfaces} | {getattr(each, "raw_device", None) for each in interfaces}
    nics = [ALTNAME[nic] if nic in ALTNAME and ALTNAME[nic] in used else nic for nic in NICS]
    found: dict[str, Interface] = {nic: Ethernet(name=nic, autostart=False) for nic in nics}
    links = {altname: Link(exists=True, altnames=(nic,)) for nic, altname in ALTNAME.items() if altname in nics}
    return Network(interfaces=found | {each.name: each for each in interfaces}, links=links)


def healthy(network: Network) -> Report:
    """What a report of it says."""
    links = {nic: KernelLink(name=nic, up=True, carrier=True, mtu=1500, speed=1000) for nic in NICS}
    links = {name: replace(link, altnames=(ALTNAME[name],) if name in ALTNAME else ()) for name, link in links.items()}
    routes: list[Route] = []
    for name, interface in network.interfaces.items():
        real = kernel_name(name)
        link = replace(
            links.get(real) or KernelLink(name=real, up=True, carrier=True, mtu=1500), mtu=interface.mtu or 1500
        )
        links[real] = _of_kind(interface, _with_addresses(interface, link))
        routes += [
            Route(to="default", via=gateway, dev=real, proto="kernel", family=gateway.version)
            for gateway in (interface.gateway, interface.gateway6)
            if gateway
        ]
    for interface in network.interfaces.values():
        _join(links, interface)
    return Report(links=links, routes=tuple(routes))


def called(bridge: Bridge) -> BridgePorts:
    """What the bridges call says of one of its bridges."""
    ports = tuple(Port(name=kernel_name(name)) for name in bridge.ports)
    return BridgePorts(name=bridge.name, vlan_filtering=bridge.vlan_aware, ports=ports)


def kernel_name(name: str) -> str:
    """What the kernel calls a NIC that may be named by its altname."""
    return next((nic for nic, altname in ALTNAME.items() if altname == name), name)


def _with_addresses(interface: Interface, link: KernelLink) -> KernelLink:
    named = [Address(address=each) for each in (interface.cidr, interface.cidr6) if each]
    local = Address(address=IPv6Interface("fe80::1/64"), scope="link")
    return replace(link, addresses=(*named, local))


def _of_kind(interface: Interface, link: KernelLink) -> KernelLink:
    match interface:
        case Bond():
            lacp = interface.mode is BondMode.LACP
            status = BondStatus(
                mode=str(interface.mode),
                primary=interface.primary and kernel_name(interface.primary),
                xmit_hash_policy=str(interface.xmit_hash_policy or "layer2"),
                partner_mac=PARTNER if lacp else None,
                aggregated=len(interface.slaves) if lacp else None,
            )
            return replace(link, kind="bond", bond=status)
        case Bridge():
            filtering = BridgeStatus(vlan_filtering=interface.vlan_aware)
            return replace(link, kind="bridge", bridge=filtering, carrier=bool(interface.ports))
        case Vlan():
            head, dot, tail = interface.name.rpartition(".")
            tag = interface.tag if interface.tag is not None else int(tail.removeprefix("vlan"))
            parent = interface.raw_device or (head if dot else None)
            return replace(link, kind="vlan", vlan=VlanStatus(id=tag), parent=kernel_name(parent or ""))
        case OvsBridge() | OvsIntPort():
            return replace(link, kind="openvswitch")
        case _:
            return link


def _join(links: dict[str, KernelLink], whole: Interface) -> None:
    if isinstance(whole, Bond):
        lacp = whole.mode is BondMode.LACP
        status = SlaveStatus(active=True, mii_up=True)
        if lacp:
            status = replace(status, aggregator=1, actor=IN_SYNC, partner=IN_SYNC)
        for name in map(kernel_name, whole.slaves):
            links[name] = replace(links[name], master=whole.name, slave=status)
    elif isinstance(whole, Bridge | OvsBridge):
        master = whole.name if isinstance(whole, Bridge) else "ovs-system"
        for name in map(kernel_name, whole.ports):
            state = "forwarding" if isinstance(whole, Bridge) else None
            links[name] = replace(links[name], master=master, port_state=state)


_modes = st.sampled_from(list(BondMode))
_mtus = st.sampled_from([None, 1500, 9000])


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A bond over NICs that may be called by an altname, a bridge on it, a VLAN in one of its spellings, a way out."""
    mode, mtu = draw(_modes), draw(_mtus)
    slaves = ("ens38", draw(st.sampled_from(["ens39", "enp9s0"])))
    aware = draw(st.booleans())
    found: list[Interface] = [
        Bridge(
            name="vmbr0",
            ports=("ens33",),
            cidr=IPv4Interface("10.0.0.2/24"),
            gateway=IPv4Address("10.0.0.1"),
            cidr6=draw(st.sampled_from([None, IPv6Interface("fd00:0:0::2/64")])),
        ),
        Bond(
            name="bond0",
            slaves=slaves,
            mode=mode,
            mtu=mtu,
            primary=draw(st.sampled_from([None, slaves[1]])) if mode is BondMode.ACTIVE_BACKUP else None,
        ),
        Bridge(name="vmbr1", ports=("bond0",), mtu=mtu, vlan_aware=aware, vids=("2-4094",) if aware else ()),
        Bridge(name="vmbr9", autostart=draw(st.booleans())),
        draw(
            st.sampled_from(
                [
                    Vlan(name="vmbr1.50", cidr=IPv4Interface("10.50.0.2/24")),
                    Vlan(name="vlan50", raw_device="vmbr1"),
                    Vlan(name="storage", raw_device="vmbr1", tag=50, mtu=mtu),
                    Vlan(name="ens40.50"),
                    Vlan(name="vmbr1.50", raw_device="vmbr1", tag=50),
                ]
            )
        ),
        Ethernet(
            name="ens41",
            cidr6=IPv6Interface("fd00:1::2/64"),
            gateway6=draw(st.sampled_from([None, IPv6Address("fd00:1::1")])),
            file_only=FileOnly(method6="static", families=("inet6",)),
        ),
    ]
    return network_of(*found)


def with_link(report: Report, name: str, **changes: object) -> Report:
    """The same with one link otherwise, by the kernel's name."""
    links: Mapping[str, KernelLink] = report.links
    return replace(report, links={**links, name: replace(links[name], **changes)})  # type: ignore[arg-type]


def without_link(report: Report, name: str) -> Report:
    """The same without one link."""
    return replace(report, links={each: link for each, link in report.links.items() if each != name})
