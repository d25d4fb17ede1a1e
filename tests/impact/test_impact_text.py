"""Whom a change hits, as a person and a program read it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from impact_cases import known
from plan_model import network

from pvenet.access import NotKnown
from pvenet.impact import Impact, Known, impact
from pvenet.plan import management_path
from pvenet.render.impact import folded, impact_data, impact_lines

GUESTS = """
guest 101 web running net0=vmbr1 tag=20
guest 102 db running net1=vmbr1
guest 205 proxy running net0=vmbr1
guest 110 old stopped net0=vmbr1
"""


def lines(before: str, after: str, guests: str, width: int = 100) -> list[str]:
    return impact_lines(impact(network(before), network(after), known(guests)), width)


def test_guests_are_told_by_name_with_what_happens_to_them() -> None:
    """The picture of the issue: those who run, those who do not, and why."""
    head, fate = lines("bridge vmbr1", "", GUESTS)
    running = "101 web (net0, VLAN 20), 102 db (net1), 205 proxy (net0)"
    assert head == f"vmbr1 carries 3 running guests: {running}; and 1 that is stopped: 110 old"
    assert fate == "  cut: vmbr1 goes"


def test_a_card_that_is_pending_is_told_as_such() -> None:
    """The guest runs, elsewhere, and is on the bridge from its next start on."""
    (head, _) = lines("bridge vmbr0\nbridge vmbr1", "bridge vmbr0", "guest 101 web running net0=vmbr1 pending")
    assert head == "vmbr1 carries 1 stopped guest: 101 web (from its next start on)"


def test_who_fares_otherwise_is_named() -> None:
    """The worst first; who is untouched is not in it."""
    before = "eth ens38\nbridge vmbr1 ports=ens38 vlan_aware=on vids=2-4094"
    after = "eth ens38\nbridge vmbr1 ports=ens38 vlan_aware=on vids=30"
    guests = "port vmbr1 tap102i1 pvid=1 vlans=2-4094\nguest 104 maybe perhaps net0=vmbr1\n"
    guests += "guest 104 maybe perhaps net2=vmbr1"
    assert lines(before, after, GUESTS + guests)[1:] == [
        "  cut: VLAN 20 leaves vmbr1 (101 web)",
        "  interrupted: VLAN 2 leaves vmbr1, which it may use (102 db)",
    ]
    assert "; and 1 that is perhaps running: 104 maybe (net0; net2); " in lines(before, after, GUESTS + guests)[0]


def test_nobody_who_is_hit_is_no_line() -> None:
    """A bridge to which nothing happens is in the data alone."""
    found = impact(network("bridge vmbr1"), network("bridge vmbr1 comments=x"), known(GUESTS))
    assert impact_lines(found) == []
    assert [guest["vmid"] for guest in impact_data(found)["bridges"][0]["guests"]] == [101, 102, 110, 205]


def test_links_and_the_management_path_have_their_lines() -> None:
    """The interface, the link and its address; of a name that is not looked up nobody knows the interface."""
    before = network("eth ens1\nbond bond0 slaves=ens1 cidr=10.10.10.11/24\nbridge vmbr0 cidr=192.0.2.11/24 ports=ens2")
    after = network("eth ens1\nbond bond0 slaves=ens1 mode=802.3ad cidr=10.10.10.11/24\nbridge vmbr0 ports=ens2")
    cluster = known("cluster 0 pve1.lan\ncluster 1 10.10.10.11\ncluster 2 192.0.2.11")
    path = management_path(before, {"192.0.2.11"})
    assert impact_lines(impact(before, after, cluster, path=path)) == [
        "not known: which interface carries corosync link 0 (pve1.lan)",
        "bond0 carries corosync link 1 (10.10.10.11)",
        "  interrupted: bond0 changes its mode from balance-rr to 802.3ad",
        "vmbr0 carries corosync link 2 (192.0.2.11)",
        "  cut: 192.0.2.11 leaves vmbr0",
        "vmbr0 carries the management path: ens2 > vmbr0 > 192.0.2.11",
    ]


def test_what_is_not_known_is_said_with_what_grants_it() -> None:
    """The privilege, its path, and each command once."""
    lacks = [
        NotKnown(what=what, privilege="VM.Audit", path="/vms", grants=("pveum acl modify /vms ...",))
        for what in ("which guests pve1 has", "who they are")
    ]
    there = network("bridge vmbr1")
    found = impact(there, there, Known(unknown=(*lacks, NotKnown(what="what runs", why="no answer"))))
    assert impact_lines(found) == [
        "not known: which guests pve1 has (VM.Audit on /vms is missing)",
        "not known: who they are (VM.Audit on /vms is missing)",
        "not known: what runs (no answer)",
        "to grant what is missing, on a node, as root:",
        "  pveum acl modify /vms ...",
    ]


def test_a_name_does_nothing_to_a_terminal() -> None:
    """Whoever may name a guest does not write lines of ours."""
    guest = "guest 101 a\x1b[2Jb running net0=vmbr1"
    (head, _) = lines("bridge vmbr1", "", guest)
    assert "101 a\\x1b[2Jb (net0)" in head
    unknown = NotKnown(what="which guests run", why="it says\nerror: no")
    assert impact_lines(Impact(unknown=(unknown,))) == ["not known: which guests run (it says\\nerror: no)"]


def test_many_are_folded() -> None:
    """The first few by name, and how many more."""
    guests = "\n".join(f"guest {number} guest{number} running net0=vmbr1" for number in range(100, 160))
    (head, fate) = lines("bridge vmbr1", "", guests, 80)
    assert head.startswith("vmbr1 carries 60 running guests: 100 guest100 (net0), ")
    assert head.endswith(" and 57 more")
    assert fate == "  cut: vmbr1 goes"


@given(st.lists(st.text("abc", min_size=1, max_size=20), max_size=30), st.integers(0, 120))
def test_a_folded_list_loses_nobody(words: list[str], width: int) -> None:
    """Those that are named and those that are counted are all, and a few are named however narrow it is."""
    named, _, more = folded(words, width).partition(" and ")
    shown = named.split(", ") if named else []
    assert len(shown) + int(more.removesuffix(" more") or 0) == len(words)
    assert shown == words[: len(shown)]
    assert len(shown) >= min(3, len(words))


def test_the_data_is_json() -> None:
    """By the words of the values, with who is cut in front."""
    data = json.loads(json.dumps(impact_data(impact(network("bridge vmbr1"), network(""), known(GUESTS)))))
    assert data["guests_cut"] == [101, 102, 205]
    assert data["bridges"][0]["effect"] == "cut"
    assert data["bridges"][0]["guests"][0] == {
        "vmid": 101,
        "name": "web",
        "index": "net0",
        "running": True,
        "pending": False,
        "tag": 20,
        "trunks": [],
        "effect": "cut",
        "why": "vmbr1 goes",
    }
    assert data["not_known"] == data["cluster_links"] == []
    assert data["management_path"] is None
