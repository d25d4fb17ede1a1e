"""What PVE's write takes from stanzas that nobody touched is told, and no harmless spelling with it."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
from file_replay import File, files

from pvenet.sim import interfaces
from pvenet.sim.diff import changes
from pvenet.wire import Request, removed
from pvenet.wire.file_text import loose_options, removed_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.changes import Loss
    from pvenet.wire import Entry, Form

SLAVES = ("slaves", "bond-slaves", "bond_slaves")
RESPELLED = frozenset({"netmask", "bridge_ports", "bridge-ports", *SLAVES, "ovs_type", "vlan-id"}) | {
    f"{of}{dash}{word}"
    for dash in "-_"
    for of, word in (("bond", "mode"), ("bridge", "stp"), ("bridge", "vlan-aware"), ("bridge", "vlan_aware"))
}
"""Lines whose words may change without a change of what they say."""


@cache
def written() -> tuple[tuple[File, str, tuple[Loss, ...]], ...]:
    """Every recorded file that PVE has written, the text that it wrote, and what is told of that."""
    return tuple(_written())


def _written() -> Iterator[tuple[File, str, tuple[Loss, ...]]]:
    for file in files():
        new = file.first_write[-1].recorded.get("new")
        if new:
            yield file, new, removed([dict(entry) for entry in file.listing], changes(file.text, new) or "")


def test_no_word_of_a_recorded_file_goes_unsaid(told: Callable[[str], None]) -> None:
    """Each word of an option that is nowhere in what PVE has written is in what is told."""
    unsaid, lines = [], 0
    for file, new, losses in written():
        there = set(re.findall(r"[^\s,;/=]+", new))
        said = " ".join(str(loss) for loss in losses)
        for line in file.text.splitlines():
            found = re.match(r"\s+(\w\S*)\s+(.*)", line)
            if not found or not line.isascii() or found[1] in RESPELLED:
                continue
            words = re.findall(r"[^\s,;/=]+", found[2].replace("lacp=off", ""))
            gone = [word for word in words if word not in there]
            lines += bool(gone)
            unsaid += [(file.name, line) for word in gone if word not in said]
    told(f"option lines of files.jsonl of which PVE's write drops a word: {lines}, {len(unsaid)} unsaid")
    assert unsaid == []
    assert lines > 80


def test_nothing_is_told_that_is_still_there(told: Callable[[str], None]) -> None:
    """Of 616 files: no line that is told stands in the interface's new stanzas."""
    wrong, kinds = [], Counter[str]()
    for file, new, losses in written():
        for loss in losses:
            kinds["remark" if loss.remark else "loss"] += 1
            blocks = re.split(r"\n(?=auto |iface )", new)
            own = "\n".join(block for block in blocks if block.startswith(f"iface {loss.name} "))
            if loss.name and loss.what in {" ".join(line.split()) for line in own.splitlines()}:
                wrong.append((file.name, str(loss)))
    told(f"told of the first writes of {len(written())} files: {dict(kinds)}, {len(wrong)} wrongly")
    assert wrong == []


def test_a_file_as_pve_writes_it_loses_nothing(told: Callable[[str], None]) -> None:
    """The second write takes nothing away: what the first one has left is read and written as it is."""
    found = []
    for file, new, _ in written():
        listing = interfaces.listing(interfaces.parse(new, file.host))
        again = [loss for loss in removed(listing) if not loss.remark and str(loss).isascii()]
        found += [(file.name, str(loss)) for loss in again]
    told(f"told of a second write of {len(written())} files: {len(found)}")
    assert found == []


def test_the_text_of_a_file_tells_what_the_diff_of_its_first_write_does() -> None:
    """Before anything is written; but for `lo`, which no listing has, and lines that move."""
    odd, compared = [], 0
    for file, _, losses in written():
        if file.text.isascii():
            compared += 1
            text = removed_from(file.text, [dict(entry) for entry in file.listing])
            told = {loss.what for loss in text if loss.name != "lo"}
            known = {loss.what for loss in losses if loss.name != "lo" and not loss.what.endswith("'s")}
            odd += [(file.name, what) for what in told if not any(what.startswith(each) for each in known)]
            odd += [(file.name, what) for what in known if not any(each.startswith(what) for each in told)]
    assert odd == []
    assert compared > 400


@pytest.mark.parametrize(
    "line", ["iface ", "\tiface\t", "auto", "source ", "mapping", "allow-", "rename", "\u00a0", "iface a inet"]
)
def test_a_line_that_lacks_its_words_is_read_like_any_other(line: str) -> None:
    """Whatever stands in a node's file, doctor has an answer."""
    text = f"iface a inet manual\n\tmtu 1400\n{line}\n\tup b\n"
    removed_from(text, [])
    assert all(owner == "a" for owner, _ in loose_options(text))


def test_the_loose_options_of_a_file_are_those_that_pve_keeps_as_nobodys() -> None:
    """As the simulated node reads it, with the interface that ifupdown2 takes them for."""
    text = "auto a\niface a inet manual\n\tmtu 1400\n\n\tup b\n# c\n\tports\n\tdown d\nsource /e f\n\tup g\n"
    assert loose_options(text) == (("a", "up b"), ("a", "down d"))
    found, wrong = 0, []
    for file in files():
        loose = {" ".join(each.line.split()) for each in interfaces.parse(file.text, file.host).loose}
        mine = {line for _, line in loose_options(file.text)}
        found += len(mine)
        wrong += [(file.name, line) for line in mine - loose if line.isascii()]
    assert wrong == []
    assert found > 100


HEAD = "--- /etc/network/interfaces\n+++ /etc/network/interfaces.new\n@@ -1,9 +1,9 @@\n"
BRIDGE: Entry = {"iface": "vmbr0", "type": "bridge", "method": "static", "method6": "manual", "families": ["inet"]}
BRIDGE |= {"address": "192.0.2.2", "netmask": "24", "cidr": "192.0.2.2/24", "bridge_ports": "eno1 eno2"}
BRIDGE |= {"bridge_stp": "off", "bridge_fd": "0", "bridge_vlan_aware": 1, "bridge_vids": "2-4094"}
BRIDGE |= {"options": ["post-up b"], "autostart": 1, "comments": " mine\n Büro \ufffd\n"}
NIC: Entry = {"type": "eth", "method": "manual", "method6": "manual", "families": ["inet"], "exists": 1}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("-\taddress 192.0.2.1/24", "vmbr0: address 192.0.2.1/24"),
        ("-\taddress 192.0.2.2\n-\tnetmask 255.255.255.0\n+\taddress 192.0.2.2/24", ""),
        ("-\tpost-up a", "vmbr0: post-up a"),
        ("-\tpost-up   b\n+\tpost-up c", ""),
        ("-\tbridge-vlan-aware no\n+\tbridge-vlan-aware yes", "vmbr0: bridge-vlan-aware no, which becomes yes"),
        ("-\tbridge_vlan_aware 1\n+\tbridge-vlan-aware yes", ""),
        ("-\tbridge_stp no\n+\tbridge-stp off", ""),
        ("-\tbridge_stp 1\n+\tbridge-stp off", "vmbr0: bridge-stp 1, which becomes off"),
        ("-\tbridge_ports eno2 eno1\n+\tbridge-ports eno1 eno2", ""),
        ("-# mine\n+# mine", ""),
        ("-# Büro à\n+# Büro \ufffd", ""),
        ("-# elsewhere à", "comments outside of stanzas: `# elsewhere à`"),
        ("-# elsewhere", "comments outside of stanzas: `# elsewhere`"),
        ("-\tmtu 9000", "vmbr0: mtu 9000"),
        ("-auto vmbr0 eno1\n-allow-ovs eno2", ""),
        (
            "-allow-hotplug eno1 eno2",
            "eno1: allow-hotplug, which becomes auto; eno2: allow-hotplug, which becomes auto",
        ),
        ("-iface vmbr0 inet dhcp", "vmbr0: a stanza `inet dhcp`, which becomes static"),
    ],
)
def test_a_line_of_the_diff_that_the_listing_does_not_know_is_told(lines: str, said: str) -> None:
    """A second address, an earlier stanza's line, a value that PVE reads as another; and no spelling."""
    listing = [BRIDGE, {"iface": "eno1", **NIC}, {"iface": "eno2", **NIC}]
    diff = f"{HEAD} iface vmbr0 inet static\n{lines}\n"
    assert "; ".join(str(loss) for loss in removed(listing, diff)) == said


def test_a_line_whose_stanza_begins_out_of_sight_is_told_by_its_neighbours() -> None:
    """The only interface that has the lines beside it is meant."""
    diff = f"{HEAD}  bridge-ports eno1 eno2\n-  address 192.0.2.1/24\n"
    assert [str(loss) for loss in removed([BRIDGE], diff)] == ["vmbr0: address 192.0.2.1/24"]


def test_what_the_steps_ask_for_is_no_removal() -> None:
    """Nor what they delete."""
    listing = [{**BRIDGE, "bridge-disable-mac-learning": "1", "broadcast": "192.0.2.9"}]
    assert [loss.what for loss in removed(listing)] == ["bridge-disable-mac-learning 1", "broadcast 192.0.2.9"]
    gone = Request(method="DELETE", path=("network", "vmbr0"))
    assert removed(listing, steps=[gone]) == ()
    put = Request(method="PUT", path=("network", "vmbr0"), form={"type": "bridge", "delete": "broadcast"})
    assert [loss.what for loss in removed(listing, steps=[put])] == ["bridge-disable-mac-learning 1"]


def test_a_port_of_ovs_that_comes_or_goes_takes_nothing_from_its_bridge() -> None:
    """PVE puts it on the bridge's list, or takes it off: that is what was asked for (pve-api#ovs-coupling)."""
    port: Entry = {"type": "OVSIntPort", "ovs_type": "OVSIntPort", "method": "manual", "method6": "manual"}
    port |= {"families": ["inet"], "ovs_bridge": "vmbr0", "autostart": 1}
    bridge: Entry = {"iface": "vmbr0", "type": "OVSBridge", "ovs_type": "OVSBridge", "ovs_ports": "a b", "autostart": 1}
    bridge |= {"method": "manual", "method6": "manual", "families": ["inet"]}
    listing = [bridge, {"iface": "a", **port}, {"iface": "b", **port}]
    form: Form = {"iface": "c", "type": "OVSIntPort", "ovs_bridge": "vmbr0"}
    create, delete = (
        Request(method="POST", path=("network",), form=form),
        Request(method="DELETE", path=("network", "a")),
    )
    for steps in ([create], [delete], [create, delete], [delete, create]):
        assert removed(listing, steps=steps) == ()
