"""Cases of the rules of `pvenet lint`: some nodes, and what one rule finds in them; nothing, where it only looks so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plan_model import network

from pvenet.kernel.links import Address, KernelLink
from pvenet.lint import Nodes
from pvenet.model import Link, Network
from pvenet.model.addresses import parse_address
from pvenet.model.cluster import ClusterLink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Case:
    """Nodes in the tests' notation, and the findings of one rule."""

    rule: str
    about: str
    nodes: Mapping[str, str]
    found: Sequence[str] = ()
    """Each as `node interface field: message`."""
    nics: Sequence[str] = ()
    """What the list says is there, as NIC or NIC=ALTNAME; nothing is said of which NICs there are where it is empty."""
    kernel: Mapping[str, KernelLink] = field(default_factory=dict)
    """Of pve1."""
    corosync: Sequence[str] = ()
    """The addresses of pve1 on the cluster's links."""
    partial: bool = False
    """The networks are not known as a whole."""

    @property
    def given(self) -> Nodes:
        """What the rules look at."""
        ends = [ClusterLink(node="pve1", number=at, address=ip, ip=ip) for at, ip in enumerate(self.corosync)]
        links = {
            nic: Link(exists=True, altnames=(altname,) if altname else ())
            for nic, _, altname in (each.partition("=") for each in self.nics)
        }
        return Nodes(
            networks={
                node: Network(interfaces=network(text).interfaces, links=links) for node, text in self.nodes.items()
            },
            kernels={"pve1": self.kernel} if self.kernel else {},
            cluster_links=tuple(ends),
            complete=frozenset() if self.partial else frozenset(self.nodes),
        )


def link(name: str, *, mtu: int = 1500, **more: object) -> KernelLink:
    """A link of the kernel."""
    return KernelLink(name=name, up=True, carrier=True, mtu=mtu, **more)  # type: ignore[arg-type]


def kernel(*links: KernelLink) -> Mapping[str, KernelLink]:
    return {each.name: each for each in links}


def held(address: str) -> tuple[Address, ...]:
    return (Address(address=parse_address("cidr", address)),)  # type: ignore[arg-type]


_JUMBO = "eth eno2 mtu=9000 cidr=10.0.5.{}/24"
_LACP = "bond bond0 slaves=eno1,eno2 mode=802.3ad"

CASES = [
    # --- mtu-path ---
    Case(
        rule="mtu-path",
        about="a bridge over a bond that names none and has a value that can't be read",
        nodes={
            "pve1": "eth eno1\neth eno2\nother bond0 kind=bond beneath=eno1,eno2\nbridge vmbr1 ports=bond0 mtu=9000"
        },
        found=["pve1 vmbr1 mtu: mtu 9000 of vmbr1 is above the 1500 of bond0: larger frames are lost there"],
    ),
    Case(
        rule="mtu-path",
        about="a bridge over a bond that names none",
        nodes={"pve1": "eth eno1\neth eno2\nbond bond0 slaves=eno1,eno2\nbridge vmbr1 ports=bond0 mtu=9000"},
        found=["pve1 vmbr1 mtu: mtu 9000 of vmbr1 is above the 1500 of bond0: larger frames are lost there"],
    ),
    Case(
        rule="mtu-path",
        about="a VLAN, by its name alone",
        nodes={"pve1": "eth eno1 mtu=1400\nvlan eno1.50 mtu=1500"},
        found=["pve1 eno1.50 mtu: mtu 1500 of eno1.50 is above the 1400 of eno1: larger frames are lost there"],
    ),
    Case(
        rule="mtu-path",
        about="a bond over a slave that names a smaller one",
        nodes={"pve1": "eth eno1 mtu=1500\neth eno2\nbond bond0 slaves=eno1,eno2 mtu=9000"},
        found=["pve1 bond0 mtu: mtu 9000 of bond0 is above the 1500 of its slave eno1: larger frames are lost there"],
    ),
    Case(
        rule="mtu-path",
        about="a port that needs no stanza",
        nodes={"pve1": "eth eno1\nbridge vmbr1 ports=eno1.5 mtu=9000"},
        found=["pve1 vmbr1 mtu: mtu 9000 of vmbr1 is above the 1500 of eno1.5: larger frames are lost there"],
    ),
    Case(
        rule="mtu-path",
        about="a bridge of Open vSwitch over its NIC, and an internal port over the bridge",
        nodes={
            "pve1": "ovs-port eno1 bridge=vmbr0\novs-bridge vmbr0 ports=eno1,mgmt mtu=9000\n"
            "ovs-int-port mgmt bridge=vmbr0 mtu=9100"
        },
        found=[
            "pve1 vmbr0 mtu: mtu 9000 of vmbr0 is above the 1500 of eno1: larger frames are lost there",
            "pve1 mgmt mtu: mtu 9100 of mgmt is above the 9000 of vmbr0: larger frames are lost there",
        ],
    ),
    Case(
        rule="mtu-path",
        about="all alike, slaves that follow their bond, smaller internal ports",
        nodes={
            "pve1": "eth eno1\neth eno2\nbond bond0 slaves=eno1,eno2 mtu=9000\nbridge vmbr1 ports=bond0 mtu=9000\n"
            "vlan vmbr1.50 mtu=9000\neth eno3 mtu=9000\novs-bridge vmbr2 ports=eno3,mgmt,stor mtu=9000\n"
            "ovs-int-port mgmt bridge=vmbr2 mtu=1500\nother stor kind=OVSIntPort mtu=1500"
        },
    ),
    Case(
        rule="mtu-path",
        about="what is beneath takes over another, or is not known",
        nodes={
            "pve1": "eth eno1 mtu=9000\nbridge vmbr0 ports=eno1\nvlan vmbr0.50 mtu=9000\n"
            "bridge vmbr1 ports=eno7 mtu=9000"
        },
    ),
    Case(
        rule="mtu-path",
        about="the kernel has another one than 1500",
        nodes={"pve1": "eth eno1\nvlan eno1.50 mtu=9000"},
        kernel=kernel(link("eno1", mtu=9000)),
    ),
    # --- mtu-peers ---
    Case(
        rule="mtu-peers",
        about="one of three",
        nodes={"pve1": _JUMBO.format(1), "pve2": _JUMBO.format(2), "pve3": "bond bond0 cidr=10.0.5.3/24"},
        found=["pve3 bond0 mtu: bond0 has mtu 1500 in 10.0.5.0/24, and pve1's eno2, pve2's eno2 9000"],
    ),
    Case(
        rule="mtu-peers",
        about="IPv6, and an MTU that only the kernel tells",
        nodes={"pve1": "bridge vmbr0 ports=eno1 cidr6=fd00::1/64", "pve2": "eth eno1 cidr6=fd00::2/64"},
        kernel=kernel(link("vmbr0", mtu=9000)),
        found=["pve2 eno1 mtu: eno1 has mtu 1500 in fd00::/64, and pve1's vmbr0 9000"],
    ),
    Case(
        rule="mtu-peers",
        about="other networks, one node, one that can't be told",
        nodes={
            "pve1": _JUMBO.format(1),
            "pve2": "eth eno2 cidr=10.0.6.2/24\neth eno1 cidr=10.0.6.3/24 mtu=9000",
            "pve3": "eth eno1 mtu=9000\nbridge vmbr0 ports=eno1 cidr=10.0.5.3/24",
        },
    ),
    # --- bridge-vlans ---
    Case(
        rule="bridge-vlans",
        about="fewer VLANs than on the others",
        nodes={
            "pve1": "bridge vmbr1 ports=eno1 vlan_aware=on vids=2-100,300",
            "pve2": "bridge vmbr1 ports=eno1 vlan_aware=on vids=2-50",
        },
        found=["pve2 vmbr1 vids: vmbr1 lacks the VLANs 51-100,300, which it has on pve1"],
    ),
    Case(
        rule="bridge-vlans",
        about="the one that lacks some comes first",
        nodes={
            "pve1": "bridge vmbr1 ports=eno1 vlan_aware=on vids=7",
            "pve2": "bridge vmbr1 ports=eno1 vlan_aware=on",
        },
        found=["pve1 vmbr1 vids: vmbr1 lacks the VLANs 2-6,8-4094, which it has on pve2"],
    ),
    Case(
        rule="bridge-vlans",
        about="more than on the others",
        nodes={
            "pve1": "bridge vmbr1 ports=eno1 vlan_aware=on vids=7,8",
            "pve2": "bridge vmbr1 ports=eno1 vlan_aware=on vids=7",
            "pve3": "bridge vmbr1 ports=eno1 vlan_aware=on vids=7",
        },
        found=["pve1 vmbr1 vids: vmbr1 has the VLANs 8, which it lacks on pve2, pve3"],
    ),
    Case(
        rule="bridge-vlans",
        about="not VLAN-aware",
        nodes={"pve1": "bridge vmbr1 ports=eno1", "pve2": "bridge vmbr1 ports=eno1 vlan_aware=on"},
        found=["pve1 vmbr1 vlan_aware: vmbr1 is not VLAN-aware, and is on pve2"],
    ),
    Case(
        rule="bridge-vlans",
        about="on another VLAN",
        nodes={
            "pve1": "vlan bond0.50\nbridge vmbr50 ports=bond0.50",
            "pve2": "bridge vmbr50 ports=bond0.51",
            "pve3": "vlan storage raw_device=bond0 tag=50\nbridge vmbr50 ports=storage",
        },
        found=["pve2 vmbr50 ports: vmbr50 goes out in VLAN 51, and in VLAN 50 on pve1, pve3"],
    ),
    Case(
        rule="bridge-vlans",
        about="the same said otherwise, other names, and bridges without ports",
        nodes={
            "pve1": "bridge vmbr1 ports=eno1 vlan_aware=on vids=2-4094\nbridge vmbr2 ports=eno2\n"
            "bridge vmbr3 ports=eno3",
            "pve2": "bridge vmbr1 ports=ens1 vlan_aware=on\nbridge vmbr2\nvlan eno2.5\nbridge vmbr4 ports=eno2.5",
        },
    ),
    # --- bond-peers ---
    Case(
        rule="bond-peers",
        about="another mode",
        nodes={"pve1": _LACP, "pve2": "bond bond0 slaves=eno1,eno2 mode=active-backup", "pve3": _LACP},
        found=["pve2 bond0 mode: bond0 is active-backup, and 802.3ad with layer2 on pve1, pve3"],
    ),
    Case(
        rule="bond-peers",
        about="another hash policy",
        nodes={"pve1": _LACP, "pve2": f"{_LACP} xmit_hash_policy=layer3+4", "pve3": _LACP},
        found=["pve2 bond0 xmit_hash_policy: bond0 is 802.3ad with layer3+4, and 802.3ad with layer2 on pve1, pve3"],
    ),
    Case(
        rule="bond-peers",
        about="of Open vSwitch",
        nodes={"pve1": "ovs-bond bond0 slaves=a1,a2 mode=balance-slb", "pve2": "ovs-bond bond0 slaves=a1,a2"},
        found=["pve2 bond0 mode: bond0 is active-backup, and balance-slb on pve1"],
    ),
    Case(
        rule="bond-peers",
        about="the default said aloud, a policy that its mode ignores, and other names",
        nodes={
            "pve1": f"{_LACP}\nbond bond1 mode=active-backup",
            "pve2": f"{_LACP} xmit_hash_policy=layer2\nbond bond1 mode=active-backup xmit_hash_policy=layer3+4",
            "pve3": "bond bond7 mode=balance-xor",
        },
    ),
    # --- single-slave ---
    Case(
        rule="single-slave",
        about="one, and one twice",
        nodes={"pve1": "bond bond0 slaves=eno1\nbond bond1 slaves=eno2,eno2\novs-bond bond2 slaves=eno3"},
        found=[
            "pve1 bond0 slaves: bond0 has one slave, eno1: nothing takes over if it fails",
            "pve1 bond1 slaves: bond1 has one slave, eno2: nothing takes over if it fails",
            "pve1 bond2 slaves: bond2 has one slave, eno3: nothing takes over if it fails",
        ],
    ),
    Case(
        rule="single-slave",
        about="of a bond with a value that can't be read",
        nodes={"pve1": "other bond0 kind=bond beneath=eno1"},
        found=["pve1 bond0 slaves: bond0 has one slave, eno1: nothing takes over if it fails"],
    ),
    Case(rule="single-slave", about="two, and none yet", nodes={"pve1": "bond bond0 slaves=eno1,eno2\nbond bond1"}),
    # --- shared-network ---
    Case(
        rule="shared-network",
        about="two NICs, also with IPv6 and other prefix lengths",
        nodes={
            "pve1": "eth a1 cidr=10.0.0.1/24\neth a2 cidr=10.0.0.2/25\neth a3 cidr6=fd00::1/64\neth a4 cidr6=fd00::2/64"
        },
        found=[
            "pve1 a2 cidr: a2 has 10.0.0.2/25, and a1 10.0.0.1/24 in the same network",
            "pve1 a4 cidr6: a4 has fd00::2/64, and a3 fd00::1/64 in the same network",
        ],
    ),
    Case(
        rule="shared-network",
        about="routed setups, aliases, link-local, what is not started, one within the other, two nodes",
        nodes={
            "pve1": "eth a1 cidr=192.0.2.1/32\nbridge vmbr0 cidr=192.0.2.1/32\neth a2 cidr=10.0.0.1/24\n"
            "other a2:1 kind=alias cidr=10.0.0.2/24\neth a3 cidr6=fe80::1/64\neth a4 cidr6=fe80::2/64\n"
            "eth a5 cidr=10.0.0.3/24 autostart=off\neth a6 cidr=10.0.0.200/28",
            "pve2": "eth a2 cidr=10.0.0.4/24",
        },
    ),
    # --- gateway-outside ---
    Case(
        rule="gateway-outside",
        about="another network, another interface's, and none",
        nodes={
            "pve1": "bridge vmbr0 cidr=192.0.2.11/24 gateway=192.0.3.1\neth eno2 cidr=192.0.3.2/24\n"
            "eth eno3 gateway6=fd00::1"
        },
        found=[
            "pve1 vmbr0 gateway: gateway 192.0.3.1 of vmbr0 is in none of its networks: 192.0.2.0/24",
            "pve1 eno3 gateway6: gateway6 fd00::1 of eno3 is in none of its networks: it has none",
        ],
    ),
    Case(
        rule="gateway-outside",
        about="inside, a hoster's, link-local, DHCP's, an alias's network, a hook's route",
        nodes={
            "pve1": "eth a1 cidr=10.0.0.2/24 gateway=10.0.0.1\neth a2 cidr=192.0.2.1/32 gateway=198.51.100.1\n"
            "eth a3 cidr6=fd00::2/64 gateway6=fe80::1\neth a4 gateway=10.9.0.1 method=dhcp\n"
            "eth a5 cidr=10.1.0.2/24 gateway=10.2.0.1\nother a5:1 kind=alias cidr=10.2.0.2/24\n"
            "eth a6 cidr=10.3.0.2/24 gateway=10.4.0.1 options=up_ip_route_add_10.4.0.1_dev_a6\n"
            "eth a7 cidr=10.5.0.2/24 gateway=10.6.0.1 options=address_10.6.0.2/24"
        },
    ),
    # --- corosync-cable ---
    Case(
        rule="corosync-cable",
        about="two VLANs of one NIC",
        nodes={"pve1": "eth eno1\nvlan eno1.10 cidr=10.0.1.1/24\nbridge vmbr0 ports=eno1 cidr=10.0.2.1/24"},
        corosync=["10.0.1.1", "10.0.2.1"],
        found=["pve1 vmbr0 name: links 0 and 1 of corosync both go over eno1: one failure cuts both"],
    ),
    Case(
        rule="corosync-cable",
        about="an address that only the kernel tells, and an internal port",
        nodes={
            "pve1": "ovs-port eno1 bridge=vmbr0\novs-bridge vmbr0 ports=eno1,mgmt method=dhcp\n"
            "ovs-int-port mgmt bridge=vmbr0 cidr=10.0.2.1/24"
        },
        kernel=kernel(link("vmbr0", addresses=held("10.0.1.1/24"))),
        corosync=["10.0.1.1", "10.0.2.1"],
        found=["pve1 mgmt name: links 0 and 1 of corosync both go over eno1: one failure cuts both"],
    ),
    Case(
        rule="corosync-cable",
        about="two NICs, a bond of two, an address that nobody has",
        nodes={
            "pve1": "eth eno1 cidr=10.0.1.1/24\neth eno2 cidr=10.0.2.1/24\nbond bond0 slaves=eno3,eno4\n"
            "vlan bond0.3 cidr=10.0.3.1/24\nvlan bond0.4 cidr=10.0.4.1/24"
        },
        corosync=["10.0.1.1", "10.0.2.1", "10.0.3.1", "10.0.4.1", "10.0.5.1", "10.0.5.2"],
    ),
    # --- missing-nic ---
    Case(
        rule="missing-nic",
        about="a port, a slave, a raw device, a port that needs no stanza",
        nodes={
            "pve1": "eth eno1\nbridge vmbr0 ports=eno1\nbond bond0 slaves=enp5s0,eno9\n"
            "vlan vlan5 raw_device=eth7 tag=5\nbridge vmbr1 ports=eno8.20"
        },
        nics=["enp5s0"],
        found=[
            "pve1 vmbr0 ports: vmbr0 is on eno1, but the node has no eno1",
            "pve1 bond0 slaves: bond0 is on eno9, but the node has no eno9",
            "pve1 vlan5 raw_device: vlan5 is on eth7, but the node has no eth7",
            "pve1 vmbr1 ports: vmbr1 is on eno8.20, but the node has no eno8",
        ],
    ),
    Case(
        rule="missing-nic",
        about="beneath what has a value that can't be read, and no bond that has one",
        nodes={"pve1": "other vmbr0 kind=bridge beneath=eno1,bond0\nother bond0 kind=bond\nbridge vmbr1 ports=bond0"},
        nics=["enp5s0"],
        found=["pve1 vmbr0 ports: vmbr0 is on eno1, but the node has no eno1"],
    ),
    Case(
        rule="missing-nic",
        about="any name, where the kernel tells all that there are",
        nodes={"pve1": "bridge vmbr0 ports=lan0\nbridge vmbr1 ports=lan1"},
        nics=["enp5s0"],
        kernel=kernel(link("enp5s0", altnames=("lan1",))),
        found=["pve1 vmbr0 ports: vmbr0 is on lan0, but the node has no lan0"],
    ),
    Case(
        rule="missing-nic",
        about="there, by an altname, no NIC by its name, made by a hook or as a dummy",
        nodes={
            "pve1": "bridge vmbr0 ports=eno1,enx1,wg0,ib0,lo.5\neth en_dummy options=link-type_dummy\n"
            "bridge vmbr1 ports=en_dummy\nbridge vmbr2 ports=env0 options=pre-up_ip_link_add_env0_type_veth\n"
            "bond bond0 slaves=eno1\nvlan bond0.5\nbridge vmbr3 ports=bond0.5,bond0.6"
        },
        nics=["eno1=enx1"],
    ),
    Case(
        rule="missing-nic",
        about="nobody tells which NICs there are",
        nodes={"pve1": "eth eno1\nbridge vmbr0 ports=eno1"},
    ),
    # --- unused ---
    Case(
        rule="unused",
        about="a bond, a VLAN, an internal port, an OVS bond on no bridge",
        nodes={
            "pve1": "bond bond0 slaves=eno1,eno2\nvlan eno3.50\novs-int-port mgmt bridge=vmbr0\n"
            "ovs-bridge vmbr0 ports=mgmt,bond2\novs-bond bond2 bridge=vmbr0\novs-bond bond1 bridge=vmbr9"
        },
        found=[
            "pve1 bond0 name: bond0 has no address, and nothing uses it",
            "pve1 eno3.50 name: eno3.50 has no address, and nothing uses it",
            "pve1 mgmt name: mgmt has no address, and nothing uses it",
            "pve1 bond1 name: bond1 has no address, and nothing uses it",
        ],
    ),
    Case(
        rule="unused",
        about="an address, one by DHCP, something on it, a hook, NICs and bridges",
        nodes={
            "pve1": "bond bond0\nvlan bond0.5 cidr=10.0.0.1/24\nvlan bond0.6 method=dhcp\nvlan bond0.7\nbridge vmbr7 "
            "ports=bond0.7\nvlan bond0.8 options=up_true\nvlan bond0.9\neth eno1 options=up_ip_link_set_bond0.9_up\n"
            "bridge vmbr8\nother vmbr7:1 kind=alias"
        },
    ),
    Case(
        rule="unused",
        about="the kernel tells of a use, and so may what is not known",
        nodes={"pve1": "bond bond0\nvlan eno1.5"},
        kernel=kernel(link("bond0", master="fwbr100i0"), link("eno1.5", addresses=held("10.0.0.5/24"))),
    ),
    Case(rule="unused", about="the network is not known as a whole", nodes={"pve1": "bond bond0"}, partial=True),
]
