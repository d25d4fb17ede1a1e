"""NICs that a boot renames, with a real kernel: their `.link` files say other names, the cards keep their MACs.

They cut the power of the machine, so that only `scripts/live-test` with a nested VM runs them.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from live import LIVE, Target, master, wait_until_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOT = 240.0
"""Seconds in which an emulated node boots."""
LINKS = ("/etc/systemd/network", "/usr/local/lib/systemd/network")
"""Where `.link` files are: of whoever builds a machine, and of PVE's installer."""
UNIT = "/etc/systemd/system/networking.service.d/pvenet.conf"
"""By which the Debian VM waits for its NICs: 90 s for one that does not come, and no time for one that it lacks."""
KEPT = "/root/pvenet-live-renamed"
NEW = "enp0s77"
"""A name that no NIC of the VM has, and that PVE takes for a NIC's also while there is none (pve-api#f35)."""


@pytest.fixture
def vm(node: Target) -> Target:
    if not node.is_vm or not node.second:
        pytest.skip(f"{node.kind}: its NICs can't be renamed, or no second way leads to it")
    return node


@pytest.fixture
def bridge(vm: Target) -> str:
    """The bridge that carries the way to the node."""
    return next(name for name, entry in vm.listing().items() if entry["gateway"])


def boot(vm: Target, *, endpoint: str) -> None:
    """Cut the power, and wait until the node answers there."""
    vm.shell("sync")
    vm.vm("reset")
    wait_until_alive(vm, within=BOOT, endpoint=endpoint)


@contextlib.contextmanager
def renamed_at_boot(vm: Target, nic: str) -> Iterator[None]:
    """The next boot calls a NIC otherwise; afterwards it has its own name, and the file is as before."""
    files = [file_naming(vm, nic), LIVE, *vm.shell(f"ls {UNIT}", check=False).split()]
    vm.shell(" && ".join(f"cp -p {file} {KEPT}.{number}" for number, file in enumerate(files)))
    vm.shell(f"sed -i 's/^Name={nic}$/Name={NEW}/' {files[0]}")
    vm.shell(f"[ ! -e {UNIT} ] || sed -i 's/-{nic}[.]device/-{NEW}.device/' {UNIT}")
    try:
        yield
    finally:
        vm.shell(" && ".join(f"cp -p {KEPT}.{number} {file}" for number, file in enumerate(files)))
        vm.shell(f"rm -f {LIVE}.new {KEPT}.*")
        boot(vm, endpoint=vm.endpoint)


def file_naming(vm: Target, nic: str) -> str:
    """The `.link` file that names a NIC."""
    places = " ".join(f"{folder}/*.link" for folder in LINKS)
    found = vm.shell(f"grep -lsx Name={nic} {places}", check=False).split()
    if len(found) != 1:
        pytest.skip(f"{vm.kind}: {', '.join(found) or 'no .link file'} names {nic}")
    return found[0]


def mac(vm: Target, nic: str) -> str:
    return str(vm.links()[nic]["address"])


def test_a_node_whose_way_in_was_renamed_is_mended_over_its_second_one(vm: Target, bridge: str) -> None:
    """The bridge has lost its port, and the first endpoint is dead: `pvenet renamed` finds the card by its MAC."""
    assert vm.second is not None
    (nic,) = vm.listing()[bridge]["ports"]
    vm.do("nics")
    card = mac(vm, nic)
    with renamed_at_boot(vm, nic):
        boot(vm, endpoint=vm.second)
        way = (vm.second, vm.endpoint)
        (status,) = vm.do("status", "--json", endpoints=way).data
        assert f"{nic}, a port of {bridge}, is gone; the NIC with its MAC is {NEW} now" in status["nics"], status
        staged = vm.do("renamed", "--json", endpoints=way).data
        assert staged["renames"] == [{"old": nic, "new": NEW}], staged
        vm.do("apply", "--yes", "--allow-management", "--timeout", "60", endpoints=way)
        wait_until_alive(vm, within=BOOT)
        assert vm.listing()[bridge]["ports"] == [NEW]
        links = vm.links()
        assert master(links, NEW) == bridge
        assert links[NEW]["address"] == card
        assert nic not in links
        assert not vm.do("nics", "--json").data["gone"]


def test_a_node_that_was_prepared_comes_back_by_itself(vm: Target, bridge: str) -> None:
    """What is staged for the next boot is live after it, and the first endpoint answers again without anybody."""
    (nic,) = vm.listing()[bridge]["ports"]
    vm.do("nics")
    with renamed_at_boot(vm, nic):
        staged = vm.do("renamed", "--map", f"{nic}={NEW}", "--yes", "--json").data
        assert staged["early"] == [NEW], staged
        (status,) = vm.do("status", "--json").data
        assert "for the next boot" in status["what"], status
        boot(vm, endpoint=vm.endpoint)
        assert vm.listing()[bridge]["ports"] == [NEW]
        assert master(vm.links(), NEW) == bridge
        assert not vm.do("nics", "--json").data["gone"]
        assert not vm.do("diff", "--json").data["pending"]
