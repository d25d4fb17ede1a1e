"""Faults that no flag shows: the kernel has something else than the file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sim_client import HERE, NETWORK, Client, exitstatus, reload
from sim_kernel import differences, kernel, link

from pvenet.sim.faults import KINDS
from pvenet.sim.faults.kernel import KINDS as KERNEL_KINDS
from pvenet.sim.kernel.value import NOBODY, lacp_words

if TYPE_CHECKING:
    from pathlib import Path

BOND = {"iface": "bond0", "type": "bond", "slaves": "ens38 ens39", "bond_mode": "802.3ad", "mtu": "9000"}
BRIDGE = {"iface": "vmbr1", "type": "bridge", "bridge_ports": "bond0", "mtu": "9000", "cidr": "10.9.0.1/24"}
EFFECTS: dict[str, dict[str, set[str]]] = {
    "no-carrier=ens38": {"ens38": {"carrier", "slave", "speed"}, "bond0": {"bond"}},
    "no-partner=bond0": {"ens38": {"slave"}, "ens39": {"slave"}, "bond0": {"bond"}},
    "partner-splits=bond0": {"ens39": {"slave"}, "bond0": {"bond"}},
    "lacp-takes=30": {"ens38": {"slave"}, "ens39": {"slave"}, "bond0": {"bond"}},
    "not-joined=ens39": {"ens39": {"master", "slave", "mac", "permaddr", "mtu", "addresses"}, "bond0": {"bond"}},
    "port-missing=bond0": {"bond0": {"master", "port_state", "addresses"}, "vmbr1": {"carrier", "addresses"}},
    "mtu-stays=vmbr1": {"vmbr1": {"mtu"}},
    "mtu-stays=ens39": {"ens39": {"mtu"}},
    "address-missing=vmbr1": {"vmbr1": {"addresses"}},
    "route-missing": {},
}
"""What of which link is otherwise than without the fault."""
BY_A_RELOAD = ("not-joined", "port-missing", "mtu-stays", "address-missing", "route-missing")
SENT = "@PUT network"


def changed(place: Path, *faults: str) -> Client:
    """A node on which a bond and a bridge over it were made, when the reload is over."""
    client = Client(place, *faults)
    for form in (BOND, BRIDGE):
        assert client.ask("POST", NETWORK, autostart=1, **form).status_code == 200
    assert exitstatus(client, reload(client)) == "OK"
    return client


@pytest.mark.parametrize("fault", EFFECTS)
def test_the_kernel_lacks_what_was_ordered_and_nothing_else(fault: str, tmp_path: Path) -> None:
    """The task says OK, every flag is as it would be, and the kernel differs in just this."""
    healthy, other = changed(tmp_path / "healthy"), changed(tmp_path / "other", f"{fault}{SENT}")
    assert differences(kernel(healthy), kernel(other)) == EFFECTS[fault]
    assert other.active() == healthy.active()


@pytest.mark.parametrize("fault", [fault for fault in EFFECTS if fault.startswith(BY_A_RELOAD)])
def test_the_next_reload_brings_what_was_missing(fault: str, tmp_path: Path) -> None:
    """It is as if nothing had ever been wrong."""
    healthy, other = changed(tmp_path / "healthy"), changed(tmp_path / "other", f"{fault}{SENT}")
    assert kernel(healthy) != kernel(other)
    for client in (healthy, other):
        assert exitstatus(client, reload(client)) == "OK"
        client.sleep(60)
    assert differences(kernel(healthy), kernel(other)) == {}
    assert kernel(healthy).routes == kernel(other).routes


def test_what_was_there_goes_too(tmp_path: Path) -> None:
    """A fault takes from what the change does not touch, and the other interfaces keep theirs."""
    client = changed(tmp_path)
    before = kernel(client)
    faults = [f"{fault}{SENT}" for fault in ("port-missing=ens33", "address-missing=vmbr0", "not-joined=ens38")]
    client = Client(tmp_path, *faults)
    client.sleep(100)
    client.ask("POST", NETWORK, iface="vmbr2", type="bridge", autostart=1)
    assert exitstatus(client, reload(client)) == "OK"
    assert set(differences(before, kernel(client))) == {"vmbr2", "ens33", "vmbr0", "ens38", "ens39", "bond0"}
    assert link(kernel(client), "ens33").master is None
    assert [port.name for port in kernel(client).ports("bond0")] == ["ens39"]


def test_an_mtu_stays_what_it_was(tmp_path: Path) -> None:
    """Raised or lowered, the kernel keeps the one from before."""
    changed(tmp_path)
    client = Client(tmp_path, f"mtu-stays=vmbr1{SENT}")
    client.sleep(100)
    form = {name: value for name, value in BRIDGE.items() if name != "iface"} | {"mtu": "1400", "autostart": "1"}
    assert client.ask("PUT", f"{NETWORK}/vmbr1", **form).status_code == 200
    assert exitstatus(client, reload(client)) == "OK"
    assert link(kernel(client), "vmbr1").mtu == 9000


def test_without_a_default_route_the_others_stay(tmp_path: Path) -> None:
    """The networks of its addresses can be reached, and nothing beyond."""
    healthy, other = changed(tmp_path / "healthy"), changed(tmp_path / "other", f"route-missing{SENT}")
    assert kernel(other).routes == tuple(route for route in kernel(healthy).routes if route.to != "default")
    assert len(kernel(other).routes) < len(kernel(healthy).routes)


def test_a_bond_waits_for_its_partner(tmp_path: Path) -> None:
    """Until its time is over it is as if nobody answered; then as if it had never waited."""
    healthy, other = changed(tmp_path / "healthy"), changed(tmp_path / "other", f"lacp-takes=30{SENT}")
    bond = link(kernel(other), "bond0").bond
    assert bond is not None
    assert (bond.ad_partner_mac, bond.ad_num_ports) == (NOBODY, 1)
    other.sleep(30)
    healthy.sleep(30)
    assert differences(kernel(healthy), kernel(other)) == {}


def test_a_bond_that_nothing_changes_keeps_its_partner(tmp_path: Path) -> None:
    """However long LACP takes, a reload makes no bond of the same mode and slaves ask again."""
    changed(tmp_path)
    client = Client(tmp_path, f"lacp-takes=30{SENT}")
    client.sleep(100)
    before = kernel(client)
    client.ask("POST", NETWORK, iface="vmbr2", type="bridge", autostart=1)
    assert exitstatus(client, reload(client)) == "OK"
    assert set(differences(before, kernel(client))) == {"vmbr2"}


def test_a_bond_between_two_switches_uses_one(tmp_path: Path) -> None:
    """It has a partner on one slave, and the other is in an aggregator of its own and not in sync."""
    found = kernel(changed(tmp_path, f"partner-splits=bond0{SENT}"))
    bond, used, idle = link(found, "bond0").bond, link(found, "ens38").slave, link(found, "ens39").slave
    assert bond is not None
    assert used is not None
    assert idle is not None
    assert (bond.ad_partner_mac != NOBODY, bond.ad_num_ports) == (True, 1)
    assert used.aggregator_id != idle.aggregator_id
    assert ("in_sync" in lacp_words(used.actor_state), "in_sync" in lacp_words(idle.actor_state)) == (True, False)


def test_a_pulled_cable_stays_out(tmp_path: Path) -> None:
    """Also for who comes later without any fault; a NIC that is not there can't be unplugged."""
    changed(tmp_path, f"no-carrier=ens38{SENT}")
    later = Client(tmp_path)
    later.sleep(100)
    assert not link(kernel(later), "ens38").carrier
    reply = Client(tmp_path, f"no-carrier=ens99{SENT}").ask("PUT", NETWORK)
    assert reply.status_code == 500
    assert reply.reason.startswith("there is no NIC ens99 on pve1, only ens33, ens37")


def test_a_report_may_have_another_form(tmp_path: Path) -> None:
    """From the request on its network section does not begin as it did; all else is as it was."""
    text = Client(tmp_path).ask("GET", "/nodes/pve1/report").json()["data"]
    client = Client(tmp_path, "report-odd@GET report+2")
    as_ever, *others = (client.ask("GET", "/nodes/pve1/report").json()["data"] for _ in range(3))
    assert as_ever == text
    for other in others:
        assert [line for line in other.splitlines() if line not in text.splitlines()] == ["# ip -stats -json address"]


@pytest.mark.parametrize(("fault", "seconds"), [("report-slow=12", 12.0), ("report-too-late", 30.0)])
def test_a_report_may_take_its_time(fault: str, seconds: float, tmp_path: Path) -> None:
    """It comes late, or PVE gives up. pve-api#report-cut-off."""
    client = Client(tmp_path, f"{fault}@1")
    began = client.now
    # requests' own patience is that of a test
    reply = client.session.get(f"{HERE}/nodes/pve1/report", timeout=60)
    assert (reply.status_code, client.now - began) == (200 if seconds < 30 else 596, seconds)


def test_every_fault_of_the_kernel_has_its_effect_here() -> None:
    """But for those of the report, which take nothing from the kernel."""
    told = {fault.partition("=")[0] for fault in EFFECTS}
    assert told == {name for name in KERNEL_KINDS if not name.startswith("report-")}
    assert told <= KINDS.keys()
