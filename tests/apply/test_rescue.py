"""The smallest file that brings back the way to a node, held to the recorded files and to the simulated ifupdown2."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from file_replay import File, files
from lab import Lab

from pvenet import errors, wire
from pvenet.apply.rescue import needed, rescue
from pvenet.events import OnFailure
from pvenet.journal import State
from pvenet.model import Bridge
from pvenet.observe import report
from pvenet.seen import Seen
from pvenet.sim import boot, interfaces
from pvenet.sim.machine.ifupdown2 import read
from pvenet.sim.machine.reload import ifreload
from pvenet.sim.state import Sim
from pvenet.wire.stanzas import file_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOOSE = {
    *("active", "exists", "altnames", "priority", "autostart", "broadcast", "uplink-id"),
    *("comments", "comments6", "netmask", "netmask6"),
}
"""What the node observes, what no link needs, what the address says, and what each interface of the file is given."""


_SETS = ("bridge_ports", "slaves", "ovs_ports", "ovs_bonds", "ovs_options")
"""Words whose order, or number, means nothing."""


def kept(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What of an entry the smallest file has to have."""
    given = {key: value for key, value in entry.items() if key not in _LOOSE and value not in (None, "", "0", 0)}
    lines = sorted([*given.pop("options", ()), *given.pop("options6", ())])  # of a stanza without a family, of either
    words = {key: sorted(set(str(value).split())) for key, value in given.items() if key in _SETS}
    return {**given, **words, "lines": lines}


def holders(file: File) -> list[str]:
    """The static addresses of a file, each of which may be the node's."""
    found = wire.network(entries(file)).interfaces.values()
    return [str(cidr.ip) for each in found for cidr in (each.cidr, each.cidr6) if cidr is not None]


def ascii_only(entry: object) -> bool:
    """PVE lists the bytes of a file, and takes text: what is beyond ASCII does not survive that, here or there."""
    return str(entry).isascii()


def entries(file: File) -> list[dict[str, Any]]:
    return [{**entry} for entry in file.listing]


def test_what_is_printed_lists_as_it_did() -> None:
    """Every address of every recorded file, as the node's: PVE lists each interface of its path as it was."""
    checked = 0
    for file in files():
        by_name = {entry["iface"]: entry for entry in file.listing}
        for address in holders(file):
            names, _ = needed(entries(file), {address})
            printed = interfaces.listing(interfaces.parse(file_of(file.listing, names), file.host))
            found = {entry["iface"]: entry for entry in printed}
            for name in names:
                if not ascii_only(by_name.get(name)):
                    continue
                if name in by_name and by_name[name].get("families"):
                    assert kept(found[name]) == kept(by_name[name]), (file.name, name)
                    checked += 1
    assert checked > 1000


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("address 192.0.2.11/24  # the node", "address 192.0.2.11/24  # the node"),
        ("address 192.0.2.11", "address 192.0.2.11"),
        ("address 192.0.2.11\n\tnetmask 255.255.255.1", "address 192.0.2.11"),
        ("address 192.0.2.11\n\tnetmask 255.255.255.255", "address 192.0.2.11/32"),
        ("address 192.0.2.11/32", "address 192.0.2.11/32"),
        ("address 192.0.2.11\n\tnetmask 24", "address 192.0.2.11/24"),
    ],
)
def test_an_address_is_printed_as_pve_would_write_it(said: str, printed: str) -> None:
    """With the length that PVE has found, and else as it stands (pve-api#f55): no length is made up."""
    host = interfaces.Host(nics={"eno1": ()}, up=frozenset())
    listing = interfaces.listing(interfaces.parse(f"iface eno1 inet static\n\t{said}\n", host))
    assert f"\t{printed}\n" in file_of(listing, ["eno1"])


def test_what_comes_up_with_the_whole_file_comes_up_with_the_smallest() -> None:
    """A reload of it, by the simulated ifupdown2, on a machine that has just booted."""
    checked = 0
    for file in files():
        nics = file.host.nics
        whole = ifreload(file.text, nics, frozenset(), frozenset())
        if whole.exit_code:
            continue
        for address in holders(file):
            names, _ = needed(entries(file), {address})
            text = file_of(file.listing, names)
            small = ifreload(text, nics, frozenset(), frozenset())
            if any(entry["iface"] in names and entry.get("type") == "unknown" for entry in file.listing):
                continue  # PVE lists nothing of what makes it a link
            assert set(whole.reached) & set(names) <= set(small.reached), (file.name, address, text)
            told = [value for each in read(text).addressing.values() for key, value in each if key == "address"]
            assert ip_address(address) in {ip_address(value.split("/")[0]) for value in told}, (file.name, text)
            checked += 1
    assert checked > 100


def test_what_guests_hang_on_is_left_out(tmp_path: Path) -> None:
    """Before the change, from the journal, when nobody answers: no more than leads to the node."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    lab.order("path-lost@PUT network")
    lab.failed(errors.StateUnknown)
    found = rescue(*lab.client())
    assert found.names == ("ens33", "vmbr0")
    assert "address 192.168.171.21/24" in found.file
    assert "bond0" not in found.file
    assert found.journal


def test_without_a_journal_the_node_says_what_it_has(tmp_path: Path) -> None:
    """Before anything was changed from here, where it answers."""
    lab = Lab(tmp_path / "lab")
    found = rescue(*lab.client())
    assert (found.names, found.journal) == (("ens33", "vmbr0"), "")


def test_of_adopted_changes_the_node_is_asked(tmp_path: Path) -> None:
    """What was there before them is not known here, also where it does not answer."""
    lab = Lab(tmp_path / "lab")
    lab.foreign()
    lab.apply(adopt=True, wait=False)
    assert rescue(*lab.client()).journal == ""
    lab.order(*(f"drop-before@{number}" for number in range(1, 20)))
    with pytest.raises(errors.Unreachable):
        rescue(*lab.client())


def test_a_node_that_is_lost_later_has_the_last_journal(tmp_path: Path) -> None:
    """The change ended well, and nobody answers now: what was there before it leads back."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    lab.apply()
    lab.order(*(f"drop-before@{number}" for number in range(1, 20)))
    found = rescue(*lab.client())
    assert found.journal
    assert "address 192.168.171.21/24" in found.file


def test_without_an_address_there_is_nothing_to_bring_back(tmp_path: Path) -> None:
    """It is said, and no empty file printed."""
    lab = Lab(tmp_path / "lab")
    path = lab.network_folder / "interfaces"
    path.write_text("auto lo\niface lo inet loopback\n\niface ens33 inet manual\n")
    with pytest.raises(errors.RefusedByPvenet, match="has an address"):
        rescue(*lab.client())


def test_a_failure_that_is_long_mended_is_not_gone_back_to(tmp_path: Path) -> None:
    """A later change ended well: what was there before the failed one is nobody's wish any more."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    lab.stage({"vmbr7": Bridge(name="vmbr7")})
    lab.apply()
    assert lab.states == [State.FAILED, State.APPLIED]
    assert rescue(*lab.client()).journal == ""


def test_a_failure_before_an_adopted_change_is_not_gone_back_to(tmp_path: Path) -> None:
    """What somebody else has staged went live since: the node says what it has."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    assert rescue(*lab.client()).journal
    lab.foreign()
    lab.apply(adopt=True, wait=False)
    assert rescue(*lab.client()).journal == ""


def test_a_rollback_that_was_begun_is_what_is_gone_back_to(tmp_path: Path) -> None:
    """Also of an older journal than the last: it is what is on the way."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    lab.apply()
    lab.stage({"vmbr7": Bridge(name="vmbr7")})
    lab.apply()
    first = lab.journals.write(replace(lab.journals.all()[0], state=State.ROLLING_BACK))
    assert rescue(*lab.client()).journal == str(lab.journals.path(first))


@pytest.fixture
def renamed(tmp_path: Path) -> Lab:
    """A node whose bridge has lost its NIC to another name, known by its MAC, and is given that."""
    lab = Lab(tmp_path / "lab")
    boot.rename(Sim(lab.folder), "pve1", {"ens33": "enp5s0"}, 0.0)
    lab.stage({"vmbr0": onto(lab, "enp5s0"), "ens33": None})
    lab.forget()
    return lab


def onto(lab: Lab, nic: str) -> Bridge:
    """The bridge that carries the way to the node, on this NIC."""
    vmbr0 = lab.node.read().network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    return replace(vmbr0, ports=(nic,))


def test_a_file_whose_nic_was_not_there_brings_nothing_back(renamed: Lab) -> None:
    """What the change has made of it does, also where its end is not known; and the console is told the same."""
    renamed.order("path-lost@PUT network")
    said = renamed.failed(errors.StateUnknown, allow_management=True)
    found = rescue(*renamed.client())
    assert found.names == ("enp5s0", "vmbr0")
    assert "bridge-ports enp5s0" in found.file
    assert found.lacked == ("ens33",)
    assert "names ens33, which is not there" in said.hint
    assert "rescue" in said.hint
    assert "put the - lines back" not in said.hint


def test_a_change_that_is_no_better_is_not_taken_for_it(renamed: Lab) -> None:
    """Where it stands on the NIC that is not there as well, what was there before is as good."""
    renamed.revert()
    renamed.stage({"vmbr0": replace(onto(renamed, "ens33"), comments="x")})
    renamed.forget()
    renamed.order("path-lost@PUT network")
    renamed.failed(errors.StateUnknown, allow_management=True)
    found = rescue(*renamed.client())
    assert (found.names, found.lacked) == (("ens33", "vmbr0"), ())


def test_nics_are_told_by_their_macs(tmp_path: Path) -> None:
    """A person sees at the console which of the names there is which; of those that were met."""
    lab = Lab(tmp_path / "lab")
    node, journals = lab.client()
    seen = Seen(journals.state_dir, node.connection)
    seen.note("pve1", node.read())
    seen.note("pve1", report(node))
    seen.keep(seen.sights())
    (mac,) = rescue(node, journals).macs
    assert re.fullmatch("ens33 bc:24:11(:[0-9a-f]{2}){3}", mac)
