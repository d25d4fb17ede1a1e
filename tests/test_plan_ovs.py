"""Plans with Open vSwitch: what PVE couples, and in which order it takes it. Judged by the simulated node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ovs_networks import NICS, networks

from pvenet import wire
from pvenet.model import Interface, Network, settled
from pvenet.plan import Create, Delete, Plan, Update, inverse, outcome, plan, problems
from pvenet.sim import network as sim
from pvenet.sim.network import Host

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

HOST = Host(nics=dict.fromkeys(NICS, ()), up=frozenset(), ovs=True)
FILE = "auto lo\niface lo inet loopback\n\n" + "".join(f"iface {nic} inet manual\n\n" for nic in NICS)

quick = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


def seen(file: str) -> Network:
    return wire.network(sim.listing(sim.parse(file, HOST)))


def kept(network: Network | Mapping[str, Interface]) -> dict[str, Interface]:
    interfaces = network.interfaces if isinstance(network, Network) else network
    return {name: settled(interface) for name, interface in interfaces.items()}


def staged(file: str, steps: Plan) -> str:
    """The file after some steps, as the simulated node writes it; each step finds what the plan believes."""
    for step in steps.steps:
        parsed, now = sim.parse(file, HOST), kept(seen(file))
        match step:
            case Create(after=after):
                file = sim.create(parsed, wire.create_form(after), HOST)
            case Update(before=before, after=after):
                assert settled(before) == now[step.name]
                file = sim.update(parsed, step.name, wire.update_form(before, after), HOST)
            case Delete(before=before):
                assert settled(before) == now[step.name]
                file = sim.delete(parsed, step.name, HOST)
    return file


def towards(now: Mapping[str, Interface], then: Mapping[str, Interface]) -> dict[str, Interface | None]:
    return {name: then.get(name) for name in sorted(now.keys() | then.keys())}


def wrong(current: Network, desired: Mapping[str, Interface | None]) -> list[str]:
    return [str(problem) for problem in problems(current, desired) if not problem.warning]


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
    back = inverse(steps, seen(start))
    assert back.lost == ()
    assert kept(seen(staged(there, back.plan))) == now


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
