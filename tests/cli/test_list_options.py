"""Lists by difference: --add-port, --remove-slave, --add-vids and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import documents
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import set_nature

from pvenet import edit, errors
from pvenet.limits import VIDS, takes_vids
from pvenet.model import Bond, BondMode, Bridge, Network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]


def ports(run: Run, name: str = "vmbr0", field: str = "ports") -> list[str]:
    found: list[str] = run("show", name, "--json").data[field]
    return found


def test_ports_come_and_go_one_by_one(run: Run, lab: Path) -> None:
    """Each command begins from what is staged, and leaves the other ports alone."""
    assert run("bridge", "set", "vmbr0", "--add-port", "ens37").code == 0
    assert run("bridge", "set", "vmbr0", "--add-port", "ens38,ens39", "--add-port", "ens40").code == 0
    assert run("bridge", "set", "vmbr0", "--remove-port", "ens38", "--add-port", "ens41").code == 0
    assert ports(run) == ["ens33", "ens37", "ens39", "ens40", "ens41"]
    assert "bridge-ports ens33 ens37 ens39 ens40 ens41" in (lab / "pve1/etc/network/interfaces.new").read_text()


def test_slaves_do_too(run: Run, lab: Path) -> None:
    """Of bonds of both kinds."""
    set_nature(lab, ovs=True)
    run("bond", "create", "--slaves", "ens38,ens39")
    ran = run("bond", "set", "bond0", "--add-slave", "ens40", "--remove-slave", "ens38")
    assert "slaves ens38,ens39 -> ens39,ens40" in ran.out
    run("ovs-bridge", "create", "vmbr5")
    run("ovs-bond", "create", "bond5", "--bridge", "vmbr5", "--slaves", "ens37,ens41")
    assert run("ovs-bond", "set", "bond5", "--remove-slave", "ens41", "--add-slave", "ens38").code == 0
    assert ports(run, "bond5", "slaves") == ["ens37", "ens38"]


def test_ports_of_an_ovs_bridge_do_too(run: Run, lab: Path) -> None:
    """Its NICs; what has a command of its own stays."""
    set_nature(lab, ovs=True)
    run("ovs-bridge", "create", "vmbr5", "--ports", "ens37")
    run("ovs-port", "create", "mgmt0", "--bridge", "vmbr5")
    assert run("ovs-bridge", "set", "vmbr5", "--add-port", "ens38", "--remove-port", "ens37").code == 0
    assert ports(run, "vmbr5") == ["ens38", "mgmt0"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--add-port", "ens33"), "ens33 is a port of vmbr0 on pve1 already\n"),
        (
            ("--remove-port", "ens36"),
            "ens36 is not a port of vmbr0 on pve1, so nothing is removed: its ports are ens33\n",
        ),
    ],
)
def test_what_is_so_already_is_said_and_changes_nothing(run: Run, words: tuple[str, str], line: str) -> None:
    """It ends well, so that a script may say it twice; beside a change it is said as well."""
    ran = run("--sim", "twice", "bridge", "set", "vmbr0", *words, "--json")
    assert (ran.code, ran.data["steps"], ran.data["pending"]) == (0, [], False)
    assert line in ran.err
    assert ran.data["notes"] == [line.rstrip("\n")]
    ran = run("--sim", "twice", "bridge", "set", "vmbr0", *words, "--add-port", "ens37")
    assert line in ran.err
    assert "ports ens33 -> ens33,ens37" in ran.out


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("bridge", "set", "vmbr0", "--add-port", "ens37", "--ports", "ens38"),
        ("bridge", "set", "vmbr0", "--remove-port", "ens33", "--ports", "ens38"),
        ("bridge", "set", "vmbr0", "--add-port", "ens37", "--clear", "ports"),
        ("bridge", "set", "vmbr0", "--add-port", "ens37", "--remove-port", "ens37"),
        ("bridge", "set", "vmbr0", "--add-port", ",,"),
        ("bridge", "set", "vmbr0", "--remove-vids", ""),
        ("bridge", "set", "vmbr0", "--add-vids", "20", "--vids", "30"),
        ("bridge", "set", "vmbr0", "--add-vids", "20", "--no-vlan-aware"),
        ("bond", "set", "bond0", "--add-slave", "ens40", "--slaves", "ens41"),
        ("bond", "set", "bond0", "--remove-slave", "ens38", "--clear", "slaves"),
        ("bridge", "create", "--add-port", "ens37"),
    ],
    ids=" ".join,
)
def test_two_words_about_one_list_are_wrong_usage(run: Run, lab: Path, words: tuple[str, ...]) -> None:
    """A list is either given whole, or changed; nothing is staged."""
    run("bond", "create", "--slaves", "ens38,ens39")
    before = (lab / "pve1/etc/network/interfaces.new").read_text()
    assert run(*words).code == 2
    assert (lab / "pve1/etc/network/interfaces.new").read_text() == before


def test_vids_stay_ranges(run: Run, lab: Path) -> None:
    """What touches is one range; a bridge with PVE's default has all of them."""
    run("bridge", "create", "vmbr1", "--vids", "7 100-200")
    assert ports(run, "vmbr1", "vids") == ["7", "100-200"]
    run("bridge", "set", "vmbr1", "--add-vids", "8,201,150-160,9")
    assert ports(run, "vmbr1", "vids") == ["7-9", "100-201"]
    run("bridge", "set", "vmbr1", "--remove-vids", "120-130", "--remove-vids", "8")
    assert ports(run, "vmbr1", "vids") == ["7", "9", "100-119", "131-201"]
    run("bridge", "create", "vmbr2", "--vlan-aware")
    ran = run("bridge", "set", "vmbr2", "--add-vids", "20")
    assert "nothing to do" in ran.err
    assert "vmbr2 on pve1 lets VLAN 20 through already" in ran.err
    run("bridge", "set", "vmbr2", "--remove-vids", "20")
    assert ports(run, "vmbr2", "vids") == ["2-19", "21-4094"]
    assert lab.exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--add-vids", "20"), "vmbr0 is not VLAN-aware: it lets every VLAN through"),
        (("--vlan-aware", "--remove-vids", "2-4094"), "vmbr0 would let no VLAN through, which PVE can't express"),
        (("--vlan-aware", "--remove-vids", "40-30"), "40-30 is not a VLAN"),
        (("--vlan-aware", "--add-vids", "1"), "1 is not a VLAN: use an ID from 2 to 4094"),
    ],
)
def test_vids_that_would_say_the_opposite_are_refused(run: Run, lab: Path, words: tuple[str, ...], why: str) -> None:
    """To add a VLAN never takes one away, and none is not all of them."""
    ran = run("bridge", "set", "vmbr0", *words)
    assert ran.code == 3
    assert why in ran.err
    assert not (lab / "pve1/etc/network/interfaces.new").exists()


VIDS_OF_A_BRIDGE = st.lists(
    st.one_of(
        st.integers(VIDS[0], VIDS[-1]).map(str),
        st.tuples(st.integers(2, 4000), st.integers(1, 94)).map(lambda pair: f"{pair[0]}-{sum(pair)}"),
    ),
    max_size=5,
).map(tuple)


def numbers(vids: tuple[str, ...]) -> set[int]:
    ends = [[int(end) for end in vid.split("-")] for vid in vids]
    return {number for each in ends for number in range(each[0], each[-1] + 1)}


@given(VIDS_OF_A_BRIDGE, VIDS_OF_A_BRIDGE, VIDS_OF_A_BRIDGE)
def test_vids_are_reckoned_as_sets(there: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Whatever ranges are there, the result has what was there or added, and not what was removed, in PVE's words."""
    before = Bridge(name="vmbr0", vlan_aware=True, vids=there)
    network = Network(interfaces={"vmbr0": before})
    lists = {"vids": edit.Difference(add=add, remove=tuple(vid for vid in remove if vid not in add))}
    wanted = (numbers(there or ("2-4094",)) | numbers(add)) - numbers(lists["vids"].remove)
    try:
        after = edit.change(network, "pve1", Bridge, "vmbr0", {}, (), lists)
    except errors.InvalidNetwork:
        assert not wanted
        return
    assert isinstance(after, Bridge)
    assert numbers(after.vids or ("2-4094",)) == wanted
    assert all(map(takes_vids, after.vids))
    if wanted == numbers(there or ("2-4094",)):
        assert after == before
    else:
        assert len(after.vids) == len([number for number in wanted if number - 1 not in wanted])


@pytest.mark.parametrize("word", ["lacp", "LACP", "802.3ad"])
def test_lacp_is_802_3ad(run: Run, lab: Path, word: str) -> None:
    """What everybody calls it is taken; everything says the kernel's name."""
    ran = run("bond", "create", "--slaves", "ens38,ens39", "--mode", word)
    assert ran.code == 0
    assert "mode 802.3ad" in ran.out
    assert "bond-mode 802.3ad" in (lab / "pve1/etc/network/interfaces.new").read_text()


def test_a_file_may_say_lacp_and_the_shell_completes_the_modes(run: Run, lab: Path, tmp_path: Path) -> None:
    """In the file it is the kernel's name that counts, and that is exported; lists of modes have that one."""
    file = tmp_path / "network.yaml"
    file.write_text("nodes:\n  pve1:\n    bond0: {type: bond, slaves: [ens38, ens39], mode: lacp}\n")
    assert run("check", str(file)).code == 0
    assert run("apply", "-f", str(file), "--stage-only").code == 0
    assert "bond-mode 802.3ad" in (lab / "pve1/etc/network/interfaces.new").read_text()
    assert "mode: 802.3ad" in run("export").out
    assert run("plan", "-f", str(file)).out.count("no changes") == 1
    bond = next(command for words, command in documents.commands() if words == "pvenet bond create")
    (mode,) = (each for each in bond.params if each.name == "mode")
    assert [each.value for each in mode.shell_complete(bond.make_context("x", []), "bal")] == [
        each.value for each in BondMode if each.startswith("bal")
    ]


@pytest.mark.parametrize(
    ("word", "near"), [("balancerr", "balance-rr"), ("4", "802.3ad"), ("1", "active-backup"), ("lcap", None)]
)
def test_another_mode_is_told_from_those_there_are(run: Run, lab: Path, word: str, near: str | None) -> None:
    """With the one that was probably meant, also where it was said by the kernel's number."""
    ran = run("bond", "create", "--mode", word)
    assert ran.code == 2
    assert f"--mode is {word}, but must be balance-rr, " in ran.err
    assert (f"did you mean {near}?" in ran.err) if near else ("did you mean" not in ran.err)
    assert lab.exists()


@pytest.mark.parametrize(
    ("words", "remark"),
    [
        (("bond", "create", "--slaves", "ens38"), "bond1 has one slave, ens38: nothing takes over if it fails\n"),
        (("bond", "create"), "bond1 has no slave\n"),
        (("bond", "set", "bond0", "--remove-slave", "ens40"), "bond0 has one slave, ens41: nothing takes over"),
        (("bond", "create", "--slaves", "ens38,ens39"), ""),
        (("bond", "set", "bond0", "--comments", "x"), ""),
    ],
    ids=" ".join,
)
def test_a_bond_of_fewer_than_two_is_remarked(run: Run, lab: Path, words: tuple[str, ...], remark: str) -> None:
    """Where its slaves change; it is staged all the same."""
    run("bond", "create", "--slaves", "ens40,ens41")
    ran = run(*words)
    assert ran.code == 0
    assert remark in ran.err
    assert ("slave" in ran.err) == bool(remark)
    assert lab.exists()


def test_one_slave_that_was_there_before_is_not_remarked_again() -> None:
    """What does not change is nobody's news."""
    bond = Bond(name="bond0", slaves=("ens38",))
    assert not list(edit.remarks(bond, bond))
