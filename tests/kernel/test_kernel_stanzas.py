"""What files of ifupdown2 name."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import KERNEL, SCENARIOS, report

from pvenet.kernel.ip_text import read_links
from pvenet.kernel.report import read_report
from pvenet.kernel.stanzas import INTERFACES, Stanza, Stanzas, named_twice, read_stanzas

FILE = """auto lo vmbr0
allow-hotplug ens37
iface lo inet loopback

iface vmbr0 inet static
\taddress 192.168.171.21/24
# a comment
        gateway 192.168.171.2

        bridge-ports \\
            ens33 ens37
iface vmbr0 inet6 static
  address fd00::21
  netmask 64
  gateway fe80::1
mapping eth0
  address 10.9.9.9/24
iface old inet static
address 10.0.0.1
netmask 255.255.0.0
iface bare
address 10.0.0.2/24
address fd00::2/64
source /etc/network/interfaces.d/*
address 10.8.8.8/24
"""


def test_a_file_is_read() -> None:
    """Stanzas with their addresses, also by netmask, in both families; what a line of another kind ends is over."""
    assert read_stanzas(FILE) == Stanzas(
        stanzas=(
            Stanza(name="lo", family=4, method="loopback"),
            Stanza(
                name="vmbr0",
                family=4,
                method="static",
                addresses=(ip_interface("192.168.171.21/24"),),
                gateways=(ip_address("192.168.171.2"),),
            ),
            Stanza(
                name="vmbr0",
                family=6,
                method="static",
                addresses=(ip_interface("fd00::21/64"),),
                gateways=(ip_address("fe80::1"),),
            ),
            Stanza(name="old", family=4, method="static", addresses=(ip_interface("10.0.0.1/16"),)),
            Stanza(name="bare", addresses=(ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64"))),
        ),
        auto=frozenset({"lo", "vmbr0"}),
        allowed=frozenset({"ens37"}),
        sources=("/etc/network/interfaces.d/*",),
    )


@pytest.mark.parametrize(
    "line", ["address 10.0.0.1", "address ten/24", "address 10.0.0.1/24 # x", "gateway x", "address"]
)
def test_what_is_no_address_is_skipped(line: str) -> None:
    """An address of which nobody says how large its network is, too."""
    assert read_stanzas(f"iface eth0 inet static\n\t{line}\n").stanzas == (
        Stanza(name="eth0", family=4, method="static"),
    )


def test_lines_may_end_as_on_windows() -> None:
    """And mean the same."""
    assert read_stanzas(FILE.replace("\n", "\r\n")) == read_stanzas(FILE)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_addresses_of_a_recorded_file_are_in_its_kernel(scenario: str) -> None:
    """Every one, on the link that the file says."""
    folder = KERNEL / "ip" / scenario
    links = read_links((folder / "ip-6.15.txt").read_text(encoding="utf-8"))
    read = read_stanzas((folder / "interfaces.txt").read_text(encoding="utf-8"))
    named = {(stanza.name, address) for stanza in read.stanzas for address in stanza.addresses}
    assert len(named) >= 2
    assert named <= {(link.name, each.address) for link in links.values() for each in link.addresses or ()}
    assert "vmbr0" in read.names & read.auto


def test_the_files_of_a_report_are_read() -> None:
    """An interface of interfaces.d is named there; a hidden file is not taken in."""
    read = read_report(report("interfaces-d"))
    assert read_stanzas(read.sourced["/etc/network/interfaces.d/extra"]).names == {"dummy5"}
    assert named_twice(read.interfaces, read.sourced) == {}


def test_an_interface_in_two_files_is_found() -> None:
    """With the files that name it; those that nothing takes in don't count."""
    more = {
        "/etc/network/interfaces.d/a": "iface vmbr0 inet static\niface x\n",
        "/etc/network/interfaces.d/b": "iface x\n iface x inet6 static\n# iface lo\n",
        "/etc/network/interfaces.d/.hidden": "iface old\n",
        "/etc/network/elsewhere/c": "iface old\n",
    }
    assert named_twice(FILE, more) == {
        "vmbr0": (INTERFACES, "/etc/network/interfaces.d/a"),
        "x": ("/etc/network/interfaces.d/a", "/etc/network/interfaces.d/b"),
    }
    assert named_twice(FILE.replace("source ", "# source "), more) == {}
    for line, expected in {"source interfaces.d/a": {"vmbr0"}, "source-directory interfaces.d": {"vmbr0", "x"}}.items():
        assert set(named_twice(FILE.replace("source /etc/network/interfaces.d/*", line), more)) == expected


@given(text=st.text() | st.lists(st.sampled_from(FILE.split("\n")) | st.text()).map("\n".join))
def test_whatever_file_is_read(text: str) -> None:
    """Nothing of it raises, and no name is made up."""
    read = read_stanzas(text)
    assert all(name in text for name in read.names | read.auto | read.allowed)
    assert all("/" in str(address) for stanza in read.stanzas for address in stanza.addresses)
