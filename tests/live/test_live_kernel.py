"""Cables, LACP and MTUs with a real kernel: what `pvenet links` says of them, and how an apply on them ends.

They need the machine around the node, so that only `scripts/live-test` with a nested VM runs them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from live import Target, apply, master
from live_kernel import differing, guest, links_agree, switch
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 180.0
"""How long bonds may take to notice a cable or a partner: by LACP's slow timers three times 30 s, and a machine that is
emulated is slow.
"""
JUMBO = 9000


@pytest.fixture
def vm(node: Target) -> Target:
    if not node.is_vm:
        pytest.skip(f"{node.kind}: no cables that could be pulled, no partner to speak LACP with")
    return node


@pytest.fixture
def cable(vm: Target) -> Iterator[Callable[[str, str], None]]:
    """Pulls and plugs the cables of the two NICs; they are plugged in the end."""
    yield lambda nic, position: vm.vm("cable", nic, position)
    for nic in vm.nics[:2]:
        vm.vm("cable", nic, "on")


def bond(vm: Target, mode: str) -> None:
    vm.do("bond", "create", "bond0", "--slaves", ",".join(vm.nics[:2]), "--mode", mode)


def comes(vm: Target, *texts: str) -> None:
    """What differs of bond0 is this, as soon as the kernel has noticed."""
    until(lambda: differing(vm.do("links", "--json").data, "bond0") == list(texts), within=SECONDS, pause=1.0)


def test_a_bond_without_carrier(vm: Target, cable: Callable[[str, str], None]) -> None:
    """Cables that were never in are warned of; where carrier is required, the bond is rolled back."""
    first, second = vm.nics[:2]
    cable(first, "off")
    cable(second, "off")
    bond(vm, "active-backup")
    end = apply(vm, "--require", "carrier")
    assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
    for nic in (first, second):
        assert f"bond0: active-backup, {nic} has no carrier: 0 of 2 slaves carry traffic" in end["message"]
    assert "bond0" not in vm.links()
    cable(first, "on")
    bond(vm, "active-backup")
    end = apply(vm)
    told = f"bond0: active-backup, {second} has no carrier: 1 of 2 slaves carries traffic"
    assert (end["exit"], end["verdict"], end["warnings"]) == (0, "applied", [told]), end
    assert differing(links_agree(vm), "bond0") == [told]
    assert vm.pvenet("links", "--exit-code").code == 10
    cable(second, "on")
    comes(vm)


def test_a_guest_keeps_a_bridge_up(vm: Target, cable: Callable[[str, str], None]) -> None:
    """The bridge is up while both cables of its uplink are out, and that is said; who is lost in a reload is named, and
    so is a cable, and the change is rolled back.
    """
    first, second = vm.nics[:2]
    bond(vm, "active-backup")
    vm.do("bridge", "create", "vmbr1", "--ports", "bond0")
    apply(vm)
    told = [f"bond0: active-backup, {nic} has no carrier: 0 of 2 slaves carry traffic" for nic in (first, second)]
    with guest(vm, "vmbr1") as tap:
        cable(first, "off")
        cable(second, "off")
        comes(vm, *told)
        data = links_agree(vm)
        links = {link["name"]: link for link in data["links"]}
        assert [links[name]["state"] for name in ("vmbr1", "bond0", tap)] == ["up", "no carrier", "up"]
        (ports,) = (bridge["ports"] for bridge in data["bridges"] if bridge["name"] == "vmbr1")
        assert {port["name"]: port["guest"] for port in ports} == {"bond0": None, tap: "100 net0"}
        vm.do("bridge", "set", "vmbr1", "--cidr", "10.99.1.1/24")
        end = apply(vm, "--allow-management")
        # Debian's ifupdown2 takes every port off that no file names (pve-api#reload-guests), and pvenet says whose
        assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
        assert "guest 100 (net0) was on vmbr1 and is no longer on any bridge" in end["message"], end
        assert master(vm.links(), tap) == ""
    vm.do("bridge", "set", "vmbr1", "--cidr", "10.99.1.1/24")
    end = apply(vm, "--allow-management")
    assert (end["exit"], end["verdict"]) == (0, "applied"), end
    assert set(told) <= set(end["warnings"]), end
    cable(first, "on")
    cable(second, "on")
    comes(vm)
    vm.do("bridge", "set", "vmbr1", "--cidr", "10.99.2.1/24")
    end = apply(vm, "--allow-management", when_reloading=lambda: cable(second, "off"))
    assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
    assert f"bond0: active-backup, {second} has no carrier: 1 of 2 slaves carries traffic" in end["message"]
    assert "10.99.1.1/24" in vm.shell("ip -4 -o address show dev vmbr1")


def test_lacp_partners(vm: Target) -> None:
    """No partner, and links to two, are warned of or required away; a change that loses its partner is rolled back."""
    first, second = vm.nics[:2]
    none = f"bond0: 802.3ad, no LACP partner answers on {first}, {second}: are the switch's ports a LAG?"
    split = re.compile(
        "bond0: 802.3ad, 1 of 2 slaves with carrier is in its active aggregator "
        rf"\({first} in (\d+)(, not in sync)?, {second} in (?!\1\b)\d+(, not in sync)?\): "  # the kernel chooses
        r"do all lead to ports of one LAG\?"
    )
    with switch(vm) as around:
        bond(vm, "802.3ad")
        end = apply(vm)
        assert (end["exit"], end["verdict"], end["warnings"]) == (0, "applied", [none]), end
        assert differing(links_agree(vm), "bond0") == [none]
        around.lags((0,), (1,))
        until(lambda: split.fullmatch("".join(differing(links_agree(vm), "bond0"))), within=SECONDS, pause=1.0)
        vm.do("bond", "set", "bond0", "--xmit-hash-policy", "layer3+4")
        end = apply(vm, "--require", "lacp")
        assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
        assert split.search(end["message"]), end
        assert vm.links()["bond0"]["linkinfo"]["info_data"]["xmit_hash_policy"] == "layer2"
        around.lags((0,))
        until(lambda: partner(vm), within=SECONDS, pause=1.0)
        vm.do("bond", "set", "bond0", "--slaves", second)
        vm.do("eth", "set", first, "--no-autostart")  # ifupdown2 3.0.0 leaves it down: pve-api#slave-set-free
        end = apply(vm)
        assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
        assert f"bond0: 802.3ad, no LACP partner answers on {second}" in end["message"]
        until(lambda: partner(vm), within=SECONDS, pause=1.0)
        links = vm.links()
        assert [master(links, nic) for nic in (first, second)] == ["bond0", "bond0"]


def partner(vm: Target) -> str | None:
    """Who answers bond0 by LACP."""
    (found,) = (link["bond"]["lacp_partner"] for link in vm.do("links", "bond0", "--json").data["links"])
    return str(found) if found else None


def test_an_mtu_is_refused(vm: Target) -> None:
    """A NIC takes no jumbo frames: its bond does not have its MTU, and is rolled back with the bridge on it.

    Another NIC, which took its MTU, keeps it: a reload touches none that has no autostart (pve-api#mtu-stays).
    """
    first, nics = vm.nics[0], vm.nics[2:4]
    vm.do("eth", "set", first, "--mtu", str(JUMBO), "--autostart")
    vm.do("bond", "create", "bond0", "--slaves", ",".join(nics), "--mode", "active-backup", "--mtu", str(JUMBO))
    vm.do("bridge", "create", "vmbr1", "--ports", "bond0", "--mtu", str(JUMBO))
    end = apply(vm)
    assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
    assert f"bond0: MTU {JUMBO} in the file, 1500 in the kernel (its slave {nics[0]} has 1500" in end["message"], end
    assert "vmbr1: MTU" not in end["message"]  # a bridge takes any: pve-api#mtu-refused
    links = vm.links()
    vm.shell(f"ip link set {first} mtu 1500")
    assert not links.keys() & {"bond0", "vmbr1"}
    assert [links[nic]["mtu"] for nic in (first, *nics)] == [JUMBO, 1500, 1500]
    assert f"{first} keeps MTU {JUMBO}, which its file no longer names" in end["warnings"]
