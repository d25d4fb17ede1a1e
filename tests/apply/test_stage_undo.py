"""Staging on a bad day: all of a plan or nothing of it, and never over somebody else's work."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lab import BOND, TAGGED, UNDONE, Lab, interrupt

from pvenet import errors
from pvenet.journal import Ours, State, ownership
from pvenet.model import Bridge, Ethernet, Vlan

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.changes import Desired

STEPS: Desired = {**TAGGED, "bond0.5": Vlan(name="bond0.5"), "ens40": Ethernet(name="ens40", mtu=1400)}
WRITES = ("PUT network/ens40", "POST network", "POST network+2", "POST network+3")
"""What staging them sends."""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


# --- a bad day: everything is undone ---------------------------------------------------------------------------------

FAILURES = {
    "refused": ("locked", errors.RefusedByPVE),
    "lost": ("drop-before", errors.Unreachable),
    "proxy": ("595", errors.Unreachable),
}


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
@pytest.mark.parametrize("failure", sorted(FAILURES))
def test_a_step_that_fails_leaves_no_step(lab: Lab, failing: int, failure: str) -> None:
    """Whichever it is: the files are as before, the journal is closed, nothing is live."""
    fault, kind = FAILURES[failure]
    live = lab.live
    lab.order(f"{fault}@{WRITES[failing - 1]}")
    with pytest.raises(kind):
        lab.stage(STEPS)
    assert (lab.live, lab.pending) == (live, None)
    assert lab.states == [State.DROPPED]
    assert len(lab.writes) == failing + (failing > 1)
    assert lab.stage(STEPS).plan


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
@pytest.mark.parametrize("failure", sorted(FAILURES))
def test_a_step_that_fails_leaves_what_was_staged_before(lab: Lab, failing: int, failure: str) -> None:
    """What earlier commands staged stays, byte for byte, and stays ours."""
    fault, kind = FAILURES[failure]
    lab.widened()
    live, pending, journals = lab.live, lab.pending, lab.journals.all()
    lab.order(f"{fault}@{WRITES[failing - 1]}")
    with pytest.raises(kind):
        lab.stage(STEPS)
    assert (lab.live, lab.pending) == (live, pending)
    assert lab.journals.all() == journals
    assert isinstance(ownership(lab.journals, lab.node.read()), Ours)


@pytest.mark.parametrize("write", ["PUT network/ens40", "POST network"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_leaves_no_step(lab: Lab, write: str, when: str) -> None:
    """Before a write or after it, when nobody knows yet whether it arrived."""
    live = lab.live
    getattr(lab.adapter, when)[write] = interrupt
    with pytest.raises(errors.Interrupted) as caught:
        lab.stage(STEPS)
    assert caught.value.exit_code == 130
    assert (lab.live, lab.pending) == (live, None)
    assert lab.states == [State.DROPPED]


def test_ctrl_c_leaves_what_was_staged_before(lab: Lab) -> None:
    """A write that arrived is taken back by itself."""
    lab.widened()
    pending = lab.pending
    lab.adapter.after["POST network"] = interrupt
    with pytest.raises(errors.Interrupted):
        lab.stage(STEPS)
    assert lab.pending == pending
    assert lab.states == [State.STAGING]


def test_a_lost_listing_after_a_write_is_undone_as_well(lab: Lab) -> None:
    """Nobody knows whose the pending diff is: the step is taken back."""
    lab.order("drop-before@GET network+2", "drop-before@GET network+3")
    with pytest.raises(errors.Unreachable):
        lab.stage({"bond0": BOND})
    assert lab.pending is None
    assert lab.sent[-3:] == UNDONE


@pytest.mark.parametrize("undoing", ["lost", "interrupted"])
def test_what_can_not_be_undone_is_told(lab: Lab, undoing: str) -> None:
    """Exit 9: what is staged, and that nothing of it is live."""
    lab.order("locked@POST network+2")
    if undoing == "lost":
        lab.adapter.before["DELETE network"] = lambda: lab.order(*(f"drop-before@{n}" for n in range(1, 9)))
    else:
        lab.adapter.before["DELETE network"] = interrupt
    with pytest.raises(errors.StateUnknown) as caught:
        lab.stage(TAGGED)
    assert caught.value.exit_code == 9
    assert "what had been staged (bond0) could not" in caught.value.message
    assert "none of it is live" in caught.value.hint


def test_what_the_api_can_not_put_back_is_told(lab: Lab) -> None:
    """A deleted interface with options of its own, made anew, lacks them."""
    file = lab.network_folder / "interfaces"
    bond = "iface bond5 inet manual\n\tbond-slaves ens40 ens41\n\tbond-miimon 50\n\tbond-mode balance-rr\n\n"
    file.write_text(file.read_text().replace("source ", f"{bond}source "))
    lab.stage({"ens38": Ethernet(name="ens38", mtu=1400)})
    lab.order("locked@POST network")
    with pytest.raises(errors.StateUnknown, match="bond_miimon 50"):
        lab.stage({"bond5": None, "vmbr7": Bridge(name="vmbr7")})


def test_a_journal_that_can_not_be_written_sends_nothing(lab: Lab) -> None:
    """On disk before the first write."""

    def breaks() -> None:
        shutil.rmtree(lab.journals.folder)
        lab.journals.folder.touch()

    lab.adapter.after["GET network"] = breaks
    with pytest.raises(errors.PvenetError, match="can't be written") as caught:
        lab.stage({"bond0": BOND})
    assert caught.value.exit_code == 1
    assert lab.writes == []


# --- somebody else at the same time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["before", "after"])
def test_what_somebody_stages_meanwhile_is_neither_ours_nor_touched(lab: Lab, at: str) -> None:
    """Between the look and the write, or between the write and the look: ours is taken back, theirs stays."""
    getattr(lab.adapter, at)["POST network"] = lab.foreign
    with pytest.raises(errors.NotOurs, match="vmbr99"):
        lab.stage(STEPS)
    network = lab.node.read().network
    assert "vmbr99" in network.interfaces
    assert not {"bond0", "vmbr1", "bond0.5"} & network.interfaces.keys()
    assert network.interfaces["ens40"].mtu is None
    assert not isinstance(ownership(lab.journals, lab.node.read()), Ours)
    assert lab.states == [State.DROPPED]


def test_what_somebody_stages_on_top_meanwhile_leaves_ours_of_before(lab: Lab) -> None:
    """Both stay; it is ours again when they have taken theirs back."""
    lab.widened()
    lab.adapter.after["POST network"] = lab.foreign
    with pytest.raises(errors.NotOurs):
        lab.stage(TAGGED)
    assert not isinstance(ownership(lab.journals, lab.node.read()), Ours)
    lab.somebody("DELETE network/vmbr99")
    found = ownership(lab.journals, lab.node.read())
    assert isinstance(found, Ours)
    assert [change.name for change in found.steps] == ["vmbr0"]


def test_a_failing_step_never_takes_somebody_elses_work_back(lab: Lab) -> None:
    """Ours by single steps, theirs not at all."""
    lab.order("foreign-edit@PUT network/ens41", "locked@PUT network/ens41")
    with pytest.raises(errors.RefusedByPVE):
        lab.stage({"ens40": Ethernet(name="ens40", mtu=1400), "ens41": Ethernet(name="ens41", mtu=1400)})
    assert "vmbr99" in (lab.pending or "")
    assert "DELETE network" not in lab.writes
    assert "1400" not in (lab.pending or "")


# --- what somebody else does in the middle of it ----------------------------------------------------------------------


def test_a_foreign_revert_before_we_could_look_is_no_success(lab: Lab) -> None:
    """The listing after our write shows nothing pending and no bond: said, not taken for staged."""
    lab.order("foreign-revert@GET network+2")
    with pytest.raises(errors.Stale, match="reverted or applied"):
        lab.stage(TAGGED)
    assert lab.pending is None
    assert lab.states == [State.DROPPED]


def test_a_foreign_revert_of_an_update_is_noticed(lab: Lab) -> None:
    """Nothing is pending where something should be."""
    vmbr0 = lab.node.read().network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    lab.order("foreign-revert@GET network+2")
    with pytest.raises(errors.Stale):
        lab.stage({"vmbr0": replace(vmbr0, ports=("ens33", "ens37"))})


def test_bridges_that_become_hidden_are_not_taken_for_deleted(lab: Lab) -> None:
    """A privilege goes in the middle: the undo is as blind as the command, and says that it could not look."""
    lab.order("lacks=SDN.Audit@GET network+3", "lacks=SDN.Use@GET network+3")
    with pytest.raises(errors.StateUnknown, match=r"lacks SDN\.Audit"):
        lab.stage(TAGGED)


def test_a_first_step_that_was_never_sent_leaves_nothing_to_undo(lab: Lab) -> None:
    """The node is power-cycled: no connection stood, so that nothing can have been staged."""
    lab.order("reboot@POST network")
    with pytest.raises(errors.Unreachable):
        lab.stage(TAGGED)
    assert lab.states == [State.DROPPED]
