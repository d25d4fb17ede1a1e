"""A guest's tap on a real bridge: what is said of it before a change is what the kernel shows after."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from live import Target, apply, master
from live_kernel import guest

if TYPE_CHECKING:
    from collections.abc import Iterator

VNET, UPLINK = "vnet1", "vmbr1.20"
NOBODY_LEFT = "guest 100 (net0) was on vmbr1 and is no longer on any bridge"


@pytest.fixture
def vm(node: Target) -> Target:
    if not node.is_vm:
        pytest.skip(f"{node.kind}: no tap can be made on it")
    return node


def hanging(vm: Target) -> dict[str, str]:
    """On which bridge each guest's port is, as `pvenet guests` says."""
    (node,) = vm.do("guests", "--json").data["nodes"]
    return {
        f"tap{card['vmid']}i{card['index'].removeprefix('net')}": bridge["name"]
        for bridge in node["bridges"]
        for card in bridge["guests"]
        if card["running"] and not card["loose"]
    }


def foretold(vm: Target) -> dict[str, tuple[str, str]]:
    """What is to happen to guest 100 on each bridge, and why, as an apply says before its question; nothing is sent."""
    with vm.running("apply", "--json") as process:  # nobody is there to be asked
        out, err = process.communicate(timeout=300)
    assert process.returncode == 7, err
    events = [json.loads(line) for line in out.splitlines()]
    affected = [event for event in events if event["event"] == "affected"]
    return {
        bridge["name"]: (card["effect"], card["why"])
        for event in affected
        for bridge in event["bridges"]
        for card in bridge["guests"]
        if card["vmid"] == 100
    }


@contextmanager
def vnet(vm: Target) -> Iterator[None]:
    """A bridge on a VLAN of vmbr1 that no file names, as SDN makes them."""
    vm.shell(
        f"set -e; ip link add link vmbr1 name {UPLINK} type vlan id 20; ip link add {VNET} type bridge; "
        f"ip link set {UPLINK} master {VNET} up; ip link set {VNET} up"
    )
    try:
        yield
    finally:
        vm.shell(f"ip link del {VNET}; ip link del {UPLINK} 2>/dev/null || true")


def test_a_bridge_that_goes_cuts_who_is_on_it(vm: Target) -> None:
    """By number before anything is sent; agreed to, the guest hangs on nothing, and that is no failure."""
    vm.do("bridge", "create", "vmbr1", "--ports", vm.nics[0])
    apply(vm)
    with guest(vm, "vmbr1") as tap:
        vm.do("bridge", "delete", "vmbr1")
        refused = vm.pvenet("apply", "--yes", "--json")
        assert refused.code == 7, refused.err
        assert "cuts guest 100" in refused.out + refused.err
        assert master(vm.links(), tap) == "vmbr1"
        end = apply(vm, "--allow-guests", "100")
        assert (end["exit"], end["verdict"]) == (0, "applied"), end
        links = vm.links()
        assert "vmbr1" not in links
        assert master(links, tap) == ""


def test_whoever_a_reload_takes_off_a_bridge_is_missed(vm: Target) -> None:
    """Debian's ifupdown2 takes every port off that no file names (pve-api#reload-guests): nobody was to be cut."""
    vm.do("bridge", "create", "vmbr1", "--ports", ",".join(vm.nics[:2]))
    apply(vm)
    for change in (["--vlan-aware"], ["--ports", vm.nics[0]]):
        with guest(vm, "vmbr1") as tap:
            vm.do("bridge", "set", "vmbr1", *change)
            end = apply(vm)
            assert (end["exit"], end["verdict"]) == (8, "rolled_back"), (change, end)
            assert NOBODY_LEFT in end["message"], (change, end)
            assert master(vm.links(), tap) == ""


def test_a_bridge_that_gets_another_name_cuts_who_is_on_it(vm: Target) -> None:
    """To the kernel it is one that goes and one that comes: the guest is on neither."""
    vm.do("bridge", "create", "vmbr1", "--ports", vm.nics[0])
    apply(vm)
    with guest(vm, "vmbr1") as tap:
        assert hanging(vm) == {tap: "vmbr1"}
        vm.do("bridge", "delete", "vmbr1")
        vm.do("bridge", "create", "vmbr2", "--ports", vm.nics[0])
        assert foretold(vm) == {"vmbr1": ("cut", "vmbr1 goes")}
        end = apply(vm, "--allow-guests", "100")
        assert (end["exit"], end["verdict"]) == (0, "applied"), end
        links = vm.links()
        assert "vmbr1" not in links
        assert master(links, vm.nics[0]) == "vmbr2"
        assert master(links, tap) == ""
        assert hanging(vm) == {}


def test_a_bridge_that_is_made_anew_does_not_get_its_guests_back(vm: Target) -> None:
    """A tap of a guest that runs is on nothing after the second reload, too, and nobody claims otherwise."""
    vm.do("bridge", "create", "vmbr1", "--ports", vm.nics[0])
    apply(vm)
    with guest(vm, "vmbr1") as tap:
        vm.do("bridge", "delete", "vmbr1")
        assert apply(vm, "--allow-guests", "100")["verdict"] == "applied"
        vm.do("bridge", "create", "vmbr1", "--ports", vm.nics[0])
        end = apply(vm)
        assert (end["exit"], end["verdict"]) == (0, "applied"), end
        links = vm.links()
        assert master(links, vm.nics[0]) == "vmbr1"
        assert master(links, tap) == ""
        assert hanging(vm) == {}


def test_the_last_port_of_a_bridge_cuts_who_is_on_it(vm: Target) -> None:
    """It is agreed to, and whether the tap stays is the node's ifupdown2's: what is said is what the kernel has."""
    vm.do("bridge", "create", "vmbr1", "--ports", vm.nics[0])
    apply(vm)
    with guest(vm, "vmbr1") as tap:
        vm.do("bridge", "set", "vmbr1", "--clear", "ports")
        assert foretold(vm) == {"vmbr1": ("cut", f"none of vmbr1's uplinks remains ({vm.nics[0]})")}
        end = apply(vm, "--allow-guests", "100")
        assert (end["exit"], end["verdict"]) == (0, "applied"), end
        links = vm.links()
        assert master(links, vm.nics[0]) == ""
        on = master(links, tap)
        assert hanging(vm) == ({tap: on} if on else {})
        assert (not on) is any("has lost vmbr1, as agreed" in text for text in end["warnings"]), end


def test_what_a_vnet_stands_on_is_known_by_the_report(vm: Target) -> None:
    """No file has it, and no bridges call shows it: who is on it is cut with the bridge beneath, and stays there."""
    vm.do("bridge", "create", "vmbr1", "--ports", vm.nics[0], "--vlan-aware")
    apply(vm)
    with vnet(vm), guest(vm, VNET) as tap:
        assert hanging(vm) == {tap: VNET}
        vm.do("bridge", "set", "vmbr1", "--clear", "ports")
        assert foretold(vm) == {VNET: ("cut", f"none of vmbr1's uplinks remains ({vm.nics[0]})")}
        end = apply(vm, "--allow-guests", "100")
        assert (end["exit"], end["verdict"]) == (0, "applied"), end
        assert master(vm.links(), tap) == VNET
        assert hanging(vm) == {tap: VNET}
