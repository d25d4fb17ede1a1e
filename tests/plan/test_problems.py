"""What stands against a change: everything at once, in words, and nothing that the change does not touch."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from plan_model import interfaces, network, with_odd_values
from walk_requests import recorded

from pvenet import wire
from pvenet.changes import Create
from pvenet.model import Bridge, Network
from pvenet.plan import Problem, plan, problems
from pvenet.sim.interfaces import Host, listing, parse

NODE = """
eth ens33
eth ens37
eth ens38
eth ens39 cidr=10.9.0.2/24
eth ens40
eth ens41
bond bond0 slaves=ens37,ens38
bridge vmbr0 ports=ens33 cidr=192.168.171.21/24 gateway=192.168.171.2
vlan bond0.50 raw_device=bond0 tag=50
bridge vmbr1 ports=bond0.50
other vmbr5 kind=OVSBridge beneath=ens41
"""

CASES = {
    # names
    "bond mybond slaves=ens40": [
        "PVE knows a bond by a name like bond0 only and would not recognize mybond as one (did you mean bond1?)"
    ],
    "bond BOND7": [
        "PVE knows a bond by a name like bond0 only and would not recognize BOND7 as one (did you mean bond1?)"
    ],
    "bridge bond7": ["PVE would take bond7 for a bond because of its name"],
    "bridge br.7": ["PVE would take br.7 for a VLAN because of its name"],
    "bridge vmbr0:1": ["PVE would take vmbr0:1 for an alias because of its name"],
    "bridge abcdefghijklmnop": ["the name abcdefghijklmnop has 16 characters, and Linux takes 15"],
    "bridge b": ["PVE does not take the name b: it wants two or more letters, digits and _, beginning with a letter"],
    "bridge br-lan": [
        "PVE does not take the name br-lan: it wants two or more letters, digits and _, beginning with a letter"
    ],
    "bridge lo": ["lo is the loopback interface"],
    # slaves and ports
    "bond bond1 slaves=ens99": ["slave ens99 of bond1 does not exist (did you mean ens39?)"],
    "bond bond1 slaves=wlan0": ["slave wlan0 of bond1 does not exist"],
    "bond bond1 slaves=enp2s8": ["slave enp2s8 of bond1: PVE knows this NIC only as ens40 (did you mean ens40?)"],
    "bond bond1 slaves=ens40,ens40": ["slave ens40 of bond1 is listed twice"],
    "bond bond1 slaves=vmbr1": ["slave vmbr1 of bond1 is a bridge; a bond takes NICs and bonds"],
    "bond bond1 slaves=ens33": ["ens33 is already a port of vmbr0"],
    "bond bond1 slaves=ens39": ["slave ens39 of bond1 has the address 10.9.0.2/24, and a slave can't have one"],
    "bond bond1 slaves=bond1": ["bond1 would be on top of itself"],
    "bridge vmbr2 ports=bond9": ["port bond9 of vmbr2 does not exist (did you mean bond0?)"],
    "bridge vmbr2 ports=ens40.7": [],
    "bridge vmbr2 ports=ens99.7": ["port ens99.7 of vmbr2 does not exist"],
    "bridge vmbr2 ports=vmbr1": ["port vmbr1 of vmbr2 is a bridge, and a bridge can't be a port"],
    "bridge vmbr2 ports=ens37": ["ens37 is already a slave of bond0"],
    "bridge vmbr2 ports=ens41": ["ens41 is already a port of vmbr5"],
    "bridge vmbr2 ports=ens39": ["port ens39 of vmbr2 has the address 10.9.0.2/24, and a port can't have one"],
    "bridge vmbr2 ports=ens40\nbond bond1 slaves=ens40": ["ens40 is already a port of vmbr2"],
    "bridge vmbr2 ports=ens33\nbridge vmbr0 cidr=192.168.171.21/24 gateway=192.168.171.2": [],
    "bridge vmbr2 ports=bond0.50\nnone bond0.50\nbridge vmbr1": ["bond0.50 is in use: a port of vmbr2"],
    # bonds
    "bond bond0 slaves=ens37,ens38 mode=active-backup primary=ens40": ["primary ens40 is not a slave of bond0"],
    "bond bond1 slaves=ens40 primary=ens40": ["bond1's mode balance-rr has no primary; active-backup has one"],
    "bond bond1 slaves=ens40 xmit_hash_policy=layer2": [
        "bond1's mode balance-rr ignores xmit-hash-policy; 802.3ad and balance-xor use one"
    ],
    "bond bond0 slaves=ens37,ens38 mode=active-backup primary=ens37": [
        "warning: a primary set on bond0 now takes effect only when the bond is deleted and created again"
    ],
    # bridges
    "bridge vmbr2 vids=2-10": ["vids need a VLAN-aware bridge, which vmbr2 is not"],
    "bridge vmbr2 vlan_aware=on vids=2,4,100-200": [],
    "bridge vmbr2 vlan_aware=on vids=1,9-5,x,2-5000": [
        "vids of vmbr2: 1 is outside 2 to 4094",
        "vids of vmbr2: 9-5 must ascend",
        "vids of vmbr2: x is neither a VLAN id nor a range like 2-4094",
        "vids of vmbr2: 2-5000 is outside 2 to 4094",
    ],
    # VLANs
    "vlan storage": ["VLAN storage needs a raw device", "VLAN storage needs a tag"],
    "vlan vlan70": ["VLAN vlan70 needs a raw device"],
    "vlan vlan70 raw_device=ens40": [],
    "vlan vlan70 raw_device=ens40 tag=7": ["the name vlan70 says that its tag is 70, not 7"],
    "vlan ens40.4095": ["tag 4095 of ens40.4095 is outside 1 to 4094"],
    "vlan storage raw_device=ens40 tag=0": ["tag 0 of storage is outside 1 to 4094"],
    "vlan ens40.7 raw_device=ens38 tag=8": [
        "the name ens40.7 says that it is on ens40, not on ens38",
        "the name ens40.7 says that its tag is 7, not 8",
    ],
    "vlan ens99.7": ["raw device ens99 of ens99.7 does not exist (did you mean ens39?)"],
    "vlan storage raw_device=vmbr5 tag=7": [
        "raw device vmbr5 of storage is of the kind OVSBridge, on which PVE puts no VLAN"
    ],
    "vlan storage raw_device=bond0 tag=50": ["tag 50 of bond0 is already bond0.50"],
    "vlan storage raw_device=storage tag=7": ["storage would be on top of itself"],
    # addresses
    "bridge vmbr2 cidr6=100::1/64": ["PVE refuses 100::1: it is in none of the nets that hosts use"],
    "bridge vmbr2 cidr=10.0.0.1/7": ["PVE takes IPv4 addresses with a prefix of 8 to 32, not 10.0.0.1/7"],
    "bridge vmbr2 cidr6=2001:db8::1/64": ["PVE refuses 2001:db8::1: 2001:db8::/32 is for documentation only"],
    "bridge vmbr2 cidr6=ff02::1/64": ["ff02::1 is not an address that vmbr2 can have"],
    "bridge vmbr2 gateway6=fe80::1": ["vmbr2 has gateway6 fe80::1 but no cidr6"],
    "bridge vmbr2 cidr6=fd00::2/64 gateway6=fe80::1": [],
    "bridge vmbr2 cidr6=fd00::2/64 gateway6=fd00::2": ["gateway6 fd00::2 is vmbr2's own address"],
    "bridge vmbr2 cidr=192.168.171.21/25": ["vmbr2 has the address 192.168.171.21, which vmbr0 also has"],
    "bridge vmbr2 cidr=10.7.0.1/24\nbridge vmbr3 cidr=10.7.0.1/16": [
        "vmbr3 has the address 10.7.0.1, which vmbr2 also has"
    ],
    "bridge vmbr2 cidr=192.168.171.22/24": ["warning: vmbr2 and vmbr0 are both in 192.168.171.0/24"],
    "bridge vmbr2 cidr=192.168.171.22/24\nbridge vmbr0 ports=ens33": [],
    "bridge vmbr2 cidr=10.7.0.0/24": ["warning: 10.7.0.0 is the address of the net 10.7.0.0/24 and not a host's"],
    "bridge vmbr2 cidr=10.7.0.255/24": ["warning: 10.7.0.255 is the broadcast address of 10.7.0.0/24 and not a host's"],
    "bridge vmbr2 cidr=10.7.0.0/31\nbridge vmbr3 cidr=10.7.0.255/32": [],
    "bridge vmbr2 cidr6=fd00::/64": ["warning: fd00:: is the address of the net fd00::/64 and not a host's"],
    "bridge vmbr2 cidr6=fe80::1/64\nbridge vmbr3 cidr6=fe80::2/64": [],
    "bridge vmbr2 cidr6=fd00::2/64 gateway6=fd01::1": ["warning: gateway6 fd01::1 is outside vmbr2's net fd00::/64"],
    "bridge vmbr2 cidr6=fd00::2/128 gateway6=fd01::1": [],
    "bridge vmbr2 cidr=10.1.0.2/24 gateway=10.1.0.1": ["vmbr2 can't have the default gateway for IPv4: vmbr0 has it"],
    "bridge vmbr2 cidr6=fd02::2/64 gateway6=fd02::1\nbridge vmbr3 cidr6=fd03::2/64 gateway6=fd03::1": [
        "vmbr3 can't have the default gateway for IPv6: vmbr2 has it"
    ],
    "eth ens33 cidr=10.1.0.2/24": ["ens33 is a port of vmbr0 and can't have an address"],
    "eth ens37 cidr6=fd00::2/64": ["ens37 is a slave of bond0 and can't have an address"],
    # MTUs
    "bridge vmbr2 mtu=1279": ["mtu 1279 of vmbr2 is outside 1280 to 65520"],
    "bridge vmbr2 ports=ens40 mtu=9000": ["mtu 9000 of vmbr2 is above the 1500 of ens40 beneath it"],
    "bridge vmbr2 ports=ens40 mtu=9000\neth ens40 mtu=9000": [],
    "bridge vmbr2 ports=bond0 mtu=9000": [],
    "vlan vmbr1.7 mtu=9000": ["mtu 9000 of vmbr1.7 is above the 1500 of vmbr1 beneath it"],
    "eth ens37 mtu=9000": [],
    "bond bond0 slaves=ens37,ens38 mtu=1500\neth ens37 mtu=9000": [
        "ens37's mtu 9000 is above the 1500 of its bond bond0"
    ],
    # what can't be done at all
    "eth ens99": ["there is no NIC ens99, and a NIC can't be created"],
    "none ens40": ["ens40 is a NIC and can't be deleted"],
    "bridge ens40": ["ens40 is a NIC and can't become a bridge"],
    "bridge vmbr5": ["vmbr5 is of the kind OVSBridge, which pvenet shows but does not change yet"],
    "none vmbr5": ["vmbr5 is of the kind OVSBridge, which pvenet shows but does not change yet"],
    # what is in use
    "none bond0": ["bond0 is in use: the raw device of bond0.50"],
    "none bond0.50": ["bond0.50 is in use: a port of vmbr1"],
    "none bond0\nnone bond0.50\nnone vmbr1": [],
    "none nothing": [],
    # nothing is changed
    "bridge vmbr0 ports=ens33 cidr=192.168.171.21/24 gateway=192.168.171.2": [],
}


def texts(found: tuple[Problem, ...]) -> list[str]:
    return [("warning: " if problem.warning else "") + str(problem) for problem in found]


@pytest.mark.parametrize("desired", CASES)
def test_each_problem_is_told_once_and_in_words(desired: str) -> None:
    """A change of the node above has exactly these problems."""
    assert texts(problems(network(NODE, ens40="enp2s8"), interfaces(desired))) == CASES[desired]


@pytest.mark.parametrize("desired", CASES)
def test_a_value_that_can_not_be_read_changes_nothing_for_the_others(desired: str) -> None:
    """PVE goes by what an interface is, whatever else its stanza holds (pve-api#f61, pve-api#f63, pve-api#f65)."""
    found, asked = network(NODE, ens40="enp2s8"), interfaces(desired)
    odd = with_odd_values(found, found.interfaces.keys() - asked.keys())
    assert texts(problems(odd, asked)) == CASES[desired]
    alike = [(type(step), step.name) for step in plan(found, asked).steps]
    assert [(type(step), step.name) for step in plan(odd, asked).steps] == alike


def test_all_problems_come_at_once() -> None:
    """Nobody has to mend one thing to be told of the next."""
    desired = interfaces("bond mybond slaves=ens99,ens33 mtu=12\nvlan vlan5000 raw_device=ens40\nnone bond0")
    assert len(problems(network(NODE), desired)) == 6


def test_a_problem_says_where_it_is() -> None:
    """A problem carries the interface, the model's field, and the value that is wrong."""
    (problem,) = problems(network(NODE), interfaces("bond bond1 slaves=ens40,ens99"))
    assert problem == Problem(
        interface="bond1",
        field="slaves",
        value="ens99",
        message="slave ens99 of bond1 does not exist",
        nearest="ens39",
    )


LEGACY = """
eth ens33 mtu=1000
eth ens37 mtu=9000
bridge vmbr0 ports=ens33,ens37 cidr=10.0.0.2/24 gateway=192.168.1.1 mtu=1500
bridge vmbr1 ports=ens37 cidr=10.1.0.2/24 gateway=10.1.0.1
vlan storage raw_device=gone tag=7
"""


@pytest.mark.parametrize(
    "desired",
    [
        "bridge vmbr0 ports=ens33,ens37 cidr=10.0.0.2/24 gateway=192.168.1.1 mtu=1500 comments=new",
        "bridge vmbr1 ports=ens37 cidr=10.1.0.2/24 gateway=10.1.0.1 autostart=off",
        "vlan storage raw_device=gone tag=7 comments=new",
        "eth ens33 mtu=1000 comments=new",
    ],
)
def test_what_a_file_held_before_is_no_problem_of_the_change(desired: str) -> None:
    """Ports used twice, two gateways, missing parents and odd MTUs are judged only when the change is about them."""
    assert problems(network(LEGACY), interfaces(desired)) == ()


def test_lowering_an_mtu_is_told_by_who_stands_on_it() -> None:
    """An MTU that falls below that of an untouched interface above is a problem of the one that is lowered."""
    current = network("eth ens33 mtu=9000\nbridge vmbr0 ports=ens33 mtu=9000")
    found = problems(current, interfaces("eth ens33 mtu=1500"))
    assert texts(found) == ["mtu 1500 of ens33 is below the 9000 of vmbr0, which is on top of it"]


@pytest.mark.parametrize("letter", ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_a_comment_that_ends_its_line_by_itself_is_refused(letter: str) -> None:
    """PVE writes it as it is, and what follows it is a line of the file to ifupdown2, which root runs."""
    bridge = Bridge(name="vmbr9", comments=f"note{letter}post-up touch /tmp/evil")
    (problem,) = problems(Network(), {"vmbr9": bridge})
    assert (problem.field, problem.warning) == ("comments", False)
    assert letter not in str(problem)
    kept = Network(interfaces={"vmbr9": bridge})
    assert problems(kept, {"vmbr9": replace(bridge, mtu=1400)}) == ()


def test_an_address_that_was_there_twice_is_a_warning() -> None:
    """A node may hold it already: nobody has to mend it to change its prefix."""
    there = network("bridge vmbr1 cidr=10.0.0.1/24\nbridge vmbr2 cidr=10.0.0.1/16")
    found = problems(there, interfaces("bridge vmbr2 cidr=10.0.0.1/8"))
    assert texts(found) == ["warning: vmbr2 has the address 10.0.0.1, which vmbr1 also has"]
    assert problems(there, interfaces("bridge vmbr2 cidr=10.0.0.1/16 mtu=1400")) == ()


@pytest.mark.parametrize(
    ("desired", "told"),
    [
        ("bridge vmbr0 cidr=10.0.0.5/24", []),
        ("bridge vmbr1 cidr=10.0.0.5/24", ["vmbr0", "vmbr0:0"]),
    ],
)
def test_an_alias_shares_the_subnet_of_its_device(desired: str, told: list[str]) -> None:
    """It is the same device; on another one the subnet is on two, as `shared-network` of `pvenet lint` has it."""
    there = network("bridge vmbr0 cidr=10.0.0.1/24\nother vmbr0:0 kind=alias beneath=vmbr0 cidr=10.0.0.2/24")
    found = problems(there, interfaces(desired))
    assert texts(found) == [f"warning: vmbr1 and {name} are both in 10.0.0.0/24" for name in told]


def test_lines_of_a_comment_may_end_as_an_editor_ends_them() -> None:
    """Newlines make lines, and a carriage return before one is nothing."""
    bridge = Bridge(name="vmbr9", comments="one\r\ntwo\nthree")
    assert problems(Network(), {"vmbr9": bridge}) == ()
    (step,) = plan(Network(), {"vmbr9": bridge}).steps
    assert isinstance(step, Create)
    assert step.after.comments == "one\ntwo\nthree"


def test_a_slave_above_its_bond_is_told() -> None:
    """A slave's MTU must not pass that of its untouched bond."""
    current = network("eth ens33\nbond bond0 slaves=ens33 mtu=1500")
    found = problems(current, interfaces("eth ens33 mtu=9000"))
    assert texts(found) == ["mtu 9000 of ens33 is above the 1500 of its bond bond0"]


def test_a_circle_is_told_of_what_the_change_adds_to_it() -> None:
    """Interfaces that stand on each other in a circle have no order in which they could be made."""
    current = network("eth ens33\nvlan one raw_device=ens33 tag=1\nbridge vmbr0 ports=one")
    found = problems(current, interfaces("vlan one raw_device=vmbr0 tag=1"))
    assert texts(found) == ["one would be on top of itself"]


def test_a_vlan_holds_up_a_change_of_kind() -> None:
    """What is deleted and created again as another kind can't carry a VLAN meanwhile."""
    current = network("eth ens33\nbridge trunk\nvlan trunk.7 raw_device=trunk tag=7")
    found = problems(current, interfaces("vlan trunk raw_device=ens33 tag=9"))
    assert texts(found) == ["trunk can't become a vlan while it is the raw device of trunk.7"]


STRICTER = re.compile(
    "is a NIC and can't be deleted"  # PVE brings it back with the next write
    "|does not change yet|would not recognize mybond"
    "|ignores xmit-hash-policy|has no primary|vids need"  # PVE drops them silently
    "|gateway6? .* but no cidr"  # PVE writes a gateway that nothing uses
    "|has the address .* also has"  # PVE compares no addresses
    "|slave .* has the address"  # PVE minds the addresses of ports only
    "|port bond0.50 of .* does not exist"  # PVE minds no parent of a port that is a VLAN without a stanza
)
"""What pvenet refuses and PVE takes, knowingly."""

LOOSER = re.compile(
    "interface does not exist"  # to delete what is not there is nothing to do
    "|ens38,ens39"  # not a form that pvenet sends
    "|ens40 is already used on interface 'vmbr5'"  # walk 112: `ovs_ports` left over in a Linux bridge
)
"""What PVE refuses and pvenet finds no problem in, knowingly."""


ANSWERED = re.compile(r"^$|^(?!Parameter verification)|already used|ateway already")
"""What PVE says after it has understood a request: an interface that is named twice is another command's matter."""


def concerns(form: dict[str, Any], refusal: str) -> bool:
    """Whether it is a kind of which these tests know, and PVE has understood it."""
    return ANSWERED.search(refusal) is not None and form.get("type") in {"bond", "bridge", "vlan"}


def test_the_problems_are_those_that_pve_has() -> None:
    """In 400 recorded requests pvenet finds a problem where PVE refused and none where it did not."""
    host = Host(nics=dict.fromkeys(("ens33", "ens37", "ens38", "ens39", "ens40", "ens41"), ()), up=frozenset())
    judged = 0
    for file, name, desired, refusal in recorded("walks.jsonl", concerns):
        current = wire.network(listing(parse(file, host)))
        found = [text for text in texts(problems(current, {name: desired})) if not text.startswith("warning")]
        if refusal:
            assert found or LOOSER.search(refusal), (refusal, name, desired)
        else:
            assert [text for text in found if not STRICTER.search(text)] == [], (name, desired)
        judged += 1
    assert judged > 400


def test_a_letter_that_pve_cuts_is_warned_of() -> None:
    """The comment is taken, and keeps a replacement character; the same again is no change (pve-api#f2)."""
    (found,) = problems(Network(), {"vmbr1": Bridge(name="vmbr1", comments="in\nbehind \u0445")})
    assert (found.field, found.warning) == ("comments", True)
    assert "`behind \u0445`" in found.message
    listed = Network(interfaces={"vmbr1": Bridge(name="vmbr1", comments="in\nbehind \ufffd")})
    assert problems(listed, {"vmbr1": Bridge(name="vmbr1", comments="in\nbehind \u0445")}) == ()
