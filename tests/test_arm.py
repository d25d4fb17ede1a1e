"""Armed: while an apply is under way its way back is staged, and a power cycle boots the network from before."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from story import APPLY, Lab, interrupt
from test_recover import Killed, Killer, back, later

from pvenet import errors
from pvenet.apply import OnFailure, status, survey
from pvenet.apply.arm import TAKEN_WITHIN
from pvenet.apply.wait import PATIENCE
from pvenet.events import Armed, Disarmed, Shown, Verdict
from pvenet.journal import State
from pvenet.model import Ethernet
from pvenet.node import Node
from pvenet.plan import Delete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

SENT = APPLY.index("PUT network") + 1
"""The number of the reload among an apply's requests."""
STAGED = ["DELETE network/vmbr1", "DELETE network/bond0", "PUT network/ens38", "PUT network/ens39"]
"""The way back from steps 2 and 3 of the walk-through."""
ARMING = ["GET network", *(text for step in STAGED for text in (step, "GET network"))]
"""What arming sends: a look whether the reload has taken what was pending, then each step and its diff."""
FAULTS = ["drop-after", "596=after", "delay=40"]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """With something staged that touches no management, and a reload of some seconds."""
    lab = Lab(tmp_path / "lab")
    lab.nature(reload_seconds=3.0)
    lab.tagged()
    return lab


def during(lab: Lab, act: Callable[[], None]) -> None:
    """Do something once while it is armed: before the first look at the task."""
    lab.adapter.before["GET tasks/UPID/status"] = act


def when_sent(lab: Lab, act: Callable[[], None]) -> None:
    """Do something when the reload has been answered."""
    lab.adapter.after["PUT network"] = act


def power_cycle(lab: Lab, seconds: int = 1) -> None:
    """Somebody goes there; the boot moves what is staged into place."""
    with suppress(errors.Unreachable):
        lab.somebody("GET network", f"reboot={seconds}@1")


def applied(lab: Lab, **options: Any) -> None:
    """An armed apply that ends well, with nothing of it left behind."""
    assert lab.apply(arm=True, **options).verdict is Verdict.APPLIED
    assert {"bond0", "vmbr1"} <= lab.up
    assert "iface vmbr1" in lab.live
    journal = lab.journals.all()[-1]
    assert (journal.state, journal.back, len(journal.steps)) == (State.APPLIED, None, 2)


def rolled_back(lab: Lab, up: set[str]) -> errors.PvenetError:
    """An armed apply that ends rolled back, with everything as it was."""
    error = lab.failed(errors.RolledBack, arm=True)
    as_before(lab, up)
    assert lab.states == [State.ROLLED_BACK]
    return error


def as_before(lab: Lab, up: set[str]) -> None:
    assert lab.pending is None
    assert "bond0" not in lab.live
    assert "vmbr1" not in lab.live
    assert up <= lab.up
    assert not {"bond0", "vmbr1"} & lab.up


# --- when all is well ------------------------------------------------------------------------------------------------


def test_the_way_back_is_staged_while_the_reload_runs_and_reverted_when_it_has_ended(lab: Lab) -> None:
    """Told as two events; afterwards nothing is pending, and the journal says applied."""
    applied(lab)
    assert lab.sent[SENT : SENT + len(ARMING)] == ARMING
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
    lab.failed(errors.RolledBack, arm=True, confirm_within=60.0)
    assert pending == [None]


# --- a power cycle ---------------------------------------------------------------------------------------------------


def test_a_power_cycle_while_it_is_armed_boots_the_network_from_before(lab: Lab) -> None:
    """Nothing answers after the reload, for good: exit 9, and the console's lines name the power cycle. It works."""
    up = {"ens33", "vmbr0"}
    lab.order(f"path-lost@{SENT}")
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
    reverted = lab.sent[SENT + at - 1 : SENT + at] == ["DELETE network"]  # the window of one request
    ended = len(lab.sent) < SENT + at
    assert reverted or ended or "iface vmbr99" in (lab.pending or "")
    assert "vmbr99" not in lab.live
    assert lab.pending is None or "iface vmbr1" in lab.pending


def test_what_is_pending_already_is_not_armed_upon(lab: Lab) -> None:
    """Told, and it goes on without."""
    when_sent(lab, lab.foreign)
    applied(lab)
    assert "could not be armed, and it goes on without: somebody has staged something new" in lab.warnings
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


def test_somebody_elses_revert_disarms_it(lab: Lab) -> None:
    """And costs nothing."""
    during(lab, lambda: lab.somebody("DELETE network"))
    applied(lab)
    assert "DELETE network" not in lab.writes


@pytest.mark.parametrize("late", [0.0, 4.0])
def test_somebody_elses_reload_makes_the_way_back_live_and_that_is_said(lab: Lab, late: float) -> None:
    """While ours runs theirs takes the file and applies nothing: the kernel follows with one more reload of ours."""
    up = lab.up

    def reload() -> None:
        lab.time.now += late
        lab.somebody("PUT network")

    during(lab, reload)
    error = rolled_back(lab, up)
    assert "has gone live: a power cycle did that, or a reload or an SDN apply by somebody" in error.message
    assert lab.reloads == 2


def test_with_keep_what_somebody_has_made_live_stays_and_is_told(lab: Lab) -> None:
    """Exit 1; the journal stays open, and a rollback makes sure."""
    up = lab.up
    during(lab, lambda: lab.somebody("PUT network"))
    error = lab.failed(errors.ApplyFailed, arm=True, on_failure=OnFailure.KEEP)
    assert "`pvenet rollback` looks" in error.hint
    assert back(lab).verdict is Verdict.ROLLED_BACK
    as_before(lab, up)


# --- arming meets trouble --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(1, 18))
def test_one_fault_at_any_request_while_armed_never_spoils_the_apply(lab: Lab, fault: str, at: int) -> None:
    """It goes on, armed or not, and leaves nothing staged."""
    when_sent(lab, lambda: lab.order(f"{fault}@{at}"))
    applied(lab)
    assert lab.pending is None


@pytest.mark.parametrize("at", range(1, 10))
def test_arming_that_is_refused_is_taken_back_at_once(lab: Lab, at: int) -> None:
    """By a lock that somebody holds: told as a warning; no part of it stays staged."""
    seen = []
    when_sent(lab, lambda: lab.order(f"locked@{at}"))
    during(lab, lambda: seen.append(lab.pending))
    applied(lab)
    if at <= 8:
        assert "could not be armed, and it goes on without" in lab.warnings
        assert seen == [None]
    assert lab.pending is None


def test_an_answer_that_does_not_come_takes_no_more_of_the_time_than_any_other_while_a_reload_runs(lab: Lab) -> None:
    """15 s, and then it is settled by reading."""
    begun, seen = lab.time.now, []
    when_sent(lab, lambda: lab.order("delay=50@2"))
    during(lab, lambda: seen.append(lab.time.now - begun))
    applied(lab)
    assert PATIENCE <= seen[0] <= PATIENCE + 1


def test_a_privilege_that_goes_while_it_is_armed_ends_unknown_and_still_armed(lab: Lab) -> None:
    """It can't be taken back, so that nothing can be verified; the last lines say what is staged there."""
    during(lab, lambda: lab.order("lacks=Sys.Modify@1"))
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "a power cycle is the easiest way" in error.hint
    assert lab.pending is not None


@pytest.mark.parametrize("reverted", [False, True])
def test_bridges_that_are_hidden_are_not_taken_for_gone(lab: Lab, *, reverted: bool) -> None:
    """A privilege to see them goes while it is armed: what is armed goes by its diff; nothing is said to be live."""

    def blind() -> None:
        if reverted:
            lab.somebody("DELETE network")
        lab.order("lacks=SDN.Audit@1", "lacks=SDN.Use@1")

    during(lab, blind)
    error = lab.failed(errors.StateUnknown, arm=True, on_failure=OnFailure.KEEP)
    assert "lacks SDN.Audit" in error.message
    assert lab.pending is None


def test_where_the_reload_took_nothing_nothing_is_armed(tmp_path: Path) -> None:
    """Somebody reverted in the window before it: the node has the network from before, and no way leads back to it."""
    lab = Lab(tmp_path / "lab")
    lab.widened()
    lab.order(f"foreign-revert@{SENT}")
    lab.failed(errors.RolledBack, arm=True, allow_management=True)
    assert "the node lists another network than what was pending" in lab.warnings
    assert not [event for event in lab.events if isinstance(event, Armed)]
    assert lab.writes == ["PUT network"]


def test_what_the_reload_has_not_taken_yet_is_waited_for(lab: Lab) -> None:
    """PVE's worker renames the file, perhaps after the answer: staged before that, the way back would be applied."""
    before, pending = lab.live, lab.pending
    taken = []

    def not_yet() -> None:
        taken.append(lab.live)
        (lab.network_folder / "interfaces").write_text(before)
        (lab.network_folder / "interfaces.new").write_text(pending or "")

    def now() -> None:
        (lab.network_folder / "interfaces.new").rename(lab.network_folder / "interfaces")

    when_sent(lab, not_yet)
    lab.asleep = [now]
    applied(lab)
    assert "the reload has not taken yet what was pending" in lab.waited


def test_what_is_never_taken_is_not_armed(lab: Lab) -> None:
    """It goes on without, after some seconds; what was pending stays untouched."""
    before, pending = lab.live, lab.pending
    begun, seen = lab.time.now, []

    def never() -> None:
        (lab.network_folder / "interfaces").write_text(before)
        (lab.network_folder / "interfaces.new").write_text(pending or "")

    when_sent(lab, never)
    during(lab, lambda: seen.append(lab.time.now - begun))
    with suppress(errors.PvenetError):
        lab.apply(arm=True, on_failure=OnFailure.KEEP)
    assert "what was pending still is" in lab.warnings
    assert TAKEN_WITHIN <= seen[0] <= TAKEN_WITHIN + 1
    assert lab.writes == ["PUT network"]


def test_a_journal_that_can_not_be_written_arms_nothing(lab: Lab) -> None:
    """What is staged must be known as a way back."""
    journal = lab.journals.path(lab.journals.all()[0])
    when_sent(lab, lambda: journal.with_suffix(".new").mkdir())
    assert lab.apply(arm=True).verdict is Verdict.APPLIED
    assert "could not be armed" in lab.warnings
    assert lab.writes == ["PUT network"]


def test_a_disk_that_fills_up_while_arming_takes_it_back(lab: Lab) -> None:
    """No step is staged that the journal does not know."""
    journal = lab.journals.path(lab.journals.all()[0])
    lab.adapter.after["DELETE network/vmbr1"] = lambda: journal.with_suffix(".new").mkdir()
    assert lab.apply(arm=True).verdict is Verdict.APPLIED
    assert "could not be armed" in lab.warnings
    assert lab.writes == ["PUT network", "DELETE network/vmbr1", "DELETE network"]


@pytest.mark.parametrize("at", range(1, 18))
def test_one_ctrl_c_while_armed_is_told_and_leaves_nothing_staged(lab: Lab, at: int) -> None:
    """Arming is taken back, or goes on; the story does."""
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1
        if counted == at:
            interrupt()

    when_sent(lab, lambda: setattr(lab.adapter, "every", count))
    applied(lab)
    assert lab.pending is None
    assert "Ctrl-C again" in lab.warnings


def test_two_ctrl_c_leave_it_armed_and_say_so(lab: Lab) -> None:
    """Exit 9, with both ways on."""
    lab.asleep = [interrupt, interrupt]
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "waiting was given up" in error.message
    assert "a power cycle of pve1, or anybody's reload, makes it live" in error.hint
    assert "`pvenet revert --node pve1` keeps what was applied" in error.hint
    assert lab.states == [State.ARMED]


def test_a_lost_answer_of_the_reload_is_found_and_then_armed(lab: Lab) -> None:
    """Its task says that it was started."""
    lab.order(f"drop-after@{SENT}")
    applied(lab)
    assert lab.writes == ["PUT network", *STAGED, "DELETE network"]


def test_exit_code_89_is_disarmed_before_the_second_reload_and_armed_again_after_it(lab: Lab) -> None:
    """Else the second reload would make the way back live."""
    lab.collide()
    assert lab.apply(arm=True).verdict is Verdict.APPLIED
    assert lab.writes == ["PUT network", *STAGED, "DELETE network", "PUT network", *STAGED, "DELETE network"]
    assert {"bond0", "vmbr1"} <= lab.up


# --- rolled back -----------------------------------------------------------------------------------------------------


def test_a_failed_reload_is_disarmed_and_rolled_back(lab: Lab) -> None:
    """As without."""
    up = lab.up
    lab.order(f"reload-fails@{SENT}")
    assert "exit code 1" in rolled_back(lab, up).message


def test_with_keep_a_failure_is_disarmed_and_kept(lab: Lab) -> None:
    """Nothing is left staged."""
    lab.order(f"reload-fails@{SENT}")
    lab.failed(errors.ApplyFailed, arm=True, on_failure=OnFailure.KEEP)
    assert lab.pending is None
    assert "iface bond0" in lab.live
    assert lab.states == [State.FAILED]


def test_with_keep_a_node_that_says_nothing_is_left_armed_and_that_is_said(lab: Lab) -> None:
    """Exit 9 with both ways on."""
    lab.order(f"path-lost@{SENT}")
    error = lab.failed(errors.StateUnknown, arm=True, on_failure=OnFailure.KEEP)
    assert "a power cycle of pve1, or anybody's reload, makes it live" in error.hint
    assert lab.states == [State.ARMED]


@pytest.mark.parametrize("seconds", [5, 40])
def test_a_way_that_is_lost_for_a_while_is_waited_for_and_disarmed(lab: Lab, seconds: int) -> None:
    """Within the deadline."""
    lab.order(f"path-lost={seconds}@{SENT}")
    applied(lab)
    assert lab.pending is None


def test_past_the_deadline_what_is_armed_is_the_way_back(lab: Lab) -> None:
    """Silence for 80 s: the rollback reloads what is staged already, and stages nothing."""
    up = lab.up
    lab.order(f"path-lost=80@{SENT}")
    rolled_back(lab, up)
    assert lab.writes == ["PUT network", *STAGED, "PUT network"]


def test_a_reload_that_hangs_stays_armed(lab: Lab) -> None:
    """It is not cancelled, and may hold its lock: the power cycle is the way."""
    lab.order(f"reload-hangs@{SENT}")
    error = lab.failed(errors.StateUnknown, arm=True)
    assert "a power cycle is the easiest way" in error.hint
    assert lab.states == [State.ARMED]
    found = status(lab.node, lab.journals)
    assert found.reloading
    assert "a power cycle of pve1" in found.todo
    power_cycle(lab)
    lab.time.sleep(2)
    assert "iface bond0" not in lab.live


# --- kill -9 ---------------------------------------------------------------------------------------------------------


def killed(lab: Lab, at: int, acted: str) -> Lab:
    """An armed apply that is killed at a request after its reload; the node half a minute later."""
    when_sent(lab, lambda: setattr(lab.adapter, "every", Killer(lab, at, acted)))
    with suppress(Killed):
        lab.apply(arm=True)
    lab = later(lab)
    lab.time.now += 30.0
    return lab


LIVE = ("bond0", "vmbr1")


@pytest.mark.parametrize("acted", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 21))
def test_after_kill_9_while_armed_status_tells_the_truth_and_rollback_leads_back(lab: Lab, at: int, acted: str) -> None:
    """Whatever of the way back is staged is used; nothing that is armed passes for a change to be applied."""
    up = lab.up
    lab = killed(lab, at, acted)
    found = status(lab.node, lab.journals)
    assert found.pending is (lab.pending is not None)
    assert found.ours is (lab.pending is not None)
    if lab.pending is not None:
        assert "its way back" in found.what
        assert "`pvenet revert --node pve1` keeps" in found.todo
        for act in (lab.apply, lambda: lab.stage({"vmbr1": None})):
            with pytest.raises(errors.RefusedByPvenet, match="the way back of an apply that was armed"):
                act()
    assert back(lab).verdict is Verdict.ROLLED_BACK
    as_before(lab, up)
    assert status(lab.node, lab.journals).state is State.ROLLED_BACK
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})


@pytest.mark.parametrize("at", range(1, 21))
def test_after_kill_9_while_armed_revert_keeps_what_was_applied(lab: Lab, at: int) -> None:
    """And the next apply says how the reload has ended."""
    lab = killed(lab, at, "after")
    there = lab.pending is not None
    assert lab.revert() is there
    assert lab.pending is None
    assert set(LIVE) <= lab.up
    assert "nobody has looked" in status(lab.node, lab.journals).what or lab.states == [State.APPLIED]
    assert lab.apply().verdict is Verdict.NOTHING
    assert lab.states == [State.APPLIED]
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert "bond0" not in lab.live


@pytest.mark.parametrize("at", range(1, 21))
def test_after_kill_9_and_a_power_cycle_status_says_what_has_booted(lab: Lab, at: int) -> None:
    """The network from before, the new one, or a part of the way back; a rollback leads back from each."""
    lab = killed(lab, at, "after")
    power_cycle(lab)
    lab.time.sleep(2)
    found = status(lab.node, lab.journals)
    assert found.pending is False
    assert ("is rolled back" in found.what) is ("bond0" not in lab.live and "auto ens39" not in lab.live)
    assert back(lab).verdict is Verdict.ROLLED_BACK
    as_before(lab, {"ens33", "vmbr0"})


def test_while_the_reload_of_a_killed_apply_runs_nothing_is_reverted_or_staged(lab: Lab) -> None:
    """A listing would freeze the flags; what is armed stays so meanwhile."""
    when_sent(lab, lambda: setattr(lab.adapter, "every", Killer(lab, len(ARMING) + 1, "before")))
    with suppress(Killed):
        lab.apply(arm=True)
    lab = later(lab)
    for act in (lab.revert, lambda: lab.stage({"vmbr1": None})):
        with pytest.raises(errors.Busy, match="still runs"):
            act()
    assert "GET network" not in lab.sent
    assert lab.pending is not None


def test_diff_and_the_question_of_a_rollback_show_what_goes_back(lab: Lab, run: Callable[..., Ran]) -> None:
    """From what is live, which the node does not list while it is armed."""
    lab = killed(lab, len(ARMING) + 2, "before")
    found = survey(lab.journals, lab.node.read())
    assert (found.ours, found.armed) == (True, True)
    gone = {change.name for change in found.changes if isinstance(change, Delete)}
    assert gone == {"bond0", "vmbr1"}
    assert "the way back of an apply that was armed" in run("--sim", str(lab.folder), "diff").err
    back(lab)
    shown = lab.events[0]
    assert isinstance(shown, Shown)
    assert gone <= {change.name for change in shown.changes}


def test_somebody_elses_staging_upon_what_a_killed_apply_has_armed_is_not_ours(lab: Lab) -> None:
    """Nothing of it is touched; status says what lies beneath."""
    lab = killed(lab, len(ARMING) + 2, "before")
    lab.foreign()
    found = status(lab.node, lab.journals)
    assert (found.pending, found.ours) == (True, False)
    assert "with them the way back of an apply that was armed" in found.what
    for act in (lambda: back(lab), lab.revert, lab.apply):
        with pytest.raises(errors.NotOurs):
            act()


# --- what can't be armed ---------------------------------------------------------------------------------------------


def test_what_is_not_ours_can_not_be_armed(tmp_path: Path) -> None:
    """Refused before the question, and nothing is sent."""
    lab = Lab(tmp_path / "lab")
    lab.foreign()
    error = lab.failed(errors.RefusedByPvenet, adopt=True, arm=True)
    assert "nothing to arm it with" in error.message
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
    assert "no way back" in error.message
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
