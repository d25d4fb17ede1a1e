"""PVE's spelling: entries to values, values to forms."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface
from typing import Any

import pytest
from listings import recorded_entries
from recorded import load

from pvenet import edit, errors, wire
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
    OvsBondMode,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    XmitHashPolicy,
    canonical,
)

ENTRIES = recorded_entries()


def entry(**fields: Any) -> wire.Entry:
    return {"method": "manual", "method6": "manual", "families": ["inet"], **fields}


def test_there_are_recordings() -> None:
    """The property tests below have something to chew on."""
    assert len(ENTRIES) > 150


def test_every_recorded_entry_is_read_as_what_it_is() -> None:
    """No entry of a kind that is modelled falls back to Other, but for modes of another kind's bond and no address."""
    modes = set(BondMode)
    for each in ENTRIES:
        kinds = {"eth", "bond", "bridge", "vlan", "OVSBridge", "OVSBond", "OVSIntPort", "OVSPort"}
        modelled = each["type"] in kinds and (each["type"] != "bond" or each["bond_mode"] in modes)
        modelled = modelled and each.get("cidr") != "10.300.1.1/24"  # real/7-bad, `bad-address`
        assert isinstance(wire.interface(each), Other) is not modelled, each


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


@pytest.mark.parametrize(
    ("each", "loss"),
    [
        (entry(iface="ens33", type="eth", method="dhcp"), "`inet dhcp` becomes `inet manual`"),
        (
            entry(iface="ens33", type="eth", families=["inet", "inet6"], method6="auto", options6=["accept_ra 2"]),
            "the stanza `inet6 auto` disappears, with `accept_ra 2`",
        ),
        (
            entry(
                iface="vmbr0",
                type="bridge",
                families=["inet", "inet6"],
                method6="static",
                cidr6="fd00::1/64",
                options=["post-up true"],
            ),
            "the stanza `inet manual` disappears, with `post-up true`",
        ),
        (
            entry(iface="vmbr0", type="bridge", families=["inet6"], method6="static", cidr6="2001:db8::1/64"),
            "the address 2001:db8::1/64 is one that PVE refuses when it is sent again",
        ),
        (entry(iface="ens33", type="eth", families=[None]), "the stanza without a family becomes `inet`"),
        (
            entry(iface="vmbr0", type="bridge", method="static", cidr="10.0.0.1/7"),
            "the address 10.0.0.1/7 is one that PVE refuses when it is sent again",
        ),
    ],
)
def test_what_an_update_would_lose_is_named(each: wire.Entry, loss: str) -> None:
    """The traps of pve-api#update-loses, each in words."""
    assert loss in wire.losses(wire.interface(each))


def test_an_ordinary_interface_loses_nothing() -> None:
    """Options of a stanza that stays, stay."""
    each = entry(iface="ens33", type="eth", method="static", cidr="198.51.100.5/29", options=["post-up true"])
    assert wire.losses(wire.interface(each)) == ()


UPLINK = entry(iface="vmbr0", type="bridge", options=["post-up true"])
DUAL = entry(
    iface="vmbr0",
    type="bridge",
    families=["inet", "inet6"],
    method="static",
    method6="static",
    cidr="10.0.0.1/24",
    cidr6="fd00::1/64",
    options=["up a"],
    options6=["up b"],
)
LEFT_BEHIND = entry(iface="vmbr0", type="bridge", cidr="10.0.0.1/24", gateway="10.0.0.254")


@pytest.mark.parametrize(
    ("each", "change", "lost"),
    [
        (UPLINK, {"cidr": IPv4Interface("10.0.0.1/24")}, ()),
        (UPLINK, {"cidr6": IPv6Interface("fd00::1/64")}, ("the stanza `inet manual` disappears, with `post-up true`",)),
        (DUAL, {"mtu": 1400}, ()),
        (DUAL, {"cidr": None}, ("the stanza `inet static` disappears, with `up a`",)),
        (DUAL, {"cidr6": None}, ("the stanza `inet6 static` disappears, with `up b`",)),
        (DUAL | {"options6": None}, {"cidr6": None}, ()),
        (
            LEFT_BEHIND,
            {"cidr6": IPv6Interface("fd00::1/64")},
            ("`inet manual` becomes `inet static`",),
        ),
        (
            LEFT_BEHIND,
            {"cidr6": IPv6Interface("fd00::1/64"), "cidr": None},
            ("the stanza `inet manual` disappears, with `gateway 10.0.0.254`",),
        ),
        (
            entry(iface="ens33", type="eth", families=["inet6"], method6="static", cidr6="2001:db8::1/64"),
            {"cidr6": IPv6Interface("fd00::1/64")},
            (),
        ),
        (
            entry(iface="ens33", type="eth", families=["inet6"], method6="static", cidr6="fec0::1/64"),
            {"mtu": 1400},
            ("the address fec0::1/64 is one that PVE refuses when it is sent again",),
        ),
        (
            entry(iface="ens33", type="eth", method="dhcp"),
            {"cidr": IPv4Interface("10.0.0.1/24")},
            ("`inet dhcp` becomes `inet static`",),
        ),
    ],
)
def test_what_one_update_would_lose_depends_on_what_it_is_for(
    each: wire.Entry, change: dict[str, Any], lost: tuple[str, ...]
) -> None:
    """An address that comes or goes takes a stanza with it, and what the stanza held; what was asked for is no loss."""
    value = wire.interface(each)
    assert wire.losses(value, replace(value, **change)) == lost


def test_what_has_no_right_shape_is_shown_and_not_touched() -> None:
    """A hand-written file may hold anything; the value is kept as it came."""
    odd = wire.interface(entry(iface="vmbr0", type="bridge", cidr="10.0.0.300/24", bridge_ports="ens33"))
    assert isinstance(odd, Other)
    assert odd.kind == "bridge"
    assert odd.beneath == ("ens33",)
    assert odd.cidr is None
    assert json.loads(odd.entry)["cidr"] == "10.0.0.300/24"


def test_observation_takes_no_part_in_a_value() -> None:
    """Two readings that differ in `active` and `priority` hold equal interfaces."""
    each = entry(iface="ens38", type="eth", exists=1)
    network = wire.network([each | {"active": 1, "priority": 5}])
    assert network.interfaces["ens38"] == wire.interface(each | {"priority": 7})
    assert network.links["ens38"].active
    assert not wire.network([each]).links["ens38"].active


def test_reading_takes_mixed_types() -> None:
    """Numbers as text, flags as numbers, text or booleans, nulls where a list is expected."""
    value = wire.interface(
        entry(
            iface="vmbr1", type="bridge", mtu=9000, autostart="1", bridge_vlan_aware=True, options=None, comments=None
        )
    )
    assert value == Bridge(name="vmbr1", mtu=9000, vlan_aware=True)
    assert canonical(value) == Bridge(name="vmbr1", mtu=9000, vlan_aware=True, vids=("2-4094",))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mtu": "9000 # jumbo"}, "mtu 9000 # jumbo"),
        ({"cidr": "192.0.2.1/24 # lan/32"}, "cidr 192.0.2.1/24 # lan/32"),
        ({"gateway": "192.0.2.9 metric 10"}, "gateway 192.0.2.9 metric 10"),
        ({"bond_mode": "lacp"}, "bond_mode lacp"),
    ],
)
def test_a_value_that_can_not_be_read_is_named(fields: dict[str, str], said: str) -> None:
    """One odd value makes no other kind of it, and the reason says which it is."""
    entry = {"iface": "bond0", "type": "bond", "slaves": "eno1", "families": ["inet"], **fields}
    found = wire.interface(entry)
    assert isinstance(found, Other)
    assert found.unread == (said,)
    assert found.reason == f"bond0 has `{said}`, which can't be read, so that pvenet does not change it"
    with pytest.raises(errors.InvalidNetwork, match=r"bond0 has `.*`, which can't be read"):
        edit.find(Network(interfaces={"bond0": found}), "pve1", "bond0", Bond)
