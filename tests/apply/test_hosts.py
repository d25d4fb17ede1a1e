"""A new address of the node: its /etc/hosts follows where that was agreed to, and what is left to do is said."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING, Any

import pytest
from killed import Dead, Killed, back, later
from lab import Lab, interrupt

from pvenet import errors
from pvenet.apply.keep import confirm
from pvenet.apply.kernel import Verify
from pvenet.apply.status import status
from pvenet.events import Reloading, Verdict, Warned
from pvenet.journal import State
from pvenet.model import Bridge
from pvenet.sim.hosts import read_hosts, write_hosts
from pvenet.sim.sdn.folder import SdnFolder
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "192.168.171.21", "192.168.171.31"
GET, POST = "GET hosts", "POST hosts"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A node on which a new address of its own is staged."""
    return moving(Lab(tmp_path / "lab"))


def moving(lab: Lab) -> Lab:
    vmbr0 = lab.node.read().network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    lab.stage({"vmbr0": replace(vmbr0, cidr=IPv4Interface(f"{NEW}/24"))})
    lab.forget()
    return lab


def hosts(lab: Lab) -> str:
    return read_hosts(lab.adapter.sim.node("pve1"))


def edit(lab: Lab, text: str) -> None:
    """Somebody edits the file."""
    write_hosts(lab.adapter.sim.node("pve1"), text)


def applied(lab: Lab, **options: Any) -> str:
    """The message of an apply that ends well."""
    end = lab.apply(allow_management=True, **options)
    assert end.verdict is Verdict.APPLIED
    return end.message


def left(lab: Lab) -> str:
    """What `pvenet status` says of the file, asked by a new process."""
    return status(later(lab).node, lab.journals).hosts


def after(lab: Lab) -> str:
    """The warnings since the reload."""
    begun = next(n for n, event in enumerate(lab.events) if isinstance(event, Reloading))
    return "\n".join(event.text for event in lab.events[begun:] if isinstance(event, Warned))


SHOWN = f"  - {OLD} pve1.lan pve1\n  + {NEW} pve1.lan pve1"

# --- before the question ---------------------------------------------------------------------------------------------


def test_the_line_that_has_to_change_is_shown_before_the_question(lab: Lab) -> None:
    """As it is and as it has to be; whoever does not agree has changed nothing."""
    seen: list[str] = []

    def ask(_: str) -> bool:
        seen.append(lab.warnings)
        raise errors.NeedsConsent("no")

    with pytest.raises(errors.NeedsConsent):
        lab.apply(ask, allow_management=True)
    assert SHOWN in seen[0]
    assert "--update-hosts changes it" in seen[0]
    assert POST not in lab.sent


def test_where_no_address_goes_the_file_is_not_asked_for(tmp_path: Path) -> None:
    """An address that comes, a bond, a bridge: nothing has to follow."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    lab.apply(update_hosts=True)
    vmbr1 = lab.node.read().network.interfaces["vmbr1"]
    assert isinstance(vmbr1, Bridge)
    lab.stage({"vmbr1": replace(vmbr1, cidr=IPv4Interface("10.0.0.1/24"))})
    lab.apply(update_hosts=True)
    assert not {GET, POST} & {*lab.sent}


def test_an_address_that_the_file_does_not_give_the_node_needs_nothing(tmp_path: Path) -> None:
    """A storage network's, say."""
    lab = Lab(tmp_path / "lab")
    bridge = Bridge(name="vmbr1", cidr=IPv4Interface("10.0.0.1/24"))
    lab.stage({"vmbr1": bridge})
    lab.apply()
    before = hosts(lab)
    lab.stage({"vmbr1": replace(bridge, cidr=IPv4Interface("10.0.0.2/24"))})
    lab.forget()
    lab.apply(update_hosts=True)
    assert GET in lab.sent
    assert POST not in lab.sent
    assert "/etc/hosts" not in lab.warnings
    assert hosts(lab) == before


def test_what_is_shown_is_looked_at_again_after_the_file_was_read(lab: Lab) -> None:
    """A request more has taken its time, in which somebody may have staged."""
    lab.adapter.after[GET] = lab.foreign
    with pytest.raises(errors.Stale):
        lab.apply(allow_management=True, verify=Verify.FLAGS)
    assert "PUT network" not in lab.sent


def test_where_the_file_cannot_be_read_that_is_said_with_the_right_and_the_commands(lab: Lab) -> None:
    """It is not known, never "nothing to do"; the apply goes on."""
    lab.order(f"lacks=Sys.Audit@{GET}")
    applied(lab, update_hosts=True)
    assert "not known: root@pam!full lacks Sys.Audit on /" in lab.warnings
    assert "grep -w pve1 /etc/hosts" in lab.warnings
    assert "pveum acl modify / --tokens 'root@pam!full' --roles NetAuditPvenet" in lab.warnings
    assert POST not in lab.sent


def test_an_address_without_a_successor_is_said(tmp_path: Path) -> None:
    """Which one the name shall lead to, nobody but a person knows."""
    lab = Lab(tmp_path / "lab")
    vmbr0 = lab.node.read().network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    lab.stage({"vmbr0": replace(vmbr0, cidr=None, gateway=None)})
    before = hosts(lab)
    with suppress(errors.PvenetError):
        lab.apply(allow_management=True, update_hosts=True)
    assert "nothing says what replaces it" in lab.warnings
    assert hosts(lab) == before


# --- after the verdict -----------------------------------------------------------------------------------------------


def test_the_line_is_changed_when_the_address_is_verified(lab: Lab) -> None:
    """Only it, and after the last look; without the option it is said that it is left to do."""
    text = hosts(lab) + "\n# a comment\n10.0.0.9\tstorage  # theirs\n"
    edit(lab, text)
    lab.adapter.before["PUT network"] = lambda: seen.append(hosts(lab))
    seen: list[str] = []
    assert applied(lab, update_hosts=True).endswith("; /etc/hosts follows")
    assert seen == [text]
    assert hosts(lab) == text.replace(f"{OLD} pve1", f"{NEW} pve1")
    assert lab.sent[-1] == POST
    assert left(lab) == ""


def test_without_agreement_what_is_left_to_do_is_said_and_said_again(lab: Lab) -> None:
    """After the verdict, and by status until it is done."""
    text = hosts(lab)
    applied(lab)
    assert hosts(lab) == text
    assert "must still follow its address" in lab.warnings
    assert SHOWN in lab.warnings.rpartition("still")[2]
    assert SHOWN in left(lab)
    edit(lab, text.replace(OLD, NEW))
    assert left(lab) == ""


def test_a_confirmation_is_waited_for(lab: Lab) -> None:
    """As long as it may go back, the file stays."""
    text, seen = hosts(lab), []

    def person(_left: float) -> bool:
        seen.append(hosts(lab))
        return True

    lab.person = person
    applied(lab, update_hosts=True, confirm_within=60.0)
    assert seen == [text]
    assert NEW in hosts(lab)


@pytest.mark.parametrize("fault", ["reload-fails@PUT network", "never-up=vmbr0@PUT network"])
def test_what_is_rolled_back_has_changed_no_line(lab: Lab, fault: str) -> None:
    """The file is changed after the verdict only."""
    text = hosts(lab)
    lab.order(fault)
    with pytest.raises((errors.RolledBack, errors.StateUnknown)):
        lab.apply(allow_management=True, update_hosts=True)
    assert hosts(lab) == text
    assert POST not in lab.sent


def test_nothing_is_confirmed_and_no_line_is_changed(lab: Lab) -> None:
    """A refusal rolls back, as silence does."""
    text = hosts(lab)
    lab.person = lambda _left: False
    with pytest.raises(errors.RolledBack):
        lab.apply(allow_management=True, update_hosts=True, confirm_within=60.0)
    assert hosts(lab) == text


@pytest.mark.parametrize("when", ["PUT network", POST])
def test_a_file_that_was_edited_meanwhile_is_not_overwritten(lab: Lab, when: str) -> None:
    """By its digest; what is to do is said."""
    lab.order(f"foreign-hosts@{when}")
    assert "follows" not in applied(lab, update_hosts=True)
    assert "somebody" in hosts(lab)
    assert OLD in hosts(lab)
    assert SHOWN in lab.warnings.rpartition("still")[2]
    assert (POST in lab.sent) is (when == POST)
    assert SHOWN in left(lab)


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "gateway=595", "gateway=502:after", "error=after"])
def test_a_lost_answer_is_settled_by_a_look(lab: Lab, fault: str) -> None:
    """It is there, or is sent again: the digest keeps that harmless."""
    lab.order(f"{fault}@{POST}")
    assert applied(lab, update_hosts=True).endswith("; /etc/hosts follows")
    assert NEW in hosts(lab)
    assert OLD not in hosts(lab)
    assert "still" not in lab.warnings


@pytest.mark.parametrize("moment", [GET, POST])
def test_a_ctrl_c_at_the_file_does_not_change_the_verdict(lab: Lab, moment: str) -> None:
    """What was applied was applied; what is left is said."""

    def arm() -> None:
        lab.adapter.before[moment] = interrupt

    lab.adapter.after["PUT network"] = arm
    applied(lab, update_hosts=True)
    assert "it was interrupted" in lab.warnings
    assert SHOWN in left(lab)


def test_a_ctrl_c_when_the_file_is_changed_is_settled_by_a_look(lab: Lab) -> None:
    """Nobody is told to do what was done."""
    lab.adapter.after[POST] = interrupt
    assert applied(lab, update_hosts=True).endswith("; /etc/hosts follows")
    assert "still" not in lab.warnings
    assert left(lab) == ""


@pytest.mark.parametrize("agreed", [False, True])
def test_where_nobody_knows_yet_it_is_said_that_the_file_may_have_to_follow(lab: Lab, *, agreed: bool) -> None:
    """Waiting was given up, or nobody waits; the next apply looks, and does it or says so."""
    lab.apply(allow_management=True, update_hosts=agreed, wait=False)
    assert SHOWN in after(lab)
    assert "if it does, /etc/hosts must follow" in after(lab)
    lab.time.now += 30.0
    lab = later(lab)
    lab.apply()
    assert (NEW in hosts(lab)) is agreed
    assert (SHOWN in lab.warnings) is not agreed


def test_giving_up_to_wait_leaves_no_line_unsaid(lab: Lab) -> None:
    """The reload goes on, and the address may be live."""
    lab.nature(reload_seconds=5.0)
    lab.adapter.after["PUT network"] = lambda: lab.asleep.extend([interrupt, interrupt])
    lab.failed(errors.StateUnknown, allow_management=True, update_hosts=True)
    assert SHOWN in after(lab)
    assert "`pvenet apply` checks, and changes it" in after(lab)


def test_what_somebody_else_has_made_live_is_said_too(lab: Lab) -> None:
    """The address has moved all the same; the file is not ours to change then."""
    lab.order("foreign-sdn-apply@GET tasks")
    text = hosts(lab)
    assert lab.apply(update_hosts=True).verdict is Verdict.NOTHING
    assert NEW in lab.live
    assert "applied elsewhere" in lab.warnings
    assert SHOWN in lab.warnings
    assert hosts(lab) == text


def test_giving_up_to_wait_for_the_way_back_names_the_command_that_goes_on(lab: Lab) -> None:
    """Nothing can be applied before it has ended."""
    lab.nature(reload_seconds=5.0)
    lab.order("reload-fails@PUT network")
    lab.after_second_reload(lambda: lab.asleep.extend([interrupt, interrupt, interrupt]))
    lab.failed(errors.StateUnknown, allow_management=True, update_hosts=True)
    assert "`pvenet rollback` goes on, and takes care of it" in after(lab)
    assert "`pvenet apply` checks" not in after(lab)


# --- back ------------------------------------------------------------------------------------------------------------


def rolled_back(lab: Lab) -> str:
    lab.forget()
    end = back(lab, allow_management=True)
    assert end.verdict is Verdict.ROLLED_BACK
    return end.message


def test_a_rollback_puts_the_line_back(lab: Lab) -> None:
    """Byte for byte, and what others have added since stays."""
    text = hosts(lab)
    applied(lab, update_hosts=True)
    edit(lab, f"{hosts(lab)}10.0.0.9 storage\n")
    assert rolled_back(lab).endswith("; /etc/hosts follows")
    assert hosts(lab) == f"{text}10.0.0.9 storage\n"
    assert left(lab) == ""


def test_a_line_that_was_edited_since_is_left_to_its_editor(lab: Lab) -> None:
    """It is no longer as pvenet wrote it; what has to be is said before the question, and after."""
    applied(lab, update_hosts=True)
    edit(lab, hosts(lab).replace("pve1.lan pve1", "pve1.lan pve1 web"))
    assert "follows" not in rolled_back(lab)
    assert f"{NEW} pve1.lan pve1 web" in hosts(lab)
    assert f"  + {OLD} pve1.lan pve1 web" in lab.warnings
    assert "no longer as pvenet wrote it" in lab.warnings


def test_a_line_that_a_person_has_changed_is_theirs_to_put_back(lab: Lab) -> None:
    """It was not agreed that pvenet writes the file."""
    applied(lab)
    edit(lab, hosts(lab).replace(OLD, NEW))
    assert "follows" not in rolled_back(lab)
    assert NEW in hosts(lab)
    assert f"  - {NEW} pve1.lan pve1\n  + {OLD} pve1.lan pve1" in lab.warnings
    assert "--update-hosts" not in lab.warnings
    assert OLD in left(lab)


# --- whatever is lost ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "gateway=502:after", "error=after"])
@pytest.mark.parametrize("at", range(1, 20))
def test_no_lost_answer_leaves_a_lock_or_a_line_unsaid(lab: Lab, fault: str, at: int) -> None:
    """Whichever request it is of: the end says what is held, and what is left to do."""
    lab.order(f"{fault}@{at}")
    with suppress(errors.PvenetError):
        lab.apply(allow_management=True, update_hosts=True, sdn_lock=True)
    live = NEW in lab.live
    assert live or NEW not in hosts(lab)
    assert not live or NEW in hosts(lab) or "/etc/hosts" in after(lab)
    held = SdnFolder(lab.folder).holder
    assert held is None or "SDN lock" in lab.warnings
    lab.time.now += 30.0
    assert held is None or status(later(lab).node, lab.journals).sdn_lock
    assert "--force" in lab.warnings or SdnFolder(lab.folder).holder is None


# --- killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("acted", ["before", "after"])
@pytest.mark.parametrize("at", range(6, 26))
def test_a_killed_pvenet_leaves_no_line_that_nobody_speaks_of(lab: Lab, at: int, acted: str) -> None:
    """Once the address is live status says what is left, and the next apply does it: that was agreed to."""
    lab.adapter.every = Dead(lab, at, acted)
    with suppress(Killed):
        applied(lab, update_hosts=True)
    lab.time.now += 30.0
    lab = later(lab)
    found = status(lab.node, lab.journals)
    if NEW not in lab.live:
        assert OLD in hosts(lab)
        return
    if found.state is State.APPLIED:
        assert (SHOWN in found.hosts) is (OLD in hosts(lab))
    lab.apply()
    assert (OLD in hosts(lab), status(lab.node, lab.journals).hosts) == (False, "")


def test_whoever_confirms_after_a_kill_has_the_line_changed(lab: Lab) -> None:
    """It was agreed to, and nobody waits any more who would do it."""

    def person(_left: float) -> bool:
        raise Killed

    lab.person = person
    with pytest.raises(Killed):
        lab.apply(allow_management=True, update_hosts=True, confirm_within=60.0)
    assert OLD in hosts(lab)
    lab = later(lab)
    warned: list[str] = []
    assert confirm(lab.node, lab.journals, warn=warned.append).state is State.CONFIRMED
    assert NEW in hosts(lab)
    assert not warned


def test_whoever_confirms_after_a_kill_hears_what_is_left(lab: Lab) -> None:
    """Somebody has edited the file meanwhile."""

    def person(_left: float) -> bool:
        raise Killed

    lab.person = person
    with pytest.raises(Killed):
        lab.apply(allow_management=True, update_hosts=True, confirm_within=60.0)
    edit(lab, f"{hosts(lab)}10.0.0.9 storage\n")
    lab = later(lab)
    warned: list[str] = []
    confirm(lab.node, lab.journals, warn=warned.append)
    assert SHOWN in "".join(warned)
    assert OLD in hosts(lab)


# --- corosync --------------------------------------------------------------------------------------------------------


def test_what_has_to_be_done_about_corosync_is_said_step_by_step(tmp_path: Path) -> None:
    """Its configuration is never written; a node that is alone has none."""
    folder = tmp_path / "lab"
    lab = Lab(folder)
    Sim.init(folder, node="pve2", nics=["eno1"])
    lab = moving(lab)
    with suppress(errors.PvenetError):
        lab.apply(allow_management=True, update_hosts=True)
    assert f"corosync link 0 of pve1 ({OLD}) loses its address" in lab.warnings
    assert f"set ring0_addr of pve1 to {NEW}" in lab.warnings
    assert "config_version" in lab.warnings
    assert "systemctl restart corosync" in lab.warnings
    alone = moving(Lab(tmp_path / "alone"))
    alone.apply(allow_management=True)
    assert "corosync" not in alone.warnings


def test_a_pvenet_without_any_answer_to_the_file_is_told_so(lab: Lab) -> None:
    """Before the question and after the verdict: a server that fails is no server without a file."""
    lab.order(f"error@{GET}")
    applied(lab, update_hosts=True)
    assert lab.warnings.count("is not known") == 2
