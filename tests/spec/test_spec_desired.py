"""From what a file says and a node's network to what shall be there."""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Address, IPv4Interface

from pvenet.model import Bond, BondMode, Bridge, Ethernet, Interface, Network, Other, Vlan, XmitHashPolicy
from pvenet.plan import management_path, plan
from pvenet.spec.desired import DesiredState, desired_state
from pvenet.spec.load import examine

ADDRESS = IPv4Interface("10.0.0.1/24")


def network(*interfaces: Interface) -> Network:
    """A network of these."""
    return Network(interfaces={each.name: each for each in interfaces})


def goal(text: str, there: Network) -> DesiredState:
    """What a node's part of a file makes of a network that is reached at 10.0.0.1."""
    spec, diagnostics = examine(f"nodes: {{a: {text}}}", "f")
    assert not diagnostics, [diagnostic.text("f") for diagnostic in diagnostics]
    return desired_state(spec.nodes["a"], there, partial(management_path, there, {"10.0.0.1"}))


def test_what_is_left_out_is_kept_and_null_clears() -> None:
    """Field by field, over what is there."""
    before = Bridge(name="vmbr0", ports=("ens1",), cidr=ADDRESS, gateway=IPv4Address("10.0.0.9"), autostart=False)
    found = goal("{vmbr0: {type: bridge, comments: new, gateway: null}}", network(before)).desired["vmbr0"]
    assert found == Bridge(name="vmbr0", ports=("ens1",), cidr=ADDRESS, autostart=False, comments="new")


def test_what_is_new_is_as_pve_makes_it() -> None:
    """Autostart is on unless told otherwise, and a VLAN's name says the rest."""
    found = goal("{bond0: {type: bond}, bond0.5: {type: vlan}}", network())
    assert found.desired == {"bond0": Bond(name="bond0"), "bond0.5": Vlan(name="bond0.5")}
    assert all(each and each.autostart for each in found.desired.values())


def test_what_the_new_mode_does_not_have_goes_by_itself() -> None:
    """As `set` does it; vids make a bridge VLAN-aware."""
    bond = Bond(name="bond0", mode=BondMode.LACP, xmit_hash_policy=XmitHashPolicy.LAYER2)
    found = goal("{bond0: {type: bond, mode: balance-rr}, vmbr1: {type: bridge, vids: [7]}}", network(bond))
    assert found.desired["bond0"] == Bond(name="bond0")
    assert found.desired["vmbr1"] == Bridge(name="vmbr1", vlan_aware=True, vids=("7",))


def test_another_kind_begins_anew() -> None:
    """Nothing of the old kind is taken over."""
    before = Bridge(name="storage", comments="old")
    assert goal("{storage: {type: vlan, tag: 5}}", network(before)).desired["storage"] == Vlan(name="storage", tag=5)


COMPLETE = network(
    Ethernet(name="ens1"),
    Ethernet(name="ens2"),
    Bridge(name="vmbr0", ports=("ens1.5",), cidr=ADDRESS),
    Vlan(name="ens1.5"),
    Bond(name="bond0", slaves=("ens2",)),
    Bridge(name="vmbr1", ports=("bond0",)),
    Bridge(name="vmbr2"),
    Bridge(name="vmbr3"),
    Other(name="vmbr2:1", kind="alias", beneath=("vmbr2",)),
)


def test_a_complete_file_removes_the_rest() -> None:
    """But for NICs, the management path, and what pvenet does not write, with everything beneath: those are named."""
    found = goal("{only: true, ens2: {type: eth, mtu: 9000}}", COMPLETE)
    gone = {name for name, each in found.desired.items() if each is None}
    assert gone == {"bond0", "vmbr1", "vmbr3"}
    assert [line.split()[0] for line in found.kept] == ["vmbr0", "ens1.5", "vmbr2:1", "vmbr2"]
    assert "vmbr0 carries the node's address 10.0.0.1" in found.kept[0]
    assert plan(COMPLETE, found.desired).touched == {"bond0", "vmbr1", "vmbr3", "ens2"}


def test_what_is_ignored_stays_also_where_the_file_is_complete() -> None:
    """With what it stands on."""
    found = goal("{only: true, vmbr1: {state: ignore}}", COMPLETE)
    assert {name for name, each in found.desired.items() if each is None} == {"vmbr3"}


def test_what_is_absent_may_be_so_already() -> None:
    """No change, and nothing that stands against it."""
    assert not plan(COMPLETE, goal("{vmbr9: {state: absent}}", COMPLETE).desired)


def test_what_stays_because_of_a_value_that_can_not_be_read_says_which() -> None:
    """Its kind is one that pvenet writes."""
    there = network(Other(name="bond1", kind="bond", unread=("bond_mode 802.3AD",)), Ethernet(name="ens1"))
    (kept,) = goal("{only: true}", there).kept
    assert kept == "bond1 is not mentioned and stays: `bond_mode 802.3AD` can't be read, so pvenet does not write it"
