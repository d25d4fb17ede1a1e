"""Armed: while an apply is under way its way back is staged, and a power cycle boots the network from before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from armed import ARMING, STAGED, applied, as_before, begun, during, power_cycle, rolled_back, when_sent
from killed import back
from lab import Lab

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.apply.status import status
from pvenet.events import Armed, Disarmed, OnFailure, Verdict
from pvenet.journal import State
from pvenet.model import Ethernet
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return begun(tmp_path / "lab")


# --- when all is well ------------------------------------------------------------------------------------------------


def test_the_way_back_is_staged_while_the_reload_runs_and_reverted_when_it_has_ended(lab: Lab) -> None:
    """Told as two events; afterwards nothing is pending, and the journal says applied."""
    applied(lab, verify=Verify.FLAGS)
    assert lab.after_reload[: len(ARMING)] == ARMING
    assert lab.sent[-4:] == ["GET tasks/UPID/log", "GET network", "DELETE network", "GET network"]
    kinds = [type(event) for event in lab.events if isinstance(event, Armed | Disarmed)]
    assert kinds == [Armed, Disarmed]
    assert lab.pending is None
    assert lab.reloads == 1


def test_while_it_is_armed_the_pending_file_is_the_one_from_before(lab: Lab) -> None:
    """As equal interfaces: what a boot would make live."""
    lab.revert()
    before = lab.node.read().network.interfaces
    lab.tagged()
    seen = []
    during(lab, lambda: seen.append(Node(lab.node.connection, "pve1").read()))
    applied(lab)
    (armed,) = seen
    assert armed.pending is not None
    assert armed.network.interfaces == before


def test_without_the_option_nothing_is_staged(lab: Lab) -> None:
    """It is off unless asked for."""
    lab.apply()
    assert lab.writes == ["PUT network"]


def test_the_flags_that_arming_has_frozen_are_healed_by_its_revert(lab: Lab) -> None:
    """It lists during the reload; each of the three workers then parses anew, and no no-op is needed."""
    lab.nature(workers=3)
    applied(lab)
    assert lab.writes == ["PUT network", *STAGED, "DELETE network"]


def test_an_update_of_the_way_to_the_node_is_armed_too(tmp_path: Path) -> None:
    """One step: the ports of vmbr0 as they were."""
    lab = Lab(tmp_path / "lab")
    lab.widened()
    assert lab.apply(arm=True, allow_management=True).verdict is Verdict.APPLIED
    assert lab.writes == ["PUT network", "PUT network/vmbr0", "DELETE network"]


def test_a_person_is_asked_to_confirm_what_is_not_armed_any_more(lab: Lab) -> None:
    """What is armed can't be verified; a no is rolled back as ever."""
    pending = []

    def no(_left: float) -> bool:
        pending.append(lab.pending)
        return False

    lab.person = no
    lab.failed(errors.NotConfirmed, arm=True, confirm_within=60.0)
    assert pending == [None]


# --- a power cycle ---------------------------------------------------------------------------------------------------


def test_a_power_cycle_while_it_is_armed_boots_the_network_from_before(lab: Lab) -> None:
    """Nothing answers after the reload, for good: exit 9, and the console's lines name the power cycle. It works."""
    up = {"ens33", "vmbr0"}
    lab.order("path-lost@PUT network")
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "a power cycle is the easiest way" in error.hint
    assert lab.states == [State.ARMED]
    found = status(lab.node, lab.journals)
    assert not found.reachable
    assert "a power cycle is the easiest way" in found.todo
    power_cycle(lab)
    lab.time.sleep(2)
    as_before(lab, up)
    found = status(lab.node, lab.journals)
    assert "is rolled back: a power cycle" in found.what
    assert "`pvenet rollback`" in found.todo
    lab.forget()
    for act in (lab.apply, lambda: lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})):
        with pytest.raises(errors.RefusedByPvenet, match="its way back has gone live"):
            act()
    assert back(lab).verdict is Verdict.ROLLED_BACK
    as_before(lab, up)
    assert lab.states == [State.ROLLED_BACK]
    lab.tagged()
    assert lab.apply(arm=True).verdict is Verdict.APPLIED


@pytest.mark.parametrize("at", range(1, 16))
def test_a_power_cycle_at_any_request_after_the_reload_ends_rolled_back_or_applied(lab: Lab, at: int) -> None:
    """Before the first step is staged the boot has the new network, and later the old, or what leads there."""
    when_sent(lab, lambda: lab.order(f"reboot=20@{at}"))
    try:
        lab.apply(arm=True)
    except errors.RolledBack:
        as_before(lab, {"ens33", "vmbr0"})
    else:
        pytest.fail("the task has ended unexpectedly")


# --- somebody else ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(1, 22))
def test_what_somebody_stages_at_any_moment_is_kept_and_never_made_live(lab: Lab, at: int) -> None:
    """Where it lies beside the way back, that alone is taken back, step by step, and no revert is sent."""
    when_sent(lab, lambda: lab.order(f"foreign-edit@{at}"))
    applied(lab)
    reverted = lab.after_reload[at - 1 : at] == ["DELETE network"]  # the window of one request
    ended = len(lab.after_reload) < at
    assert reverted or ended or "iface vmbr99" in (lab.pending or "")
    assert "vmbr99" not in lab.live
    assert lab.pending is None or "iface vmbr1" in lab.pending


def test_what_is_pending_already_is_not_armed_upon(lab: Lab) -> None:
    """Told, and it goes on without."""
    when_sent(lab, lab.foreign)
    applied(lab)
    assert "could not be armed; the apply goes on without: somebody has staged something new" in lab.warnings
    assert lab.writes == ["PUT network"]
    assert not [event for event in lab.events if isinstance(event, Armed)]


def test_somebody_elses_change_of_what_was_armed_is_left_alone(lab: Lab) -> None:
    """It can't be told apart any more: nothing is reverted, and the end is unknown, with what to do."""
    during(lab, lambda: lab.somebody("POST network", iface="vmbr1", type="bridge", comments="theirs"))
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "somebody has changed what was armed" in error.message
    assert "left alone" in error.message
    assert "theirs" in (lab.pending or "")
    assert lab.writes == ["PUT network", *STAGED]
    assert {"bond0", "vmbr1"} <= lab.up


def test_somebody_elses_line_that_the_api_cannot_set_is_kept(lab: Lab) -> None:
    """By hand, in the pending file: it changes no field that the API has, and is theirs all the same."""

    def edit() -> None:
        (lab.network_folder / "interfaces.new").write_text(f"{lab.pending}\nsource /etc/network/theirs.d/*\n")

    during(lab, edit)
    applied(lab)
    assert "theirs.d" in (lab.pending or "")
    assert "iface vmbr1" in (lab.pending or "")


def test_somebody_elses_revert_disarms_it(lab: Lab) -> None:
    """And costs nothing."""
    during(lab, lambda: lab.somebody("DELETE network"))
    applied(lab)
    assert "DELETE network" not in lab.writes


@pytest.mark.parametrize("at", ["ens39", "ens40"])
def test_somebody_elses_revert_while_it_is_being_armed_is_no_staging_of_theirs(tmp_path: Path, at: str) -> None:
    """What was staged after it is taken back, and nobody is said to have staged anything."""
    lab = Lab(tmp_path / "lab")
    there = lab.node.read().network.interfaces
    lab.stage({name: replace(there[name], comments="ours\n") for name in ("ens38", "ens39", "ens40")})
    lab.forget()
    lab.nature(reload_seconds=5.0)
    lab.order(f"foreign-revert@PUT network/{at}")
    lab.apply(arm=True)
    assert "in the meantime" in lab.warnings
    assert "somebody has staged" not in lab.warnings
    assert lab.live.count("#ours") == 3
    assert lab.pending is None


@pytest.mark.parametrize("late", [0.0, 4.0])
def test_somebody_elses_reload_makes_the_way_back_live_and_that_is_said(lab: Lab, late: float) -> None:
    """While ours runs theirs takes the file and applies nothing: the kernel follows with one more reload of ours."""
    up = lab.up

    def reload() -> None:
        lab.time.now += late
        lab.somebody("PUT network")

    during(lab, reload)
    error = rolled_back(lab, up)
    assert "has gone live, by a power cycle or by somebody's reload or SDN apply" in error.message
    assert lab.reloads == 2


def test_with_keep_what_somebody_has_made_live_stays_and_is_told(lab: Lab) -> None:
    """Exit 1; the journal stays open, and a rollback makes sure."""
    up = lab.up
    during(lab, lambda: lab.somebody("PUT network"))
    error = lab.failed(errors.ApplyFailed, arm=True, on_failure=OnFailure.KEEP)
    assert "`pvenet rollback` checks" in error.hint
    assert back(lab).verdict is Verdict.ROLLED_BACK
    as_before(lab, up)


# --- what can't be armed ---------------------------------------------------------------------------------------------


def test_what_is_not_ours_can_not_be_armed(tmp_path: Path) -> None:
    """Refused before the question, and nothing is sent."""
    lab = Lab(tmp_path / "lab")
    lab.foreign()
    error = lab.failed(errors.RefusedByPvenet, adopt=True, arm=True)
    assert "which --arm needs" in error.message
    assert lab.writes == []


def test_what_has_no_way_back_can_not_be_armed(tmp_path: Path) -> None:
    """A field that PVE refuses to be sent again: refused before the question."""
    lab = Lab(tmp_path / "lab")
    file = lab.network_folder / "interfaces"
    file.write_text(lab.live.replace("iface ens40 inet manual", "iface ens40 inet manual\n\tmtu 576"))
    ens40 = lab.node.read().network.interfaces["ens40"]
    assert isinstance(ens40, Ethernet)
    lab.stage({"ens40": replace(ens40, mtu=1400)})
    lab.forget()
    error = lab.failed(errors.RefusedByPvenet, arm=True)
    assert "can't stage a way back" in error.message
    assert lab.writes == []


def test_the_command_line_arms_and_tells_it_in_json(lab: Lab, run: Callable[..., Ran]) -> None:
    """With --no-wait nobody would take it back: exit 2."""
    lab.nature(reload_seconds=0.3)
    where = ("--sim", str(lab.folder))
    assert run(*where, "apply", "--yes", "--arm", "--no-wait").code == 2
    ran = run(*where, "apply", "--yes", "--arm", "--json")
    assert ran.code == 0
    kinds = [line["event"] for line in ran.lines]
    assert kinds.index("reloading") < kinds.index("armed") < kinds.index("disarmed") < kinds.index("verified")
