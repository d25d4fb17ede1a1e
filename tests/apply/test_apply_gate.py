"""What may stop an apply before its reload: whose it is, consent, and what others do meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from killed import back
from lab import BOND, TAGGED, Lab, interrupt

from pvenet import errors
from pvenet.apply.status import status
from pvenet.events import OnFailure, Shown, Verdict
from pvenet.journal import State
from pvenet.model import Bridge, Ethernet
from pvenet.plan import Risk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab", on_failure=OnFailure.KEEP)


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
    assert "were not staged by pvenet" in lab.warnings
    shown = lab.events[0]
    assert isinstance(shown, Shown)
    assert not shown.ours
    assert [(journal.adopted, journal.state) for journal in lab.journals.all()] == [(True, State.APPLIED)]


def test_adopted_changes_have_to_bring_everything_up(lab: Lab) -> None:
    """Who can't tell what was touched expects every interface with autostart to be active."""
    lab.somebody("POST network", iface="vmbr99", type="bridge", autostart="1")
    lab.order("never-up=vmbr99@PUT network")
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


def test_what_was_ours_beneath_is_applied_with_what_was_adopted(lab: Lab) -> None:
    """No journal is left that claims it was applied elsewhere."""
    lab.tagged()
    lab.foreign()
    lab.apply(adopt=True)
    lab.apply()
    assert lab.warnings == (
        "these changes were not staged by pvenet: it can't tell what they touch, perhaps the management "
        "path, and can't roll them back"
    )
    assert lab.states == [State.DROPPED, State.APPLIED]


# --- management and consent ------------------------------------------------------------------------------------------


def test_the_way_to_the_node_is_not_touched_without_consent_to_that(lab: Lab) -> None:
    """Widening vmbr0 is refused without allow_management, whoever says yes; the journal and the node are as before."""
    lab.widened()
    before = lab.journals.all()
    staged = lab.pending
    error = lab.failed(errors.ManagementRisk, ask=lambda _: True)
    assert "this widens the management path of pve1: ens33 > vmbr0 > 192.168.171.21" in error.message
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
    assert "this widens the management path of pve1: ens33 > vmbr0 > 192.168.171.21" in lab.warnings


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
    lab = Lab(tmp_path / "lab", user="sysonly@pve!tok", on_failure=OnFailure.KEEP)
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
    lab.failed(errors.JournalUnwritable)
    assert lab.writes == []


# --- compare ---------------------------------------------------------------------------------------------------------


def answering(lab: Lab, act: str, **form: Any) -> bool:
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
    assert lab.waited[0] == "another reload is running on pve1"
    assert lab.sent.count("PUT network") == 1


def test_a_foreign_reload_that_never_ends_is_not_waited_for_for_ever(lab: Lab) -> None:
    """Waiting is given up at the timeout, with nothing sent and the task named."""
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
    lab.order("foreign-edit@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "somebody else's vmbr99 went live with it" in lab.warnings


@pytest.mark.parametrize("options", [{}, {"confirm_within": 30.0}, {"arm": True}], ids=str)
def test_a_field_of_ours_that_somebody_sets_in_the_last_moment_is_named(options: dict[str, Any], lab: Lab) -> None:
    """Theirs is live, which is no success and no reason to undo theirs: no rollback is tried, and none is proposed."""
    lab.stage({"ens40": Ethernet(name="ens40", comments="mine"), **TAGGED})
    lab.order("foreign-comment=ens40@PUT network")
    error = lab.failed(errors.ApplyFailed, on_failure=OnFailure.ROLLBACK, **options)
    assert "ens40 (comments) on pve1 is live with somebody else's value" in error.message
    assert "pvenet rollback" not in error.hint
    assert lab.reloads == 1
    assert lab.pending is None
    assert {"#Somebody else was here", "auto bond0"} <= set(lab.live.splitlines())
    found = status(lab.node, lab.journals)
    assert "ens40 (comments)" in found.what
    assert "rollback" not in found.todo
    with pytest.raises(errors.Stale, match=r"ens40 \(comments\)"):
        back(lab)


def test_a_field_that_somebody_sets_in_the_last_moment_beside_ours_is_named(lab: Lab) -> None:
    """Another one of the same interface goes live with ours, which is a success."""
    lab.stage({"ens40": Ethernet(name="ens40", comments="mine")})
    lab.order("foreign-set=ens40:mtu=1400@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "somebody else's ens40 (mtu) went live with it" in lab.warnings


def test_where_a_field_of_ours_is_theirs_and_something_is_down_no_rollback_is_proposed(lab: Lab) -> None:
    """It would undo theirs: it is not done, and the next one would be refused."""
    lab.stage({"ens40": Ethernet(name="ens40", comments="mine"), **TAGGED})
    lab.order("foreign-comment=ens40@PUT network", "never-up=bond0@PUT network")
    error = lab.failed(errors.StateUnknown, on_failure=OnFailure.ROLLBACK)
    assert "not active: bond0" in error.message
    assert "somebody else has changed ens40 (comments)" in error.message
    assert "pvenet rollback" not in error.hint
    assert "pvenet list" in error.hint


def test_a_foreign_revert_in_the_last_moment_is_no_success(lab: Lab) -> None:
    """The reload ends well and has applied nothing: what is missing is named, and why."""
    lab.tagged()
    lab.order("foreign-revert@PUT network")
    error = lab.failed(errors.ApplyFailed)
    assert "not configured as it was pending: bond0" in error.message
    assert "somebody had reverted what was pending just before" in error.message
    assert lab.writes == ["PUT network"]
    assert lab.pending is None
    assert lab.states == [State.FAILED]


def test_what_became_of_adopted_staging_is_not_guessed(lab: Lab) -> None:
    """Its baseline holds somebody else's changes: whether it was applied or reverted can't be told."""
    lab.foreign()
    lab.stage({"vmbr5": Bridge(name="vmbr5")}, adopt=True)
    lab.somebody("DELETE network")
    assert lab.apply().verdict is Verdict.NOTHING
    assert lab.warnings == ""


def test_what_was_never_staged_was_reverted_by_nobody(lab: Lab) -> None:
    """Killed before its first write: nothing is told about it."""
    lab.tagged()
    lab.somebody("DELETE network")
    lab.journals.write(replace(lab.journals.all()[-1], pending=None))
    assert lab.apply().verdict is Verdict.NOTHING
    assert lab.warnings == ""
