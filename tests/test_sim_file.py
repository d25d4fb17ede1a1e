"""The rules of the simulated node's interfaces file, one by one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pvenet.sim import network
from pvenet.sim.network import Host, Parsed
from pvenet.sim.schema import Param, Refused, Schema, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = Host(nics={"ens1": (), "ens2": (), "ens3": ()}, up=frozenset({"ens1"}))
OVS = replace(HOST, ovs=True)

START = """\
auto lo
iface lo inet loopback

iface ens1 inet manual

iface ens2 inet manual

iface ens3 inet manual

auto vmbr0
iface vmbr0 inet static
	address 10.0.0.1/24
	gateway 10.0.0.254
	bridge-ports ens1
	bridge-stp off
	bridge-fd 0

"""


def parse(text: str, host: Host = HOST) -> Parsed:
    return network.parse(text, host)


def stanza(text: str, iface: str) -> str:
    """The stanzas of an interface in a file, without the blank line behind each."""
    parts = [part for part in text.split("\n\n") if f"iface {iface} " in f"{part} ".replace("\n", " ")]
    return "\n".join(parts)


def order(text: str) -> list[str]:
    """The interfaces of a file in their order."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("iface ")]


def rewritten(text: str, host: Host = HOST) -> str:
    """The file after a write that changes nothing."""
    return network.update(parse(text, host), "ens3", {"type": "eth"}, host)


def refused(text: str, params: Mapping[str, object], host: Host = HOST) -> Refused:
    """The refusal of a create."""
    with pytest.raises(Refused) as caught:
        network.create(parse(text, host), params, host)
    return caught.value


# Reading


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("bond-mode 1", "bond_mode", "active-backup"),
        ("bond_mode 802.3ad", "bond_mode", "802.3ad"),
        ("bond-slaves ens3 ens2 ens3", "slaves", "ens2 ens3"),
        ("slaves none", "slaves", ""),
        ("bridge_ports ens3 ens2", "bridge_ports", "ens2 ens3"),
        ("bridge-stp on", "bridge_stp", "on"),
        ("bridge-stp no", "bridge_stp", "off"),
        ("bridge-vlan-aware yes", "bridge_vlan_aware", 1),
        ("vlan_raw_device ens1", "vlan-raw-device", "ens1"),
        ("mtu 9000", "mtu", "9000"),
        ("post-up   ip route add x", "options", ["post-up   ip route add x"]),
    ],
)
def test_options(line: str, key: str, value: object) -> None:
    """Options come with dashes or underscores, and lists sorted without doubles."""
    assert network.entry(parse(f"iface bond7 inet manual\n\t{line}\n"), "bond7")[key] == value


@pytest.mark.parametrize(
    ("name", "line", "kind"),
    [
        ("bond0", "mtu 1500", "bond"),
        ("bond0", "bridge-ports none", "bridge"),
        ("mybond", "bond-slaves ens1", "unknown"),
        ("vmbr7", "mtu 1500", "bridge"),
        ("lan", "bridge-ports none", "bridge"),
        ("ens2", "bridge-ports none", "bridge"),
        ("ens2", "mtu 1500", "eth"),
        ("eno9", "mtu 1500", "eth"),
        ("wlan0", "mtu 1500", "unknown"),
        ("ens2.5", "mtu 1500", "vlan"),
        ("vlan5", "vlan-raw-device ens2", "vlan"),
        ("vlan5", "mtu 1500", "unknown"),
        ("ens2:1", "mtu 1500", "alias"),
        ("vmbr7", "ovs_type OVSBridge", "OVSBridge"),
        ("int1", "ovs_type OVSIntPort", "OVSIntPort"),
        ("int1", "ovs_type OVSTunnel", "unknown"),
    ],
)
def test_types(name: str, line: str, kind: str) -> None:
    """The type is read off names and options, ports of a bridge first."""
    assert network.entry(parse(f"iface {name} inet manual\n\t{line}\n"), name)["type"] == kind


def test_netmask() -> None:
    """An address of the old style comes back in all of its forms."""
    entry = network.entry(parse("iface ens1 inet static\n address 10.1.0.9\n netmask 255.255.0.0\n"), "ens1")
    assert (entry["address"], entry["netmask"], entry["cidr"]) == ("10.1.0.9", "16", "10.1.0.9/16")


def test_address_without_mask() -> None:
    """An address that says no length is kept as it is."""
    text = "iface ens1 inet static\n address 10.1.0.9\n"
    assert "cidr" not in network.entry(parse(text), "ens1")
    assert "\taddress 10.1.0.9\n" in rewritten(text)


def test_family() -> None:
    """A stanza without a family holds both, and stays one."""
    text = "iface ens1\n\taddress 10.0.0.1/24\n\taddress fd00::1/64\n\tgateway fd00::2\n"
    entry = network.entry(parse(text), "ens1")
    assert (entry["families"], entry["cidr"], entry["cidr6"], entry["gateway6"], entry["method"]) == (
        [None],
        "10.0.0.1/24",
        "fd00::1/64",
        "fd00::2",
        "manual",
    )
    assert stanza(rewritten(text), "ens1") == text.rstrip()


def test_both_families() -> None:
    """Options stay in the stanza of their family; comments of both go to the first."""
    first, second = (
        "iface ens1 inet manual\n\tpost-up a b\n",
        "iface ens1 inet6 static\n\taddress fd00::1/64\n\tpost-up c d\n",
    )
    assert stanza(rewritten(f"{first}#one\n\n{second}#two\n"), "ens1") == f"{first}#one\n#two\n{second}".rstrip()


@pytest.mark.parametrize("word", ["auto", "allow-auto", "allow-hotplug", "allow-ovs"])
def test_auto(word: str) -> None:
    """Whatever starts an interface with the node becomes auto."""
    assert "auto ens2\niface ens2" in rewritten(f"{word} ens2 ens1\niface ens2 inet manual\n")


def test_allow_of_a_bridge() -> None:
    """An allow line loses the ports that its OVS bridge lists, and goes with the last of them."""
    bridge = "iface vmbr5 inet manual\n\tovs_type OVSBridge\n\tovs_ports ens2\n\n"
    port = "iface ens2 inet manual\n\tovs_type OVSPort\n\tovs_bridge vmbr5\n"
    assert "allow-" not in rewritten(f"allow-vmbr5 ens2\n{bridge}{port}")
    assert "allow-vmbr5 tap0\n" in rewritten(f"allow-vmbr5 ens2 tap0\n{bridge}{port}")


def test_blank_line() -> None:
    """A blank line ends a stanza; options behind it belong to nothing and keep their place and blanks."""
    text = "iface ens1 inet manual\n\n\tpost-up  x\n\niface ens2 inet manual\n"
    assert "options" not in network.entry(parse(text), "ens1")
    assert "iface ens1 inet manual\n\n\tpost-up  x\n\niface ens2" in rewritten(text)


def test_comments_outside() -> None:
    """Comments that stand in no stanza are lost."""
    assert "gone" not in rewritten(
        "#gone\niface ens1 inet manual\n\n#gone\nauto ens2\n# gone\niface ens2 inet manual\n"
    )


def test_flags() -> None:
    """What is up is active; what is physical exists; neither is ever 0."""
    parsed = parse("iface ens1 inet manual\niface bond0 inet manual\n")
    assert (network.entry(parsed, "ens1")["active"], network.entry(parsed, "ens1")["exists"]) == (1, 1)
    assert not {"active", "exists"} & network.entry(parsed, "bond0").keys()


def test_nic_outside_of_the_file() -> None:
    """A NIC that is not in the file is listed last, without a place."""
    listed = network.listing(parse("iface ens2 inet manual\n"))
    assert [entry["iface"] for entry in listed] == ["ens2", "ens1", "ens3"]
    assert [entry.get("priority") for entry in listed] == [2, None, None]


def test_altnames() -> None:
    """A NIC's other names are shown."""
    host = replace(HOST, nics={"ens1": ("enp2s9",)})
    assert network.entry(parse("", host), "ens1")["altnames"] == ["enp2s9"]


def test_missing_loopback() -> None:
    """A file without lo reads as if it had one, which is not listed, and is written with it."""
    assert network.entry(parse(""), "lo") == {
        "type": "loopback",
        "method": "loopback",
        "method6": "manual",
        "families": ["inet"],
        "priority": 1,
        "autostart": 1,
    }
    assert "auto lo\niface lo inet loopback\n" in rewritten("")


def test_listing_by_type() -> None:
    """The list can be narrowed to a type, or to all kinds of bridge."""
    parsed = parse(START + "iface vmbr5 inet manual\n\tovs_type OVSBridge\n")
    names = {
        kind: [entry["iface"] for entry in network.listing(parsed, kind)] for kind in ("bridge", "any_bridge", "bond")
    }
    assert names == {"bridge": ["vmbr0"], "any_bridge": ["vmbr0", "vmbr5"], "bond": []}


# Writing


def test_order() -> None:
    """NICs, internal ports, bonds, bridges with what sits on them, VLANs; new ones behind those of the file."""
    text = (
        "iface v5 inet manual\n\tvlan-raw-device ens1\n\tvlan-id 5\n"
        "iface vmbr1 inet manual\n\tbridge-ports none\niface vmbr1.7 inet manual\niface bond0 inet manual\n"
        "iface vmbr5 inet manual\n\tovs_type OVSBridge\n\tovs_ports int1\n"
        "iface int1 inet manual\n\tovs_type OVSIntPort\n\tovs_bridge vmbr5\niface ens2 inet manual\n"
    )
    new = network.create(parse(text), {"iface": "vmbr0", "type": "bridge"}, HOST)
    assert order(new) == ["lo", "ens2", "ens1", "ens3", "int1", "bond0", "vmbr1", "vmbr1.7", "vmbr5", "vmbr0", "v5"]


def test_unknown_type_keeps_its_place() -> None:
    """What has no known type stands where it stood."""
    text = "iface ens1 inet manual\niface odd inet manual\niface ens2 inet manual\niface ens3 inet manual\n"
    assert order(rewritten(text)) == ["lo", "ens1", "odd", "ens2", "ens3"]


def test_vnet_comes_first() -> None:
    """A type that PVE has no order for comes before all."""
    assert order(network.create(parse(START), {"iface": "net1", "type": "vnet"}, HOST))[:2] == ["net1", "lo"]


def test_miimon_survives() -> None:
    """What the API can't set stays as the file has it."""
    bond = "iface bond0 inet manual\n\tbond-miimon 50\n"
    bridge = "iface vmbr0 inet manual\n\tbridge-ports none\n\tbridge-stp on\n\tbridge-fd 15\n"
    new = rewritten(bond + bridge)
    assert "\tbond-miimon 50\n" in new
    assert "\tbridge-stp on\n\tbridge-fd 15\n" in new


def test_writing_again_changes_nothing() -> None:
    """What has been written reads and writes as itself."""
    once = rewritten(START)
    assert rewritten(once) == once


@pytest.mark.parametrize(
    ("mode", "kept"),
    [("active-backup", "bond-primary ens2"), ("balance-xor", "bond-xmit-hash-policy layer2"), ("balance-rr", None)],
)
def test_bond_options_by_mode(mode: str, kept: str | None) -> None:
    """Primary and hash policy are written in the modes that know them, and silently dropped in others."""
    params = {"slaves": "ens2", "bond_mode": mode, "bond-primary": "ens2", "bond_xmit_hash_policy": "layer2"}
    text = stanza(network.create(parse(START), {"iface": "bond0", "type": "bond", **params}, HOST), "bond0")
    lines = text.splitlines()[4:]
    assert [line.strip() for line in lines] == ([kept] if kept else [])


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
    assert "bond-slaves ens2" in network.create(parse(text), bond, HOST)
    assert "mtu 1400 is lower than 'ens2'" in refused(text, {**bond, "mtu": 1400}).message


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
        ("cidr6", "10.0.0.1/24", "value does not look like a valid IPv6 CIDR network"),
        ("gateway", "fd00::1", "value does not look like a valid IPv4 address"),
        ("gateway6", "10.0.0.1", "value does not look like a valid IPv6 address"),
        ("bridge_vids", "2 5000", "invalid VLAN tag '5000'"),
        ("bridge_ports", "ens2 e!", "invalid network interface name 'e!'"),
        ("iface", "a" * 22, f"invalid network interface name '{'a' * 22}'"),
    ],
)
def test_formats(key: str, value: str, complaint: str) -> None:
    """A value of the wrong format is refused with its parameter."""
    refusal = refused(START, {"iface": "vmbr1", "type": "bridge", key: value})
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


def test_ovs_coupling() -> None:
    """An OVS bond is listed by its bridge, its NICs start with the node, and it goes with its listing."""
    bridge = network.create(parse(START, OVS), {"iface": "vmbr5", "type": "OVSBridge", "ovs_ports": "ens2"}, OVS)
    assert stanza(bridge, "ens2") == "auto ens2\niface ens2 inet manual\n\tovs_type OVSPort\n\tovs_bridge vmbr5"
    bond = {"iface": "bond0", "type": "OVSBond", "ovs_bridge": "vmbr5", "ovs_bonds": "ens3", "mtu": 1400}
    bonded = network.create(parse(bridge, OVS), bond, OVS)
    assert "\tovs_ports ens2 bond0\n" in bonded
    assert "auto ens3\n" in bonded
    assert "ovs_ports ens2\n" in network.delete(parse(bonded, OVS), "bond0", OVS)


# Asking


def test_delete_of_properties() -> None:
    """An update keeps what it doesn't name, drops what it is told to, and sets what it gives even so."""
    parsed = parse(START.replace("bridge-fd 0\n", "bridge-fd 0\n\tmtu 1400\n#note\n"))
    params = {"type": "bridge", "delete": "mtu,comments,cidr,gateway", "mtu": 1300}
    assert stanza(network.update(parsed, "vmbr0", params, HOST), "vmbr0") == (
        "auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports ens1\n\tbridge-stp off\n\tbridge-fd 0\n\tmtu 1300"
    )


def test_machine_that_changed() -> None:
    """A write sees the machine as it is, whatever an older reading saw."""
    stale = parse(START)
    now = replace(HOST, nics={**HOST.nics, "ens9": ()})
    assert "iface ens9 inet manual" in network.update(stale, "ens1", {"type": "eth"}, now)


@pytest.mark.parametrize("value", [True, 1, "1"])
def test_flags_of_requests(value: object) -> None:
    """A flag is 1 or 0, or a truth value of JSON."""
    new = network.create(parse(START), {"iface": "vmbr1", "type": "bridge", "autostart": value}, HOST)
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


# The pending diff


def test_changes() -> None:
    """The diff leaves blanks out of account, and carries the times it is given."""
    assert network.changes("a  b\n", "a b \n") is None
    assert network.changes("a\n", "a\nb\n", "T1", "T2") == (
        "--- /etc/network/interfaces\tT1\n+++ /etc/network/interfaces.new\tT2\n@@ -1 +1,2 @@\n a\n+b\n"
    )


def test_changes_of_an_absent_file() -> None:
    """A file that is not there counts as empty."""
    changed = network.changes("", "a\n")
    assert changed is not None
    assert changed.endswith("@@ -0,0 +1 @@\n+a\n")


def test_changes_without_a_last_newline() -> None:
    """A last line without its end is said to be one."""
    changed = network.changes("a\n", "a\nb")
    assert changed is not None
    assert changed.endswith(" a\n+b\n\\ No newline at end of file\n")


# Speed


def _file(count: int) -> str:
    bridges = (
        f"auto vmbr{i}\niface vmbr{i} inet static\n\taddress 10.{i // 250}.{i % 250}.1/24\n\tbridge-ports ens{i}\n"
        f"\tbridge-stp off\n\tbridge-fd 0\n#bridge {i}\n\n"
        for i in range(count // 2)
    )
    return "".join(f"iface ens{i} inet manual\n\n" for i in range(count // 2)) + "".join(bridges)


def _seconds(count: int) -> float:
    text = _file(count)
    began = time.perf_counter()
    parsed = parse(text)
    new = network.create(parsed, {"iface": "bond0", "type": "bond", "autostart": 1}, HOST)
    assert network.changes(text, new)
    assert len(network.listing(parsed)) >= count
    return time.perf_counter() - began


def test_time_grows_with_the_file() -> None:
    """A file of 1,000 interfaces is read, written and compared in well under a second, and time grows linearly."""
    small, large = (min(_seconds(count) for _ in range(3)) for count in (100, 1000))
    assert large < 0.5
    assert large < small * 30
