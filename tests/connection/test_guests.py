"""Who the guests of a node are, from what the recordings K3, K4, K6 and K7 say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scripted import Refusal, node

from pvenet.access import NotKnown
from pvenet.cluster import links
from pvenet.guests import list_guests, present, read_guests, with_cards
from pvenet.impact import Guest, GuestNic

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST, NETSTAT, RIGHTS = "/cluster/resources?type=vm", "/nodes/pve1/netstat", "/access/permissions?path=%2Fvms"
WEB, CT, GONE, TMPL = (f"/nodes/pve1/{place}/pending" for place in ("qemu/100", "lxc/101", "qemu/103", "qemu/104"))
NO_RIGHT = Refusal("403 Permission check failed (/vms/100, VM.Audit)")


def entry(vmid: int, kind: str = "qemu", status: str = "unknown", **more: Any) -> dict[str, Any]:
    return {"node": "pve1", "vmid": vmid, "type": kind, "status": status, "id": f"{kind}/{vmid}", **more}


def pending(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, **(value if isinstance(value, dict) else {"value": value})} for key, value in values.items()]


ANSWERS: dict[str, Any] = {
    LIST: [entry(104), entry(100), entry(103), entry(101, "lxc", tags="lab"), {**entry(900), "node": "pve2"}],
    NETSTAT: [{"vmid": "100", "dev": "net0", "in": "0", "out": "0"}, {"vmid": "100", "dev": "net1", "in": "0"}],
    RIGHTS: {"/vms": {"VM.Audit": 1}},
    WEB: pending(
        name="web",
        net1="e1000=BC:24:11:2C:69:ED,bridge=vmbr1,link_down=1,trunks=10;20-30",
        net0="virtio=BC:24:11:2C:69:EC,bridge=vmbr0,firewall=1,tag=20",
        cores=2,
    ),
    CT: pending(
        hostname="ct1",
        net0="name=eth0,bridge=vmbr0,firewall=1,hwaddr=BC:24:11:AA:00:01,ip=dhcp,type=veth",
        net1="name=eth1,bridge=vmbr1,gw=10.0.0.1,hwaddr=BC:24:11:AA:00:02,tag=30,trunks=40;50,type=veth,mtu=1400",
        memory=512,
    ),
    GONE: pending(
        ostype="l26",
        net0={"value": "virtio=BC:24:11:2C:69:FC,bridge=vmbr7", "pending": "virtio=BC:24:11:2C:69:FC,bridge=vmbr0"},
        name="gone",
    ),
    TMPL: pending(net2="virtio=BC:24:11:2C:69:0D,bridge=vmbr0", net0="virtio=BC:24:11:2C:69:0C", name="tmpl"),
}


def read(**other: Any) -> tuple[tuple[Guest, ...], tuple[NotKnown, ...]]:
    found = read_guests(node({**ANSWERS, **{globals()[name]: answer for name, answer in other.items()}})[0])
    return found.guests, found.unknown


def test_guests_come_with_their_cards() -> None:
    """Name, kind, who runs, and each card with its bridge, VLANs and firewall; those of other nodes are left out."""
    guests, unknown = read()
    web, ct, gone, tmpl = guests
    assert web == Guest(
        vmid=100,
        name="web",
        running=True,
        nics=(
            GuestNic(index="net0", bridge="vmbr0", tag=20, firewall=True),
            GuestNic(index="net1", bridge="vmbr1", trunks=("10", "20-30"), link_down=True),
        ),
    )
    assert (ct.kind, ct.name, ct.running) == ("lxc", "ct1", False)
    assert ct.nics[1] == GuestNic(index="net1", bridge="vmbr1", tag=30, trunks=("40", "50"))
    assert [(nic.bridge, nic.pending) for nic in gone.nics] == [("vmbr0", False)]  # stopped, and will start with that
    assert [nic.bridge for nic in tmpl.nics] == [None, "vmbr0"]
    assert unknown == ()


def test_what_is_pending_is_told_beside_what_runs() -> None:
    """A guest that runs on vmbr7 is on vmbr0 from its next start on."""
    guests, _ = read(NETSTAT=[{"vmid": "103", "dev": "net0"}])
    assert [(nic.bridge, nic.pending) for nic in guests[2].nics] == [("vmbr7", False), ("vmbr0", True)]


@pytest.mark.parametrize(("running", "bridges"), [(True, ["vmbr7"]), (False, [])])
def test_a_card_that_is_to_go_is_there_until_the_next_start(running: bool, bridges: list[str]) -> None:  # noqa: FBT001
    """One that runs still has it."""
    card = {"value": "virtio=BC:24:11:2C:69:FC,bridge=vmbr7", "delete": 1}
    guests, _ = read(NETSTAT=[{"vmid": "103", "dev": "net0"}] if running else [], GONE=pending(net0=card))
    assert [nic.bridge for nic in guests[2].nics] == bridges


def test_the_kernel_knows_better_than_the_list_who_runs() -> None:
    """The list is some seconds old; but of a guest without a bridge the kernel shows no port."""
    listed = [entry(100, status="stopped"), entry(103, status="running"), entry(104, status="running")]
    guests, _ = read(LIST=listed, TMPL=pending(net0="virtio=BC:24:11:2C:69:0C"))
    assert [(guest.vmid, guest.running) for guest in guests] == [(100, True), (103, False), (104, True)]


def test_without_the_right_to_netstat_the_list_has_to_do() -> None:
    """And who runs is not known where it says nothing; the missing privilege is named with what grants it."""
    listed = [entry(100, status="running"), entry(103, status="stopped"), entry(104)]
    guests, unknown = read(LIST=listed, NETSTAT=Refusal("403 Permission check failed (/nodes/pve1, Sys.Audit)"))
    assert [guest.running for guest in guests] == [True, False, None]
    assert [(each.what, each.privilege, each.path) for each in unknown] == [
        ("which guests of pve1 run now", "Sys.Audit", "/nodes/pve1")
    ]


@pytest.mark.parametrize("held", [{}, {"/vms": {}}, {"/vms": {"VM.Audit": 0}}, {"/vms": {"VM.Config": 1}}])
def test_an_empty_list_is_not_no_guests(held: dict[str, dict[str, int]]) -> None:
    """Who may not see guests gets none, and it is said what is missing; one that is not handed down shows none."""
    guests, unknown = read(LIST=[], RIGHTS=held)
    assert guests == ()
    (lacks,) = unknown
    assert (lacks.what, lacks.privilege, lacks.path) == ("which guests pve1 has", "VM.Audit", "/vms")
    assert lacks.grants[-1] == "pveum acl modify /vms --tokens 'root@pam!full' --roles NetGuestsPvenet --propagate 1"


def test_an_empty_list_with_the_right_is_no_guests() -> None:
    """Then nothing is unknown."""
    assert read(LIST=[], NETSTAT=[]) == ((), ())


def test_a_list_of_some_may_be_without_others() -> None:
    """Who has the right on single guests sees those."""
    _, (lacks,) = read(RIGHTS={"/vms": {}})
    assert lacks.what == "which other guests pve1 has"


def test_a_guest_that_runs_and_is_not_listed_is_told_by_its_number() -> None:
    """One that is taken out of what is handed down."""
    _, (lacks,) = read(NETSTAT=[*ANSWERS[NETSTAT], {"vmid": "666", "dev": "net0"}])
    assert (lacks.what, lacks.path) == ("who guest 666 is", "/vms/666")


def test_a_configuration_that_may_not_be_read_is_not_known() -> None:
    """The guest is told all the same."""
    guests, (lacks,) = read(WEB=NO_RIGHT)
    assert guests[0] == Guest(vmid=100, running=True)
    assert (lacks.what, lacks.privilege, lacks.path) == ("on which bridges guest 100 is", "VM.Audit", "/vms/100")


def test_a_guest_that_has_left_meanwhile_is_left_out() -> None:
    """It was removed or has migrated since it was listed: PVE says so with a 500."""
    left = Refusal("500 Configuration file 'nodes/pve1/qemu-server/103.conf' does not exist")
    guests, unknown = read(GONE=left)
    assert [guest.vmid for guest in guests] == [100, 101, 104]
    assert unknown == ()


@pytest.mark.parametrize("place", ["LIST", "NETSTAT", "RIGHTS", "WEB"])
@pytest.mark.parametrize("answer", [Refusal("500 no"), Refusal("596 Connection timed out"), "nonsense", [{}], [[]]])
def test_no_answer_fails_more_than_itself(place: str, answer: Any) -> None:
    """Whatever a call says, the others count, and what is missing is told."""
    guests, unknown = read(**{place: answer})
    assert unknown or (place, answer) == ("NETSTAT", [{}])
    assert bool(guests) == (place != "LIST")


@pytest.mark.parametrize("row", [{}, {"vmid": None, "dev": "net0"}, {"vmid": "100"}, {"vmid": "100", "dev": ""}])
def test_a_port_of_nobody_is_not_nobody_who_runs(row: dict[str, Any]) -> None:
    """An answer that does not say whose a port is says nothing of who runs, and the list has to do."""
    guests, unknown = read(NETSTAT=[row])
    assert [guest.running for guest in guests] == [None] * 4
    assert [each.what for each in unknown] == ["which guests of pve1 run now"]


def test_a_list_of_something_else_is_no_list_of_guests() -> None:
    """And is not taken for one that leaves out what the caller may not see."""
    _guests, unknown = read(LIST=[{}])
    assert unknown[0].what == "which guests pve1 has"
    assert "an entry has no type" in unknown[0].why


def test_who_hangs_elsewhere_is_not_asked_for() -> None:
    """One list, and one configuration a guest that may be on an affected bridge."""
    cards = frozenset({(100, "net0"), (100, "net1")})
    there, heard = node(ANSWERS)
    found = with_cards(there, present(there), elsewhere=cards)
    assert found.running == cards
    assert sorted(heard.asked) == sorted([LIST, NETSTAT, RIGHTS, CT, GONE, TMPL])
    there, heard = node(ANSWERS)
    with_cards(there, present(there, listed=list_guests(there.connection)), elsewhere={(100, "net0")})
    assert sorted(heard.asked) == sorted([LIST, NETSTAT, RIGHTS, WEB, CT, GONE, TMPL])


# --- the cluster's links ---------------------------------------------------------------------------------------------

CONFIG = "/cluster/config/nodes"


def ends(answer: Any) -> Iterator[tuple[str, int, str, str | None]] | NotKnown:
    found = links(node({CONFIG: answer})[0].connection)
    return found if isinstance(found, NotKnown) else ((it.node, it.number, it.address, it.ip) for it in found)


def test_each_ring_of_each_node_is_an_end_of_a_link() -> None:
    """By node and number; an address may be a name, which is not looked up (K4-cluster-041)."""
    answer = [
        {"ring0_addr": "pve2.lan", "node": "pve2", "quorum_votes": "1", "name": "pve2", "ring1_addr": "10.9.0.22"},
        {"node": "pve1", "ring0_addr": "192.168.171.21", "ring1_addr": "10.9.0.21", "nodeid": "1", "name": "pve1"},
    ]
    assert list(ends(answer)) == [  # type: ignore[arg-type]
        ("pve1", 0, "192.168.171.21", "192.168.171.21"),
        ("pve1", 1, "10.9.0.21", "10.9.0.21"),
        ("pve2", 0, "pve2.lan", None),
        ("pve2", 1, "10.9.0.22", "10.9.0.22"),
    ]


def test_a_node_alone_has_no_links() -> None:
    """An empty list (K4-cluster-002)."""
    assert links(node({CONFIG: []})[0].connection) == ()


def test_links_that_may_not_be_seen_are_not_known() -> None:
    """The right is missing on everything, and need not be handed down (K4-cluster-011)."""
    found = links(node({CONFIG: Refusal("403 Permission check failed (/, Sys.Audit)")})[0].connection)
    assert isinstance(found, NotKnown)
    assert (found.privilege, found.path) == ("Sys.Audit", "/")
    assert found.grants[-1] == "pveum acl modify / --tokens 'root@pam!full' --roles NetAuditPvenet --propagate 0"
