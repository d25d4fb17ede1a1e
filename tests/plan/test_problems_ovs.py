"""What stands against a change with Open vSwitch in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from plan_model import interfaces, network, with_odd_values
from walk_requests import recorded

from pvenet import wire
from pvenet.changes import outcome
from pvenet.plan import plan, problems
from pvenet.sim.interfaces import Host, listing, parse

if TYPE_CHECKING:
    from pvenet.model import Interface, Network

NODE = """
eth ens33
eth ens37
eth ens38 autostart=on
eth ens39
eth ens41 cidr=10.9.0.2/24
vlan ens37.5 raw_device=ens37 tag=5
bridge vmbr0 ports=ens33 cidr=192.168.171.21/24
ovs-bridge vmbr5 ports=ens40,bond1,mgmt0
ovs-port ens40 bridge=vmbr5 tag=7 mtu=1400
ovs-bond bond1 bridge=vmbr5 slaves=ens38 mode=balance-slb
ovs-int-port mgmt0 bridge=vmbr5 tag=50 ovs=a
ovs-int-port odd0 bridge=vmbr6 options=post-up_true
ovs-int-port leased0 bridge=vmbr6 method=dhcp
ovs-bridge vmbr6 ports=odd0,leased0 mtu=9000
"""

CASES = {
    # names
    "ovs-bridge ovs-lan": [
        "PVE does not take the name ovs-lan: it wants two or more letters, digits and _, beginning with a letter"
    ],
    "ovs-bond trunk bridge=vmbr5 slaves=ens39": [],
    "ovs-int-port abcdefghijklmnop bridge=vmbr5": ["the name abcdefghijklmnop has 16 characters, and Linux takes 15"],
    # the bridge of a port
    "ovs-int-port int2": ["int2 needs an OVS bridge"],
    "ovs-int-port int2 bridge=vmbr9": ["bridge vmbr9 of int2 does not exist (did you mean vmbr6?)"],
    "ovs-int-port int2 bridge=vmbr0": ["bridge vmbr0 of int2 is a bridge, not an OVS bridge"],
    "ovs-bond bond2 slaves=ens39": ["bond2 needs an OVS bridge"],
    "ovs-int-port mgmt0 bridge=vmbr6 tag=50": [],
    "ovs-int-port odd0 bridge=vmbr5": ["odd0 would lose `post-up true`: a move to vmbr5 recreates it"],
    "ovs-int-port leased0 bridge=vmbr5": ["leased0 would lose `inet dhcp`: a move to vmbr5 recreates it"],
    "ovs-port ens40 bridge=vmbr6": ["ens40 is not a port of vmbr6: the ports of an OVS bridge say which NICs it has"],
    "ovs-port ens39 bridge=vmbr6": ["ens39 is not a port of vmbr6: the ports of an OVS bridge say which NICs it has"],
    "ovs-port ens99 bridge=vmbr6": ["there is no NIC ens99, and a NIC can't be created"],
    # what a bridge lists
    "ovs-bridge vmbr5 ports=ens40,bond1,mgmt0,ens39": [],
    "ovs-bridge vmbr5 ports=bond1,mgmt0": [
        "warning: ens40 becomes a plain NIC when vmbr5 drops it: PVE forgets mtu 1400, tag 7"
    ],
    "ovs-bridge vmbr5 ports=ens40,bond1": ["vmbr5 would drop mgmt0, which is not a NIC; delete it"],
    "ovs-bridge vmbr5 ports=ens40,bond1,mgmt0,ens99": ["port ens99 of vmbr5 does not exist (did you mean ens39?)"],
    "ovs-bridge vmbr5 ports=ens40,bond1,mgmt0,ens37": [
        "port ens37 of vmbr5 is the raw device of ens37.5, and can't be both"
    ],
    "ovs-bridge vmbr5 ports=ens40,bond1,mgmt0,ens37.5": [
        "port ens37.5 of vmbr5 is a vlan; an OVS bridge takes NICs and ports of its own"
    ],
    "ovs-bridge vmbr5 ports=ens40,bond1,mgmt0,ens41": [
        "port ens41 of vmbr5 has the address 10.9.0.2/24, and a port can't have one"
    ],
    "ovs-bridge vmbr7 ports=ens33": ["ens33 is already a port of vmbr0"],
    "ovs-bridge vmbr7 ports=ens38": ["ens38 is already a slave of bond1"],
    "ovs-bridge vmbr7 ports=ens40": ["ens40 is already a port of vmbr5"],
    "ovs-bridge vmbr7 ports=mgmt0": ["port mgmt0 of vmbr7 is already a port of vmbr5"],
    "bridge vmbr1 ports=ens40": ["ens40 is already a port of vmbr5"],
    "bridge vmbr1 ports=mgmt0": ["port mgmt0 of vmbr1 is already a port of vmbr5"],
    "bridge vmbr1 ports=vmbr5": ["port vmbr5 of vmbr1 is a bridge, and a bridge can't be a port"],
    "bond bond3 slaves=ens40": ["ens40 is already a port of vmbr5"],
    "vlan ens40.7": ["raw device ens40 of ens40.7 is of the kind OVSPort, on which PVE puts no VLAN"],
    "vlan vmbr5.7": ["raw device vmbr5 of vmbr5.7 is of the kind OVSBridge, on which PVE puts no VLAN"],
    # bonds
    "ovs-bond bond2 bridge=vmbr5 slaves=ens39,ens39": ["slave ens39 of bond2 is listed twice"],
    "ovs-bond bond2 bridge=vmbr5 slaves=ens37.5": ["slave ens37.5 of bond2 is a vlan; an OVS bond takes NICs"],
    "ovs-bond bond2 bridge=vmbr5 slaves=ens40": ["ens40 is already a port of vmbr5"],
    "ovs-bond bond2 bridge=vmbr5 ovs=lacp=active": [
        "PVE drops lacp=active from the options of bond2: its mode says that"
    ],
    "ovs-bond bond2 bridge=vmbr5 cidr=10.0.0.2/24": [
        "bond2 is a port of vmbr5 and can't have an address; an internal port can"
    ],
    # fields
    "ovs-int-port int2 bridge=vmbr5 tag=4095": ["tag 4095 of int2 is outside 1 to 4094"],
    "ovs-int-port int2 bridge=vmbr5 tag=60 ovs=tag=9": ["int2 has the tag 60, but its options say tag=9"],
    "ovs-int-port int2 bridge=vmbr5 ovs=tag=9": [],
    "ovs-int-port int2 bridge=vmbr5 autostart=off": ["int2 starts with its bridge, whatever its autostart says"],
    "ovs-int-port int2 bridge=vmbr5 mtu=9000": ["mtu 9000 of int2 is above the 1500 of vmbr5 beneath it"],
    "ovs-bond bond2 bridge=vmbr6 mtu=9000": [],
    "eth ens38 mtu=9000": ["mtu 9000 of ens38 is above the 1500 of its bond bond1"],
    "ovs-port ens40 bridge=vmbr5 mtu=9000": ["mtu 9000 of ens40 is above the 1500 of its bridge vmbr5"],
    # what goes
    "none vmbr5": [
        "vmbr5 is in use: the bridge of bond1, the bridge of mgmt0",
        "warning: ens40 becomes a plain NIC when vmbr5 drops it: PVE forgets mtu 1400, tag 7",
    ],
    "none ens40": ["ens40 is a NIC and can't be deleted; take it out of the ports of vmbr5"],
    "none mgmt0": [],
    "none bond1": [],
    "bridge vmbr5": [
        "vmbr5 would drop bond1, which is not a NIC; delete it",
        "vmbr5 would drop mgmt0, which is not a NIC; delete it",
        "warning: ens40 becomes a plain NIC when vmbr5 drops it: PVE forgets mtu 1400, tag 7",
    ],
}


def texts(current: str | Network, desired: dict[str, Interface | None]) -> list[str]:
    found = problems(network(current) if isinstance(current, str) else current, desired)
    return [f"warning: {problem}" if problem.warning else str(problem) for problem in found]


@pytest.mark.parametrize("desired", CASES)
def test_each_problem_is_told_once_and_in_words(desired: str) -> None:
    """A problem each, by the name that the user wrote; and none for what PVE takes."""
    assert sorted(texts(NODE, interfaces(desired))) == sorted(CASES[desired])


@pytest.mark.parametrize("desired", [desired for desired in CASES if "vmbr5" not in desired.split()[1:2]])
def test_a_value_that_can_not_be_read_changes_nothing_for_the_others(desired: str) -> None:
    """What is no port that changes with its bridge is to it what one of its kind is (pve-api#f59, pve-api#f60)."""
    found, asked = network(NODE), interfaces(desired)
    odd = with_odd_values(found, {"ens37", "ens38", "ens39", "ens37.5", "vmbr0", "ens33"} - asked.keys())
    assert sorted(texts(odd, asked)) == sorted(CASES[desired])


@pytest.mark.parametrize("desired", ["ovs-int-port int2 bridge=vmbr5", "none mgmt0", "none bond1"])
def test_a_bridge_that_can_not_be_written_keeps_its_ports(desired: str) -> None:
    """PVE writes it anew with each of them (pve-api#ovs-coupling), and what that leads to nobody could compare."""
    odd = with_odd_values(network(NODE), ["vmbr5"])
    unread = "vmbr5 has `bond_xmit_hash_policy vlan+srcmac`, which can't be read, so pvenet does not change it"
    assert texts(odd, interfaces(desired)) == [unread]


def test_the_ports_of_a_bridge_that_can_not_be_read_stay_its_ports() -> None:
    """PVE goes by its type, so that no write makes plain NICs of them (pve-api#f58)."""
    odd = with_odd_values(network(NODE), ["vmbr5", "vmbr6"])
    then = outcome(odd.interfaces, plan(odd, interfaces("bridge vmbr9")).steps)
    assert {name: each for name, each in then.items() if name in odd.interfaces} == odd.kept


STRICTER = re.compile(
    "is a NIC and can't be deleted"  # PVE brings it back with the next write
    "|ignores xmit-hash-policy|has no primary"  # PVE drops them silently
    "|gateway6? .* but no cidr"  # PVE writes a gateway that nothing uses
    "|has the address .* also has"  # PVE compares no addresses
    "|starts with its bridge|its options say|can't have an address; an internal port can"
    "|is in use: the bridge of"  # PVE would write its ports as NICs
)
"""What pvenet refuses and PVE takes, knowingly."""

LOOSER = re.compile(
    "interface does not exist"  # to delete what is not there is nothing to do
    "|maximum value of 4094"  # of a bridge, which has no tag in pvenet
)
"""What PVE refuses and pvenet finds no problem in, knowingly."""


def concerns(_form: dict[str, Any], refusal: str) -> bool:
    """Not where the name is there already, which is another command's matter."""
    return "already exists" not in refusal


def test_the_problems_are_those_that_pve_has() -> None:
    """In 200 recorded requests pvenet finds a problem where PVE refused and none where it did not."""
    host = Host(nics=dict.fromkeys(("ens33", "ens37", "ens38", "ens39", "ens40", "ens41"), ()), up=frozenset())
    judged = 0
    for file, name, desired, refusal in recorded("walks-ovs.jsonl", concerns):
        current = wire.network(listing(parse(file, host)))
        found = [str(each) for each in problems(current, {name: desired}) if not each.warning]
        if refusal:
            assert found or LOOSER.search(refusal), (refusal, name, desired)
        else:
            assert [text for text in found if not STRICTER.search(text)] == [], (name, desired)
        judged += 1
    assert judged > 200
