"""Plans with Open vSwitch: what PVE couples, and in which order it takes it. Judged by the simulated node."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import plan_model
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovs_networks import NICS, networks
from plan_sim import FileOf, bare_file, kept, shown, towards, wrong
from recorded import load

from pvenet.changes import outcome
from pvenet.plan import inverse, plan
from pvenet.sim.interfaces import Host

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from pvenet.model import Interface

FILE, MACHINE = bare_file(NICS), FileOf(Host(nics=dict.fromkeys(NICS, ()), up=frozenset(), ovs=True))
seen, staged = MACHINE.seen, MACHINE.staged

quick = settings(max_examples=100, derandomize=True, database=None)


@quick
@given(networks(), networks())
def test_plans_between_networks_are_accepted_and_lead_back(
    now: dict[str, Interface], then: dict[str, Interface]
) -> None:
    """Every step is accepted in order, the end is as desired, nothing is left to do, and the inverse undoes it."""
    start = staged(FILE, plan(seen(FILE), towards(seen(FILE).interfaces, now)))
    assert kept(seen(start)) == now
    desired = towards(now, then)
    assert wrong(seen(start), desired) == []
    steps = plan(seen(start), desired)
    there = staged(start, steps)
    assert kept(seen(there)) == then == outcome(seen(start).interfaces, steps.steps)
    assert not plan(seen(there), desired)
    restore = inverse(steps, seen(start))
    assert restore.lost == ()
    assert kept(seen(staged(there, restore.plan))) == now


@quick
@given(networks(), networks(), st.randoms(use_true_random=False))
def test_what_has_no_problem_is_accepted(now: dict[str, Interface], then: dict[str, Interface], random: Random) -> None:
    """Any part of a change in which no problem is found is accepted, and what PVE does by itself is foreseen."""
    start = staged(FILE, plan(seen(FILE), towards(seen(FILE).interfaces, now)))
    desired = {name: interface for name, interface in towards(now, then).items() if random.random() < 0.6}
    if wrong(seen(start), desired):
        return
    steps = plan(seen(start), desired)
    there = staged(start, steps)
    assert kept(seen(there)) == outcome(seen(start).interfaces, steps.steps)
    assert not plan(seen(there), desired)
    assert kept(seen(staged(there, inverse(steps, seen(start)).plan))) == now


NODE = "".join(f"eth {nic} autostart=off\n" for nic in NICS)
SWITCH = """
ovs-bridge vmbr5 ports=ens40,mgmt0
ovs-port ens40 bridge=vmbr5 tag=7 mtu=1400
ovs-int-port mgmt0 bridge=vmbr5 tag=50 cidr=10.0.0.2/24
"""
OFF = NODE.replace("eth ens40 autostart=off\n", "")

CASES = {
    "a NIC, a bond and an internal port come to a new bridge": (
        NODE,
        "ovs-bridge vmbr5 ports=ens40\novs-bond bond0 bridge=vmbr5 slaves=ens38,ens39\novs-int-port mgmt0 bridge=vmbr5",
        """
        + ovs-bridge vmbr5 ports=ens40
        + ovs-bond bond0 bridge=vmbr5 slaves=ens38,ens39
        + ovs-int-port mgmt0 bridge=vmbr5
        """,
    ),
    "they go from the top down, and the bridge needs no update for it": (
        OFF + SWITCH,
        "none vmbr5\nnone mgmt0",
        "- mgmt0\n- vmbr5",
    ),
    "a NIC goes on with what it has, and gets the rest there": (
        NODE + "ovs-bridge vmbr5",
        "ovs-bridge vmbr5 ports=ens40\novs-port ens40 bridge=vmbr5 tag=7",
        "~ vmbr5 ports=>ens40\n~ ens40 tag=none>7",
    ),
    "an address leaves a NIC before it goes on": (
        NODE.replace("ens40 autostart=off", "ens40 cidr=10.0.0.2/24"),
        "ovs-bridge vmbr5 ports=ens40\novs-port ens40\novs-int-port mgmt0 bridge=vmbr5 cidr=10.0.0.2/24",
        """
        ~ ens40 cidr=10.0.0.2/24>none
        + ovs-bridge vmbr5 ports=ens40
        + ovs-int-port mgmt0 cidr=10.0.0.2/24 bridge=vmbr5
        """,
    ),
    "a NIC that goes off has nothing, and gets what it shall have": (
        OFF + SWITCH,
        "ovs-bridge vmbr5 ports=mgmt0\neth ens40 mtu=1400",
        "~ vmbr5 ports=ens40,mgmt0>mgmt0\n~ ens40 autostart=off>on mtu=none>1400",
    ),
    "a port moves by being made anew": (
        OFF + SWITCH + "ovs-bridge vmbr6",
        "ovs-int-port mgmt0 bridge=vmbr6 tag=50",
        "- mgmt0\n+ ovs-int-port mgmt0 bridge=vmbr6 tag=50",
    ),
    "a Linux bridge becomes one of Open vSwitch, with its port": (
        NODE + "bridge vmbr0 ports=ens33 cidr=10.0.0.2/24",
        "ovs-bridge vmbr0 ports=ens33 cidr=10.0.0.2/24",
        "- vmbr0\n+ ovs-bridge vmbr0 cidr=10.0.0.2/24 ports=ens33",
    ),
    "an MTU is raised with the bridge first and lowered with it last": (
        OFF + SWITCH,
        "ovs-bridge vmbr5 ports=ens40,mgmt0 mtu=9000\novs-int-port mgmt0 bridge=vmbr5 tag=50 mtu=9000",
        "~ vmbr5 mtu=none>9000\n~ mgmt0 cidr=10.0.0.2/24>none mtu=none>9000",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_steps(case: str) -> None:
    """The steps are as few as they can be, the simulated node takes them, and the restore plan leads back."""
    before, desired, steps = CASES[case]
    current = plan_model.network(before)
    wanted = plan_model.interfaces(desired)
    assert wrong(current, wanted) == []
    found = plan(current, wanted)
    assert [shown(step) for step in found.steps] == [line.strip() for line in steps.strip().splitlines()]
    file = staged(FILE, plan(seen(FILE), towards(seen(FILE).interfaces, current.interfaces)))
    there = staged(file, found)
    assert not plan(seen(there), wanted)
    assert kept(seen(staged(there, inverse(found, seen(file)).plan))) == kept(current)


@quick
@given(st.sampled_from([walk["initial"] for walk in load("walks-ovs.jsonl")]), networks())
def test_what_was_written_by_hand_is_foreseen(file: str, then: dict[str, Interface]) -> None:
    """From the recorded files, too, whose ports PVE brings into line with their bridges in the first write."""
    start, wanted = seen(file), started(then)
    desired = towards(start.interfaces, wanted)
    steps = plan(start, desired)
    there = staged(file, steps)
    assert kept(seen(there)) == wanted == outcome(start.interfaces, steps.steps)
    assert not plan(seen(there), desired)
    restore = inverse(steps, start)
    assert started(kept(seen(staged(there, restore.plan)))) == started(kept(start))


def started(interfaces: Mapping[str, Interface]) -> dict[str, Interface]:
    """Interfaces that all start: slaves do from the first write on, and can't be brought back from it."""
    return {name: replace(interface, autostart=True) for name, interface in interfaces.items()}
