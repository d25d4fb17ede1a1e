"""Plans: what they do, in which order, and how they lead back."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Interface
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_model import NICS as NIC_NAMES
from plan_model import RefusedStepError, Staging, check_file, interfaces, network, networks
from plan_sim import FileOf, bare_file, shown, towards
from work import growth

from pvenet.changes import Create, FieldChange, Plan, Update, net_changes, outcome
from pvenet.model import Bridge, Interface, Network, Vlan, canonical
from pvenet.plan import Inverse, inverse, plan, problems
from pvenet.sim.interfaces import Host

if TYPE_CHECKING:
    from random import Random

CASES = sorted(path for path in (Path(__file__).parent / "plan_cases").iterdir() if path.is_dir())

NICS = "eth ens33\neth ens37\neth ens38\neth ens39\n"

quick = settings(max_examples=100, derandomize=True, database=None)


FILE, MACHINE = bare_file(NIC_NAMES), FileOf(Host(nics=dict.fromkeys(NIC_NAMES, ()), up=frozenset()))
seen, staged = MACHINE.seen, MACHINE.staged


def described(there: Plan, restore: Inverse) -> str:
    """A plan and its restore plan, as the cases hold them."""
    lines = [*map(shown, there.steps), "", "back", *map(shown, restore.plan.steps)]
    return "\n".join(lines + [f"lost {loss}" for loss in restore.lost]) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_plan_and_its_restore_plan_are_as_the_case_says(case: Path) -> None:
    """Each folder of plan_cases holds a current network, what is desired of it, and the steps there and back."""
    current = network((case / "current").read_text())
    desired = interfaces((case / "desired").read_text())
    steps = plan(current, desired)
    assert described(steps, inverse(steps, current)) == (case / "plan").read_text()
    assert [str(problem) for problem in problems(current, desired) if not problem.warning] == []
    there = Staging(current.interfaces).stage(steps.steps)
    assert not plan(Network(interfaces=there), desired)


@quick
@given(networks(), networks())
def test_every_step_between_two_legal_networks_is_accepted(
    now: dict[str, Interface], then: dict[str, Interface]
) -> None:
    """From any legal network to any other: no problem, every step is accepted in order, and nothing is left to do."""
    check_file(now)
    check_file(then)
    desired = towards(now, then)
    start = Network(interfaces=now)
    assert [str(problem) for problem in problems(start, desired) if not problem.warning] == []
    steps = plan(start, desired).steps
    there = Staging(now).stage(steps)
    assert there == then
    assert there == outcome(now, steps)
    assert not plan(Network(interfaces=there), desired)


@quick
@given(networks(), networks())
def test_the_inverse_leads_back_to_equal_values(now: dict[str, Interface], then: dict[str, Interface]) -> None:
    """The inverse of a plan, or of its first steps, is accepted in order and restores every value."""
    whole = plan(Network(interfaces=now), towards(now, then))
    for done in (whole, replace(whole, steps=whole.steps[: len(whole.steps) // 2])):
        staging = Staging(now)
        staging.stage(done.steps)
        restore = inverse(done, Network(interfaces=now))
        assert staging.stage(restore.plan.steps) == now
        assert restore.lost == ()


@quick
@given(networks(), networks(), st.randoms(use_true_random=False))
def test_what_has_no_problem_is_accepted(now: dict[str, Interface], then: dict[str, Interface], random: Random) -> None:
    """Any part of a change in which no problem is found is accepted step by step, so the problems are complete."""
    desired = {name: interface for name, interface in towards(now, then).items() if random.random() < 0.6}
    start = Network(interfaces=now)
    if not any(not problem.warning for problem in problems(start, desired)):
        steps = plan(start, desired).steps
        there = Staging(now).stage(steps)
        assert all(there.get(name) == interface for name, interface in desired.items() if name not in slaves(there))
        assert not plan(Network(interfaces=there), desired)


def slaves(there: dict[str, Interface]) -> set[str]:
    return {slave for interface in there.values() for slave in getattr(interface, "slaves", ())}


@quick
@given(networks(), networks())
def test_the_simulated_node_accepts_plans_and_their_inverses(
    now: dict[str, Interface], then: dict[str, Interface]
) -> None:
    """What is planned from a listing is staged as PVE would, read back as desired, and undone to equal values."""
    first = plan(seen(FILE), towards(dict(seen(FILE).interfaces), now))
    start = staged(FILE, first)
    assert seen(start).interfaces == now
    steps = plan(seen(start), towards(now, then))
    there = staged(start, steps)
    assert seen(there).interfaces == then
    assert not plan(seen(there), towards(now, then))
    restore = inverse(steps, seen(start))
    assert restore.lost == ()
    assert seen(staged(there, restore.plan)).interfaces == now


def test_what_is_desired_already_needs_no_steps() -> None:
    """A plan for what is there is empty and false, whatever order slaves are given in."""
    current = network(NICS + "bond bond0 slaves=ens38,ens39\nvlan bond0.50 raw_device=bond0 tag=50")
    steps = plan(current, interfaces("bond bond0 slaves=ens39,ens38,ens38\nvlan bond0.50\nnone vmbr7"))
    assert steps == Plan()
    assert not steps


def test_what_is_not_mentioned_is_not_touched() -> None:
    """Only desired names have steps, although PVE starts the slaves of a bond by itself."""
    current = network("eth ens38 autostart=off\neth ens39 autostart=off\nbridge vmbr0")
    steps = plan(current, interfaces("bond bond0 slaves=ens38,ens39"))
    assert steps.touched == {"bond0"}
    assert outcome(current.interfaces, steps.steps)["ens38"].autostart


def test_the_autostart_of_slaves_is_asked_for_only_where_no_other_step_brings_it() -> None:
    """PVE starts the slaves of a bond on every write: a step for that is planned when there is no other."""
    current = network("eth ens38 autostart=off\neth ens39 autostart=off\nbond bond0 slaves=ens38,ens39")
    desired = interfaces("eth ens38\neth ens39")
    assert [step.name for step in plan(current, desired).steps] == ["ens38"]
    assert [step.name for step in plan(current, desired | interfaces("bridge vmbr0")).steps] == ["vmbr0"]


def test_a_step_keeps_the_order_in_which_slaves_are_given() -> None:
    """A bond has the MAC address of its first slave, so that their order is not pvenet's to choose."""
    (step,) = plan(network(NICS), interfaces("bond bond0 slaves=ens39,ens38")).steps
    assert shown(step) == "+ bond bond0 slaves=ens39,ens38"


def test_fields_tell_what_an_update_changes() -> None:
    """The fields of an update are those that PVE would keep differently, by the model's names."""
    current = network(NICS + "bridge vmbr0 ports=ens33")
    (step,) = plan(current, interfaces("bridge vmbr0 ports=ens37,ens33,ens33 mtu=1500")).steps
    assert isinstance(step, Update)
    assert step.fields() == (
        FieldChange(field="mtu", before=None, after=1500),
        FieldChange(field="ports", before=("ens33",), after=("ens33", "ens37")),
    )


@pytest.mark.parametrize(
    ("before", "desired", "lost"),
    [
        ("eth ens33 method=dhcp", "eth ens33 mtu=1400", ["ens33: inet dhcp"]),
        ("eth ens33 families=inet,inet6 method6=auto", "eth ens33 mtu=1400", ["ens33: inet6 auto"]),
        ("eth ens33 families=inet options=up_x", "eth ens33 cidr6=fd00::2/64", ["ens33: up x"]),
        (
            "bridge vmbr0 cidr=10.0.0.1/7 mtu=900",
            "bridge vmbr0 cidr=10.0.0.1/8 mtu=900",
            ["vmbr0: PVE refuses the cidr 10.0.0.1/7"],
        ),
        ("bond bond0 settings=bond_miimon:100", "none bond0", []),
        ("bond bond0 settings=bond_miimon:50", "none bond0", ["bond0: bond_miimon 50"]),
        ("bond bond0 settings=bond_miimon:50", "bond bond0 mtu=1400", []),
        ("other vmbr5 kind=OVSBridge", "none vmbr5", ["vmbr5: pvenet can't write the kind OVSBridge"]),
    ],
)
def test_the_inverse_names_what_the_api_cannot_put_back(before: str, desired: str, lost: list[str]) -> None:
    """What a file holds and the API can't set is lost by a deletion, or by an update that PVE drops it in."""
    current = network(before)
    steps = plan(current, interfaces(desired))
    assert [str(loss) for loss in inverse(steps, current).lost] == lost


def test_a_comment_that_could_be_run_is_not_put_back() -> None:
    """A node's file may hold it; what leads back is sent by pvenet, and says what it leaves out."""
    bridge = Bridge(name="vmbr9", comments="note\rpost-up touch /tmp/evil")
    current = Network(interfaces={"vmbr9": bridge})
    back = inverse(plan(current, {"vmbr9": None}), current)
    (step,) = back.plan.steps
    assert isinstance(step, Create)
    assert step.after.comments == ""
    assert [str(loss) for loss in back.lost] == [f"vmbr9: the comments {bridge.comments!a}, part of which could be run"]


def test_an_order_that_does_not_exist_ends_all_the_same() -> None:
    """Two devices that change their kind and swap their VLANs can't be had step by step; PVE refuses one of them."""
    current = network("eth ens33\nbridge one\nbridge two\nvlan a raw_device=one tag=3\nvlan b raw_device=two tag=4")
    desired = interfaces(
        "vlan one raw_device=ens33 tag=1\nvlan two raw_device=ens33 tag=2\n"
        "vlan a raw_device=two tag=3\nvlan b raw_device=one tag=4"
    )
    steps = plan(current, desired).steps
    assert sorted(step.name for step in steps) == ["a", "b", "one", "one", "two", "two"]
    with pytest.raises(RefusedStepError):
        Staging(current.interfaces).stage(steps)


def test_net_changes_are_sorted_for_reading() -> None:
    """The semantic difference lists NICs, bonds, bridges and VLANs, by name, a change of kind as two."""
    before = network("eth ens9\neth ens10 autostart=off\nbridge shared\nbridge vmbr0")
    after = network("eth ens9 mtu=9000\neth ens10\nvlan shared raw_device=ens9 tag=4\nbond bond0 slaves=ens10")
    assert [shown(change) for change in net_changes(before.interfaces, after.interfaces)] == [
        "~ ens9 mtu=none>9000",
        "~ ens10 autostart=off>on",
        "+ bond bond0 slaves=ens10",
        "- shared",
        "- vmbr0",
        "+ vlan shared raw_device=ens9 tag=4",
    ]


def _handed_on(size: int) -> None:
    """So many bridges pass their ports around, and back again."""
    nics = "".join(f"eth ens{number}\n" for number in range(size))
    ring = ["".join(f"bridge br{n} ports=ens{(n + shift) % size}\n" for n in range(size)) for shift in (0, 1)]
    current = network(nics + ring[0])
    desired = interfaces(nics + ring[1])
    steps = plan(current, desired)
    assert problems(current, desired) == ()
    assert len(steps.steps) == len(inverse(steps, current).plan.steps) == size + 1


def test_the_work_grows_with_the_network() -> None:
    """Ten times the interfaces are about ten times the work to plan; `scripts/bench` has the seconds."""
    assert growth(_handed_on, 50) < 12


@pytest.mark.parametrize("address", ["2001:db8::1/64", "100::1/64", "fd00::1/7"])
def test_an_address_that_pve_refuses_is_no_part_of_a_restore_plan(address: str) -> None:
    """Sent again it would be refused in the middle of a rollback: it is named as lost instead."""
    before = Bridge(name="vmbr1", cidr6=IPv6Interface(address))
    baseline = Network(interfaces={"vmbr1": before})
    restore = inverse(plan(baseline, {"vmbr1": replace(before, cidr6=None)}), baseline)
    assert not any(getattr(step, "after", before).cidr6 for step in restore.plan.steps)
    assert any(address in loss.what for loss in restore.lost)


@pytest.mark.parametrize("bond", ["bond bond0 slaves=ens38,ens39", "other bond0 kind=bond beneath=ens38,ens39"])
def test_a_slave_stays_started_whichever_step_says_otherwise(bond: str) -> None:
    """Also a slave of a bond that can't be read: PVE reads it, and gives `auto` at each write (pve-api#slaves-auto)."""
    before = network(f"eth ens38 autostart=off\neth ens39 autostart=off\nbridge vmbr1\n{bond}").interfaces
    started = outcome(before, plan(Network(interfaces=before), {"vmbr1": None}).steps)
    assert started["ens39"].autostart
    stopped = [Update(before=started[name], after=before[name]) for name in ("ens38", "ens39")]
    then = outcome(started, stopped)
    assert [then[name].autostart for name in ("ens38", "ens39")] == [True, True]


def test_what_a_vlan_stands_on_is_said_by_its_name() -> None:
    """Whatever the file says, from PVE's first write on; a rollback names it and does not wait for it (pve-api#f63)."""
    baseline = network("eth ens38\neth ens39\nbridge vmbr1\nvlan ens38.5 raw_device=ens39")
    steps = plan(baseline, interfaces("bridge vmbr1 mtu=1400"))
    then = outcome(baseline.interfaces, steps.steps)
    assert canonical(then["ens38.5"]) == canonical(Vlan(name="ens38.5", raw_device="ens38"))
    back = inverse(steps, baseline)
    assert [step.name for step in back.plan.steps] == ["vmbr1"]
    assert [str(loss) for loss in back.lost] == ["ens38.5: vlan-raw-device ens39, which PVE takes from the name"]
