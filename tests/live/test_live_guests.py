"""A guest's tap on a real bridge: what is said of it before a change is what the kernel shows after."""

from __future__ import annotations

import pytest
from live import Target, apply, master
from live_kernel import guest

NOBODY_LEFT = "guest 100 (net0) was on vmbr1 and is on no bridge any more"


@pytest.fixture
def vm(node: Target) -> Target:
    if not node.is_vm:
        pytest.skip(f"{node.kind}: no tap can be made on it")
    return node


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
