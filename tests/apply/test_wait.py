"""Waiting for a reload that somebody has left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from housed import housed
from killed import Killed, back
from lab import Lab, interrupt

from pvenet import errors
from pvenet.apply.options import ApplyOptions
from pvenet.apply.wait import Said, wait
from pvenet.events import OnFailure, Verdict
from pvenet.journal import YES, State
from pvenet.model import Bond, BondMode

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.events import Ended


GUESTS = ("101:web:vmbr1:20", "102:db:vmbr1,firewall", "205:proxy:vmbr1,ct", "110:old:vmbr1,stopped")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path / "lab", reload_seconds=5.0)
    lab.tagged()
    return lab


def waited(lab: Lab, **options: Any) -> Ended:
    """Another process waits."""
    node, journals = lab.client()
    return wait(node, journals, ApplyOptions(), lab.runtime(), said=Said(**options))


def left(lab: Lab, *faults: str) -> None:
    """Somebody applies, and waits for nothing."""
    lab.order(*faults)
    lab.apply(wait=False)
    lab.forget()


def test_what_nobody_waited_for_is_verified(lab: Lab) -> None:
    """The same end as an apply that waited: while it runs nothing is listed, and the journal is closed."""
    left(lab)
    end = waited(lab)
    assert end.verdict is Verdict.APPLIED
    assert end.message.startswith("applied and verified on pve1: ens38, ens39, bond0, vmbr1")
    assert lab.states == [State.APPLIED]
    assert not [sent for sent in lab.adapter.sent if sent.reloading and sent.text == "GET network"]


def test_a_second_ctrl_c_is_taken_up(lab: Lab) -> None:
    """Its hint names the command that does it."""
    lab.asleep = [lambda: None, interrupt, interrupt]
    error = lab.failed(errors.StateUnknown)
    assert "`pvenet wait`" in error.hint
    lab.asleep = []
    assert waited(lab).verdict is Verdict.APPLIED


@pytest.mark.parametrize(
    "fault", ["reload-fails@PUT network", "never-up=bond0@PUT network", "not-joined=ens38@PUT network"]
)
def test_what_fails_is_rolled_back(lab: Lab, fault: str) -> None:
    """By its task, by the flags, by the kernel: as the apply would have."""
    left(lab, fault)
    with pytest.raises(errors.RolledBack):
        waited(lab)
    assert lab.states == [State.ROLLED_BACK]
    assert "bond0" not in lab.live


def test_a_guest_that_is_lost_is_a_failure(tmp_path: Path) -> None:
    """It runs, and hangs on no bridge, though its configuration names one."""
    lab = Lab(housed(tmp_path / "lab", GUESTS))
    bond = lab.node.read().network.interfaces["bond0"]
    assert isinstance(bond, Bond)
    lab.stage({"bond0": replace(bond, mode=BondMode.ACTIVE_BACKUP)})
    left(lab, "guest-lost=101@PUT network")
    with pytest.raises(errors.RolledBack, match=r"guest 101 web \(net0\) was on vmbr1 and is no longer on any bridge"):
        waited(lab)


def test_guests_that_are_there_fail_nothing(tmp_path: Path) -> None:
    """Each hangs where its configuration says, behind a firewall's bridge too."""
    lab = Lab(housed(tmp_path / "lab", GUESTS))
    bond = lab.node.read().network.interfaces["bond0"]
    assert isinstance(bond, Bond)
    lab.stage({"bond0": replace(bond, mode=BondMode.ACTIVE_BACKUP)})
    left(lab)
    assert waited(lab).verdict is Verdict.APPLIED


def test_what_fails_is_kept_where_that_is_wanted(lab: Lab) -> None:
    """Exit 1, and nothing is sent."""
    left(lab, "reload-fails@PUT network")
    with pytest.raises(errors.ApplyFailed):
        waited(lab, on_failure=OnFailure.KEEP)
    assert lab.states == [State.FAILED]
    assert lab.writes == []


def forgotten(lab: Lab) -> None:
    """As an older pvenet has left it: nothing was handed over."""
    (file,) = lab.journals.folder.glob("*.handover")
    file.unlink()


def test_what_was_not_known_is_said(lab: Lab) -> None:
    """What the kernel had before, an older pvenet has not kept; what the reload was to bring is judged all the same."""
    left(lab, "not-joined=ens38@PUT network")
    forgotten(lab)
    with pytest.raises(errors.RolledBack, match="ens38"):
        waited(lab)
    assert "is not known here" in lab.warnings


def test_what_was_known_is_handed_over(lab: Lab) -> None:
    """Nothing is unknown then, and the file is its owner's alone; it goes with its journal."""
    left(lab)
    (file,) = lab.journals.folder.glob("*.handover")
    assert file.stat().st_mode & 0o777 == 0o600
    assert waited(lab).verdict is Verdict.APPLIED
    assert "not known" not in lab.warnings
    assert {each.name for each in lab.end.interfaces} == {"bond0", "ens38", "ens39", "vmbr1"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"options": 1}', '{"options": {"timeout": -1}}', '{"known": "a"}'])
def test_a_handover_that_somebody_has_edited_is_none(lab: Lab, text: str) -> None:
    """It is then as if an older pvenet had left it."""
    left(lab)
    (file,) = lab.journals.folder.glob("*.handover")
    file.write_text(text)
    assert waited(lab).verdict is Verdict.APPLIED
    assert "is not known here" in lab.warnings


def test_what_the_apply_was_told_decides(lab: Lab) -> None:
    """Here to keep what fails; whoever waits may say otherwise."""
    lab.order("reload-fails@PUT network")
    lab.apply(wait=False, on_failure=OnFailure.KEEP)
    with pytest.raises(errors.ApplyFailed):
        waited(lab)


def test_what_whoever_waits_says_goes_first(lab: Lab) -> None:
    """The apply was told to keep what fails."""
    lab.order("reload-fails@PUT network")
    lab.apply(wait=False, on_failure=OnFailure.KEEP)
    with pytest.raises(errors.RolledBack):
        waited(lab, on_failure=OnFailure.ROLLBACK)


def test_no_argument_of_a_command_is_kept(lab: Lab) -> None:
    """It may be a secret: whoever waits has to say the command again, and until then nothing is decided."""
    lab.apply(wait=False, verify_with=("false", "--token=s3cret"))
    (file,) = lab.journals.folder.glob("*.handover")
    assert "s3cret" not in file.read_text()
    with pytest.raises(errors.RefusedByPvenet, match="gives false the last word"):
        waited(lab)
    assert lab.states == [State.RELOADING]
    with pytest.raises(errors.RolledBack):
        waited(lab, verify_with=("false",))


def test_a_word_that_is_waited_for_is_waited_for_still(lab: Lab) -> None:
    """Killed while it asked: in the time that is left nobody confirms, and it goes back."""
    left_asking(lab)
    with pytest.raises(errors.NotConfirmed, match="nobody confirmed what was applied on pve1 within 30 s"):
        waited(lab)
    assert "bond0" not in lab.live


def test_a_word_that_was_said_meanwhile_counts(lab: Lab) -> None:
    """`pvenet confirm`, after the apply was killed."""
    left_asking(lab)
    lab.journals.decide(lab.journals.all()[0], YES)
    assert waited(lab).message.endswith("; confirmed")
    assert lab.states == [State.CONFIRMED]


def left_asking(lab: Lab) -> None:
    """An apply that is killed while it waits for a person's word."""

    def kill(_left: float) -> bool | None:
        raise Killed

    lab.person = kill
    with pytest.raises(Killed):
        lab.apply(confirm_within=30.0)
    lab.person = lambda _left: None
    assert lab.states == [State.CONFIRMING]


def test_a_rollback_that_is_asked_for_goes_by_nothing_of_then(lab: Lab) -> None:
    """Its apply may be of another day; and it works from a journal that has a handover."""
    left(lab)
    assert waited(lab).verdict is Verdict.APPLIED
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert not list(lab.journals.folder.glob("*.handover"))


def test_a_cluster_that_loses_its_link_is_a_failure(tmp_path: Path) -> None:
    """Who was online before is known, whoever waits."""
    lab = Lab(housed(tmp_path / "lab", (), ()))
    lab.widened()
    lab.order("link-lost=0@PUT network", "link-lost=1@PUT network")
    lab.apply(wait=False, allow_management=True)
    with pytest.raises(errors.RolledBack, match="the cluster has lost its quorum"):
        waited(lab)


def test_a_task_that_the_node_has_forgotten_leaves_the_verdict_to_what_is_there(lab: Lab) -> None:
    """Its list of tasks is short; and what is there is as it was wanted, or it is not."""
    left(lab)
    lab.sleep(10.0)
    assert "bond0" in lab.up
    for path in lab.adapter.sim.node("pve1").tasks.iterdir():
        path.unlink()
    assert waited(lab).verdict is Verdict.APPLIED
    assert "what it lists decides" in lab.warnings


def test_with_nothing_left_there_is_nothing_to_wait_for(lab: Lab) -> None:
    """What is only staged is no reload; what has ended is told as it ended."""
    assert waited(lab).verdict is Verdict.NOTHING
    lab.apply()
    assert waited(lab).message == "pve1: nothing is pending; the last apply from here ended well"


def test_what_failed_before_fails_still(lab: Lab) -> None:
    """A script that waits hears of it, whoever has looked first."""
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    with pytest.raises(errors.ApplyFailed):
        waited(lab)


def test_one_that_is_waited_for_is_not_taken_away(lab: Lab) -> None:
    """Another pvenet holds the journals."""
    left(lab)
    with lab.journals.lock(), pytest.raises(errors.Busy):
        waited(lab)


def test_a_rollback_that_was_left_goes_on(lab: Lab) -> None:
    """Ctrl-C twice while it was on its way."""
    presses = [interrupt, interrupt]

    def press() -> None:
        if lab.reloads == 2 and presses:
            lab.asleep.append(press)
            presses.pop()()
        lab.asleep.append(press)

    lab.order("reload-fails@PUT network")
    lab.asleep = [press]
    lab.failed(errors.StateUnknown)
    assert lab.states == [State.ROLLING_BACK]
    lab.asleep = []
    with pytest.raises(errors.RolledBack):
        waited(lab)
    assert lab.states == [State.ROLLED_BACK]


def test_an_armed_one_is_disarmed(lab: Lab) -> None:
    """What was staged to lead back goes, as at the end of its apply."""
    presses = [interrupt, interrupt]

    def press() -> None:
        if lab.states == [State.ARMED] and presses:
            lab.asleep.append(press)
            presses.pop()()
        lab.asleep.append(press)

    lab.asleep = [press]
    lab.failed(errors.StateUnknown, arm=True)
    assert lab.states == [State.ARMED]
    lab.asleep = []
    assert waited(lab).verdict is Verdict.APPLIED
    assert lab.pending is None


def test_it_may_wait_for_a_word(lab: Lab) -> None:
    """As the apply might have: nobody confirms, and it goes back."""
    left(lab)
    with pytest.raises(errors.NotConfirmed):
        waited(lab, confirm_within=5.0)
    assert "bond0" not in lab.live


def test_a_reload_that_never_arrived_leaves_what_is_staged(lab: Lab) -> None:
    """Nothing of it is live, which is no success, and a second apply applies it."""
    (journal,) = lab.journals.all()
    lab.journals.write(replace(journal, state=State.RELOADING))
    with pytest.raises(errors.Unreachable, match="did not reach pve1"):
        waited(lab)
    assert lab.states == [State.STAGING]
    assert lab.apply().verdict is Verdict.APPLIED
