"""The apply story on a good day, and everything that may stop it before the reload."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from conftest import FIXTURES
from story import APPLY, BOND, TAGGED, VMBR1, Lab, interrupt

from pvenet import errors
from pvenet.events import Ended, Reloading, Shown, TaskEnded, Verdict, Verified, Waiting
from pvenet.journal import State
from pvenet.model import Bridge, Ethernet
from pvenet.plan import Risk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def polls(lab: Lab) -> int:
    return lab.sent.count("GET tasks/UPID/status")


# --- the whole story -------------------------------------------------------------------------------------------------


def test_the_walkthrough_ends_in_the_file_that_a_real_node_wrote(lab: Lab) -> None:
    """Three commands stage, one applies: byte for byte, everything up, the journal closed."""
    lab.widened()
    lab.stage({"bond0": BOND})
    lab.stage({"vmbr1": VMBR1})
    end = lab.apply(allow_management=True)
    assert end.verdict is Verdict.APPLIED
    assert end.exit_code == 0
    assert lab.live == (FIXTURES / "walkthrough" / "interfaces.applied").read_text()
    assert lab.pending is None
    assert {"bond0", "vmbr1", "ens38", "ens39"} <= lab.up
    assert lab.states == [State.APPLIED]


def test_events_come_in_the_order_of_the_story(lab: Lab) -> None:
    """Shown, reloading, waiting while it runs, the task's end, a look at the interfaces, verified, the end."""
    lab.tagged()
    lab.apply()
    kinds = [type(event) for event in lab.events]
    assert kinds == [Shown, Reloading, *[Waiting] * 4, TaskEnded, Waiting, Verified, Ended]
    shown, verified = lab.events[0], lab.events[-2]
    assert isinstance(shown, Shown)
    assert isinstance(verified, Verified)
    assert (shown.ours, shown.risk) == (True, Risk.NONE)
    assert [change.name for change in shown.changes] == ["ens38", "ens39", "bond0", "vmbr1"]
    assert shown.pending.startswith("--- /etc/network/interfaces\t")
    assert verified.active == ("bond0", "ens33", "ens38", "ens39", "vmbr0", "vmbr1")


def test_an_apply_sends_only_what_the_contract_needs(lab: Lab) -> None:
    """Privileges, addresses, tasks, the network, the reload; its task until it ends, its log, the network."""
    lab.tagged()
    lab.nature(reload_seconds=0.0)
    lab.apply()
    assert lab.sent == [*APPLY, "GET tasks/UPID/status", "GET tasks/UPID/log", "GET network"]


def test_nothing_stands_between_the_look_and_the_reload(lab: Lab) -> None:
    """Whoever stages after the last look is not seen: it is the request before the reload."""
    lab.tagged()
    lab.apply()
    at = lab.sent.index("PUT network")
    assert lab.sent[at - 1] == "GET network"


def test_a_question_costs_a_second_look(lab: Lab) -> None:
    """While somebody thinks, others stage and reload: tasks and network are asked again."""
    lab.tagged()
    lab.nature(reload_seconds=0.0)
    lab.apply(ask=lambda _: True)
    assert lab.sent[:7] == [*APPLY[:4], "GET tasks", "GET network", "PUT network"]


def test_while_the_reload_runs_only_its_task_is_asked_for(lab: Lab) -> None:
    """A listing would freeze the server's flags (facts, section 11)."""
    lab.tagged()
    lab.nature(reload_seconds=5.0)
    lab.apply()
    during = {sent.text for sent in lab.adapter.sent if sent.reloading}
    assert during == {"GET tasks/UPID/status"}


def test_deleted_interfaces_are_verified_to_be_gone(lab: Lab) -> None:
    """What was there before and is not wanted is told as gone."""
    lab.tagged()
    lab.apply()
    lab.stage({"vmbr1": None, "bond0": None})
    lab.apply()
    verified = lab.events[-2]
    assert isinstance(verified, Verified)
    assert verified.gone == ("bond0", "vmbr1")
    assert "vmbr1" not in lab.up


def test_the_clocks_need_not_agree(lab: Lab) -> None:
    """The node's clock may be days off, and jump: nothing of it is compared with ours."""
    lab.tagged()
    lab.adapter.front.clock = lambda: lab.time.now - 3 * 86400.0
    assert lab.apply().verdict is Verdict.APPLIED


# --- nothing to do ---------------------------------------------------------------------------------------------------


def test_nothing_pending_is_a_verdict_and_no_reload(lab: Lab) -> None:
    """Exit 0, and four looks."""
    end = lab.apply()
    assert (end.verdict, end.exit_code) == (Verdict.NOTHING, 0)
    assert lab.sent == APPLY[:4]
    assert lab.warnings == ""


@pytest.mark.parametrize(("act", "word"), [("PUT network", "applied"), ("DELETE network", "reverted")])
def test_what_somebody_else_did_with_our_staging_is_told(lab: Lab, act: str, word: str) -> None:
    """Nothing is pending, because somebody applied or reverted what was staged from here."""
    lab.tagged()
    lab.somebody(act)
    lab.time.sleep(1)
    assert lab.apply().verdict is Verdict.NOTHING
    assert f"not pending any more: it was {word} elsewhere" in lab.warnings
    assert lab.states == [State.DROPPED]


def test_an_apply_after_a_failed_one_is_not_silent(lab: Lab) -> None:
    """Nothing is pending after a failed reload; that the last one failed is told, with the journal's place."""
    lab.tagged()
    lab.order("reload-fails@1")
    lab.failed(errors.ApplyFailed)
    assert lab.apply().verdict is Verdict.NOTHING
    assert "the last apply from here to pve1 failed" in lab.warnings
    assert str(lab.journals.folder) in lab.warnings


# --- whose it is -----------------------------------------------------------------------------------------------------


def test_what_is_not_ours_is_refused_and_left_alone(lab: Lab) -> None:
    """NotOurs with the diff; nothing is sent, and it stays pending."""
    lab.foreign()
    before = lab.pending
    error = lab.failed(errors.NotOurs)
    assert isinstance(error, errors.NotOurs)
    assert "vmbr99" in error.changes
    assert "--adopt" in error.hint
    assert lab.writes == []
    assert lab.pending == before


def test_what_is_adopted_goes_live_and_is_verified(lab: Lab) -> None:
    """With adopt it goes on, saying what can't be told; a journal marks it as adopted."""
    lab.foreign()
    end = lab.apply(adopt=True)
    assert end.verdict is Verdict.APPLIED
    assert "not pvenet's own" in lab.warnings
    shown = lab.events[0]
    assert isinstance(shown, Shown)
    assert not shown.ours
    assert [(journal.adopted, journal.state) for journal in lab.journals.all()] == [(True, State.APPLIED)]


def test_adopted_changes_have_to_bring_everything_up(lab: Lab) -> None:
    """Who can't tell what was touched expects every interface with autostart to be active."""
    lab.somebody("POST network", iface="vmbr99", type="bridge", autostart="1")
    lab.order("never-up=vmbr99@1")
    assert "not active: vmbr99" in lab.failed(errors.ApplyFailed, adopt=True).message


def test_a_foreign_change_on_top_of_ours_makes_it_not_ours(lab: Lab) -> None:
    """Until they take it back: then it is ours again."""
    lab.tagged()
    lab.foreign()
    lab.failed(errors.NotOurs)
    lab.somebody("DELETE network/vmbr99")
    assert lab.apply().verdict is Verdict.APPLIED


def test_what_was_staged_on_top_of_theirs_needs_adopt_to_go_live(lab: Lab) -> None:
    """Adopting while staging does not make it ours."""
    lab.foreign()
    lab.stage({"bond0": BOND}, adopt=True)
    lab.failed(errors.NotOurs)
    assert lab.apply(adopt=True).verdict is Verdict.APPLIED


# --- management and consent ------------------------------------------------------------------------------------------


def test_the_way_to_the_node_is_not_touched_without_consent_to_that(lab: Lab) -> None:
    """Widening vmbr0 is refused without allow_management, whoever says yes; the journal and the node are as before."""
    lab.widened()
    before = lab.journals.all()
    staged = lab.pending
    error = lab.failed(errors.ManagementRisk, ask=lambda _: True)
    assert "vmbr0 on ens33" in error.message
    assert "--allow-management" in error.hint
    assert lab.writes == []
    assert lab.journals.all() == before
    assert lab.pending == staged
    shown = lab.events[0]
    assert isinstance(shown, Shown)
    assert shown.risk is Risk.MANAGEMENT


def test_consent_to_management_is_still_told(lab: Lab) -> None:
    """With allow_management it goes on, and says which way it touches."""
    lab.widened()
    lab.apply(allow_management=True)
    assert "vmbr0 on ens33" in lab.warnings


def test_our_own_part_of_adopted_changes_is_judged(lab: Lab) -> None:
    """What was staged from here on top of somebody else's changes needs the same consent."""
    lab.foreign()
    vmbr0 = lab.node.read().network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    lab.stage({"vmbr0": replace(vmbr0, ports=("ens33", "ens37"))}, adopt=True)
    lab.failed(errors.ManagementRisk, adopt=True)
    assert lab.apply(adopt=True, allow_management=True).verdict is Verdict.APPLIED


@pytest.mark.parametrize("error", [errors.NeedsConsent("no terminal"), errors.NeedsConsent("not agreed")])
def test_without_a_yes_nothing_is_sent(lab: Lab, error: errors.NeedsConsent) -> None:
    """No terminal, or the answer no: exit 7, and everything as it was."""

    def ask(_question: str) -> bool:
        raise error

    lab.tagged()
    before = lab.journals.all()
    assert lab.failed(errors.NeedsConsent, ask=ask).exit_code == 7
    assert lab.writes == []
    assert lab.journals.all() == before
    assert lab.pending is not None


def test_ctrl_c_at_the_question_leaves_everything_as_it_was(lab: Lab) -> None:
    """Exit 130, nothing sent, pending as it was."""
    lab.tagged()
    before = lab.pending
    error = lab.failed(errors.Interrupted, ask=lambda _: interrupt())
    assert error.exit_code == 130
    assert lab.writes == []
    assert lab.pending == before
    assert lab.states == [State.STAGING]


def test_a_missing_privilege_is_named_before_anything(tmp_path: Path) -> None:
    """Hidden bridges would make the verification blind: exit 5."""
    lab = Lab(tmp_path / "lab", user="sysonly@pve!tok")
    error = lab.failed(errors.PermissionMissing)
    assert error.exit_code == 5
    assert lab.sent == ["GET permissions"]


def test_another_pvenet_on_the_node_is_busy(lab: Lab) -> None:
    """One at a time from one machine."""
    with lab.journals.lock():
        lab.failed(errors.Busy)
    assert lab.sent == []


def test_a_journal_that_cannot_be_written_stops_before_the_reload(lab: Lab) -> None:
    """On disk before anything changes."""
    lab.tagged()
    journal = lab.journals.path(lab.journals.all()[0])
    lab.adapter.after["GET network"] = lambda: journal.with_suffix(".new").mkdir()
    lab.failed(errors.PvenetError)
    assert lab.writes == []


# --- compare ---------------------------------------------------------------------------------------------------------


def answering(lab: Lab, act: str, **form: str) -> bool:
    """Somebody else acts while the question is open."""
    lab.somebody(act, **form)
    return True


def test_a_foreign_edit_while_the_question_is_open_makes_it_stale(lab: Lab) -> None:
    """What was shown is not what would go live: nothing is sent."""
    lab.tagged()
    error = lab.failed(errors.Stale, ask=lambda _: answering(lab, "POST network", iface="vmbr99", type="bridge"))
    assert error.exit_code == 7
    assert lab.writes == []
    assert "vmbr99" in (lab.pending or "")


@pytest.mark.parametrize("act", ["DELETE network", "PUT network"])
def test_a_foreign_end_of_our_staging_while_the_question_is_open_is_told(lab: Lab, act: str) -> None:
    """Somebody reverted it, or applied it: their reload is waited for, and nothing is pending any more."""
    lab.tagged()
    error = lab.failed(errors.Stale, ask=lambda _: answering(lab, act))
    assert "nothing is pending on pve1 any more" in error.message
    assert lab.writes == []


def test_a_foreign_reload_is_waited_for_before_anything_is_listed(lab: Lab) -> None:
    """It runs when we look; what is staged after its start is still there to apply."""
    lab.nature(reload_seconds=3.0)
    lab.somebody("PUT network")
    lab.foreign()
    assert lab.apply(adopt=True).verdict is Verdict.APPLIED
    assert lab.waited[0] == "another reload runs on pve1"
    assert lab.sent.count("PUT network") == 1


def test_a_foreign_reload_that_never_ends_is_not_waited_for_for_ever(lab: Lab) -> None:
    """Waiting is given up at the timeout, with nothing sent and the task named."""
    lab.order("reload-hangs@1")
    lab.tagged()
    lab.somebody("POST network", iface="vmbr99", type="bridge")
    lab.nature(reload_seconds=1000.0)
    lab.somebody("PUT network")
    error = lab.failed(errors.StateUnknown)
    assert error.exit_code == 9
    assert "nothing was sent" in error.message
    assert "UPID:pve1" in error.hint
    assert lab.writes == []


def test_a_foreign_reload_that_took_our_staging_leaves_nothing_to_apply(lab: Lab) -> None:
    """It runs when we look: waited for, then told that what was staged from here was applied elsewhere."""
    lab.tagged()
    lab.nature(reload_seconds=3.0)
    lab.somebody("PUT network")
    assert lab.apply().verdict is Verdict.NOTHING
    assert "it was applied elsewhere" in lab.warnings


def test_a_foreign_edit_in_the_last_moment_goes_live_and_is_told(lab: Lab) -> None:
    """PVE has no lock: the window of one request remains, and what slipped in is named."""
    lab.tagged()
    lab.order("foreign-edit@5")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "somebody else's vmbr99 went live with it" in lab.warnings


def test_a_foreign_revert_in_the_last_moment_is_no_success(lab: Lab) -> None:
    """The reload ends well and has applied nothing: what is missing is named."""
    lab.tagged()
    lab.order("foreign-revert@5")
    error = lab.failed(errors.ApplyFailed)
    assert "not configured as it was pending: bond0" in error.message
    assert lab.pending is None
    assert lab.states == [State.FAILED]


# --- polling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 0.55, 1.0, 1.4])
def test_the_end_of_a_short_task_is_noticed_at_once(lab: Lab, seconds: float) -> None:
    """Within 0.15 s."""
    lab.tagged()
    lab.nature(reload_seconds=seconds)
    lab.apply()
    assert -0.001 <= lab.end.elapsed - seconds <= 0.15


def test_a_long_task_is_asked_for_less_often(lab: Lab) -> None:
    """Fifty seconds cost fewer requests than the first eight at that pace would."""
    lab.tagged()
    lab.nature(reload_seconds=50.0)
    lab.apply()
    assert polls(lab) < 80
    assert lab.end.elapsed <= 52.0


def test_a_nic_that_changes_is_verified_like_any_other(lab: Lab) -> None:
    """An update of one NIC: it is told by name."""
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})
    assert lab.apply().message == "applied and verified on pve1: ens40"


@pytest.mark.parametrize("name", sorted(TAGGED))
def test_what_is_staged_is_named_in_the_end(lab: Lab, name: str) -> None:
    """The last message says what has become live."""
    lab.tagged()
    assert name in lab.apply().message
