"""Somebody else's change in the middle of ours: another interface or the same, a comment, an autostart, any kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from killed import back
from lab import TAGGED, Lab

from pvenet import errors
from pvenet.apply.status import status
from pvenet.events import Verdict
from pvenet.journal import Foreign, State, ownership
from pvenet.model import Bond, Bridge, Ethernet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet.changes import Desired
    from pvenet.model import Interface

EDITS: dict[str, tuple[str, dict[str, Any], str]] = {
    "another bridge": ("POST network", {"iface": "vmbr99", "type": "bridge"}, "vmbr99"),
    "a comment": ("PUT network/ens41", {"type": "eth", "comments": "theirs"}, "ens41 (comments)"),
    "an autostart": ("PUT network/ens41", {"type": "eth", "autostart": "1"}, "ens41 (autostart)"),
    "the same interface": ("PUT network/ens40", {"type": "eth", "comments": "theirs"}, "ens40 (comments)"),
    "an alias": ("POST network", {"iface": "vmbr0:1", "type": "alias", "cidr": "192.0.2.9/24"}, "vmbr0:1"),
    "what carries the node": (
        "PUT network/vmbr0",
        {"type": "bridge", "cidr": "192.168.171.21/24", "delete": "autostart"},
        "vmbr0 (autostart)",
    ),
}
MTU: dict[str, Interface | None] = {"ens40": Ethernet(name="ens40", autostart=False, mtu=1400)}
"""Ours: the MTU of a NIC."""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


@pytest.fixture(params=sorted(EDITS))
def edit(request: pytest.FixtureRequest, lab: Lab) -> tuple[Callable[[], None], str]:
    """Somebody's edit, and how it is named."""
    words, form, named = EDITS[request.param]
    return lambda: lab.somebody(words, **form), named


Edit = tuple["Callable[[], None]", str]


def theirs(lab: Lab, edit: Edit) -> str:
    """What is pending on another node where only they have staged."""
    alone = Lab(lab.folder.with_name("alone"))
    for words, form, named in EDITS.values():
        if named == edit[1]:
            alone.somebody(words, **form)
    return alone.pending or ""


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_somebody_stages_beside_our_write_is_named_and_stays(lab: Lab, edit: Edit, when: str) -> None:
    """Between our look and our write, or between our write and our look: exit 7, ours is taken back, theirs stays."""
    getattr(lab.adapter, when)["PUT network/ens40"] = edit[0]
    with pytest.raises(errors.NotOurs) as caught:
        lab.stage(MTU)
    assert edit[1] in caught.value.message
    assert "DELETE network" not in lab.writes
    assert lab.pending == theirs(lab, edit)
    assert isinstance(ownership(lab.journals, lab.node.read()), Foreign)
    assert not status(lab.node, lab.journals).ours
    with pytest.raises(errors.NotOurs):
        lab.revert()
    with pytest.raises(errors.NotOurs):
        lab.apply()


def test_a_bridge_that_somebody_stages_first_is_not_thrown_away(lab: Lab) -> None:
    """PVE refuses ours because theirs is there already: nothing of ours acted, and nothing is reverted."""
    lab.adapter.before["POST network"] = lambda: lab.foreign("vmbr1")
    with pytest.raises(errors.RefusedByPVE, match="already exists"):
        lab.stage({"vmbr1": Bridge(name="vmbr1", comments="mine")})
    assert lab.writes == ["POST network"]
    assert "iface vmbr1" in (lab.pending or "")


def test_a_created_interface_that_somebody_changed_is_left_and_named(lab: Lab) -> None:
    """Theirs can't be separated from ours: exit 9, and both stay."""
    lab.adapter.after["POST network"] = lambda: lab.somebody(
        "PUT network/vmbr1", type="bridge", bridge_ports="", comments="theirs"
    )
    with pytest.raises(errors.StateUnknown, match=r"vmbr1 \(comments\)") as caught:
        lab.stage({"vmbr1": Bridge(name="vmbr1", comments="mine")})
    assert "theirs" in (lab.pending or "")
    assert "were undone" not in caught.value.message


def test_a_rollback_puts_back_our_fields_and_leaves_theirs(lab: Lab) -> None:
    """Somebody has applied another field of the same interface since."""
    lab.stage(MTU)
    lab.apply()
    lab.somebody("PUT network/ens40", type="eth", comments="theirs")
    lab.somebody("PUT network")
    lab.time.sleep(1)
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert "1400" not in lab.live
    assert "#theirs" in lab.live


def test_a_rollback_over_the_same_field_is_refused(lab: Lab) -> None:
    """Theirs can't be separated from ours: exit 7, nothing sent."""
    lab.stage(MTU)
    lab.apply()
    lab.somebody("PUT network/ens40", type="eth", mtu="1300")
    lab.somebody("PUT network")
    lab.time.sleep(1)
    lab.forget()
    with pytest.raises(errors.Stale, match=r"ens40 \(mtu\)"):
        back(lab)
    assert lab.writes == []


@pytest.mark.parametrize("failing", [False, True])
def test_what_somebody_stages_just_before_the_reload_goes_live_and_is_named(
    lab: Lab, edit: Edit, *, failing: bool
) -> None:
    """It is no failure of ours; and where ours fails, only ours goes back."""
    lab.stage(MTU)
    lab.forget()
    if failing:
        lab.order("reload-fails@PUT network")
    lab.adapter.before["PUT network"] = edit[0]
    if failing:
        lab.failed(errors.RolledBack, allow_management=True)
        assert "mtu 1400" not in lab.live
    else:
        assert lab.apply(allow_management=True).verdict is Verdict.APPLIED
        assert edit[1].partition(" ")[0] in lab.warnings
        assert "mtu 1400" in lab.live
    assert lab.live.replace("\tmtu 1400\n", "") == theirs(lab, edit)


@pytest.mark.parametrize("request_", ["PUT network/ens40", "GET tasks/UPID/status"])
def test_what_somebody_stages_while_it_is_armed_stays_pending(lab: Lab, edit: Edit, request_: str) -> None:
    """Disarming takes back what led back, and nothing else."""
    lab.nature(reload_seconds=3.0)
    lab.stage(MTU)
    lab.forget()
    lab.adapter.before["PUT network"] = lambda: lab.adapter.before.update({request_: edit[0]})
    lab.apply(arm=True, allow_management=True)
    assert "mtu 1400" in lab.live
    assert "DELETE network" not in lab.writes
    assert (lab.pending or "").replace("\tmtu 1400\n", "") == theirs(lab, edit)


@pytest.mark.parametrize("at", ["PUT network/ens40", "GET tasks", "PUT network"])
def test_what_somebody_stages_during_a_rollback_is_not_thrown_away(lab: Lab, edit: Edit, at: str) -> None:
    """It is left pending, or has gone live with what was put back; never reverted."""
    lab.stage(MTU)
    lab.apply()
    lab.forget()
    after = {"GET tasks": "PUT network/ens40"}.get(at)
    if after:
        lab.adapter.after[after] = lambda: lab.adapter.before.update({at: edit[0]})
    else:
        lab.adapter.before[at] = edit[0]
    try:
        back(lab, allow_management=True)
    except errors.StateUnknown:
        assert lab.states == [State.FAILED]
    assert "DELETE network" not in lab.writes
    there = [text.replace("\tmtu 1400\n", "") for text in (lab.pending, lab.live) if text]
    assert theirs(lab, edit) in there


def test_lines_that_only_the_file_has_are_told_apart_as_well(lab: Lab) -> None:
    """A change by hand of what is pending is in PVE's diff, which is compared to the letter."""
    lab.stage(TAGGED)
    path = lab.network_folder / "interfaces.new"
    path.write_text(path.read_text() + "\nsource /etc/network/more\n")
    with pytest.raises(errors.NotOurs):
        lab.revert()


def test_a_change_of_two_fields_goes_back_beside_theirs(lab: Lab) -> None:
    """Ours are the ports and the MTU; their comment stays."""
    bond = Bond(name="bond0", slaves=("ens38", "ens39"))
    lab.stage({"bond0": bond})
    lab.apply()
    lab.stage({"bond0": replace(bond, slaves=("ens38",), mtu=9000)})
    lab.apply()
    lab.somebody("PUT network/bond0", type="bond", comments="theirs")
    lab.somebody("PUT network")
    lab.time.sleep(1)
    back(lab)
    assert "bond-slaves ens38 ens39" in lab.live
    assert "mtu" not in lab.live
    assert "#theirs" in lab.live


@pytest.mark.parametrize("at", ["PUT network/ens40", "PUT network/ens41"])
def test_a_revert_of_what_was_staged_before_is_no_staging_of_theirs(lab: Lab, at: str) -> None:
    """The step that is left alone is ours, and taken back: nothing of it stays for somebody else's."""
    lab.stage(TAGGED)
    lab.order(f"foreign-revert@{at}")
    with pytest.raises(errors.Stale, match="reverted or applied"):
        lab.stage(MTU | {"ens41": Ethernet(name="ens41", mtu=1400)})
    assert lab.pending is None
    assert not status(lab.node, lab.journals).pending
    assert lab.states == [State.DROPPED]


# --- a reload of somebody's just before our revert -------------------------------------------------------------------


def test_what_was_made_live_before_it_could_be_reverted_is_not_said_to_be_gone(lab: Lab) -> None:
    """PVE's answer to the revert is the same; and a rollback knows what to put back."""
    lab.stage(TAGGED)
    lab.order("foreign-reload@DELETE network")
    with pytest.raises(errors.Stale, match="made live just before"):
        lab.revert()
    assert "bond0" in lab.live
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert "bond0" not in lab.live


def test_a_rollback_of_what_is_made_live_meanwhile_puts_it_back(lab: Lab) -> None:
    """It began as a revert of what was only staged."""
    lab.stage(TAGGED)
    lab.order("foreign-reload@DELETE network")
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert "bond0" not in lab.live
    assert not {"bond0", "vmbr1"} & lab.up
    assert lab.states == [State.ROLLED_BACK]


def test_theirs_that_was_made_live_before_it_could_be_discarded_is_not_said_to_be_gone(lab: Lab) -> None:
    """Of theirs nobody knows what was there before."""
    lab.foreign()
    lab.order("foreign-reload@DELETE network")
    with pytest.raises(errors.Stale, match="may have made that live"):
        lab.revert(discard=True)


def test_a_staging_that_comes_to_nothing_is_reverted(lab: Lab) -> None:
    """The listing is the same before and after."""
    lab.stage(MTU)
    lab.stage({"ens40": Ethernet(name="ens40", autostart=False)})
    assert lab.pending is not None
    assert lab.revert()
    assert lab.pending is None


def test_an_undo_that_somebodys_reload_precedes_is_no_undo(lab: Lab) -> None:
    """The second step is refused; what the first has staged is live before it can be reverted, and can be put back."""
    lab.order("locked@PUT network/ens41", "foreign-reload@DELETE network")
    with pytest.raises(errors.Stale, match=r"(?s)lock.*\(ens40\) was made live"):
        lab.stage(MTU | {"ens41": Ethernet(name="ens41", mtu=1400)})
    assert "1400" in lab.live
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert "1400" not in lab.live


@pytest.mark.parametrize("earlier", [{}, TAGGED], ids=["alone", "upon an earlier staging"])
def test_what_is_made_live_right_after_its_step_is_told_and_can_be_put_back(lab: Lab, earlier: Desired) -> None:
    """The listing after the step shows it, and nothing pending: no revert is sent, and no step back is staged."""
    lab.stage(earlier)
    lab.forget()
    lab.order("foreign-reload@GET network+2")
    with pytest.raises(errors.Stale, match=r"ens40\) was made live") as caught:
        lab.stage(MTU)
    assert "pvenet rollback" in caught.value.hint
    assert lab.sent == ["GET network", "PUT network/ens40", "GET network"]
    assert lab.pending is None
    assert "1400" in lab.live
    assert back(lab).verdict is Verdict.ROLLED_BACK
    assert "1400" not in lab.live
    assert "bond0" not in lab.live
