"""`pvenet sim check`: what PVE would make of a hand-written file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from recorded import STARTS
from replay import HOST, walks

from pvenet.sim.diff import changes
from pvenet.sim.interfaces import parse, rewrite
from pvenet.sim.interfaces.write import HEADER
from pvenet.sim.rehearse import Rehearsal, host_of, rehearse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

LO = "auto lo\niface lo inet loopback\n\n"


def rehearsed(text: str) -> Rehearsal:
    return rehearse(text, host_of(text))


def notes(text: str) -> list[str]:
    """The notes of a file below the loopback's stanza, each with its line in what was given."""
    return [
        f"{note.line - 3} {note.name}: {note.text}" if note.line else f"{note.name}: {note.text}"
        for note in rehearsed(LO + text).notes
    ]


@pytest.mark.parametrize("name", ["seed", "empty", "installer", "typeless", "vlans"])
def test_a_file_of_pves_own_shape_is_taken_as_it_is(name: str) -> None:
    """The header, and blank lines, are all that the first write would add."""
    found = rehearsed(STARTS[name])
    assert (found.refused, found.changes) == (None, None)


@pytest.mark.parametrize("name", ["old-style", "bonded", "dual-stack", "bond-ip", "routed-nat", "ovs"])
def test_a_file_of_another_shape_is_rewritten(name: str) -> None:
    """The diff is the one that PVE shows after a write that changes nothing else; then there is none."""
    host = host_of(STARTS[name])
    new = rewrite(parse(STARTS[name], host), host)
    assert rehearsed(STARTS[name]).changes == changes(STARTS[name], new)
    assert rehearse(new, host).changes is None


def test_the_diff_is_all_that_the_first_write_changes() -> None:
    """What PVE staged in the recorded walks is written once more, and then it is taken as it is."""
    texts = {step.expected.staged for walk in walks("walks.jsonl", HOST) for step in walk if step.expected.staged}
    for text in sorted(texts)[::5]:
        found = rehearse(text, HOST)
        assert found.refused is None
        assert rehearse(rewrite(found.parsed, HOST), HOST).changes is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# mine\n# and yours\niface ens1 inet manual\n", ["1 : comments outside stanzas go, here `# mine`"]),
        ("iface ens1 inet manual\n#kept\n", []),
        (
            "allow-hotplug ens1\niface ens1 inet manual\n",
            ["1 : `allow-hotplug` becomes `auto`"],
        ),
        (
            "auto ens1 ens7\niface ens1 inet manual\n",
            [("1 ens7: nothing describes ens7; it is an interface to PVE, which writes `iface ens7 inet manual`")],
        ),
        ("mapping foo\n\tscript /bin/true\nsource /etc/network/interfaces.d/*\n", []),
        (
            "iface ens1 inet static\n\taddress 10.0.0.1/24\n\tmtu 1400\n\tmtu 1500\n",
            ["4 ens1: mtu is given twice; `mtu 1400` goes"],
        ),
        (
            "iface ens1 inet dhcp\n",
            ["ens1: any update loses `iface ens1 inet dhcp` and gains `iface ens1 inet manual`"],
        ),
        (
            "iface ens1 inet manual\niface ens1 inet6 auto\n\taccept_ra 2\n",
            ["ens1: any update loses `iface ens1 inet6 auto`, `accept_ra 2`"],
        ),
        (
            "iface ens1 inet6 static\n\taddress 2001:db8::5/64\n",
            [
                (
                    "ens1: PVE refuses to be sent 2001:db8::5/64 again: any update loses `iface ens1 inet6 static`, "
                    "`address 2001:db8::5/64` and gains `iface ens1 inet manual`"
                )
            ],
        ),
        ("iface vmbr0 inet manual\n", ["vmbr0: PVE does not know what it is: neither by its name nor by its options"]),
        ("iface bond3 inet manual\n", ["bond3: is a bond to PVE because of its name, one without slaves"]),
        ("iface wan inet manual\n", ["wan: PVE does not know what it is: neither by its name nor by its options"]),
    ],
)
def test_what_a_person_might_not_expect_is_noted(text: str, expected: list[str]) -> None:
    """Each with its line and its interface, where it has one."""
    assert notes(text) == expected


def test_what_takes_more_words() -> None:
    """A bond of another name, lines behind a blank one, a stanza without a family, a second one, an odd name."""
    (bond,) = notes("iface ens1 inet manual\niface team0 inet manual\n\tbond-slaves ens1\n")
    assert bond.startswith("team0: has slaves but is not a bond to PVE, which knows only bond<N>; its type is unknown")
    (line,) = notes("iface ens1 inet manual\n\n\tpost-up true\n")
    assert line.startswith("3 : `post-up true` is in no stanza")
    typeless, lost = notes("iface ens1\n")
    assert typeless.startswith("1 ens1: a stanza without a family")
    assert lost == "ens1: any update loses `iface ens1` and gains `iface ens1 inet manual`"
    second, *twice = notes(
        "iface ens1 inet static\n\taddress 10.0.0.1/24\niface ens1 inet static\n\taddress 10.0.1.1/24\n"
    )
    assert second.startswith("3 ens1: a second inet stanza")
    assert twice[0] == "4 ens1: address is given twice; `address 10.0.0.1/24` goes"
    (odd,) = notes("iface br-lan inet manual\n\tbridge-ports none\n")
    assert odd.startswith("br-lan: PVE takes no update of it (iface: invalid format")
    broken, loose = notes("iface ens1 inet\n\tmtu 1400\n")
    assert broken.startswith("1 : `iface ens1 inet` does not begin a stanza")
    assert loose.startswith("2 : `mtu 1400` is in no stanza")


def test_a_line_that_is_several_to_ifupdown2_is_noted() -> None:
    """A carriage return, and whatever else ends a line for some, but not one at the very end, nor a letter's byte."""
    for byte in ("\r", "\v", "\x1c", "\u2028"):
        (broken,) = notes(f"iface ens1 inet manual\n#note{byte}post-up touch /tmp/x\n")
        assert broken.startswith(f"2 : {byte!a} ends a line for ifupdown2 and not for PVE: `post-up touch /tmp/x`")
    assert [note[:16] for note in notes("iface ens1 inet manual\r\n#Ågren, là\r\n")] == ["1 : lines end in"]


def test_pves_header_is_no_comment() -> None:
    """It goes and comes back."""
    assert notes(HEADER) == []


def test_the_notes_agree_with_what_the_client_refuses() -> None:
    """Whatever `wire.losses` names of a recorded start, the rehearsal has a note about as well, and nothing else."""
    from pvenet import wire
    from pvenet.model import Other
    from pvenet.sim.interfaces import listing

    for text in STARTS.values():
        found = rehearsed(text)
        noted = {note.name for note in found.notes if "any update loses" in note.text}
        values = [wire.interface(entry) for entry in listing(found.parsed)]
        assert noted == {each.name for each in values if wire.losses(each) and not isinstance(each, Other)}


@pytest.mark.parametrize(
    "data",
    [
        b"iface en\xff1 inet manual\n\tbridge-ports en\xfe2 \\1\n",
        b"iface \\1 inet manual\n\tpre-up ip link add $IFACE type dummy\n",
        b"iface ens1 inet manual\n#\xc3\x85\x0b\xff\n\tmtu \xff\n\tmtu 1\n",
        b"auto \xff\xa0\x85 x\n\xff\x00\niface\niface ens1 inet\n",
        b"iface a.5 inet manual\n\tvlan-raw-device b.5\niface b.5 inet manual\n\tvlan-raw-device a.5\n",
        b"iface bond0 inet manual\n\tovs_type OVSBond\n\tovs_options bond_mode=x\niface v.1 inet manual\n",
        b"iface v inet manual\n\tvlan-raw-device ens1\n\tvlan-protocol x\n\tvlan-id 5\niface ens1 inet manual\n",
    ],
)
def test_nothing_is_too_odd(tmp_path: Path, run: Run, data: bytes) -> None:
    """Whatever bytes are in a file, there is an answer that can be printed."""
    file = tmp_path / "interfaces"
    file.write_bytes(data)
    for words in ((), ("--json",)):
        ran = run("sim", "check", str(file), *words)
        assert ran.code in {0, 3}
        assert (ran.out + ran.err).encode()


class TestCommand:
    """Through `main`."""

    def test_a_file_says_its_kinds_and_its_diff(self, tmp_path: Path, run: Run) -> None:
        """Exit 0, and 10 where asked; JSON holds the same."""
        file = tmp_path / "interfaces"
        file.write_text(STARTS["routed-nat"])
        ran = run("sim", "check", str(file))
        assert ran.code == 0
        assert "vmbr0  bridge    yes        inet static" in ran.out
        assert "line 15: comments outside stanzas go, here `#private sub network`" in ran.out
        assert "-#private sub network" in ran.out
        assert run("sim", "check", str(file), "--exit-code").code == 10
        (data,) = run("sim", "check", str(file), "--json").data
        assert {"node": None, "file": str(file), "refused": None} == {
            key: data[key] for key in ("node", "file", "refused")
        }
        assert data["changes"].startswith("--- /etc/network/interfaces\t")
        assert data["interfaces"][2] == {
            "name": "vmbr0",
            "type": "bridge",
            "autostart": True,
            "stanzas": ["inet static"],
            "on": [],
        }

    def test_what_pve_refuses_is_exit_3_in_its_words(self, tmp_path: Path, run: Run) -> None:
        """The table comes first, all the same."""
        file = tmp_path / "interfaces"
        file.write_text(LO + "iface vmbr0 inet manual\n\tbridge-ports bond7\n")
        ran = run("sim", "check", str(file))
        assert ran.code == 3
        assert "bridge 'vmbr0' - unable to find bridge port 'bond7'" in ran.err
        assert "vmbr0" in ran.out
        (data,) = run("sim", "check", str(file), "--json").data
        assert data["refused"] == "bridge 'vmbr0' - unable to find bridge port 'bond7'"

    def test_a_nic_of_another_name_is_named(self, tmp_path: Path, run: Run) -> None:
        """A bond can stand on it then."""
        file = tmp_path / "interfaces"
        file.write_text(LO + "iface lan0 inet manual\n\nauto bond0\niface bond0 inet manual\n\tbond-slaves lan0\n")
        assert run("sim", "check", str(file)).code == 3
        assert run("sim", "check", str(file), "--nic", "lan0").code == 0

    def test_a_nic_of_another_altname_is_named(self, tmp_path: Path, run: Run) -> None:
        """It is one NIC then, by the name that the file has for it."""
        file = tmp_path / "interfaces"
        file.write_text(LO + "iface enp2s0 inet manual\n")
        (data,) = run("sim", "check", str(file), "--nic", "nic1=enp2s0", "--json").data
        assert [each["name"] for each in data["interfaces"]] == ["lo", "enp2s0"]
        assert run("sim", "check", str(file), "--nic", "nic1=").code == 2

    def test_a_vlan_of_a_nic_that_the_file_lacks_is_taken(self, tmp_path: Path, run: Run) -> None:
        """PVE would have the NIC from the kernel."""
        file = tmp_path / "interfaces"
        file.write_text(LO + "iface eno1.5 inet manual\n")
        ran = run("sim", "check", str(file))
        assert ran.code == 0
        assert "+iface eno1 inet manual" in ran.out

    def test_a_folder_is_each_of_its_nodes(self, lab: Path, staged: Path, run: Run) -> None:
        """The file that PVE would read: what is staged, else what is live."""
        assert run("sim", "init", str(lab), "--node", "pve2", "--nic", "eno1").code == 0
        data = run("sim", "check", str(lab), "--json").data
        assert [(each["node"], each["changes"]) for each in data] == [("pve1", None), ("pve2", None)]
        ran = run("sim", "check", str(lab), "--exit-code", "--node", "pve2")
        assert (ran.code, ran.err.count("as it is")) == (0, 1)
        staged.write_text(STARTS["bonded"])
        (first, _) = run("sim", "check", str(lab), "--json").data
        assert first["file"] == str(staged)
        assert first["changes"]

    def test_what_cannot_be_read_is_exit_2(self, tmp_path: Path, run: Run) -> None:
        """Nothing there, a folder without nodes, a node that is not in it; and nothing is made by looking."""
        (tmp_path / "empty").mkdir()
        for word in ("nothing", "empty"):
            ran = run("sim", "check", str(tmp_path / word))
            assert (ran.code, ran.out) == (2, "")
        assert not list((tmp_path / "empty").iterdir())
        assert not (tmp_path / "nothing").exists()

    def test_bytes_that_are_no_text_are_shown_all_the_same(self, tmp_path: Path, run: Run) -> None:
        """A comment in an old encoding is no reason to fail."""
        file = tmp_path / "interfaces"
        file.write_bytes(LO.encode() + b"# B\xfcro\n\niface ens1 inet manual\n")
        assert "# B\ufffdro" in run("sim", "check", str(file)).out
        json.dumps(run("sim", "check", str(file), "--json").data)
