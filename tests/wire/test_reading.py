"""PVE's spelling: entries to values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from listings import entry, recorded_entries

from pvenet import edit, errors, wire
from pvenet.model import Bond, BondMode, Bridge, Network, Other, beneath, canonical, typed

ENTRIES = recorded_entries()


def test_there_are_recordings() -> None:
    """The tests of recorded entries have something to chew on."""
    assert len(ENTRIES) > 150


def test_every_recorded_entry_is_read_as_what_it_is() -> None:
    """No entry of a kind that is modelled falls back to Other, but for modes of another kind's bond and no address."""
    modes = set(BondMode)
    for each in ENTRIES:
        kinds = {"eth", "bond", "bridge", "vlan", "OVSBridge", "OVSBond", "OVSIntPort", "OVSPort"}
        modelled = each["type"] in kinds and (each["type"] != "bond" or each["bond_mode"] in modes)
        modelled = modelled and each.get("cidr") != "10.300.1.1/24"  # real/7-bad, `bad-address`
        assert isinstance(wire.interface(each), Other) is not modelled, each


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
    assert found.reason == f"bond0 has `{said}`, which can't be read, so pvenet does not change it"
    with pytest.raises(errors.InvalidNetwork, match=r"bond0 has `.*`, which can't be read"):
        edit.find(Network(interfaces={"bond0": found}), "pve1", "bond0", Bond)


@pytest.mark.parametrize(
    "whole",
    [
        {"type": "eth"},
        {"type": "bond", "slaves": "eno1 eno2", "bond_mode": "active-backup", "bond-primary": "eno1"},
        {"type": "bridge", "bridge_ports": "eno1", "bridge_vlan_aware": 1, "bridge_vids": "7 9-12"},
        {"type": "vlan", "vlan-raw-device": "eno1", "vlan-id": "7"},
        {"type": "OVSBridge", "ovs_ports": "eno1 bond1", "ovs_options": "a=b"},
        {
            "type": "OVSBond",
            "ovs_bonds": "eno1 eno2",
            "ovs_bridge": "vmbr1",
            "bond_mode": "balance-slb",
            "ovs_tag": "7",
        },
        {"type": "OVSIntPort", "ovs_bridge": "vmbr1", "ovs_tag": "7", "ovs_options": "a=b"},
        {"type": "OVSPort", "ovs_bridge": "vmbr1", "ovs_tag": "7"},
    ],
    ids=lambda fields: str(fields["type"]),
)
def test_an_interface_with_a_value_that_can_not_be_read_is_one_of_its_kind(whole: dict[str, Any]) -> None:
    """With all that can be read, and whatever changes of it; the MTU is what PVE counts (pve-api#f65)."""
    fields = entry(iface="x0", autostart=1, **whole)
    good = wire.interface(fields | {"mtu": "9000"})
    odd = wire.interface(fields | {"mtu": "9000 # jumbo"})
    assert isinstance(odd, Other)
    assert beneath(odd) == beneath(good)
    assert typed(good) is good
    assert typed(odd) == good
    assert typed(replace(odd, autostart=False)) == replace(good, autostart=False)


def test_what_is_of_no_kind_that_is_modelled_stays_what_it_is() -> None:
    """`typed` makes nothing up."""
    for kind in ("alias", "unknown", "vxlan"):
        other = wire.interface(entry(iface="x0", type=kind, mtu="9000 # jumbo"))
        assert typed(other) is other
