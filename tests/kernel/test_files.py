"""Whose stanzas a pending diff changes, and which two files name the same interface."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pvenet.kernel.files import changed_stanzas, named_twice, stanza_names
from pvenet.kernel.links import Report
from pvenet.sim.interfaces import changes

FILE = """\
auto lo
iface lo inet loopback

iface ens33 inet manual

iface ens38 inet manual

auto vmbr0
iface vmbr0 inet static
	address 10.0.0.2/24
	bridge-ports ens33
	bridge-stp off
#the way in

auto vmbr1
iface vmbr1 inet manual
	bridge-ports none

source /etc/network/interfaces.d/*
"""


def changed(new: str, old: str = FILE) -> frozenset[str] | None:
    return changed_stanzas(old, changes(old, new) or "")


def test_a_change_within_a_stanza_is_its_interfaces() -> None:
    """Also where its first line is far from what changes, and of a comment and an `auto` line."""
    assert changed(FILE.replace("bridge-stp off", "bridge-stp on")) == frozenset({"vmbr0"})
    assert changed(FILE.replace("#the way in", "#the way out")) == frozenset({"vmbr0"})
    assert changed(FILE.replace("auto vmbr1\n", "")) == frozenset({"vmbr1"})
    assert changed(FILE.replace("bridge-ports none", "bridge-ports ens38")) == frozenset({"vmbr1"})


def test_a_stanza_that_comes_or_goes_is_its_interfaces_alone() -> None:
    """What stands beside it is as it was."""
    new = FILE.replace("source", "auto bond0\niface bond0 inet manual\n\tbond-slaves ens38\n\nsource")
    assert changed(new) == frozenset({"bond0"})
    assert changed(FILE, old=new) == frozenset({"bond0"})


def test_a_diff_of_another_file_says_nothing() -> None:
    """The file that is applied has changed meanwhile: whose stanzas differ can't be known."""
    diff = changes(FILE, FILE.replace("bridge-stp off", "bridge-stp on")) or ""
    assert changed_stanzas(FILE.replace("10.0.0.2", "10.0.0.3"), diff) is None


_bodies = st.lists(st.sampled_from(["\tmtu 9000", "\tbridge-ports none", "\taddress 10.0.0.1/24", "#note"]), max_size=3)
_files = st.lists(st.tuples(st.sampled_from("abcdef"), _bodies), unique_by=lambda each: each[0])


def written(stanzas: list[tuple[str, list[str]]]) -> str:
    return "".join("\n".join([f"iface {name} inet manual", *body, "", ""]) for name, body in stanzas)


@settings(max_examples=300)
@given(_files, _files)
def test_no_stanza_that_differs_is_taken_for_one_that_is_left_alone(
    old: list[tuple[str, list[str]]], new: list[tuple[str, list[str]]]
) -> None:
    """However the diff cuts two files."""
    found = changed(written(new), old=written(old))
    differ = {name for name, _ in (*old, *new) if dict(old).get(name) != dict(new).get(name)}
    assert found is not None
    assert differ <= found


def test_an_interface_that_two_files_name_is_found() -> None:
    """With the files; `lo` may be in all, and a comment names nothing."""
    sourced = {"/etc/network/interfaces.d/x": "iface vmbr1\n\tmtu 9000\niface lo\n#iface vmbr0\n"}
    assert named_twice(Report(links={}, interfaces=FILE, sourced=sourced)) == {
        "vmbr1": ("/etc/network/interfaces", "/etc/network/interfaces.d/x")
    }
    assert stanza_names(FILE) == ("lo", "ens33", "ens38", "vmbr0", "vmbr1")
