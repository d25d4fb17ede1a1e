"""Whom an apply hits is said before it, agreed to by number, and looked for after it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

import pytest
from housed import LINK, housed
from lab import OURS, Lab

from pvenet import errors
from pvenet.access import audit_grants
from pvenet.apply.bystanders import TOKEN_LOST
from pvenet.apply.kernel import Verify
from pvenet.events import Affected, OnFailure, Verdict
from pvenet.impact import AllowedGuests
from pvenet.journal import State
from pvenet.model import BondMode
from pvenet.render.impact import impact_lines

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.access import NotKnown

BRIDGES, LIST, NETSTAT = "GET sdn/zones/localnetwork/bridges", "GET cluster/resources", "GET netstat"
CLUSTER = "GET cluster/status"
GUESTS = ("101:web:vmbr1:20", "102:db:vmbr1", "205:proxy:vmbr1,ct", "110:old:vmbr1,stopped", "300:mail:vmbr0")
EVERYBODY = AllowedGuests(everyone=True)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lone node."""
    return Lab(housed(tmp_path / "lab", GUESTS))


@pytest.fixture
def two(tmp_path: Path) -> Lab:
    """A cluster of two nodes with two links."""
    return Lab(housed(tmp_path / "two", GUESTS, ()))


def some(*vmids: int) -> AllowedGuests:
    return AllowedGuests(vmids=frozenset(vmids))


def change(lab: Lab, name: str, **fields: object) -> None:
    """Stage a change of an interface, and forget what that took."""
    lab.stage({name: replace(lab.node.read().network.interfaces[name], **fields)})  # type: ignore[arg-type]
    lab.forget()


def unplugged(lab: Lab) -> None:
    """Stage that vmbr1 loses its only port."""
    change(lab, "vmbr1", ports=())


def said(lab: Lab) -> list[str]:
    """The lines about whom it hits, before the question."""
    return [line for event in lab.events if isinstance(event, Affected) for line in impact_lines(event.impact)]


def unknown(lab: Lab) -> list[NotKnown]:
    return [each for event in lab.events if isinstance(event, Affected) for each in event.impact.unknown]


def asked_for_guests(lab: Lab) -> bool:
    return not {LIST, NETSTAT}.isdisjoint(lab.sent)


# --- before the question ----------------------------------------------------------------------------------------------


def test_who_is_cut_is_named_before_the_question(lab: Lab) -> None:
    """Those who run with card and VLAN, those who are stopped by name, and what happens to them."""
    unplugged(lab)
    lab.failed(errors.GuestRisk)
    carried, fate = said(lab)
    assert carried == (
        "vmbr1 carries 3 running guests: 101 web (net0, VLAN 20), 102 db (net0), 205 proxy (net0); and 1 that is "
        "stopped: 110 old"
    )
    assert fate == "  cut: none of vmbr1's uplinks remains (bond0)"


def test_a_bridge_whose_removal_is_staged_is_told_by_the_report(lab: Lab) -> None:
    """The bridges call leaves it out, although its guests hang on it."""
    lab.stage({"vmbr1": None})
    lab.forget()
    lab.failed(errors.GuestRisk)
    assert lab.sent.count("GET report") == 1
    assert said(lab)[0].startswith("vmbr1 carries 3 running guests: 101 web (net0, VLAN 20)")
    assert said(lab)[1] == "  cut: vmbr1 goes"


def test_a_bond_that_changes_its_mode_interrupts_and_needs_nothing(lab: Lab) -> None:
    """It comes back by itself; those on the other bridge are none of it."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    assert lab.apply().verdict is Verdict.APPLIED
    who = "101 web, 102 db, 205 proxy"
    assert said(lab)[1:] == [f"  interrupted: bond0 changes its mode from balance-rr to active-backup ({who})"]
    assert not any("300 mail" in line for line in said(lab))


@pytest.mark.parametrize(
    "fields",
    [{"ports": ("bond0", "ens37")}, {"comments": "x"}, {"cidr": IPv4Interface("10.1.0.1/24")}],
    ids=["a further port", "a comment", "an address"],
)
def test_what_touches_nobody_asks_about_nobody(lab: Lab, fields: dict[str, object]) -> None:
    """No line, no list of guests, no configuration."""
    change(lab, "vmbr1", **fields)
    assert lab.apply().verdict is Verdict.APPLIED
    assert said(lab) == []
    assert not asked_for_guests(lab)


def test_who_hangs_elsewhere_is_not_asked_for_a_configuration(lab: Lab) -> None:
    """One list for the node, who runs before the question and after it, and a configuration a guest on the bridge."""
    unplugged(lab)
    lab.apply(allow_guests=EVERYBODY)
    asked = [text for text in lab.sent if text.endswith("/pending")]
    assert sorted(asked) == [
        *(f"GET {place}/pending" for place in ("lxc/205", "qemu/101", "qemu/102", "qemu/110")),
    ]
    assert (lab.sent.count(LIST), lab.sent.count(NETSTAT)) == (1, 2)


def test_a_link_of_the_cluster_is_named_with_its_address(two: Lab) -> None:
    """With the interface that carries it, beside the management path."""
    change(two, "ens40", cidr=IPv4Interface("10.10.99.1/24"))
    two.failed(errors.ManagementRisk)
    assert f"ens40 carries corosync link 1 ({LINK}1)" in said(two)
    assert f"  cut: {LINK}1 leaves ens40" in said(two)
    assert said(two)[-1] == f"ens40 carries the management path: ens40 > {LINK}1"


def called(two: Lab, name: str, *, in_hosts: bool) -> None:
    """Let corosync know the second link of pve1 by a name."""
    path = two.folder / "corosync.conf"
    path.write_text(path.read_text().replace(f"ring1_addr: {LINK}1", f"ring1_addr: {name}"))
    if in_hosts:
        hosts = two.folder / "pve1" / "etc" / "hosts"
        hosts.write_text(f"{hosts.read_text()}{LINK}1 {name}.lan {name}\n")


def test_a_link_that_has_a_name_is_looked_up(two: Lab) -> None:
    """In the node's /etc/hosts, which is asked for only then: it is told, and agreed to, as any other."""
    change(two, "ens40", cidr=IPv4Interface("10.10.99.1/24"))
    two.failed(errors.ManagementRisk)
    assert two.sent.count("GET hosts") == 1
    called(two, "ring", in_hosts=True)
    two.forget()
    two.failed(errors.ManagementRisk)
    assert "ens40 carries corosync link 1 (ring)" in said(two)
    assert f"  cut: {LINK}1 leaves ens40" in said(two)


@pytest.mark.parametrize(
    ("name", "fields", "told"),
    [
        ("ens40", {"cidr": IPv4Interface("10.10.99.1/24")}, True),
        ("vmbr1", {"ports": ()}, False),
        ("ens40", {"comments": "x"}, False),
    ],
    ids=["an address", "what has none", "a comment"],
)
def test_a_link_that_nobody_can_place_is_told(two: Lab, name: str, fields: dict[str, object], *, told: bool) -> None:
    """Where an address is disturbed it may be the link's: that is said, and the cluster is looked at afterwards."""
    called(two, "ring", in_hosts=False)
    change(two, name, **fields)
    two.apply(allow_guests=EVERYBODY)
    assert ("not known: which interface carries corosync link 1 (ring)" in said(two)) is told
    assert (two.sent.count(CLUSTER) > 1) is told


def test_on_a_node_without_guests_the_kernel_still_places_a_link(tmp_path: Path) -> None:
    """Of an interface's addresses a listing has the last one; a link is seen not to be hit where it has another."""
    two = Lab(housed(tmp_path / "two", (), ()))
    file = two.folder / "pve1/etc/network/interfaces"
    more = file.read_text().replace(f"address {LINK}1/24", f"address {LINK}1/24\n\taddress 10.9.9.9/24")
    file.write_text(more.replace("iface vmbr1 inet manual", "iface vmbr1 inet static\n\taddress 10.7.7.7/24"))
    two.stage({"vmbr1": None})
    two.forget()
    assert two.apply(allow_management=True).verdict is Verdict.APPLIED
    assert said(two) == []


@pytest.mark.parametrize(
    ("ports", "lines"),
    [(("ens37",), ["  cut: none of vmbr0's uplinks remains (ens33)"]), (("ens33", "ens37"), [])],
    ids=["with somebody who is hit", "by itself"],
)
def test_the_way_to_the_node_is_shown_once(lab: Lab, ports: tuple[str, ...], lines: list[str]) -> None:
    """Among those who are hit, or in the warning where nobody is."""
    change(lab, "vmbr0", ports=ports)
    lab.apply(allow_management=True, allow_guests=EVERYBODY)
    assert [line for line in said(lab) if line.startswith("  ")] == lines
    shown = "\n".join((*said(lab), lab.warnings))
    assert shown.count("ens33 > vmbr0 > 192.168.171.21") == 1
    assert shown.count("the management path of pve1") == 1


@pytest.mark.parametrize(
    ("fault", "privilege", "what"),
    [
        ("lacks=VM.Audit", "VM.Audit", "which guests pve1 has"),
        (f"lacks=Sys.Audit@{NETSTAT}", "Sys.Audit", "which guests of pve1 run now"),
    ],
)
def test_a_missing_right_is_named_with_what_grants_it(lab: Lab, fault: str, privilege: str, what: str) -> None:
    """And what is not known is a warning, never a refusal: who is interrupted needs nobody's word."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order(fault if "@" in fault else f"{fault}@{LIST}")
    lab.apply(verify=Verify.FLAGS, on_failure=OnFailure.KEEP)
    lacking = next(each for each in unknown(lab) if each.privilege == privilege)
    assert lacking.what == what
    assert lacking.grants == audit_grants(OURS, lacking.path or "")
    assert lacking.grants[0] in "\n".join(said(lab))


def test_who_runs_is_known_by_number_without_the_right_to_see_guests(lab: Lab) -> None:
    """The kernel shows their ports: they are cut all the same, and have to be agreed to."""
    unplugged(lab)
    lab.order(f"lacks=VM.Audit@{LIST}")
    error = lab.failed(errors.GuestRisk)
    assert "this cuts guests 101, 102, 205 on pve1, which are running; nothing was reloaded" in error.message
    assert "which other guests" not in error.message
    assert any(line.startswith("not known: which guests pve1 has (VM.Audit on /vms is missing)") for line in said(lab))


# --- gates ------------------------------------------------------------------------------------------------------------


def test_what_cuts_running_guests_needs_their_numbers(lab: Lab) -> None:
    """Who is stopped loses nothing; nothing is sent, and what is pending stays so."""
    unplugged(lab)
    error = lab.failed(errors.GuestRisk)
    assert error.exit_code == 7
    guests = "guests 101 web, 102 db, 205 proxy"
    assert error.message == f"this cuts {guests} on pve1, which are running; nothing was reloaded"
    assert error.hint == "if that is intended, add --allow-guests 101,102,205"
    assert lab.reloads == 0
    assert lab.pending


def test_all_that_is_to_be_agreed_to_is_refused_at_once(lab: Lab) -> None:
    """One more command agrees to it; what is agreed to already is not asked for again."""
    change(lab, "vmbr0", ports=())
    path = "this cuts the management path of pve1: "
    error = lab.failed(errors.ManagementRisk)
    told = error.message.splitlines()
    assert told[0].startswith(path)
    assert told[1:] == ["this cuts guest 300 mail on pve1, which is running", "nothing was reloaded"]
    assert error.hint == "if all of that is intended, add --allow-management --allow-guests 300"
    left = lab.failed(errors.ManagementRisk, allow_guests=EVERYBODY)
    assert left.message.startswith(path)
    assert left.message.endswith("; nothing was reloaded")
    assert left.hint == "if that is intended, add --allow-management"
    assert lab.failed(errors.GuestRisk, allow_management=True).hint == "if that is intended, add --allow-guests 300"
    assert lab.reloads == 0


@pytest.mark.parametrize("agreed", [EVERYBODY, some(101, 102, 205)])
def test_who_is_agreed_to_is_cut(lab: Lab, agreed: AllowedGuests) -> None:
    """All, or each by number."""
    unplugged(lab)
    assert lab.apply(allow_guests=agreed).verdict is Verdict.APPLIED
    assert "bond0" not in lab.live.partition("auto vmbr1")[2]


def test_some_numbers_are_not_all(lab: Lab) -> None:
    """The hint names everybody who is cut, the refusal those of whom nothing was said."""
    unplugged(lab)
    error = lab.failed(errors.GuestRisk, allow_guests=some(101, 205, 999))
    assert "this cuts guest 102 db on pve1, which is running" in error.message
    assert error.hint.endswith("--allow-guests 101,102,205")


def test_who_starts_while_a_person_reads_is_not_covered(lab: Lab) -> None:
    """The numbers were said of those who were there."""
    unplugged(lab)
    lab.order(f"guest-starts=110@{BRIDGES}+2")
    error = lab.failed(errors.GuestRisk, allow_guests=some(101, 102, 205))
    assert "this cuts guest 110 old on pve1, which is running" in error.message
    assert lab.reloads == 0


def test_who_starts_on_a_bridge_that_is_staged_to_go_is_not_covered(lab: Lab) -> None:
    """The bridges call shows nobody there any more, but who runs is known all the same."""
    lab.stage({"vmbr1": None})
    lab.forget()
    lab.order(f"guest-starts=110@{BRIDGES}+2")
    error = lab.failed(errors.GuestRisk, allow_guests=some(101, 102, 205))
    assert "this cuts guest 110 old on pve1, which is running" in error.message


def test_who_was_to_be_interrupted_and_is_lost_was_not_agreed_to(lab: Lab) -> None:
    """`--allow-guests` is about those who are cut by what was shown."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order("guest-lost=101@PUT network")
    lab.failed(errors.RolledBack, allow_guests=EVERYBODY)


def test_all_covers_who_comes(lab: Lab) -> None:
    """That is what it says."""
    unplugged(lab)
    lab.order(f"guest-starts=110@{BRIDGES}+2")
    assert lab.apply(allow_guests=EVERYBODY).verdict is Verdict.APPLIED


def test_who_perhaps_runs_is_a_warning(lab: Lab) -> None:
    """Where neither the list nor the kernel says so, nobody is kept from going on."""
    lab.nature(bridges_call=False, pvestatd=False)
    unplugged(lab)
    lab.order("report-odd@GET report", f"lacks=Sys.Audit@{NETSTAT}")
    lab.apply(verify=Verify.FLAGS, on_failure=OnFailure.KEEP)
    assert "this cuts guests 101 web, 102 db, 110 old, 205 proxy on pve1 if they are running" in lab.warnings


# --- after the reload -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vmid", "lost"), [(101, "101 web (net0) was on vmbr1"), (300, "300 mail (net0) was on vmbr0")]
)
def test_a_guest_that_is_lost_rolls_back_by_name(lab: Lab, vmid: int, lost: str) -> None:
    """Also one on a bridge that the change does not touch; no rollback brings a port back onto its bridge."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order(f"guest-lost={vmid}@PUT network")
    error = lab.failed(errors.RolledBack)
    who = f"guest {lost} and is no longer on any bridge"
    assert f"the reload of pve1 ended well, but {who}" in error.message
    assert f"{who}, also with the network as it was; a guest's next start puts it back" in lab.warnings
    assert "mode active-backup" not in lab.live


def test_a_further_port_that_costs_a_guest_is_rolled_back(lab: Lab) -> None:
    """Nobody was to be hit, and somebody is: the bridges are asked anyway."""
    change(lab, "vmbr1", ports=("bond0", "ens37"))
    lab.order("guest-lost=102@PUT network")
    assert "guest 102 (net0) was on vmbr1" in lab.failed(errors.RolledBack).message
    assert LIST not in lab.sent


def test_who_stays_is_told_where_it_stays(lab: Lab) -> None:
    """`--on-failure keep`: exit 1, and said."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order("guest-lost=101@PUT network")
    error = lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    assert "guest 101 web (net0) was on vmbr1" in error.message
    assert lab.states == [State.FAILED]


@pytest.mark.parametrize("where", [f"{BRIDGES}+3", "PUT network"])
def test_who_stops_meanwhile_is_told_and_no_failure(lab: Lab, where: str) -> None:
    """Its port is gone, and it does not run."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order(f"guest-stops=101@{where}")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "guest 101 web (net0) has stopped or moved away in the meantime" in lab.warnings


def test_who_migrates_meanwhile_is_told_and_no_failure(two: Lab) -> None:
    """It runs on another node."""
    change(two, "bond0", mode=BondMode.ACTIVE_BACKUP)
    two.order("guest-migrates=101@PUT network")
    assert two.apply().verdict is Verdict.APPLIED
    assert "guest 101 web (net0) has stopped or moved away in the meantime" in two.warnings


def test_who_starts_meanwhile_is_nothing_to_tell(lab: Lab) -> None:
    """It was not there before."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order("guest-starts=110@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.warnings == ""


def test_who_was_agreed_to_is_told_to_be_lost(lab: Lab) -> None:
    """A bridge that goes leaves its guests without any."""
    lab.stage({"vmbr1": None})
    lab.forget()
    assert lab.apply(allow_guests=EVERYBODY).verdict is Verdict.APPLIED
    for who in ("101 web", "102 db", "205 proxy"):
        assert f"guest {who} (net0) has lost vmbr1, as agreed" in lab.warnings


def test_where_nobody_tells_who_runs_a_lost_port_is_a_warning(lab: Lab) -> None:
    """It may have stopped."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order("guest-lost=101@PUT network", f"error@{NETSTAT}+3")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "101 web (net0) are on no bridge any more, or have stopped" in lab.warnings


def test_flags_alone_look_for_guests_all_the_same(lab: Lab) -> None:
    """`--verify flags` is about the interfaces."""
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order("guest-lost=101@PUT network")
    lab.failed(errors.RolledBack, verify=Verify.FLAGS)
    assert "GET report" not in lab.sent


def test_without_the_bridges_call_the_reports_tell(lab: Lab) -> None:
    """Before PVE 9.1."""
    lab.nature(bridges_call=False)
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order("guest-lost=101@PUT network")
    assert "guest 101 web (net0) was on vmbr1" in lab.failed(errors.RolledBack).message


def test_without_a_second_report_nobody_is_taken_for_lost(lab: Lab) -> None:
    """Whom only a report has shown only a report can show again."""
    lab.nature(bridges_call=False)
    change(lab, "bond0", mode=BondMode.ACTIVE_BACKUP)
    lab.order("report-too-late@GET report+2")
    assert lab.apply(timeout=120.0).verdict is Verdict.APPLIED
    assert "are on their bridges again is not known" in lab.warnings
    assert NETSTAT not in lab.after_reload


# --- the cluster ------------------------------------------------------------------------------------------------------


def test_a_quorum_that_goes_is_rolled_back_by_name(two: Lab) -> None:
    """Seconds after the reload; nothing tells before."""
    change(two, "vmbr0", ports=("ens33", "ens37"))
    two.order("link-lost=0@PUT network", "link-lost=1@PUT network")
    error = two.failed(errors.RolledBack, allow_management=True)
    lost = "the cluster has lost its quorum; the cluster does not reach pve2 any more"
    assert f"the reload of pve1 ended well, but {lost}" in error.message
    assert "also with the network as it was" not in two.warnings
    assert "ens37" not in two.live.partition("auto vmbr0")[2].partition("auto")[0]


def test_one_link_of_two_may_go(two: Lab) -> None:
    """The cluster holds."""
    change(two, "vmbr0", ports=("ens33", "ens37"))
    two.order("link-lost=0@PUT network")
    assert two.apply(allow_management=True).verdict is Verdict.APPLIED


def test_a_quorum_that_was_not_there_is_not_missed(two: Lab) -> None:
    """It is said before, with the members that do not answer."""
    change(two, "vmbr0", ports=("ens33", "ens37"))
    two.order("link-lost=0@PUT network", "link-lost=1@PUT network")
    two.failed(errors.ApplyFailed, allow_management=True, on_failure=OnFailure.KEEP)
    change(two, "vmbr0", ports=("ens33",))
    two.order("link-lost=0@PUT network", "link-lost=1@PUT network")
    assert two.apply(allow_management=True).verdict is Verdict.APPLIED
    assert "the cluster is not quorate, and this touches an interface that carries one of its links" in two.warnings
    assert "the cluster does not reach pve2, and this touches" in two.warnings


def test_a_link_that_nobody_can_place_may_be_what_a_cluster_that_lacks_a_member_needs(two: Lab) -> None:
    """No more is said than is known."""
    change(two, "vmbr0", ports=("ens33", "ens37"))
    two.order("link-lost=0@PUT network", "link-lost=1@PUT network")
    two.failed(errors.ApplyFailed, allow_management=True, on_failure=OnFailure.KEEP)
    called(two, "ring", in_hosts=False)
    change(two, "ens40", cidr=IPv4Interface("10.10.99.1/24"))
    two.apply()
    assert "the cluster does not reach pve2, and this touches an interface that may carry one of its" in two.warnings


def test_what_carries_a_link_needs_allow_management_in_a_cluster_that_lacks_a_member(two: Lab) -> None:
    """As what carries any of its links does."""
    change(two, "vmbr0", ports=("ens33", "ens37"))
    two.order("link-lost=0@PUT network", "link-lost=1@PUT network")
    two.failed(errors.ApplyFailed, allow_management=True, on_failure=OnFailure.KEEP)
    change(two, "ens40", comments="", mtu=1400)
    two.failed(errors.ManagementRisk)


def test_the_cluster_is_looked_at_only_where_one_of_its_links_is_touched(two: Lab) -> None:
    """A guests' bridge is none of its business."""
    change(two, "bond0", mode=BondMode.ACTIVE_BACKUP)
    assert two.apply().verdict is Verdict.APPLIED
    assert CLUSTER not in two.after_reload
    change(two, "vmbr0", ports=("ens33", "ens37"))
    begun = two.time.now
    assert two.apply(allow_management=True).verdict is Verdict.APPLIED
    assert CLUSTER in two.after_reload
    assert two.time.now - begun > TOKEN_LOST


def test_a_lone_node_asks_for_no_links_and_no_quorum(lab: Lab) -> None:
    """There is nobody to lose."""
    change(lab, "vmbr0", ports=("ens33", "ens37"))
    assert lab.apply(allow_management=True).verdict is Verdict.APPLIED
    assert "GET cluster/config/nodes" not in lab.sent
    assert lab.sent.count(CLUSTER) == 1


def test_links_that_nobody_tells_of_are_not_known(two: Lab) -> None:
    """A warning; the addresses of the members have to do."""
    change(two, "vmbr0", ports=())
    two.order("error@GET cluster/config/nodes")
    two.failed(errors.ManagementRisk)
    assert any(each.what == "which links the cluster has" for each in unknown(two))


def test_a_cluster_that_may_not_be_seen_is_not_known_to_be_none(two: Lab) -> None:
    """Without Sys.Audit on `/` nobody can tell whether the node is in one, and the commands that grant it are said."""
    change(two, "vmbr0", ports=())
    two.order("lacks=Sys.Audit@GET cluster/status")
    two.failed(errors.ManagementRisk)
    assert ("which links the cluster has", "Sys.Audit", "/") in [
        (each.what, each.privilege, each.path) for each in unknown(two)
    ]
