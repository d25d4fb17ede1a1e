"""What a change puts at risk, and which interfaces are the management path."""

from __future__ import annotations

import pytest
from plan_model import interfaces, network

from pvenet.changes import Delete, net_changes, outcome
from pvenet.model import Network
from pvenet.plan import Risk, focused, management_path, plan, risks

NODE = """
eth ens33
eth ens37
eth ens38
eth ens39
eth ens40 cidr=10.4.0.2/24
eth ens41
bond bond0 slaves=ens37,ens38
bridge vmbr0 ports=ens33 cidr=192.168.171.21/24 gateway=192.168.171.2
bridge vmbr1 ports=bond0
"""


def test_the_carrier_of_the_address_and_all_beneath_it_are_management() -> None:
    """The management path is the interface with its address, and the ports and slaves that it stands on."""
    node = "eth ens33\neth ens37\nbond bond0 slaves=ens33,ens37\nbridge vmbr0 ports=bond0.5 cidr=10.0.0.2/24"
    found = management_path(network(node), ["10.0.0.2"])
    assert found.names == {"vmbr0", "bond0.5", "bond0", "ens33", "ens37"}
    assert found.chain == ("vmbr0", "bond0.5", "bond0", "ens33", "ens37")
    assert found.reason == "vmbr0 carries the node's address 10.0.0.2"


def test_the_default_gateway_is_management_too() -> None:
    """Answers leave through the default gateway, wherever the address is."""
    found = management_path(network(NODE), ["10.4.0.2"])
    assert found.names == {"ens40", "vmbr0", "ens33"}
    assert found.chain == ("ens40",)


def test_an_ipv6_address_is_found_however_it_is_written() -> None:
    """Addresses are compared as addresses and not as text."""
    found = management_path(network("bridge vmbr0 cidr6=fd00::2/64\nbridge vmbr1 cidr=10.0.0.1/8"), ["FD00:0:0::2"])
    assert found.names == {"vmbr0"}


@pytest.mark.parametrize("addresses", [[], ["203.0.113.9"]])
def test_an_unknown_way_makes_everything_with_an_address_count(addresses: list[str]) -> None:
    """Behind a tunnel or NAT any interface with an address may hold it, also one that gets it by DHCP."""
    found = management_path(network("eth ens33 method=dhcp\neth ens37 cidr=10.0.0.2/24\neth ens38"), addresses)
    assert found.names == {"ens33", "ens37"}
    assert found.reason.endswith("and ens33 has an address")


def test_the_way_that_is_told_is_the_one_that_is_touched() -> None:
    """Where several may hold it, a person hears of the one that the change touches, and why."""
    current = network("eth ens33\nbridge vmbr0 ports=ens33 cidr=10.0.0.2/24\nbridge vmbr1 cidr=10.7.0.1/24")
    steps = plan(current, {"vmbr1": None})
    after = Network(interfaces=outcome(current.interfaces, steps.steps))
    path = management_path(current, ["203.0.113.9"])
    assert path.chain == ("vmbr0", "ens33")
    found = focused(path, steps.steps, current, after)
    assert (found.chain, found.holders, found.names) == (("vmbr1",), ("vmbr1", "vmbr0"), path.names)
    assert found.reason == "none of the known addresses is on an interface, and vmbr1 has an address"


def test_an_open_vswitch_port_counts_with_its_switch() -> None:
    """An OVS internal port reaches the wire through the ports of the switch that lists it."""
    node = "eth ens33\nother mgmt0 kind=OVSIntPort cidr=10.0.0.2/24\nother vmbr5 kind=OVSBridge beneath=ens33,mgmt0"
    assert management_path(network(node), ["10.0.0.2"]).names == {"mgmt0", "vmbr5", "ens33"}


@pytest.mark.parametrize(
    "switch", ["other vmbr5 kind=OVSBridge beneath=ens33,mgmt0", "ovs-bridge vmbr5 ports=ens33,mgmt0"]
)
def test_a_port_of_such_a_switch_is_told_where_the_switch_is_touched(switch: str) -> None:
    """Of several that may hold the address, the one whose switch changes stands in front."""
    ports = "eth ens33\neth ens37 cidr=10.1.0.2/24\nother mgmt0 kind=OVSIntPort cidr=10.0.0.2/24"
    current, after = network(f"{ports}\n{switch}"), network(f"{ports}\n{switch} mtu=9000")
    path = management_path(current, [])
    assert path.holders == ("ens37", "mgmt0")
    found = focused(path, net_changes(current.interfaces, after.interfaces), current, after)
    assert (found.holders, found.chain) == (("mgmt0", "ens37"), ("mgmt0", "vmbr5", "ens33"))


def test_without_any_address_nothing_is_management() -> None:
    """A node without an address has no management path that could be cut."""
    found = management_path(network("eth ens33"), [])
    assert (found.names, found.chain, found.reason) == (frozenset(), (), "no interface has an address")


CASES = {
    "bond bond1 slaves=ens39": [Risk.NONE],
    "bridge vmbr2": [Risk.NONE],
    "bridge vmbr2 ports=ens39 cidr=10.7.0.1/24": [Risk.NONE],
    "vlan vmbr0.5": [Risk.NONE],
    "eth ens41 mtu=9000": [Risk.NONE],
    "eth ens40 cidr=10.4.0.3/24": [Risk.GUESTS],
    "eth ens38 mtu=1400": [Risk.GUESTS],
    "bridge vmbr1 ports=bond0 comments=storage": [Risk.NONE],
    "bridge vmbr1 ports=bond0 comments=storage mtu=1400": [Risk.GUESTS],
    "bridge vmbr0 ports=ens33 cidr=192.168.171.21/24 gateway=192.168.171.2 comments=up": [Risk.MANAGEMENT],
    "bridge vmbr1 ports=bond0,ens39": [Risk.GUESTS],
    "none vmbr1": [Risk.GUESTS],
    "bond bond0 slaves=ens37\nbond bond1 slaves=ens38": [Risk.GUESTS, Risk.GUESTS],
    "eth ens33 mtu=9000": [Risk.MANAGEMENT],
    "none vmbr0": [Risk.MANAGEMENT],
    "bond bond1 slaves=ens39\nbridge vmbr0 ports=bond1 cidr=192.168.171.21/24 gateway=192.168.171.2": [
        Risk.MANAGEMENT,
        Risk.MANAGEMENT,
    ],
    "bridge vmbr2 cidr=192.168.171.21/25": [Risk.MANAGEMENT],
    "bridge vmbr2 cidr6=fd00::2/64 gateway6=fd00::1": [Risk.MANAGEMENT],
}


@pytest.mark.parametrize("desired", CASES)
def test_each_step_knows_its_risk(desired: str) -> None:
    """New things in unused places risk nothing; what exists risks guests; the management path is management."""
    current = network(NODE)
    steps = plan(current, interfaces(desired)).steps
    after = Network(interfaces=outcome(current.interfaces, steps))
    path = management_path(current, ["192.168.171.21"])
    assert list(risks(steps, path, current, after)) == CASES[desired]


def test_risks_have_an_order() -> None:
    """The worst of several risks is their maximum."""
    assert max([Risk.MANAGEMENT, Risk.NONE, Risk.GUESTS]) is Risk.MANAGEMENT
    assert sorted([Risk.MANAGEMENT, Risk.NONE, Risk.GUESTS]) == [Risk.NONE, Risk.GUESTS, Risk.MANAGEMENT]
    assert Risk.NONE < Risk.GUESTS <= Risk.GUESTS
    assert Risk.MANAGEMENT > Risk.GUESTS >= Risk.GUESTS


SWITCHED = """
eth ens33
eth ens37
eth ens38
ovs-port ens40 bridge=vmbr5
ovs-bond bond1 bridge=vmbr5 slaves=ens37,ens38
ovs-int-port mgmt0 bridge=vmbr5 cidr=10.0.0.2/24
ovs-int-port stor1 bridge=vmbr5
ovs-bridge vmbr5 ports=ens40,bond1,mgmt0,stor1
"""


def test_an_internal_port_stands_on_its_bridge_and_that_on_its_bonds_and_nics() -> None:
    """The management path through Open vSwitch is the port, its bridge, and what leads out of it."""
    found = management_path(network(SWITCHED), ["10.0.0.2"])
    assert found.chain == ("mgmt0", "vmbr5", "ens40", "bond1", "ens37", "ens38")
    assert found.names == set(found.chain)


@pytest.mark.parametrize(
    ("desired", "expected"),
    [
        ("ovs-int-port stor1 bridge=vmbr5 tag=60", Risk.GUESTS),
        ("ovs-int-port mgmt0 bridge=vmbr5 tag=60 cidr=10.0.0.2/24", Risk.MANAGEMENT),
        ("ovs-bond bond1 bridge=vmbr5 slaves=ens37", Risk.MANAGEMENT),
        ("ovs-bridge vmbr5 ports=bond1,mgmt0,stor1", Risk.MANAGEMENT),
        ("ovs-bridge vmbr6 ports=ens33", Risk.NONE),
    ],
)
def test_a_change_of_a_switch_is_as_bad_as_who_stands_on_it(desired: str, expected: Risk) -> None:
    """What the node's own port stands on is the management path; another port may be a guest's storage."""
    current = network(SWITCHED)
    steps = plan(current, interfaces(desired)).steps
    after = Network(interfaces=outcome(current.interfaces, steps))
    path = management_path(current, ["10.0.0.2"])
    assert max(risks(steps, path, current, after)) == expected


PORTS = "ovs-bridge vmbr5 ports=ens40,bond1,mgmt0,stor1"


@pytest.mark.parametrize(
    ("desired", "expected"),
    [
        ("none stor1", Risk.GUESTS),
        ("ovs-int-port vlan99 bridge=vmbr5 tag=99", Risk.NONE),
        ("none stor1\novs-int-port vlan99 bridge=vmbr5 tag=99 cidr=10.99.0.2/24", Risk.GUESTS),
        ("ovs-bridge vmbr6 ports=ens33\novs-int-port stor1 bridge=vmbr6", Risk.GUESTS),
        ("none mgmt0", Risk.MANAGEMENT),
        ("none bond1", Risk.MANAGEMENT),
        ("ovs-bridge vmbr5 ports=bond1,mgmt0,stor1", Risk.MANAGEMENT),
        ("ovs-bridge vmbr5 ports=ens33,ens40,bond1,mgmt0,stor1", Risk.MANAGEMENT),
        (f"{PORTS} mtu=9000", Risk.MANAGEMENT),
        (f"none stor1\n{PORTS} comments=x", Risk.MANAGEMENT),
    ],
)
def test_an_internal_port_is_no_part_of_the_way_that_another_has(desired: str, expected: Risk) -> None:
    """What PVE does to the list of their bridge, when one comes or goes, is no change of the bridge."""
    current = network(SWITCHED)
    after = Network(interfaces=outcome(current.interfaces, plan(current, interfaces(desired)).steps))
    changes = net_changes(current.interfaces, after.interfaces)
    assert {"vmbr5"} <= {change.name for change in changes}
    assert max(risks(changes, management_path(current, ["10.0.0.2"]), current, after)) == expected


@pytest.mark.parametrize("switch", ["ovs-bridge vmbr5 ports=", "other vmbr5 kind=OVSBridge beneath="])
@pytest.mark.parametrize("port", ["ovs-int-port {} bridge=vmbr5", "other {} kind=OVSIntPort"])
@pytest.mark.parametrize("sibling", ["ovs-int-port {} bridge=vmbr5", "other {} kind=OVSIntPort"])
def test_the_way_is_the_same_where_a_value_can_not_be_read(switch: str, port: str, sibling: str) -> None:
    """An internal port, its bridge and what leads out of that, and no other internal port."""
    node = f"eth ens33\n{port.format('mgmt0')} cidr=10.0.0.2/24\n{sibling.format('stor1')}\n{switch}ens33,mgmt0,stor1"
    assert management_path(network(node), ["10.0.0.2"]).chain == ("mgmt0", "vmbr5", "ens33")


@pytest.mark.parametrize(
    ("top", "chain"),
    [
        ("bridge vmbr9 ports=stor1 cidr=10.9.0.2/24", ("vmbr9", "stor1", "vmbr5", "ens40", "bond1", "ens37", "ens38")),
        (
            "vlan stor1.9 raw_device=stor1 cidr=10.9.0.2/24",
            ("stor1.9", "stor1", "vmbr5", "ens40", "bond1", "ens37", "ens38"),
        ),
    ],
)
def test_an_internal_port_is_part_of_the_way_of_what_stands_on_it(top: str, chain: tuple[str, ...]) -> None:
    """A bridge or a VLAN goes through it, and no other."""
    current = network(f"{SWITCHED}\n{top}")
    path = management_path(current, ["10.9.0.2"])
    assert path.chain == chain
    for name, expected in (("stor1", Risk.MANAGEMENT), ("mgmt0", Risk.GUESTS)):
        changes = net_changes(
            current.interfaces, outcome(current.interfaces, [Delete(before=current.interfaces[name])])
        )
        assert max(risks(changes, path, current, current)) == expected


def test_of_several_that_may_hold_it_the_port_that_goes_is_told() -> None:
    """And none that is on the same bridge."""
    current = network(SWITCHED.replace("stor1 bridge=vmbr5", "stor1 bridge=vmbr5 cidr=10.60.0.2/24"))
    steps = plan(current, {"stor1": None}).steps
    after = Network(interfaces=outcome(current.interfaces, steps))
    path = management_path(current, [])
    assert path.holders == ("mgmt0", "stor1")
    found = focused(path, net_changes(current.interfaces, after.interfaces), current, after)
    assert found.holders == ("stor1", "mgmt0")


def test_a_stanza_for_a_port_that_had_none_touches_what_is_on_the_port() -> None:
    """The kernel has the VLAN all along (pve-api#vlan-port), below guests or below the node's address."""
    ports = "bridge vmbr0 ports=ens33.7 cidr=10.0.0.2/24\nbridge vmbr1 ports=ens37.7"
    current = network(f"eth ens33\neth ens37\n{ports}")
    path = management_path(current, ["10.0.0.2"])
    for desired, risk in (("vlan ens33.7 mtu=1400", Risk.MANAGEMENT), ("vlan ens37.7 mtu=1400", Risk.GUESTS)):
        steps = plan(current, interfaces(desired)).steps
        after = Network(interfaces=outcome(current.interfaces, steps))
        assert list(risks(steps, path, current, after)) == [risk]
