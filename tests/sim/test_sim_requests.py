"""What the simulated node makes of requests, and what it refuses, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sim_file import HOST, OVS, START, parse, refused, stanza

from pvenet.sim import interfaces
from pvenet.sim.schema import Param, Refused, Schema, verify

# Refusing


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"iface": "bond0", "type": "bond", "slaves": "ens2 vmbr0"}, "wrong interface type on slave 'vmbr0'"),
        (
            {"iface": "bond0", "type": "bond", "slaves": "ens2", "bond-primary": "ens3"},
            "bond-primary interface is not",
        ),
        ({"iface": "vmbr1", "type": "bridge", "bridge_ports": "bond7"}, "unable to find bridge port 'bond7'"),
        ({"iface": "vmbr1", "type": "bridge", "bridge_ports": "vmbr0"}, "ip address can't be set on interface"),
        ({"iface": "vmbr1", "type": "bridge", "bridge_ports": "ens2", "mtu": 9000}, "mtu 1500 is lower than 'vmbr1'"),
        ({"iface": "vmbr1", "type": "bridge", "bridge_ports": "ens2.5", "mtu": 9000}, "interface 'ens2.5' - mtu 1500"),
        ({"iface": "ens9.5", "type": "vlan"}, "unable to find parent 'ens9'"),
        ({"iface": "ens2.4095", "type": "vlan"}, "vlan-id 4095 should be <= 4094"),
        ({"iface": "vlan5", "type": "vlan"}, "missing vlan-raw-device option"),
        ({"iface": "store", "type": "vlan", "vlan-raw-device": "ens2"}, "missing vlan-id option"),
        ({"iface": "vmbr0.5", "type": "vlan", "mtu": 9000}, "interface 'vmbr0' - mtu 1500 is lower than 'vmbr0.5'"),
        ({"iface": "vmbr5", "type": "OVSBridge"}, "Open VSwitch is not installed"),
    ],
)
def test_refused_networks(params: dict[str, object], message: str) -> None:
    """A network that PVE would not write is refused in its words."""
    refusal = refused(START, params)
    assert (refusal.status, refusal.errors) == (500, None)
    assert message in refusal.message


def test_bond_without_mtu_fits() -> None:
    """A bond without an MTU carries any; one with a smaller one doesn't."""
    text = START.replace("iface ens2 inet manual\n", "iface ens2 inet manual\n\tmtu 9000\n")
    bond: dict[str, object] = {"iface": "bond0", "type": "bond", "slaves": "ens2"}
    assert "bond-slaves ens2" in interfaces.create(parse(text), bond, HOST)
    assert "mtu 1400 is lower than 'ens2'" in refused(text, {**bond, "mtu": 1400}).message


def test_vlan_on_vlan() -> None:
    """A VLAN can sit on another, but not on an alias."""
    text = START + "iface ens2.5 inet manual\n\niface ens2:1 inet manual\n"
    vlan = {"iface": "vlan7", "type": "vlan"}
    assert "vlan-raw-device ens2.5\n" in interfaces.create(parse(text), {**vlan, "vlan-raw-device": "ens2.5"}, HOST)
    assert "wrong interface type on parent 'ens2:1'" in refused(text, {**vlan, "vlan-raw-device": "ens2:1"}).message


def test_custom_vlan_needs_ifupdown2() -> None:
    """A VLAN of a free name needs ifupdown2."""
    params = {"iface": "store", "type": "vlan", "vlan-raw-device": "ens2", "vlan-id": 5}
    assert "custom vlan interface name need ifupdown2" in refused(START, params, replace(HOST, ifupdown2=False)).message


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("::1", "LOOPBACK"),
        ("::", "UNSPECIFIED"),
        ("ff02::1", "MULTICAST"),
        ("2001:db8::1", "DOCUMENTATION"),
        ("::ffff:1.2.3.4", "IPV4MAP"),
    ],
)
def test_host_addresses(address: str, kind: str) -> None:
    """An IPv6 address is one that a host can have."""
    refusal = refused(START, {"iface": "vmbr1", "type": "bridge", "cidr6": f"{address}/64"})
    assert refusal.errors == {"address": f"{address} with type '{kind}', cannot be used as host IPv6 address."}


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("cidr", "10.0.0.1/7", "value does not look like a valid IPv4 CIDR network"),
        ("cidr", "10.0.0.1/33", "value does not look like a valid IPv4 CIDR network"),
        ("cidr6", "fd00::1/129", "value does not look like a valid IPv6 CIDR network"),
        ("cidr6", "fd00::1/7", "value does not look like a valid IPv6 CIDR network"),
        ("cidr6", "10.0.0.1/24", "value does not look like a valid IPv6 CIDR network"),
        ("gateway", "fd00::1", "value does not look like a valid IPv4 address"),
        ("gateway6", "10.0.0.1", "value does not look like a valid IPv6 address"),
        ("bridge_vids", "2 5000", "invalid VLAN tag '5000'"),
        ("bridge_vids", "1", "invalid VLAN tag '1'"),
        ("bridge_vids", "2-5000", "invalid VLAN tag '5000'"),
        ("bridge_vids", "7-5", "VLAN range must go from lower to higher tag '7-5'"),
        ("bridge_vids", "x", "invalid VLAN configuration 'x'"),
        ("netmask", "24", "value does not look like a valid IP netmask"),
        ("netmask", "255.0.255.0", "value does not look like a valid IP netmask"),
        ("bridge_ports", "ens2 e!", "invalid network interface name 'e!'"),
        ("iface", "a" * 22, f"invalid network interface name '{'a' * 22}'"),
    ],
)
def test_formats(key: str, value: str, complaint: str) -> None:
    """A value of the wrong format is refused with its parameter."""
    needed = {"address": "10.0.0.9"} if key == "netmask" else {}
    refusal = refused(START, {"iface": "vmbr1", "type": "bridge", **needed, key: value})
    assert refusal.errors == {key: f"invalid format - {complaint}\n"}


def test_port_used_twice_by_hand() -> None:
    """A file in which two interfaces have the same port is refused at any write."""
    text = START + "iface vmbr1 inet manual\n\tbridge-ports ens1\n"
    assert (
        refused(text, {"iface": "vmbr2", "type": "bridge"}).message
        == "port 'ens1' is already used on interface 'vmbr0'"
    )


def test_ovs_bridge_lists_no_linux_bond() -> None:
    """An OVS bridge can have NICs, OVS bonds and internal ports only."""
    bridge = {"iface": "vmbr5", "type": "OVSBridge", "ovs_ports": "bond0"}
    refusal = refused("iface bond0 inet manual\n", bridge, OVS)
    assert refusal.message == "interface 'bond0' is not defined as OVS port/bond"


def test_mtu_of_an_ovs_bond() -> None:
    """An OVS bond's NICs have no larger MTU than it has."""
    text = (
        "iface vmbr5 inet manual\n\tovs_type OVSBridge\n\tovs_ports bond0\n\niface ens2 inet manual\n\tmtu 9000\n"
        "iface bond0 inet manual\n\tovs_type OVSBond\n\tovs_bridge vmbr5\n\tovs_bonds ens2\n"
    )
    assert (
        "interface 'bond0' - mtu 1500 is lower than 'ens2' - mtu 9000"
        in refused(text, {"iface": "vmbr1", "type": "bridge"}, OVS).message
    )


def test_ovs_coupling() -> None:
    """An OVS bond is listed by its bridge, its NICs start with the node, and it goes with its listing."""
    bridge = interfaces.create(parse(START, OVS), {"iface": "vmbr5", "type": "OVSBridge", "ovs_ports": "ens2"}, OVS)
    assert stanza(bridge, "ens2") == "auto ens2\niface ens2 inet manual\n\tovs_type OVSPort\n\tovs_bridge vmbr5"
    bond = {"iface": "bond0", "type": "OVSBond", "ovs_bridge": "vmbr5", "ovs_bonds": "ens3", "mtu": 1400}
    bonded = interfaces.create(parse(bridge, OVS), bond, OVS)
    assert "\tovs_ports ens2 bond0\n" in bonded
    assert "auto ens3\n" in bonded
    assert "ovs_ports ens2\n" in interfaces.delete(parse(bonded, OVS), "bond0", OVS)


def test_ovs_bridge_that_lists_the_name_already() -> None:
    """A bridge that waits for a port lists it once."""
    text = "iface vmbr5 inet manual\n\tovs_type OVSBridge\n\tovs_ports int1\n"
    new = interfaces.create(parse(text, OVS), {"iface": "int1", "type": "OVSIntPort", "ovs_bridge": "vmbr5"}, OVS)
    assert "\tovs_ports int1\n" in new


# Asking


@pytest.mark.parametrize(
    ("name", "line", "ports", "raw_device"),
    [
        ("vmbr1", "bridge-ports ens3 ens2", ("ens2", "ens3"), None),
        ("vmbr1", "ovs_ports ens3 ens2", ("ens3", "ens2"), None),
        ("bond1", "bond-slaves none", (), None),
        ("ens2.5", "mtu 1500", (), "ens2"),
        ("vlan5", "vlan-raw-device ens3", (), "ens3"),
        ("ens2:1", "mtu 1500", (), "ens2"),
    ],
)
def test_what_an_interface_sits_on(name: str, line: str, ports: tuple[str, ...], raw_device: str | None) -> None:
    """An interface tells its ports or slaves, and what it sits on."""
    interface = parse(f"iface {name} inet manual\n\t{line}\n").interfaces[name]
    assert (interface.ports, interface.raw_device) == (ports, raw_device)


def test_delete_of_properties() -> None:
    """An update keeps what it doesn't name, drops what it is told to, and sets what it gives even so."""
    parsed = parse(START.replace("bridge-fd 0\n", "bridge-fd 0\n\tmtu 1400\n#note\n"))
    params = {"type": "bridge", "delete": "mtu,comments,cidr,gateway", "mtu": 1300}
    assert stanza(interfaces.update(parsed, "vmbr0", params, HOST), "vmbr0") == (
        "auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports ens1\n\tbridge-stp off\n\tbridge-fd 0\n\tmtu 1300"
    )


def test_machine_that_changed() -> None:
    """A write sees the machine as it is, whatever an older reading saw."""
    stale = parse(START)
    now = replace(HOST, nics={**HOST.nics, "ens9": ()})
    assert "iface ens9 inet manual" in interfaces.update(stale, "ens1", {"type": "eth"}, now)


@pytest.mark.parametrize("value", [True, 1, "1"])
def test_flags_of_requests(value: object) -> None:
    """A flag is 1 or 0, or a truth value of JSON."""
    new = interfaces.create(parse(START), {"iface": "vmbr1", "type": "bridge", "autostart": value}, HOST)
    assert "auto vmbr1\n" in new


def test_all_complaints_at_once() -> None:
    """Verification tells everything that is wrong with a request."""
    schema = Schema(
        params={
            "name": Param(optional=False),
            "size": Param(type="integer", minimum=1, maximum=9),
            "big": Param(type="integer", maximum=9),
            "on": Param(type="boolean"),
            "kind": Param(enum=("a", "b")),
            "short": Param(min_length=2),
            "long": Param(max_length=3),
            "one": Param(requires="other"),
            "other": Param(),
        }
    )
    given = {
        "size": 0,
        "big": "10",
        "on": "yes",
        "kind": "c",
        "short": "x",
        "long": "abcd",
        "one": 1,
        "odd": 1,
        "other": None,
    }
    with pytest.raises(Refused) as caught:
        verify(given, schema)
    assert (caught.value.status, caught.value.message) == (400, "Parameter verification failed.")
    assert caught.value.errors is not None
    assert caught.value.errors.keys() == {"name", "size", "big", "on", "kind", "short", "long", "other", "odd"}


def test_verified_values() -> None:
    """Numbers and flags come out as numbers, lists as PVE joins them."""
    schema = Schema(params={"n": Param(type="integer"), "on": Param(type="boolean"), "l": Param()})
    assert verify({"n": "7", "on": True, "l": ["a", "b"]}, schema) == {"n": 7, "on": 1, "l": "a,b"}
