"""PVE's spelling: values to forms, new and changed."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface

import pytest
from listings import entry, recorded_entries
from recorded import load

from pvenet import wire
from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    FileOnly,
    Interface,
    Other,
    OvsBond,
    OvsBondMode,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    XmitHashPolicy,
    canonical,
)

ENTRIES = recorded_entries()


def test_what_is_read_is_written_as_it_was() -> None:
    """The form that would create a recorded interface says all that its entry says and the API can set."""
    for each in ENTRIES:
        value = wire.interface(each)
        if isinstance(value, Other):
            continue
        form = wire.create_form(value)
        for key, text in form.items():
            if key in {"iface", "type"}:
                assert text == each[key]
            elif key == "comments":
                assert text == each[key].rstrip("\n")
            else:
                assert str(text) == str(each[key]), (key, each)


def test_an_update_that_changes_nothing_sends_only_what_pve_would_forget() -> None:
    """`type`, and the addresses of stanzas that would turn manual or vanish without them."""
    for each in ENTRIES:
        value = wire.interface(each)
        if not isinstance(value, Other):
            assert set(wire.update_form(value, value)) <= {"type", "cidr", "cidr6"}


def test_an_update_sends_the_current_addresses_and_the_change() -> None:
    """Without cidr a static stanza turns manual, without cidr6 the inet6 stanza is dropped
    (pve-api#update-families).
    """
    before = Bridge(
        name="vmbr0",
        cidr=IPv4Interface("192.168.171.21/24"),
        gateway=IPv4Address("192.168.171.2"),
        cidr6=IPv6Interface("fd00::5/64"),
        ports=("ens33",),
        comments="For management",
        file_only=FileOnly(method="static", method6="static", families=("inet", "inet6")),
    )
    assert wire.update_form(before, replace(before, ports=("ens33", "ens37"))) == {
        "type": "bridge",
        "cidr": "192.168.171.21/24",
        "cidr6": "fd00::5/64",
        "bridge_ports": "ens33 ens37",
    }


def test_what_goes_is_deleted_by_name() -> None:
    """VLAN awareness is deleted and never sent as 0, which would turn it on (pve-api#vlan-aware-0)."""
    before = Bridge(name="vmbr1", vlan_aware=True, vids=("2-4094",), mtu=9000, comments="x")
    after = replace(before, vlan_aware=False, vids=(), mtu=None, comments="", autostart=False)
    form = wire.update_form(before, after)
    assert form.keys() == {"type", "delete"}
    gone = {"bridge_vlan_aware", "bridge_vids", "mtu", "comments", "autostart"}
    assert set(str(form["delete"]).split(",")) == gone


def test_a_manual_stanza_with_an_address_stays_manual() -> None:
    """What a careless update left behind is not made static by the next one: its address is not sent."""
    each = wire.interface(entry(iface="vmbr2", type="bridge", cidr="10.0.0.1/24", address="10.0.0.1", netmask="24"))
    assert wire.update_form(each, replace(each, comments="x")) == {"type": "bridge", "comments": "x"}


def test_lists_are_joined_with_single_blanks_and_booleans_are_numbers() -> None:
    """Nothing else is accepted (pve-api#separator and pve-api#booleans)."""
    form = wire.create_form(Bridge(name="vmbr1", ports=("bond0", "ens40"), vlan_aware=True, vids=("7", "100-200")))
    assert form["bridge_ports"] == "bond0 ens40"
    assert form["bridge_vids"] == "7 100-200"
    assert form["bridge_vlan_aware"] == form["autostart"] == 1


@pytest.mark.parametrize(
    ("interface", "form"),
    [
        (
            Bond(name="bond0", slaves=("ens38", "ens39")),
            {"iface": "bond0", "type": "bond", "autostart": 1, "slaves": "ens38 ens39", "bond_mode": "balance-rr"},
        ),
        (
            Bond(name="bond1", mode=BondMode.LACP, xmit_hash_policy=XmitHashPolicy.LAYER3_4, autostart=False),
            {"iface": "bond1", "type": "bond", "bond_mode": "802.3ad", "bond_xmit_hash_policy": "layer3+4"},
        ),
        (
            Vlan(name="storage", raw_device="bond0", tag=40),
            {"iface": "storage", "type": "vlan", "autostart": 1, "vlan-raw-device": "bond0", "vlan-id": 40},
        ),
        (
            Vlan(name="bond0.50", raw_device="bond0", tag=50),
            {"iface": "bond0.50", "type": "vlan", "autostart": 1},
        ),
        (
            OvsBridge(name="vmbr5", ports=("ens40", "bond1"), options="updelay=5000"),
            {
                "iface": "vmbr5",
                "type": "OVSBridge",
                "autostart": 1,
                "ovs_ports": "ens40 bond1",
                "ovs_options": "updelay=5000",
            },
        ),
        (
            OvsBond(name="bond1", bridge="vmbr5", slaves=("ens38", "ens39"), mode=OvsBondMode.LACP_BALANCE_TCP, tag=60),
            {
                "iface": "bond1",
                "type": "OVSBond",
                "autostart": 1,
                "ovs_bonds": "ens38 ens39",
                "bond_mode": "lacp-balance-tcp",
                "ovs_bridge": "vmbr5",
                "ovs_tag": 60,
            },
        ),
        (
            OvsIntPort(name="mgmt0", bridge="vmbr5", tag=50, cidr=IPv4Interface("10.5.0.2/24")),
            {
                "iface": "mgmt0",
                "type": "OVSIntPort",
                "autostart": 1,
                "ovs_bridge": "vmbr5",
                "ovs_tag": 50,
                "cidr": "10.5.0.2/24",
            },
        ),
        (Ethernet(name="ens40", mtu=9000), {"iface": "ens40", "type": "eth", "autostart": 1, "mtu": 9000}),
    ],
)
def test_a_new_interface_is_spelled_as_pve_does(interface: Interface, form: wire.Form) -> None:
    """Each kind's fields, by PVE's names."""
    assert wire.create_form(interface) == form


OVS_FORMS = [
    step["form"]
    for walk in load("walks-ovs.jsonl")
    for step in walk["steps"]
    if step["method"] == "POST" and step["status"] == 200 and step["form"]["type"].startswith("OVS")
]


@pytest.mark.parametrize("form", OVS_FORMS, ids=lambda form: f"{form['type']} {form['iface']}")
def test_a_recorded_form_of_open_vswitch_is_written_as_it_was(form: wire.Form) -> None:
    """What a real node took, read as an entry, is written the same, but for what says nothing."""
    written = wire.create_form(wire.interface(entry(**form)))
    told = {key: text for key, text in form.items() if key not in ("address", "netmask")}
    if not told.get("autostart"):
        told.pop("autostart", None)
    if form["type"] == "OVSBond":
        told.setdefault("bond_mode", "active-backup")
    if form["type"] == "OVSBridge":
        told.pop("ovs_tag", None)
    if "comments" in told:
        told["comments"] = str(told["comments"]).rstrip("\n")
    assert written == told


def test_an_ovs_update_sends_what_changes() -> None:
    """PVE keeps the bridge of a port by itself (walk 5023), so that it is not sent again."""
    static = FileOnly(method="static")
    address = IPv4Interface("10.5.0.2/24")
    before = OvsIntPort(name="mgmt0", bridge="vmbr5", tag=50, cidr=address, options="a b", file_only=static)
    after = replace(before, tag=None, options="b a c")
    assert wire.update_form(before, after) == {
        "type": "OVSIntPort",
        "cidr": "10.5.0.2/24",
        "ovs_options": "a b c",
        "delete": "ovs_tag",
    }


def test_words_of_ovs_options_compare_as_a_set_and_may_say_the_tag() -> None:
    """PVE shuffles them, and keeps the tag and a bond's mode apart (pve-api#ovs-options)."""
    said = OvsBond(name="bond1", bridge="vmbr5", options="updelay=5 tag=9 lacp=active x=1", autostart=False)
    assert canonical(said) == canonical(OvsBond(name="bond1", bridge="vmbr5", options="x=1 updelay=5", tag=9))
    assert canonical(OvsPort(name="ens40", options="b a")) == canonical(OvsPort(name="ens40", options="a b a"))
