"""What follows from a difference between the kernel and the network wanted."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface

import pytest

from pvenet.apply.verify import expect
from pvenet.kernel.difference import HARMLESS, SLOW, Difference, Kind
from pvenet.kernel.judgement import Look, Require, Scope, judge_kernel, scope
from pvenet.kernel.links import BondStatus, KernelLink, Report, SlaveStatus
from pvenet.model import Bond, BondMode, Bridge, Ethernet, Interface, Network, Vlan

NICS = [Ethernet(name="ens33"), Ethernet(name="ens38"), Ethernet(name="ens39")]
BOND = Bond(name="bond0", slaves=("ens38", "ens39"), mode=BondMode.LACP)
BRIDGE = Bridge(name="vmbr1", ports=("bond0",))
HOME = Bridge(name="vmbr0", ports=("ens33",), cidr=IPv4Interface("192.0.2.11/24"))
EVERYTHING = Scope(report=True, bridges=True, ours={"bond0": frozenset({"name"})}, near=frozenset({"bond0", "ens38"}))


def network(*more: Interface) -> Network:
    return Network(interfaces={each.name: each for each in (*NICS, HOME, *more)})


def lack(kind: Kind, name: str = "bond0", subject: str = "") -> Difference:
    return Difference(name=name, kind=kind, subject=subject, text=f"{name}: {kind} {subject}")


def asked(before: Network, wanted: Network, *touched: str, management: bool = False) -> Scope:
    ours = expect(before=before, wanted=wanted, touched=touched).ours
    return scope(ours, before, wanted, management=management)


def link(name: str, *, carrier: bool = True, **more: object) -> KernelLink:
    return replace(KernelLink(name=name, up=True, carrier=carrier, mtu=1500), **more)  # type: ignore[arg-type]


def looked(*links: KernelLink) -> Look:
    return Look(report=Report(links={each.name: each for each in links}))


# --- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        pytest.param(replace(HOME, comments="the office"), "", id="a comment"),
        pytest.param(replace(HOME, vlan_aware=True), "bridges", id="a bridge that becomes VLAN-aware"),
        pytest.param(replace(HOME, ports=("ens33", "ens38")), "bridges", id="a port"),
        pytest.param(replace(HOME, mtu=9000), "report bridges", id="an MTU"),
        pytest.param(replace(HOME, cidr=IPv4Interface("192.0.2.12/24")), "report bridges", id="an address"),
        pytest.param(BOND, "report bridges", id="a new bond"),
        pytest.param(Vlan(name="ens38.20", raw_device="ens38", tag=20), "report bridges", id="a new VLAN"),
        pytest.param(Bridge(name="vmbr9"), "bridges", id="a new bridge"),
        pytest.param(replace(NICS[1], comments="left"), "", id="a NIC's comment"),
    ],
)
def test_the_kernel_is_asked_only_for_what_it_can_prove(changed: Interface, calls: str) -> None:
    """A change of a comment costs nothing more; ports need the quick call, the rest the report."""
    before = network()
    found = asked(before, Network(interfaces={**before.interfaces, changed.name: changed}), changed.name)
    assert calls.split() == ["report"] * found.report + ["bridges"] * found.bridges


def test_a_change_of_the_management_path_is_proved_by_the_report() -> None:
    """Where the way to the node is touched, the quick call is not enough."""
    before = network()
    wanted = Network(interfaces={**before.interfaces, "vmbr0": replace(HOME, ports=("ens33", "ens38"))})
    assert asked(before, wanted, "vmbr0", management=True).report


def test_a_comment_on_the_management_path_asks_for_nothing() -> None:
    """The kernel has no comments."""
    before = network()
    wanted = Network(interfaces={**before.interfaces, "vmbr0": replace(HOME, comments="mine")})
    found = asked(before, wanted, "vmbr0", management=True)
    assert (found.report, found.bridges) == (False, False)


def test_the_end_of_a_bond_is_proved_by_the_report() -> None:
    """What a change takes away has to be gone from the kernel, and what it leaves has to be there."""
    before = network(BOND, BRIDGE)
    assert asked(before, network(replace(BRIDGE, ports=())), "bond0", "vmbr1").report


# --- what follows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(set(Kind) - SLOW - HARMLESS))
def test_what_the_change_was_to_bring_and_the_kernel_lacks_is_a_failure(kind: Kind) -> None:
    """At the first look, of whatever kind that needs no time."""
    found = judge_kernel([lack(kind)], scope=EVERYTHING, before=())
    assert [each.kind for each in found.failures] == [kind]


@pytest.mark.parametrize("kind", sorted(set(Kind) - SLOW - HARMLESS))
def test_what_was_lost_where_nothing_was_touched_is_a_failure(kind: Kind) -> None:
    """It was there before, by the look before, and the file still names it."""
    found = judge_kernel([lack(kind, "vmbr0")], scope=EVERYTHING, before=(), baseline=looked())
    assert [each.kind for each in found.failures] == [kind]


@pytest.mark.parametrize("kind", sorted(set(Kind) - HARMLESS))
def test_what_was_so_before_where_nothing_was_touched_is_counted_and_no_more(kind: Kind) -> None:
    """A node that was never as its file says is not rolled back for it, and not told of each time."""
    there = lack(kind, "vmbr7")
    found = judge_kernel([there], scope=EVERYTHING, before=[there], baseline=looked(), last=True)
    assert (found.failures, found.warnings, found.as_before) == ((), (), 1)


def test_without_a_look_before_nothing_untouched_fails() -> None:
    """Nobody knows whether it was so before."""
    found = judge_kernel([lack(Kind.MTU, "vmbr0")], scope=EVERYTHING, before=())
    assert not found.failures
    assert [each.name for each in found.warnings] == ["vmbr0"]


def test_the_quick_call_alone_proves_no_loss_that_it_could_not_have_shown() -> None:
    """Where the look before had only the bridges, an MTU that the look after shows may have been so."""
    before = Look(bridges={})
    found = judge_kernel(
        [lack(Kind.MTU, "vmbr0"), lack(Kind.PORT_MISSING, "vmbr0", "ens33")],
        scope=EVERYTHING,
        before=(),
        baseline=before,
    )
    assert [each.kind for each in found.failures] == [Kind.PORT_MISSING]


def test_one_slave_that_lacked_before_does_not_fail_the_addition_of_another() -> None:
    """Of a field with several members those count that are new, or were there."""
    ours = Scope(report=True, bridges=True, ours={"bond0": frozenset({"slaves"})}, near=frozenset({"bond0"}))
    old, new = lack(Kind.SLAVE_NOT_JOINED, subject="ens38"), lack(Kind.SLAVE_NOT_JOINED, subject="ens39")
    found = judge_kernel([old, new], scope=ours, before=[old], baseline=looked())
    assert (found.failures, found.warnings) == ((new,), (old,))


def test_a_slave_that_takes_the_mtu_of_its_new_bond_is_a_warning() -> None:
    """The file gives the NIC another one; the bond on it was asked for, and is there."""
    slave = lack(Kind.MTU, "ens38")
    found = judge_kernel([slave], scope=asked(network(), network(BOND), "bond0"), before=(), baseline=looked())
    assert (found.failures, found.warnings) == ((), (slave,))


@pytest.mark.parametrize("name", ["bond0", "vmbr1"])
def test_an_mtu_that_what_was_changed_has_lost_is_a_failure(name: str) -> None:
    """The change was of another field, and the MTU was there before; only a slave's is its bond's."""
    before = network(replace(BOND, mtu=9000), replace(BRIDGE, mtu=9000))
    wanted = network(replace(BOND, mtu=9000, mode=BondMode.BALANCE_RR), replace(BRIDGE, mtu=9000, vlan_aware=True))
    found = judge_kernel(
        [lack(Kind.MTU, name)], scope=asked(before, wanted, "bond0", "vmbr1"), before=(), baseline=looked()
    )
    assert [each.name for each in found.failures] == [name]


def test_a_setting_that_was_wrong_before_fails_the_change_that_sets_it() -> None:
    """The bond had another mode than the file before, and has another than the new file now."""
    ours = Scope(report=True, bridges=True, ours={"bond0": frozenset({"mode"})}, near=frozenset({"bond0"}))
    wrong = lack(Kind.BOND_MODE)
    assert judge_kernel([wrong], scope=ours, before=[wrong], baseline=looked()).failures == (wrong,)


@pytest.mark.parametrize("kind", sorted(HARMLESS))
def test_what_is_there_in_excess_never_fails(kind: Kind) -> None:
    """Others may add it; what was there before is not told again."""
    there = lack(kind)
    found = judge_kernel([there], scope=EVERYTHING, before=(), baseline=looked(), last=True)
    assert (found.failures, found.warnings) == ((), (there,))
    assert not judge_kernel([there], scope=EVERYTHING, before=[there], baseline=looked()).warnings


# --- what takes its time ----------------------------------------------------------------------------------------------

SLAVE = SlaveStatus(active=True, mii_up=True, aggregator=1, partner=frozenset({"in_sync"}))
HEALTHY = looked(
    link("bond0", kind="bond", bond=BondStatus(mode="802.3ad", partner_mac="52:54:00:00:00:01", aggregated=2)),
    link("ens38", master="bond0", slave=SLAVE),
    link("ens39", master="bond0", slave=SLAVE),
)
WAITED = [
    pytest.param(lack(Kind.LACP_PARTNER), id="partner"),
    pytest.param(lack(Kind.LACP_SPLIT, subject="ens38"), id="slave out of sync"),
    pytest.param(lack(Kind.NO_CARRIER, subject="ens38"), id="carrier"),
]


@pytest.mark.parametrize("slow", WAITED)
def test_what_takes_its_time_is_waited_for(slow: Difference) -> None:
    """At the first look it is neither a failure nor a warning."""
    found = judge_kernel([slow], scope=EVERYTHING, before=(), baseline=HEALTHY)
    assert (found.failures, found.waits, found.warnings) == ((), (slow,), ())
    assert found.long


@pytest.mark.parametrize("slow", WAITED)
def test_what_was_there_before_and_has_not_come_back_is_a_failure(slow: Difference) -> None:
    """A partner, or a carrier, that the bond had."""
    assert judge_kernel([slow], scope=EVERYTHING, before=(), baseline=HEALTHY, last=True).failures == (slow,)


@pytest.mark.parametrize("slow", [*WAITED, pytest.param(lack(Kind.STP, subject="ens38"), id="stp")])
def test_what_never_was_there_is_a_warning(slow: Difference) -> None:
    """A bond without a partner, a slave without a cable: new ones, of which nobody knows better."""
    found = judge_kernel([slow], scope=EVERYTHING, before=(), baseline=looked(), last=True)
    assert (found.failures, found.warnings) == ((), (slow,))


@pytest.mark.parametrize(
    ("slow", "require"),
    [
        (lack(Kind.LACP_PARTNER), Require.LACP),
        (lack(Kind.LACP_SPLIT, subject="ens38"), Require.LACP),
        (lack(Kind.NO_CARRIER, subject="ens38"), Require.CARRIER),
    ],
)
def test_what_is_required_is_a_failure_although_it_never_was_there(slow: Difference, require: Require) -> None:
    """And it is waited for, also where it lacked before."""
    first = judge_kernel([slow], scope=EVERYTHING, before=[slow], baseline=looked(), require={require})
    last = judge_kernel([slow], scope=EVERYTHING, before=[slow], baseline=looked(), require={require}, last=True)
    assert (first.waits, first.long, last.failures) == ((slow,), True, (slow,))


@pytest.mark.parametrize(
    ("outside", "fails"),
    [("ens39", True), ("ens40, ens39", True), ("ens40", False), ("ens50", False), ("ens41", False)],
)
def test_a_split_is_a_failure_where_one_was_in_sync_that_is_no_more(outside: str, *, fails: bool) -> None:
    """Not a slave that is new: without a partner before, not there before, or another bond's."""
    assert HEALTHY.report is not None
    more = (link("ens40"), link("ens41", master="bond1", slave=SLAVE))
    before = looked(*HEALTHY.report.links.values(), *more)
    split = lack(Kind.LACP_SPLIT, subject=outside)
    found = judge_kernel([split], scope=EVERYTHING, before=(), baseline=before, last=True)
    assert (found.failures, found.warnings) == (((split,), ()) if fails else ((), (split,)))


@pytest.mark.parametrize("slow", WAITED)
def test_what_lacked_before_is_not_waited_for(slow: Difference) -> None:
    """A bond that had no partner before the change of another field gets its warning at once."""
    found = judge_kernel([slow], scope=EVERYTHING, before=[slow], baseline=looked())
    assert (found.waits, found.warnings) == ((), (slow,))


def test_a_nic_that_was_down_is_waited_for_briefly() -> None:
    """It negotiates for seconds; whether it has a cable is known then."""
    before = looked(replace(link("ens38"), up=False, carrier=None))
    found = judge_kernel([lack(Kind.NO_CARRIER, subject="ens38")], scope=EVERYTHING, before=(), baseline=before)
    assert (len(found.waits), found.long) == (1, False)


def test_a_cable_pulled_elsewhere_is_a_warning_and_not_waited_for() -> None:
    """The change does not stand on that interface."""
    pulled = lack(Kind.NO_CARRIER, "ens40", "")
    before = looked(link("ens40"))
    for last in (False, True):
        found = judge_kernel([pulled], scope=EVERYTHING, before=(), baseline=before, last=last)
        assert (found.failures, found.waits, found.warnings) == ((), (), (pulled,))


def test_a_slave_that_a_file_calls_by_an_altname_is_found_in_the_look_before() -> None:
    """Its carrier was there, under the kernel's name."""
    before = looked(link("ens38", altnames=("nic7",)))
    slow = lack(Kind.NO_CARRIER, subject="nic7")
    assert judge_kernel([slow], scope=EVERYTHING, before=(), baseline=before, last=True).failures == (slow,)


def test_of_changes_that_are_not_ours_what_is_otherwise_than_before_fails() -> None:
    """Nobody knows which fields are theirs: what lacked before is a warning, anything else a failure."""
    everything = Scope(report=True, bridges=True, ours=None, near=None)
    old, new = lack(Kind.MTU, "vmbr0"), lack(Kind.PORT_MISSING, "vmbr1", "bond0")
    found = judge_kernel([old, new], scope=everything, before=[old], baseline=looked())
    assert (found.failures, found.warnings) == ((new,), (old,))


def test_what_no_reload_reaches_does_not_fail_where_it_was_changed() -> None:
    """It has no autostart, and nothing that has stands on it; what it had and has lost is a failure all the same."""
    idle = replace(BRIDGE, autostart=False)
    before, wanted = network(BOND, idle), network(BOND, replace(idle, mtu=9000))
    changed, lost = lack(Kind.MTU, "vmbr1"), lack(Kind.PORT_MISSING, "vmbr1", "bond0")
    found = judge_kernel([changed, lost], scope=asked(before, wanted, "vmbr1"), before=(), baseline=looked())
    assert (found.failures, found.warnings) == ((lost,), (changed,))
    above = Vlan(name="vmbr1.5", raw_device="vmbr1", tag=5)
    reached = asked(network(BOND, idle, above), network(BOND, replace(idle, mtu=9000), above), "vmbr1")
    assert judge_kernel([changed], scope=reached, before=(), baseline=looked()).failures == (changed,)
    theirs, filtering = scope(None, before, wanted, management=False), lack(Kind.VLAN_FILTERING, "vmbr1")
    assert not judge_kernel([filtering], scope=theirs, before=(), baseline=looked()).failures
