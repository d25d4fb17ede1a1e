"""Staging and reverting on a good day, and what is refused before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lab import BOND, TAGGED, VMBR1, Lab

from pvenet import errors
from pvenet.apply.revert import revert
from pvenet.journal import Ours, State, ownership
from pvenet.model import Bond, Ethernet

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.changes import Desired


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def between(lab: Lab) -> list[str]:
    """The reads of a staging: one before the first write, and one after each."""
    return [text for write in lab.writes for text in ("GET network", write)] + ["GET network"]


# --- a good day ------------------------------------------------------------------------------------------------------


def test_staging_reads_writes_and_reads(lab: Lab) -> None:
    """Three requests for one step, two more for each further one."""
    lab.stage({"bond0": BOND})
    assert lab.sent == ["GET network", "POST network", "GET network"]
    lab.forget()
    lab.stage({"vmbr1": VMBR1, "ens40": Ethernet(name="ens40", mtu=1400)})
    assert len(lab.writes) == 2
    assert lab.sent == between(lab)


def test_staging_the_same_again_sends_no_write(lab: Lab) -> None:
    """One look."""
    lab.tagged()
    assert not lab.stage(TAGGED).plan
    assert lab.sent == ["GET network"]


def test_several_commands_are_one_journal(lab: Lab) -> None:
    """Its baseline is the network before the first; all of it is ours."""
    lab.stage({"bond0": BOND})
    lab.stage({"vmbr1": VMBR1})
    (journal,) = lab.journals.all()
    assert [(step.method, step.name) for step in journal.steps] == [("POST", "bond0"), ("POST", "vmbr1")]
    assert "bond0" not in journal.network.interfaces
    found = ownership(lab.journals, lab.node.read())
    assert isinstance(found, Ours)
    assert [change.name for change in found.steps] == ["ens38", "ens39", "bond0", "vmbr1"]


def test_what_can_not_be_is_refused_before_anything_is_sent(lab: Lab) -> None:
    """Every problem at once; no write, no journal."""
    with pytest.raises(errors.InvalidNetwork) as caught:
        lab.stage({"bond0": Bond(name="bond0", slaves=("ens33", "ens99"))})
    assert "ens33" in caught.value.message
    assert "ens99" in caught.value.message
    assert lab.writes == []
    assert lab.journals.all() == ()


def test_an_interface_goes_under_its_own_name(lab: Lab) -> None:
    """A script that mixes two names up is told, before anything is sent; one of the two would be a surprise."""
    with pytest.raises(errors.UsageError, match="bond0 is wanted under the name bond1"):
        lab.stage({"bond1": BOND})
    assert lab.writes == []


def test_a_loss_is_refused_unless_accepted(lab: Lab) -> None:
    """Dhcp would become manual."""
    file = lab.network_folder / "interfaces"
    file.write_text(file.read_text().replace("iface ens40 inet manual", "iface ens40 inet dhcp"))
    ens40 = lab.node.read().network.interfaces["ens40"]
    lab.forget()
    wanted: Desired = {"ens40": replace(ens40, mtu=1400)}
    with pytest.raises(errors.Lossy) as caught:
        lab.stage(wanted)
    assert caught.value.exit_code == 7
    assert lab.writes == []
    done = lab.stage(wanted, lossy=True)
    assert done.losses == caught.value.losses == ("ens40: `inet dhcp` becomes `inet manual`",)


def test_hidden_bridges_are_told_before_anything_is_planned(tmp_path: Path) -> None:
    """A listing without any bridge may only look so: exit 5."""
    lab = Lab(tmp_path / "lab", user="sysonly@pve!tok")
    with pytest.raises(errors.PermissionMissing) as caught:
        lab.stage({"bond0": BOND})
    assert caught.value.privilege == "SDN.Audit"
    assert lab.sent == ["GET network", "GET permissions"]


def test_what_is_not_ours_is_not_staged_upon(lab: Lab) -> None:
    """Unless adopted; the journal then says so, and it never counts as ours."""
    lab.foreign()
    with pytest.raises(errors.NotOurs) as caught:
        lab.stage({"bond0": BOND})
    assert "vmbr99" in caught.value.changes
    assert lab.writes == []
    lab.stage({"bond0": BOND}, adopt=True)
    assert not isinstance(ownership(lab.journals, lab.node.read()), Ours)
    assert [journal.adopted for journal in lab.journals.all()] == [True]


def test_a_lost_answer_is_settled_by_reading(lab: Lab) -> None:
    """The step has acted: it is not sent again."""
    lab.order("drop-after@POST network")
    lab.stage({"bond0": BOND})
    assert lab.writes == ["POST network"]
    assert isinstance(ownership(lab.journals, lab.node.read()), Ours)


# --- reverting -------------------------------------------------------------------------------------------------------


def test_ours_is_reverted(lab: Lab) -> None:
    """And looked at, because a reload may have come first; the journal is closed, and nothing is pending."""
    lab.tagged()
    assert lab.revert()
    assert lab.sent == ["GET network", "DELETE network", "GET network"]
    assert lab.pending is None
    assert lab.states == [State.DROPPED]


@pytest.mark.parametrize("fault", ["delay=50", "595", "error"])
def test_a_revert_after_which_one_look_fails_is_looked_at_again(lab: Lab, fault: str) -> None:
    """It has acted: the node has answered it."""
    lab.tagged()
    lab.order(f"{fault}@GET network+2")
    assert lab.revert()
    assert lab.states == [State.DROPPED]


def test_a_revert_after_which_nobody_can_look_is_not_said_to_have_changed_nothing(lab: Lab) -> None:
    """Exit 9: it was reverted, unless somebody's reload came first."""
    lab.tagged()
    lab.order(*(f"595@GET network+{number}" for number in range(2, 12)))
    with pytest.raises(errors.StateUnknown, match="has reverted what was pending, unless"):
        lab.revert()
    assert lab.pending is None


def test_what_somebody_stages_right_after_a_revert_is_told(lab: Lab) -> None:
    """Ours is gone; theirs is not said to be."""
    lab.tagged()
    lab.order("foreign-edit@GET network+2")
    said: list[str] = []
    assert revert(lab.node, lab.journals, discard=False, warn=said.append)
    assert said == ["something new is pending on pve1: somebody staged it after the revert"]
    assert "vmbr99" in (lab.pending or "")


def test_nothing_pending_is_nothing_to_revert(lab: Lab) -> None:
    """One look."""
    assert not lab.revert()
    assert lab.sent == ["GET network"]


@pytest.mark.parametrize("adopt", [False, True])
def test_somebody_elses_is_reverted_only_where_said(lab: Lab, adopt: bool) -> None:  # noqa: FBT001 - a parameter
    """Refused, with the diff, also where ours is on top; --discard goes on."""
    lab.foreign()
    if adopt:
        lab.stage({"bond0": BOND}, adopt=True)
    lab.forget()
    with pytest.raises(errors.NotOurs) as caught:
        lab.revert()
    assert "vmbr99" in caught.value.changes
    assert lab.writes == []
    assert lab.revert(discard=True)
    assert lab.pending is None


def test_a_revert_whose_answer_is_lost_is_settled_by_reading(lab: Lab) -> None:
    """It has acted."""
    lab.tagged()
    lab.order("drop-after@DELETE network")
    assert lab.revert()
    assert lab.writes == ["DELETE network"]


def test_what_was_ours_beneath_is_discarded_with_theirs(lab: Lab) -> None:
    """Its journal is closed as well: nobody is told later that somebody else reverted it."""
    lab.tagged()
    lab.foreign()
    assert lab.revert(discard=True)
    assert lab.states == [State.DROPPED]


def test_staging_goes_on_in_a_journal_whose_reload_was_never_sent(lab: Lab) -> None:
    """Killed just before: the staging is there and ours, and the journal says staging again."""
    lab.stage({"bond0": BOND})
    upid = "UPID:pve1:00000001:00000001:00000001:srvreload:networking:root@pam!full:"
    lab.journals.write(replace(lab.journals.all()[-1], state=State.RELOADING, upid=upid))
    lab.stage({"vmbr1": VMBR1})
    assert [(journal.state, journal.upid) for journal in lab.journals.all()] == [(State.STAGING, None)]
