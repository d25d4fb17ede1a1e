"""The text of a node's /etc/hosts: which lines follow its address, and nothing else of it changes."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvenet.hosts import LineChange, followed, moved, replaced, resolved, undone
from pvenet.model import Bridge, Network, Vlan

OLD, NEW = "192.0.2.11", "192.0.2.12"
GONE = {OLD: NEW, "fd00::11": "fd00::12"}
FRESH = f"127.0.0.1 localhost.localdomain localhost\n{OLD} pve1.lan pve1\n\n# IPv6\n::1 ip6-localhost\n"


@pytest.mark.parametrize(
    ("line", "new"),
    [
        (f"{OLD} pve1.lan pve1", f"{NEW} pve1.lan pve1"),
        (f"{OLD} pve1", f"{NEW} pve1"),
        (f"{OLD} pve1.lan", f"{NEW} pve1.lan"),
        (
            f"  {OLD}\t\tPVE1.LAN  old  pve1\t# {OLD}, since 2019",
            f"  {NEW}\t\tPVE1.LAN  old  pve1\t# {OLD}, since 2019",
        ),
        (f"{OLD} pve1\r", f"{NEW} pve1\r"),
        ("fd00::11 pve1.lan pve1", "fd00::12 pve1.lan pve1"),
        ("FD00:0::0011 pve1", "fd00::12 pve1"),
        (f"{OLD} pve11.lan pve11", None),
        (f"{OLD} storage.pve1", None),
        ("192.0.2.13 pve1", None),
        (f"{OLD} PVE1", f"{NEW} PVE1"),
        (f"# {OLD} pve1", None),
        (f"#{OLD} pve1", None),
        (f"{OLD} other # pve1", None),
        (f"{OLD}", None),
        ("pve1 pve1", None),
        ("", None),
    ],
)
def test_the_line_of_the_nodes_name_follows(line: str, new: str | None) -> None:
    """By its address and its name; blanks, other names and comments stay as they are."""
    changes, open_ends = followed(f"127.0.0.1 localhost\n{line}\n", "pve1", GONE)
    assert [change.new for change in changes] == ([new] if new else [])
    assert not open_ends


def test_a_line_of_which_nothing_says_how_is_told_apart() -> None:
    """Its address goes, and there is no other."""
    assert followed(FRESH, "pve1", {OLD: None}) == ([], [f"{OLD} pve1.lan pve1"])


def test_nothing_but_the_lines_changes_and_back_is_what_was() -> None:
    """The end of the file, its comments and its order among it."""
    changes, _ = followed(FRESH, "pve1", GONE)
    there = replaced(FRESH, changes)
    assert there == FRESH.replace(f"{OLD} pve1", f"{NEW} pve1")
    assert replaced(there, undone(changes)) == FRESH


@pytest.mark.parametrize("text", ["", f"{OLD} pve1.lan pve1 # mine\n", f"{OLD} pve1.lan pve1\n" * 2])
def test_a_line_that_is_not_there_just_once_is_not_replaced(text: str) -> None:
    """Somebody has edited it, and knows better."""
    changes = [LineChange(old=f"{OLD} pve1.lan pve1", new=f"{NEW} pve1.lan pve1")]
    assert replaced(text, changes) is None


def test_a_name_leads_to_its_addresses() -> None:
    """Whole names, of both kinds of address."""
    assert resolved(f"{FRESH}fd00::11 PVE1\n", "pve1") == {OLD, "fd00::11"}
    assert resolved(FRESH, "pve") == frozenset()


def bridge(*cidrs: str, name: str = "vmbr0") -> Bridge:
    four = next((IPv4Interface(cidr) for cidr in cidrs if ":" not in cidr), None)
    six = next((IPv6Interface(cidr) for cidr in cidrs if ":" in cidr), None)
    return Bridge(name=name, cidr=four, cidr6=six)


def net(*interfaces: Bridge | Vlan) -> Network:
    return Network(interfaces={interface.name: interface for interface in interfaces})


MGMT = Vlan(name="vmbr0.5", cidr=IPv4Interface("192.0.2.12/24"))


@pytest.mark.parametrize(
    ("before", "then", "found"),
    [
        (net(bridge("192.0.2.11/24")), net(bridge("192.0.2.12/24")), {OLD: NEW}),
        (net(bridge("192.0.2.11/24")), net(bridge("192.0.2.11/16")), {}),
        (net(bridge("192.0.2.11/24")), net(bridge("192.0.2.12/24"), bridge("192.0.2.9/24", name="vmbr1")), {OLD: NEW}),
        (net(bridge("192.0.2.11/24")), net(bridge(), MGMT), {OLD: NEW}),
        (net(bridge("192.0.2.11/24")), net(MGMT), {OLD: NEW}),
        (net(bridge("192.0.2.11/24")), net(bridge(), MGMT, bridge("192.0.2.13/24", name="vmbr1")), {OLD: None}),
        (net(bridge("192.0.2.11/24")), net(bridge()), {OLD: None}),
        (net(bridge("192.0.2.11/24")), net(bridge("fd00::12/64")), {OLD: None}),
        (
            net(bridge("192.0.2.11/24", "fd00::11/64")),
            net(bridge("192.0.2.11/24", "fd00::12/64")),
            {"fd00::11": "fd00::12"},
        ),
        (net(bridge("192.0.2.11/24")), net(bridge("192.0.2.12/24"), bridge("192.0.2.11/24", name="vmbr1")), {}),
        (net(bridge()), net(bridge("192.0.2.12/24")), {}),
    ],
)
def test_an_address_that_goes_becomes_what_its_interface_gets(
    before: Network, then: Network, found: dict[str, str | None]
) -> None:
    """Or the only new one of its kind; one that is still somewhere has not gone."""
    assert moved(before, then) == found


BLANK = st.sampled_from([" ", "\t", "  ", " \t "])
WORD = st.sampled_from(["pve1", "pve1.lan", "PVE1", "pve2", "other", "localhost"])
ADDRESS = st.sampled_from([OLD, NEW, "192.0.2.99", "fd00::11", "::1", "nonsense"])
LINE = st.one_of(
    st.builds(
        lambda start, address, gap, words, tail: f"{start}{address}{gap}{gap.join(words)}{tail}",
        st.sampled_from(["", " ", "#"]),
        ADDRESS,
        BLANK,
        st.lists(WORD, max_size=3),
        st.sampled_from(["", " ", " # a comment", f" # {OLD} pve1", "\r"]),
    ),
    st.text(alphabet=" \t#ab.:1", max_size=12),
)


@given(st.lists(LINE, max_size=8).map("\n".join))
def test_whatever_a_file_holds_only_addresses_that_go_are_replaced(text: str) -> None:
    """Each line keeps everything but its address; afterwards nothing is left to follow; and back is what was."""
    changes, _ = followed(text, "pve1", GONE)
    there = replaced(text, changes)
    if there is None:  # a line stands there twice
        assert len({change.old for change in changes}) < len(changes)
        return
    for old, new in zip(text.split("\n"), there.split("\n"), strict=True):
        assert old == new or LineChange(old=old, new=new) in changes
        assert old == new or old.split()[1:] == new.split()[1:]
    assert followed(there, "pve1", GONE) == ([], [])
    assert all(there.split("\n").count(change.new) > 1 for change in changes) or replaced(there, undone(changes)) in (
        text,
        None,
    )
