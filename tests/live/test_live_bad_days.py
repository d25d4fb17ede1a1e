"""Bad days with a real kernel: NICs that vanish, reloads that are killed, a way to the node that is lost.

They need the machine around the node, so that only `scripts/live-test` with a nested VM runs them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from typing import TYPE_CHECKING

import pytest
from live import LIVE, Pulse, Target, apply, master, slaves, wait_until_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BACK = 90.0
"""Seconds in which an emulated node is to answer again."""
BOOT = 240.0
"""Seconds in which it boots."""


@pytest.fixture
def vm(node: Target) -> Target:
    if not node.is_vm:
        pytest.skip(f"{node.kind}: nothing around it that could be broken")
    return node


@pytest.fixture
def bridge(vm: Target) -> str:
    """The bridge that carries the way to the node."""
    return next(name for name, entry in vm.listing().items() if entry["gateway"])


@pytest.fixture
def cable(vm: Target, bridge: str) -> Iterator[Callable[[str], None]]:
    """Pulls and plugs the cable of the management bridge; it is plugged in the end."""
    (nic,) = vm.listing()[bridge]["ports"]
    yield lambda position: vm.vm("cable", nic, position)
    vm.vm("cable", nic, "on")
    wait_until_alive(vm, within=BACK)


def bond(vm: Target, *nics: str) -> None:
    vm.do("bond", "create", "bond0", "--slaves", ",".join(nics), "--mode", "balance-rr")


def as_before(vm: Target) -> None:
    """Nothing of bond0 is left, on the node or in its kernel, and nothing is pending."""
    assert "bond0" not in vm.listing()
    assert "bond0" not in vm.links()
    assert not vm.do("diff", "--json").data["pending"]


@contextlib.contextmanager
def without(vm: Target, nic: str) -> Iterator[None]:
    """A NIC is gone from the machine, as if its driver had died."""
    device = vm.shell(f"basename $(readlink /sys/class/net/{nic}/device)").strip()
    driver = vm.shell(f"readlink -f /sys/class/net/{nic}/device/driver").strip()
    vm.shell(f"echo {device} > {driver}/unbind")
    try:
        yield
    finally:
        vm.shell(f"echo {device} > {driver}/bind; udevadm settle; ip link show {nic}")


@contextlib.contextmanager
def slow(vm: Target, iface: str, *, seconds: int) -> Iterator[None]:
    """A reload takes longer, and holds its lock, by a script of the machine's for one interface."""
    script = "/etc/network/if-pre-up.d/slow"
    lines = f'#!/bin/sh\n[ "$IFACE" != {iface} ] || sleep {seconds}\n'
    vm.shell(f"printf '{lines}' > {script}; chmod 755 {script}")
    try:
        yield
    finally:
        vm.shell(f"rm {script}")


def test_a_slave_has_vanished(vm: Target) -> None:
    """A NIC vanishes between staging and apply: the bond lacks a slave and is rolled back, in the kernel too."""
    first, _, third, _ = vm.nics
    bond(vm, first, third)
    with without(vm, third):
        end = apply(vm)
        assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
        assert third in end["message"]
        as_before(vm)


def test_the_cable_is_out_for_a_while(vm: Target, cable: Callable[[str], None]) -> None:
    """The way to the node is lost in the reload and comes back: that is a silence and no failure."""
    first, second = vm.nics[:2]
    bond(vm, first, second)

    def blink() -> None:
        cable("off")
        threading.Timer(8.0, cable, ("on",)).start()

    with slow(vm, "bond0", seconds=4):  # a machine that is not emulated would be ready before the cable is out
        end = apply(vm, "--timeout", "60", when_reloading=blink)
    assert (end["exit"], end["verdict"]) == (0, "applied"), end
    assert end["elapsed"] > 8.0
    assert slaves(vm.shell("cat /proc/net/bonding/bond0")) == sorted((first, second))


def test_management_moves_onto_a_bond(vm: Target, bridge: str) -> None:
    """The bridge that carries the way to the node is put on a bond of its NIC, and back again."""
    (nic,) = vm.listing()[bridge]["ports"]
    vm.do("apply", "-f", "-", "--yes", "--allow-management", "--timeout", "60", stdin=_onto_a_bond(vm, bridge, nic))
    links = vm.links()
    assert (master(links, nic), master(links, "bond0")) == ("bond0", bridge)
    vm.do("rollback", "--yes", "--allow-management")
    links = vm.links()
    assert "bond0" not in links
    assert master(links, nic) == bridge


def _onto_a_bond(vm: Target, bridge: str, nic: str) -> str:
    wanted = {
        "bond0": {"type": "bond", "slaves": [nic], "mode": "active-backup"},
        bridge: {"type": "bridge", "ports": ["bond0"]},
    }
    return json.dumps({"nodes": {vm.settings["PVENET_NODE"]: wanted}})


def test_management_dies_and_is_brought_back_by_the_second_path(vm: Target, bridge: str) -> None:
    """The bridge moves onto a dead NIC: the other endpoint rolls it back, and the first answers again."""
    assert vm.second is not None
    (nic,) = vm.listing()[bridge]["ports"]
    vm.do("bridge", "set", bridge, "--ports", vm.nics[0])
    end = apply(vm, "--allow-management", "--timeout", "15", endpoints=(vm.endpoint, vm.second))
    assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
    wait_until_alive(vm, within=BACK)
    assert vm.listing()[bridge]["ports"] == [nic]
    assert master(vm.links(), nic) == bridge


def test_a_reload_is_killed_half_way(vm: Target) -> None:
    """Somebody kills ifreload on the node: the task fails, and what was half applied is put back."""
    first, second = vm.nics[:2]
    bond(vm, first, second)
    killed = "for n in $(seq 100); do pkill -KILL -f '[i]freload -a' && exit 0; sleep 0.1; done; exit 1"
    with slow(vm, "bond0", seconds=15):
        end = apply(vm, when_reloading=lambda: vm.shell(killed))
    assert (end["exit"], end["verdict"]) == (8, "rolled_back"), end
    as_before(vm)


def test_somebody_else_reloads_meanwhile(vm: Target) -> None:
    """A reload of somebody else's runs: ours waits for it, and everything comes up."""
    first, second = vm.nics[:2]
    bond(vm, first, second)
    vm.shell("cp /etc/network/interfaces.new /run/pvenet-live-staged && rm /etc/network/interfaces.new")
    node = vm.settings["PVENET_NODE"]
    vm.http("PUT", f"nodes/{node}/network").raise_for_status()
    vm.shell("mv /run/pvenet-live-staged /etc/network/interfaces.new")
    end = apply(vm)
    assert (end["exit"], end["verdict"]) == (0, "applied"), end
    assert slaves(vm.shell("cat /proc/net/bonding/bond0")) == sorted((first, second))


def test_somebody_lists_the_interfaces_during_the_reload(vm: Target) -> None:
    """Whoever lists during a reload freezes the workers' flags (pve-api#frozen-flags): pvenet heals them, and
    everybody's lists.
    """
    first, second = vm.nics[:2]
    bond(vm, first, second)
    path = f"nodes/{vm.settings['PVENET_NODE']}/network"
    with Pulse(vm, every=0.1, path=path) as listing:
        end = apply(vm)
    assert (end["exit"], end["verdict"]) == (0, "applied"), end
    assert listing.asked
    for _ in range(6):
        found = {entry["iface"]: entry.get("active") for entry in vm.http("GET", path).json()["data"]}
        assert [found[name] for name in ("bond0", first, second)] == [1, 1, 1], found


def test_two_reloads_at_once(vm: Target) -> None:
    """A reload that slips in behind ours finds it running (exit code 89): ours is verified all the same."""
    first, second = vm.nics[:2]
    bond(vm, first, second)
    node = vm.settings["PVENET_NODE"]

    def slip_in() -> None:  # when ours holds the lock: the one that was sent first need not be the first to take it
        vm.shell("for n in $(seq 100); do pgrep -f '^sleep 15$' && exit 0; sleep 0.1; done; exit 1")
        vm.http("PUT", f"nodes/{node}/network").raise_for_status()

    with slow(vm, "bond0", seconds=15):
        end = apply(vm, when_reloading=slip_in)
    assert end["verdict"] == "applied", end
    ended = [task["status"] for task in vm.http("GET", f"nodes/{node}/tasks").json()["data"][:2]]
    assert sorted(ended) == ["OK", "command 'ifreload -a' failed: exit code 89"], ended


def edited(file: str, told: str) -> str:
    """A file when somebody at the console has done what was told: the + lines are out, the - lines back."""
    lines, at = file.splitlines(), 0
    for sign, text in re.findall(r"^ {4}([ +-])(.*)$", told, re.MULTILINE):
        if sign == "-":
            lines.insert(at, text)
        else:
            at = lines.index(text)
            if sign == "+":
                del lines[at]
        at += sign != "+"
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("way", ["the lines that are told", "the file of pvenet rescue"])
def test_nothing_reaches_the_node(vm: Target, bridge: str, way: str) -> None:
    """No way is left: exit 9, and what is printed for the console brings the node back when somebody types it."""
    (nic,) = vm.listing()[bridge]["ports"]
    vm.do("bridge", "set", bridge, "--ports", vm.nics[0])
    end = apply(vm, "--allow-management", "--timeout", "10")
    assert (end["exit"], end["verdict"]) == (9, "unknown"), end
    told = str(end["told"])
    commands = [line.strip() for line in told.splitlines() if line.startswith(("  rm ", "  ifreload "))]
    assert len(commands) == 2, told
    broken = vm.shell(f"cat {LIVE}")
    file = edited(broken, told) if way.startswith("the lines") else vm.do("rescue").out
    assert file != broken
    write(vm, file)
    vm.shell(" && ".join(commands))
    wait_until_alive(vm, within=BACK)
    assert vm.listing()[bridge]["ports"] == [nic]
    assert master(vm.links(), nic) == bridge
    if way.startswith("the file"):
        write(vm, broken)  # it was kept, as `pvenet rescue` says
    done = vm.do("rollback", "--yes", "--allow-management", "--json").end
    assert done["verdict"] == "rolled_back", done
    assert vm.listing()[bridge]["ports"] == [nic]


def write(vm: Target, file: str) -> None:
    """Make this the node's file; nothing is reloaded."""
    vm.shell(f"echo {base64.b64encode(file.encode()).decode()} | base64 -d > {LIVE}")


def test_a_power_cycle_while_armed_boots_the_network_from_before(vm: Target, bridge: str) -> None:
    """Nothing reaches the node, but it is armed: cut its power, and it comes back as it was before the change."""
    (nic,) = vm.listing()[bridge]["ports"]
    vm.do("bridge", "set", bridge, "--ports", vm.nics[0])
    end = apply(vm, "--allow-management", "--arm", "--timeout", "10")
    assert (end["exit"], end["verdict"]) == (9, "unknown"), end
    assert "power cycle" in end["told"]
    vm.shell("sync")  # in place of the half minute that `pvenet help safety` asks a person to wait
    vm.vm("reset")
    wait_until_alive(vm, within=BOOT)
    assert vm.listing()[bridge]["ports"] == [nic]
    assert master(vm.links(), nic) == bridge
    (status,) = vm.do("status", "--json").data
    assert "rolled back" in status["what"], status
    vm.do("rollback", "--yes", "--allow-management")
    (status,) = vm.do("status", "--json").data
    assert status["pending"] is False, status
