"""What of a file follows a new name, what stays, and why names can't be: pure."""

from __future__ import annotations

import pytest

from pvenet.kernel.links import Report
from pvenet.model import Bridge, Ethernet, FileOnly, Interface, Link, Network, Other, OvsPort
from pvenet.nics.cards import Card
from pvenet.nics.names import named_in
from pvenet.nics.renaming import refusal, renaming
from pvenet.nics.sight import Sight


def network(*interfaces: Interface) -> Network:
    return Network(interfaces={each.name: each for each in interfaces}, links={"eno9": Link(exists=True)})


VMBR0 = Bridge(name="vmbr0", ports=("lan0",))
ENO9 = Ethernet(name="eno9", autostart=False)


def test_a_stanza_that_can_not_be_written_stays_and_is_told() -> None:
    """Of a name that PVE takes for no NIC's while there is none; what names it follows."""
    found = renaming(network(VMBR0, ENO9, Other(name="lan0", kind="unknown")), {"lan0": "eno9"})
    assert found.desired == {"vmbr0": Bridge(name="vmbr0", ports=("eno9",))}
    assert found.by_hand == ("lan0, of the kind unknown, uses lan0",)


def test_a_port_of_open_vswitch_waits_for_its_nic() -> None:
    """PVE couples it with one that is there, and would refuse it before the boot."""
    given = network(Ethernet(name="eno1"), OvsPort(name="eno2"))
    sight = Sight(network=given, cards=(Card(name="eno1"), Card(name="eno2")))
    assert refusal(sight, {"eno1": "enp5s0"}) == ("", "")
    why, todo = refusal(sight, {"eno2": "enp6s0"})
    assert "eno2 is on Open vSwitch" in why
    assert "after the boot" in todo


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("post-up ethtool -K eno1 tso off", "eno1"),
        ("\tbridge-ports eno10 eno2", "eno2"),
        ("bridge-ports eno1.20", "eno1"),
        ("cat /etc/eno1.conf", ""),
        ("bridge-ports eno1-x x-eno1 veno1 eno10 vmbr0.eno2", ""),
    ],
)
def test_a_line_names_a_nic_as_a_word_or_with_a_tag(line: str, name: str) -> None:
    """And no other name that its own begins or ends."""
    assert named_in(line, ("eno1", "eno2")) == name


def test_a_line_is_told_by_its_number_where_that_is_sure() -> None:
    """Not where it stands twice in the file; and a comment of interfaces.d names nobody."""
    hook = "post-up echo lan0"
    bridge = Bridge(name="vmbr1", file_only=FileOnly(options=(hook,)))
    once = Report(links={}, interfaces=f"iface vmbr1\n\t{hook}\n", sourced={"/d/x": "# lan0\nauto lan0.5\n"})
    twice = Report(links={}, interfaces=f"{hook}\n{hook}\n")
    given = network(bridge, VMBR0, ENO9)
    names = {"lan0": "eno9"}
    said = "in the stanza of vmbr1, names lan0: post-up echo lan0"
    assert renaming(given, names, once).by_hand == (
        f"line 2 of /etc/network/interfaces, {said}",
        "line 2 of /d/x names lan0: auto lan0.5",
    )
    assert renaming(given, names, twice).by_hand == (f"a line, {said}",)
