"""How the simulated node reads and writes the interfaces file, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sim_file import HOST, START, order, parse, rewritten, stanza

from pvenet.sim import interfaces

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
        ("vlan-raw-device ens1", "vlan-raw-device", "ens1"),
        ("vlan_raw_device ens1", "options", ["vlan_raw_device ens1"]),
        ("mtu 9000", "mtu", "9000"),
        ("post-up   ip route add x", "options", ["post-up   ip route add x"]),
    ],
)
def test_options(line: str, key: str, value: object) -> None:
    """Options come with dashes or underscores, and lists sorted without doubles."""
    assert interfaces.entry(parse(f"iface bond7 inet manual\n\t{line}\n"), "bond7")[key] == value


@pytest.mark.parametrize(
    ("name", "line", "kind"),
    [
        ("bond0", "mtu 1500", "bond"),
        ("bond0", "bridge-ports none", "bridge"),
        ("mybond", "bond-slaves ens1", "unknown"),
        ("vmbr7", "mtu 1500", "unknown"),
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
    assert interfaces.entry(parse(f"iface {name} inet manual\n\t{line}\n"), name)["type"] == kind


@pytest.mark.parametrize(("mask", "length"), [("255.255.0.0", "16"), ("16", "16"), ("024", "024")])
def test_netmask(mask: str, length: str) -> None:
    """An address of the old style comes back in all of its forms."""
    entry = interfaces.entry(parse(f"iface ens1 inet static\n address 10.1.0.9\n netmask {mask}\n"), "ens1")
    assert (entry["address"], entry["netmask"], entry["cidr"]) == ("10.1.0.9", length, f"10.1.0.9/{length}")


def test_length_and_netmask() -> None:
    """An address that says its length doesn't mind a netmask."""
    entry = interfaces.entry(parse("iface ens1 inet static\n address 10.1.0.9/24\n netmask 255.0.0.0\n"), "ens1")
    assert (entry["netmask"], entry["cidr"]) == ("24", "10.1.0.9/24")


def test_nic_of_any_name() -> None:
    """What the machine has as a NIC is one, whatever its name."""
    assert (
        interfaces.entry(parse("iface lan1 inet manual\n", replace(HOST, nics={"lan1": ()})), "lan1")["type"] == "eth"
    )


@pytest.mark.parametrize(("lacp", "mode"), [("active", "lacp-balance-slb"), ("off", "balance-slb")])
def test_ovs_bond_mode(lacp: str, mode: str) -> None:
    """The mode of an OVS bond says whether it speaks LACP."""
    text = f"iface bond0 inet manual\n\tovs_type OVSBond\n\tovs_options bond_mode=balance-slb lacp={lacp} a=b\n"
    entry = interfaces.entry(parse(text), "bond0")
    assert (entry["bond_mode"], entry["ovs_options"]) == (mode, "a=b")


@pytest.mark.parametrize("mask", ["", " netmask 255.0.255.0\n", " netmask 0.0.0.0\n", " netmask /24\n"])
def test_address_without_mask(mask: str) -> None:
    """An address that says no length is listed as if it were alone, and written as it is."""
    text = f"iface ens1 inet static\n address 10.1.0.9\n{mask}"
    assert interfaces.entry(parse(text), "ens1")["cidr"] == "10.1.0.9/32"
    assert "\taddress 10.1.0.9\n" in rewritten(text)


def test_family() -> None:
    """A stanza without a family holds both, and stays one."""
    text = "iface ens1\n\taddress 10.0.0.1/24\n\taddress fd00::1/64\n\tgateway fd00::2\n"
    entry = interfaces.entry(parse(text), "ens1")
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
    assert "options" not in interfaces.entry(parse(text), "ens1")
    assert "iface ens1 inet manual\n\n\tpost-up  x\n\niface ens2" in rewritten(text)


def test_comments_outside() -> None:
    """Comments that stand in no stanza are lost."""
    assert "gone" not in rewritten(
        "#gone\niface ens1 inet manual\n\n#gone\nauto ens2\n# gone\niface ens2 inet manual\n"
    )


def test_flags() -> None:
    """What is up is active; what is physical exists; neither is ever 0."""
    parsed = parse("iface ens1 inet manual\niface bond0 inet manual\n")
    assert (interfaces.entry(parsed, "ens1")["active"], interfaces.entry(parsed, "ens1")["exists"]) == (1, 1)
    assert not {"active", "exists"} & interfaces.entry(parsed, "bond0").keys()


def test_nic_outside_of_the_file() -> None:
    """A NIC that is not in the file is listed last, without a place."""
    listed = interfaces.listing(parse("iface ens2 inet manual\n"))
    assert [entry["iface"] for entry in listed] == ["ens2", "ens1", "ens3"]
    assert [entry.get("priority") for entry in listed] == [2, None, None]


def test_altnames() -> None:
    """A NIC's other names are shown."""
    host = replace(HOST, nics={"ens1": ("enp2s9",)})
    assert interfaces.entry(parse("", host), "ens1")["altnames"] == ["enp2s9"]


def test_missing_loopback() -> None:
    """A file without lo reads as if it had one, which is not listed, and is written with it."""
    assert interfaces.entry(parse(""), "lo") == {
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
        kind: [entry["iface"] for entry in interfaces.listing(parsed, kind)]
        for kind in ("bridge", "any_bridge", "bond")
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
    new = interfaces.create(parse(text), {"iface": "vmbr0", "type": "bridge"}, HOST)
    assert order(new) == ["lo", "ens2", "ens1", "ens3", "int1", "bond0", "vmbr1", "vmbr1.7", "vmbr5", "vmbr0", "v5"]


def test_unknown_type_keeps_its_place() -> None:
    """What has no known type stands where it stood."""
    text = "iface ens1 inet manual\niface odd inet manual\niface ens2 inet manual\niface ens3 inet manual\n"
    assert order(rewritten(text)) == ["lo", "ens1", "odd", "ens2", "ens3"]


def test_vnet_comes_first() -> None:
    """A type that PVE has no order for comes before all."""
    assert order(interfaces.create(parse(START), {"iface": "net1", "type": "vnet"}, HOST))[:2] == ["net1", "lo"]


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
    text = stanza(interfaces.create(parse(START), {"iface": "bond0", "type": "bond", **params}, HOST), "bond0")
    lines = text.splitlines()[4:]
    assert [line.strip() for line in lines] == ([kept] if kept else [])


# The pending diff


def test_changes() -> None:
    """The diff leaves blanks out of account, and carries the times it is given."""
    assert interfaces.changes("a  b\n", "a b \n") is None
    assert interfaces.changes("a\n", "a\nb\n", "T1", "T2") == (
        "--- /etc/network/interfaces\tT1\n+++ /etc/network/interfaces.new\tT2\n@@ -1 +1,2 @@\n a\n+b\n"
    )


def test_changes_cut_at_newlines_only() -> None:
    """A carriage return inside a line, or what else ends one for some, ends none here; at its end it is a blank."""
    changed = interfaces.changes("a\rb\u2028c\n", "a\rb\u2028d\n")
    assert changed is not None
    assert changed.endswith("@@ -1 +1 @@\n-a\rb\u2028c\n+a\rb\u2028d\n")
    assert interfaces.changes("a\r\n", "a\n") is None


def test_changes_of_an_absent_file() -> None:
    """A file that is not there counts as empty."""
    changed = interfaces.changes("", "a\n")
    assert changed is not None
    assert changed.endswith("@@ -0,0 +1 @@\n+a\n")


def test_changes_without_a_last_newline() -> None:
    """A last line without its end is said to be one."""
    changed = interfaces.changes("a\n", "a\nb")
    assert changed is not None
    assert changed.endswith(" a\n+b\n\\ No newline at end of file\n")


def test_changes_at_the_identical_beginning() -> None:
    """A run may move up into the lines before it that are the same in both."""
    changed = interfaces.changes("b\na\n", "b\nb\na\na\nc\n")
    assert changed is not None
    assert changed.splitlines()[3:] == [" b", "+b", "+a", " a", "+c"]
