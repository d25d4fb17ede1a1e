"""Guests on a vnet of SDN and on Open vSwitch: the bridges call shows none of them, and an apply misses none.

What a vnet stands on and who hangs on Open vSwitch is known by the node's report and the guests' configurations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lab import Lab
from plan_model import network
from switched import with_switch, with_vnet

from pvenet import errors
from pvenet.apply.bystanders import bystanders
from pvenet.apply.kernel import Verify
from pvenet.cluster import Cluster
from pvenet.events import Affected, Verdict
from pvenet.impact import AllowedGuests, concerned
from pvenet.kernel.judgement import Look
from pvenet.model import BondMode, OvsIntPort
from pvenet.model.cluster import ClusterLink
from pvenet.render.impact import impact_lines

if TYPE_CHECKING:
    from pathlib import Path

ON_VNET = ("103:shop:vnet1", "104:mail:vnet1,ct,firewall", "111:old:vnet1,stopped", "300:file:vmbr0")
ON_SWITCH = ("103:shop:vmbr2:20", "104:mail:vmbr2,ct,firewall", "111:old:vmbr2,stopped", "300:file:vmbr0")
REPORT = "GET report"
BOTH = AllowedGuests(vmids=frozenset({103, 104}))
VNET1 = "vnet1 carries 2 running guests: 103 shop (net0), 104 mail (net0); and 1 that is stopped: 111 old"
VMBR2 = "vmbr2 carries 2 running guests: 103 shop (net0, VLAN 20), 104 mail (net0); and 1 that is stopped: 111 old"


@pytest.fixture
def vnet(tmp_path: Path) -> Lab:
    """A lone node with guests on a vnet, which stands on vmbr1."""
    return Lab(with_vnet(tmp_path / "vnet", ON_VNET))


@pytest.fixture
def switch(tmp_path: Path) -> Lab:
    """A lone node with guests on a bridge of Open vSwitch."""
    return Lab(with_switch(tmp_path / "switch", ON_SWITCH))


def change(lab: Lab, name: str, **fields: object) -> None:
    """Stage a change of an interface, and forget what that took."""
    lab.stage({name: replace(lab.node.read().network.interfaces[name], **fields)})  # type: ignore[arg-type]
    lab.forget()


def said(lab: Lab) -> list[str]:
    """The lines about whom it hits, before the question."""
    return [line for event in lab.events if isinstance(event, Affected) for line in impact_lines(event.impact)]


# --- before -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"ports": ()}, "none of vmbr1's uplinks remains (bond0)"), ({"vids": ("30",)}, "VLAN 20 leaves vmbr1")],
)
def test_who_is_cut_on_a_vnet_is_named_and_has_to_be_agreed_to(vnet: Lab, fields: dict[str, object], why: str) -> None:
    """The change is one of the bridge beneath; nothing is sent."""
    change(vnet, "vmbr1", **fields)
    error = vnet.failed(errors.GuestRisk)
    assert said(vnet) == [VNET1, f"  cut: {why}"]
    assert "this cuts guests 103 shop, 104 mail on pve1" in error.message
    assert vnet.sent.count(REPORT) == 1


def test_who_is_cut_on_open_vswitch_is_named_and_has_to_be_agreed_to(switch: Lab) -> None:
    """With the VLAN of its configuration."""
    change(switch, "vmbr2", ports=())
    error = switch.failed(errors.GuestRisk)
    assert said(switch) == [VMBR2, "  cut: none of vmbr2's uplinks remains (ens37)"]
    assert "this cuts guests 103 shop, 104 mail on pve1" in error.message


def test_who_hangs_on_another_bridge_costs_no_report(switch: Lab) -> None:
    """Where a guest of Open vSwitch hangs its configuration says, and that is elsewhere."""
    change(switch, "vmbr1", ports=())
    assert switch.apply().verdict is Verdict.APPLIED
    assert REPORT not in switch.sent


def test_an_internal_port_that_goes_costs_no_look_at_the_guests_of_its_bridge(switch: Lab) -> None:
    """Its bridge carries them as before, though PVE lists it no more."""
    switch.stage({"stor1": OvsIntPort(name="stor1", bridge="vmbr2", tag=50)})
    assert switch.apply().verdict is Verdict.APPLIED
    switch.stage({"stor1": None})
    switch.forget()
    assert switch.apply().verdict is Verdict.APPLIED
    assert said(switch) == []
    assert "GET cluster/resources" not in switch.sent


@pytest.mark.parametrize(("bridge", "touched"), [("ens33,mgmt", False), ("ens33,mgmt mtu=1400", True)])
def test_an_internal_port_that_goes_touches_no_link_of_the_cluster_on_another(
    switch: Lab, bridge: str, *, touched: bool
) -> None:
    """The cluster is looked at where the bridge itself changes, and not where it only lists a port less."""
    nodes = "ovs-port ens33 bridge=vmbr5\novs-int-port mgmt bridge=vmbr5 cidr=192.0.2.11/24\novs-bridge vmbr5 ports="
    before = network(f"{nodes}ens33,mgmt,stor1\novs-int-port stor1 bridge=vmbr5")
    wanted = network(f"{nodes}{bridge}")
    links = (ClusterLink(node="pve1", number=0, address="192.0.2.11", ip="192.0.2.11"),)
    found = bystanders(
        switch.node,
        before,
        wanted,
        cluster=Cluster(links=links),
        look=lambda _bridges, _cards: Look(),
        path=None,
        touched=concerned(before, wanted),
    )
    assert (found.cluster is not None) is touched


def test_without_the_right_to_the_report_a_vnet_is_not_known(vnet: Lab) -> None:
    """Never "nobody": the apply says so, and goes on."""
    change(vnet, "vmbr1", ports=())
    vnet.order(f"error@{REPORT}")
    assert vnet.apply().verdict is Verdict.APPLIED
    (unknown,) = said(vnet)
    assert unknown.startswith("not known: what vnet1 is on top of")


# --- after ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verify", list(Verify))
def test_who_is_kept_on_a_vnet_is_no_failure(vnet: Lab, verify: Verify) -> None:
    """The bond beneath changes its mode: interrupted, and still there."""
    change(vnet, "bond0", mode=BondMode.ACTIVE_BACKUP)
    assert vnet.apply(verify=verify).verdict is Verdict.APPLIED
    assert said(vnet)[0] == VNET1
    assert vnet.warnings == ""


@pytest.mark.parametrize("verify", list(Verify))
@pytest.mark.parametrize("vmid", [103, 104])
def test_who_is_lost_from_a_vnet_rolls_back_by_name(vnet: Lab, vmid: int, verify: Verify) -> None:
    """A port that has left its bridge is looked for where it was seen: in the report."""
    change(vnet, "bond0", mode=BondMode.ACTIVE_BACKUP)
    vnet.order(f"guest-lost={vmid}@PUT network")
    error = vnet.failed(errors.RolledBack, verify=verify)
    assert (
        f"guest {vmid} {'shop' if vmid == 103 else 'mail'} (net0) was on vnet1 and is no longer on any bridge"
        in error.message
    )
    assert "also with the network as it was; a guest's next start puts it back" in vnet.warnings
    assert "mode active-backup" not in vnet.live


@pytest.mark.parametrize("verify", list(Verify))
def test_who_is_kept_on_open_vswitch_is_no_failure(switch: Lab, verify: Verify) -> None:
    """Their ports are the switch's before and after."""
    change(switch, "vmbr2", mtu=1400)
    assert switch.apply(verify=verify).verdict is Verdict.APPLIED
    assert said(switch)[0] == VMBR2
    assert "hang" not in switch.warnings


@pytest.mark.parametrize("verify", list(Verify))
@pytest.mark.parametrize("vmid", [103, 104])
def test_who_is_lost_from_open_vswitch_rolls_back_by_name(switch: Lab, vmid: int, verify: Verify) -> None:
    """By the bridge of its configuration: the kernel has one switch for all."""
    change(switch, "vmbr2", mtu=1400)
    switch.order(f"guest-lost={vmid}@PUT network")
    error = switch.failed(errors.RolledBack, verify=verify)
    assert (
        f"guest {vmid} {'shop' if vmid == 103 else 'mail'} (net0) was on vmbr2 and is no longer on any bridge"
        in error.message
    )


def test_who_was_agreed_to_is_told_to_be_lost(switch: Lab) -> None:
    """A bridge that goes leaves its guests without any."""
    switch.stage({"vmbr2": None})
    switch.forget()
    assert switch.apply(allow_guests=BOTH).verdict is Verdict.APPLIED
    for who in ("103 shop", "104 mail"):
        assert f"guest {who} (net0) has lost vmbr2, as agreed" in switch.warnings


@pytest.mark.parametrize("fault", [f"report-too-late@{REPORT}+2", f"error@{REPORT}+2"])
def test_without_a_second_report_nobody_is_taken_for_lost(vnet: Lab, fault: str) -> None:
    """Whom only a report has shown only a report can show again; that nobody can tell is said."""
    change(vnet, "vmbr1", ports=())
    vnet.order(fault)
    assert vnet.apply(allow_guests=BOTH, timeout=120.0).verdict is Verdict.APPLIED
    assert "whether 103 shop (net0), 104 mail (net0) are on their bridges again is not known" in vnet.warnings
