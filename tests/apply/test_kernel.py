"""An apply is verified by what the kernel says, also where every flag of the list is up."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING

import pytest
from lab import APPLY, BOND, VMBR1, Lab, interrupt

from pvenet import errors
from pvenet.apply.kernel import CARRIER, LAST, REPORTS, REPORTS_OF_ROLLBACK, Verify
from pvenet.events import OnFailure, Verdict, Verified, VerifiedBy
from pvenet.journal import State
from pvenet.kernel.judgement import Require
from pvenet.model import BondMode, Bridge, Vlan
from pvenet.observe import bridges

if TYPE_CHECKING:
    from pathlib import Path

REPORT = "GET report"
BRIDGES = "GET sdn/zones/localnetwork/bridges"
LACP = replace(BOND, mode=BondMode.LACP)
ADDRESS = IPv4Interface("10.9.0.1/24")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def verified(lab: Lab) -> Verified:
    return next(event for event in lab.events if isinstance(event, Verified))


def plugged(lab: Lab, nic: str) -> None:
    """Somebody plugs in a NIC."""
    node = lab.adapter.sim.node("pve1")
    machine = node.described()
    node.save(machine.but(nics={**machine.nics, nic: ()}))


# --- when all is well -------------------------------------------------------------------------------------------------


def test_the_main_job_costs_two_reports_three_bridges_calls_and_a_second_look(lab: Lab) -> None:
    """Reports take seconds, in which somebody may stage: what is pending is compared again before the reload."""
    lab.tagged()
    lab.nature(reload_seconds=0.0)
    assert lab.apply().verdict is Verdict.APPLIED
    looks = [BRIDGES, REPORT, BRIDGES, "GET tasks", "GET network"]
    after = ["GET tasks/UPID/status", "GET tasks/UPID/log", "GET network", BRIDGES, REPORT]
    assert lab.sent == [*APPLY[:4], *looks, "PUT network", *after]
    assert verified(lab).by is VerifiedBy.KERNEL


def test_flags_alone_ask_for_nothing_more(lab: Lab) -> None:
    """`--verify flags` is what an apply was before."""
    lab.tagged()
    lab.apply(verify=Verify.FLAGS)
    assert {REPORT, BRIDGES}.isdisjoint(lab.sent)
    assert verified(lab).by is VerifiedBy.FLAGS


def test_a_comment_asks_for_nothing_more(lab: Lab) -> None:
    """The kernel has none."""
    network = lab.node.read().network.interfaces
    lab.stage({"ens37": replace(network["ens37"], comments="left")})
    lab.forget()
    lab.apply()
    assert {REPORT, BRIDGES}.isdisjoint(lab.sent)


def test_ports_alone_ask_for_no_report(lab: Lab) -> None:
    """What a bridge has is in the quick call."""
    lab.stage({"vmbr7": Bridge(name="vmbr7", ports=("ens38",))})
    lab.apply()
    assert (lab.sent.count(BRIDGES), lab.sent.count(REPORT)) == (3, 0)
    assert verified(lab).by is VerifiedBy.KERNEL


def test_a_long_reload_tells_which_ports_are_on_their_bridges(lab: Lab) -> None:
    """The bridges call freezes nothing, so that it may be asked while a reload runs."""
    lab.tagged()
    lab.nature(reload_seconds=20.0)
    assert lab.apply().verdict is Verdict.APPLIED
    assert any("the reload of pve1 is running; vmbr1 has bond0" in reason for reason in lab.waited)


@pytest.mark.parametrize("seconds", [1, 5, 30])
def test_a_healthy_bond_on_which_lacp_takes_its_time_is_applied(lab: Lab, seconds: int) -> None:
    """A switch may take half a minute."""
    lab.stage({"bond0": LACP, "vmbr1": VMBR1})
    lab.order(f"lacp-takes={seconds}@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.warnings == ""
    assert lab.sent.count(REPORT) == REPORTS


@pytest.mark.parametrize("seconds", [21, 27])
def test_a_last_look_at_a_slow_node_is_in_time(lab: Lab, seconds: int) -> None:
    """A report may take most of what PVE gives it; so the last one is asked for before it would be too late."""
    lab.stage({"bond0": LACP, "vmbr1": VMBR1})
    lab.order("lacp-takes=30@PUT network", f"report-slow={seconds}@PUT network")
    assert lab.apply(verify=Verify.KERNEL).verdict is Verdict.APPLIED
    assert (verified(lab).by, lab.warnings) == (VerifiedBy.KERNEL, "")


# --- what it was to bring ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("not-joined=ens39", "bond0: ens39 has carrier and is not one of its slaves"),
        ("port-missing=bond0", "vmbr1: bond0 is not one of its ports"),
        ("mtu-stays=vmbr1", "vmbr1: MTU 9000 in the file, 1500 in the kernel"),
        ("address-missing=vmbr1", "vmbr1: 10.9.0.1/24 in the file"),
        ("address-missing=vmbr0", "vmbr0: 192.168.171.21/24 in the file"),
        ("route-missing", "the default route by vmbr0 to 192.168.171.2 is missing"),
        ("port-missing=ens33", "vmbr0: ens33 is not one of its ports"),
    ],
)
def test_what_the_kernel_lacks_is_rolled_back(lab: Lab, fault: str, said: str) -> None:
    """Every flag is up; also what the change does not touch and the kernel has lost with it."""
    bridge = replace(VMBR1, mtu=9000, cidr=IPv4Interface("10.9.0.1/24"))
    lab.stage({"bond0": replace(BOND, mtu=9000), "vmbr1": bridge})
    lab.order(f"{fault}@PUT network")
    error = lab.failed(errors.RolledBack)
    assert f"the reload of pve1 ended well, but {said}" in error.message
    assert "rolled back and verified on pve1" in error.message
    assert "bond0" not in lab.live
    assert lab.sent.count(REPORT) <= REPORTS + REPORTS_OF_ROLLBACK


def test_the_flags_alone_call_the_same_applied(lab: Lab) -> None:
    """Which is why they are not enough."""
    lab.tagged()
    lab.order("not-joined=ens39@PUT network")
    assert lab.apply(verify=Verify.FLAGS).verdict is Verdict.APPLIED


def test_what_the_kernel_lacks_stays_where_that_is_wanted(lab: Lab) -> None:
    """`--on-failure keep`: exit 1, and said."""
    lab.tagged()
    lab.order("port-missing=bond0@PUT network")
    error = lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    assert "vmbr1: bond0 is not one of its ports" in error.message
    assert lab.states == [State.FAILED]


def test_a_vlan_aware_bridge_and_a_vlan_that_come_up_are_applied(lab: Lab) -> None:
    """Both kernels' words agree with the file's."""
    lab.stage({"vmbr7": Bridge(name="vmbr7", ports=("ens38",), vlan_aware=True, vids=("2-4094",))})
    lab.stage({"ens39.20": Vlan(name="ens39.20", cidr=IPv4Interface("10.20.0.1/24"))})
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.warnings == ""


def test_what_lacked_before_is_no_failure(lab: Lab) -> None:
    """A port that was gone from its bridge before the change, and still is, is said and not rolled back."""
    lab.stage({"vmbr7": Bridge(name="vmbr7", ports=("ens38", "ens39"))})
    lab.order("port-missing=ens39@PUT network")
    lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    lab.stage({"vmbr8": Bridge(name="vmbr8", ports=("ens41",), mtu=1400)})
    lab.forget()
    assert lab.apply().verdict is Verdict.APPLIED
    assert "vmbr7" not in lab.warnings or "as before" in lab.warnings


# --- what takes its time ----------------------------------------------------------------------------------------------


def test_a_bond_that_never_had_a_partner_is_applied_with_a_warning(lab: Lab) -> None:
    """After the time that LACP has, in words for the switch."""
    lab.stage({"bond0": LACP})
    lab.order("no-partner=bond0@PUT network")
    begun = lab.time.now
    assert lab.apply().verdict is Verdict.APPLIED
    assert "bond0: 802.3ad" in lab.warnings
    assert LAST <= lab.time.now - begun <= LAST + 5


def test_where_a_partner_is_required_its_lack_is_rolled_back(lab: Lab) -> None:
    """`--require lacp`."""
    lab.stage({"bond0": LACP})
    lab.order("no-partner=bond0@PUT network")
    assert "bond0" in lab.failed(errors.RolledBack, require=frozenset({Require.LACP})).message


def test_what_is_required_can_not_be_told_by_flags(lab: Lab) -> None:
    """`--require lacp --verify flags` would be called verified, whatever the switch does: it is wrong usage."""
    lab.stage({"bond0": LACP})
    lab.forget()
    with pytest.raises(errors.UsageError, match="--require needs the kernel"):
        lab.apply(verify=Verify.FLAGS, require=frozenset({Require.LACP}))
    assert lab.sent == []


def test_a_partner_that_is_lost_is_rolled_back(lab: Lab) -> None:
    """It was there before the change."""
    lab.stage({"bond0": LACP})
    lab.apply()
    lab.stage({"bond0": replace(LACP, mtu=9000)})
    lab.order("no-partner=bond0@PUT network")
    assert "bond0" in lab.failed(errors.RolledBack).message


def test_a_slave_that_leads_to_another_switch_is_said(lab: Lab) -> None:
    """Its words name the slave; a bond that never was whole is no failure."""
    lab.stage({"bond0": LACP})
    lab.order("partner-splits=bond0@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "ens39" in lab.warnings


def test_a_cable_that_was_never_plugged_in_is_a_warning_within_seconds(lab: Lab) -> None:
    """The NIC was down before; whoever makes the bond first and plugs in later is not kept waiting."""
    lab.order("no-carrier=ens39@GET access/permissions")
    lab.tagged()
    begun = lab.time.now
    assert lab.apply().verdict is Verdict.APPLIED
    assert "bond0: balance-rr, ens39 has no carrier: 1 of 2 slaves carries traffic" in lab.warnings
    assert CARRIER <= lab.time.now - begun <= CARRIER + 5


def test_where_carrier_is_required_its_lack_is_rolled_back(lab: Lab) -> None:
    """`--require carrier`."""
    lab.tagged()
    lab.order("no-carrier=ens39@PUT network")
    assert "ens39" in lab.failed(errors.RolledBack, require=frozenset({Require.CARRIER})).message


def test_a_cable_pulled_where_the_change_does_not_stand_is_a_warning(lab: Lab) -> None:
    """ens33 carries vmbr0, and the change is of another bridge."""
    lab.tagged()
    lab.order("no-carrier=ens33@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "ens33" in lab.warnings


# --- where the kernel can't be asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["report-too-late@GET report", "report-odd@GET report", "drop-after@GET report"])
def test_without_a_report_it_is_verified_by_flags_and_that_is_said(lab: Lab, fault: str) -> None:
    """Exit 0, with the reason."""
    lab.tagged()
    lab.order(fault)
    end = lab.apply()
    assert end.verdict is Verdict.APPLIED
    assert "verified only by the list's flags and its bridges' ports: " in end.message
    assert verified(lab).by is VerifiedBy.FLAGS


def test_a_report_that_came_too_late_is_not_asked_for_again(lab: Lab) -> None:
    """It still runs on the node, and takes one of three workers."""
    lab.tagged()
    lab.order("report-too-late@GET report")
    lab.apply()
    assert lab.sent.count(REPORT) == 1


@pytest.mark.parametrize("fault", ["report-too-late", "drop-after"])
def test_a_report_that_was_lost_after_the_reload_is_not_asked_for_by_the_rollback(lab: Lab, fault: str) -> None:
    """The bridges call alone says what is lacking; the rollback says what it could not see."""
    lab.tagged()
    lab.order("port-missing=bond0@PUT network", f"{fault}@GET report+2")
    message = lab.failed(errors.RolledBack).message
    assert "verified only by the list's flags and its bridges' ports: " in message
    assert lab.sent.count(REPORT) == 2


@pytest.mark.parametrize("fault", ["report-too-late@GET report", "report-odd@GET report"])
def test_where_the_kernel_is_required_nothing_is_sent_without_it(lab: Lab, fault: str) -> None:
    """Refused before the question; what is pending stays pending."""
    lab.tagged()
    lab.order(fault)
    error = lab.failed(errors.RefusedByPvenet, verify=Verify.KERNEL)
    assert "nothing was sent" in error.message
    assert lab.writes == []
    assert lab.pending


def test_where_only_the_look_afterwards_is_missing_the_end_is_unknown_and_stays(lab: Lab) -> None:
    """Exit 9, not a rollback: by the list it is up."""
    lab.tagged()
    lab.order("report-odd@PUT network")
    error = lab.failed(errors.StateUnknown, verify=Verify.KERNEL)
    assert "--verify kernel is not available" in error.message
    assert lab.reloads == 1
    assert {"bond0", "vmbr1"} <= lab.up


def test_with_a_confirmation_due_an_unproved_change_still_waits_for_it(lab: Lab) -> None:
    """Whoever says nothing goes back; a yes keeps it, and what was not proved is said all the same."""
    lab.tagged()
    lab.order("report-odd@PUT network")
    lab.person = lambda _left: True
    assert "is not available" in lab.failed(errors.StateUnknown, verify=Verify.KERNEL, confirm_within=60.0).message
    assert lab.states == [State.CONFIRMED]


def test_an_old_server_tells_by_its_report_what_hangs_on_a_bridge(lab: Lab) -> None:
    """Before PVE 9.1 there is no bridges call: 501."""
    lab.nature(bridges_call=False)
    lab.stage({"vmbr7": Bridge(name="vmbr7", ports=("ens38",))})
    lab.order("port-missing=ens38@PUT network")
    assert "vmbr7: ens38 is not one of its ports" in lab.failed(errors.RolledBack).message


def test_a_rollback_asks_the_kernel_too(lab: Lab) -> None:
    """What it puts back has to be there; where it is not it says so and tries once more."""
    lab.stage({"bond0": BOND, "vmbr1": VMBR1})
    lab.apply()
    lab.stage({"vmbr1": replace(VMBR1, mtu=9000, comments="")})
    lab.forget()
    lab.order("mtu-stays=vmbr1@PUT network", "port-missing=bond0@PUT network+2")
    error = lab.failed(errors.RolledBack)
    assert "rolled back and verified" in error.message
    assert lab.reloads == 3


def test_a_rollback_of_what_was_made_new_asks_the_kernel_too(lab: Lab) -> None:
    """Nothing of it is left in the network that is put back, and that network may be hurt all the same."""
    lab.stage({"vmbr7": Bridge(name="vmbr7", mtu=9000)})
    lab.order("mtu-stays=vmbr7@PUT network", "route-missing@PUT network+2")
    assert "rolled back and verified" in lab.failed(errors.RolledBack).message
    assert "vmbr7" not in lab.live
    assert lab.reloads == 3


def test_an_mtu_that_is_cleared_and_stays_is_said(lab: Lab) -> None:
    """A reload touches no NIC without autostart (pve-api#mtu-stays), and the file is as it should be."""
    nic = lab.node.read().network.interfaces["ens38"]
    lab.stage({"ens38": replace(nic, mtu=9000, autostart=True)})
    lab.apply()
    lab.stage({"ens38": replace(nic, mtu=None, autostart=True)})
    lab.forget()
    lab.order("mtu-stays=ens38@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "ens38 keeps MTU 9000, which its file no longer names" in lab.warnings


def test_an_mtu_that_a_rollback_leaves_is_said(lab: Lab) -> None:
    """What was tried is gone from the file, and the kernel has it still."""
    nic = lab.node.read().network.interfaces["ens38"]
    lab.stage({"ens38": replace(nic, mtu=9000, autostart=True), "vmbr7": Bridge(name="vmbr7", cidr=ADDRESS)})
    lab.order("address-missing=vmbr7@PUT network", "mtu-stays=ens38@PUT network+2")
    assert "rolled back and verified" in lab.failed(errors.RolledBack).message
    assert "ens38 keeps MTU 9000, which its file no longer names" in lab.warnings


def test_ctrl_c_while_the_kernel_is_asked_sends_no_second_report(lab: Lab) -> None:
    """The one that runs is waited for, and its answer counts."""
    lab.tagged()
    press = {REPORT: lambda: os.kill(os.getpid(), signal.SIGINT)}
    lab.adapter.after["PUT network"] = lambda: lab.adapter.before.update(press)
    assert lab.apply().verdict is Verdict.APPLIED
    assert "Ctrl-C again stops waiting" in lab.warnings
    assert lab.sent.count(REPORT) == 2
    assert verified(lab).by is VerifiedBy.KERNEL


def press_while_waiting(lab: Lab) -> None:
    """Ctrl-C in the first sleep in which something is waited for that takes its time."""
    waits = bool(lab.waited) and lab.waited[-1].startswith("waiting for")
    lab.asleep.append(interrupt if waits else lambda: press_while_waiting(lab))


def test_ctrl_c_while_lacp_is_waited_for_changes_no_verdict(lab: Lab) -> None:
    """The last look is still taken: a partner that was lost is a failure, and not a warning."""
    lab.stage({"bond0": LACP})
    lab.apply()
    lab.stage({"bond0": replace(LACP, mtu=9000)})
    lab.forget()
    lab.order("no-partner=bond0@PUT network")
    press_while_waiting(lab)
    assert "no LACP partner answers" in lab.failed(errors.RolledBack).message
    assert "Ctrl-C again stops waiting" in lab.warnings


def test_ctrl_c_during_the_last_look_changes_no_verdict(lab: Lab) -> None:
    """The report that runs is the last one: it is waited for, and its answer counts."""
    lab.stage({"bond0": LACP})
    lab.apply()
    lab.stage({"bond0": replace(LACP, mtu=9000)})
    lab.forget()
    lab.order("no-partner=bond0@PUT network")
    press = {REPORT: lambda: os.kill(os.getpid(), signal.SIGINT)}
    lab.adapter.after["PUT network"] = lambda: lab.adapter.after.update(
        {REPORT: lambda: lab.adapter.before.update(press)}
    )
    assert "no LACP partner answers" in lab.failed(errors.RolledBack).message
    assert "Ctrl-C again stops waiting" in lab.warnings


def test_ctrl_c_after_the_last_look_asks_for_no_further_one(lab: Lab) -> None:
    """What the kernel has said stands, also where all the reports that an apply may ask for are spent."""
    lab.stage({"bond0": LACP})
    lab.order("lacp-takes=30@PUT network")
    command = (sys.executable, "-c", f"import os, signal, time; os.kill({os.getpid()}, signal.SIGINT); time.sleep(0.3)")
    assert lab.apply(verify=Verify.KERNEL, verify_with=command).verdict is Verdict.APPLIED
    assert "Ctrl-C again stops waiting" in lab.warnings
    assert lab.sent.count(REPORT) == REPORTS
    assert verified(lab).by is VerifiedBy.KERNEL


def test_somebody_who_stages_while_the_report_runs_stops_the_apply(lab: Lab) -> None:
    """What is pending is no longer what was shown; without any question, too."""
    lab.tagged()
    lab.order("foreign-edit=vmbr66@GET report")
    assert "no longer what was shown" in lab.failed(errors.Stale).message


def test_a_gateway_that_moves_is_proved_by_its_route(lab: Lab) -> None:
    """The default route leaves by the new bridge."""
    network = lab.node.read().network.interfaces
    home = network["vmbr0"]
    lab.stage(
        {
            "vmbr0": replace(home, gateway=None),
            "vmbr7": Bridge(
                name="vmbr7",
                ports=("ens38",),
                cidr=IPv4Interface("10.7.0.2/24"),
                gateway=IPv4Address("10.7.0.1"),
            ),
        }
    )
    assert lab.apply(allow_management=True).verdict is Verdict.APPLIED


def test_a_nic_that_one_worker_has_not_seen_yet_is_sent_once_more(lab: Lab) -> None:
    """The bridges call fills the daemon's cache; the list shows the NIC, so that the refusal is not about it."""
    lab.nature(workers=3)
    for _ in range(2):
        bridges(lab.node)
    plugged(lab, "ens50")
    lab.stage({"bond0": replace(BOND, slaves=("ens38", "ens50"))})
    assert lab.writes == ["POST network", "POST network"]
    assert lab.pending


def test_a_slave_that_is_not_listed_is_refused_at_once(lab: Lab) -> None:
    """PVE's refusal stands, and nothing is sent twice."""
    with pytest.raises(errors.PvenetError):
        lab.stage({"bond0": replace(BOND, slaves=("ens38", "ens99"))})
    assert lab.writes.count("POST network") <= 1


def test_what_is_refused_for_another_reason_asks_the_kernel_nothing(lab: Lab) -> None:
    """A report takes seconds of a node: an apply that can't be armed is refused before."""
    lab.somebody("POST network", iface="vmbr7", type="bridge", bridge_ports="ens38")
    lab.forget()
    assert "--arm" in lab.failed(errors.RefusedByPvenet, adopt=True, arm=True).hint
    assert {REPORT, BRIDGES}.isdisjoint(lab.sent)
