"""What a change does to the way to the node, and which interfaces are that way."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING, Any

import pytest
from lab import Lab

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.apply.management import management_addresses, where_touched
from pvenet.cluster import Cluster, Member
from pvenet.connection import Connection
from pvenet.connection.answers import Answer
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token
from pvenet.events import Shown
from pvenet.impact import shown_path
from pvenet.model import Bond, Bridge, Ethernet, Network, Other, OvsBond, OvsBridge, OvsIntPort, OvsPort
from pvenet.node import Node
from pvenet.plan import management_path
from pvenet.plan.path_effect import PathEffect, effect_on
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.model import Interface

ADDRESS = "192.0.2.1"
BRIDGE = Bridge(name="vmbr0", ports=("bond0",), cidr=IPv4Interface(f"{ADDRESS}/24"), gateway=IPv4Address("192.0.2.254"))
BOND = Bond(name="bond0", slaves=("ens1", "ens2"))
MEMBERS = (
    Member(name="pve1", online=True, address="198.51.100.1"),
    Member(name="pve2", online=True, address="192.0.2.2"),
)


def net(*interfaces: Interface) -> Network:
    nics = [Ethernet(name=f"ens{n}") for n in range(1, 5)]
    return Network(interfaces={each.name: each for each in (*nics, *interfaces)})


BEFORE = net(BRIDGE, BOND)


@pytest.mark.parametrize(
    ("then", "effect"),
    [
        (net(BRIDGE, replace(BOND, slaves=("ens1", "ens2", "ens3"))), PathEffect.WIDENS),
        (net(replace(BRIDGE, ports=("bond0", "ens3")), BOND), PathEffect.WIDENS),
        (net(BRIDGE, replace(BOND, slaves=("ens1",))), PathEffect.NARROWS),
        (net(BRIDGE, replace(BOND, slaves=("ens1", "ens3"))), PathEffect.NARROWS),
        (net(BRIDGE, replace(BOND, slaves=("ens3", "ens4"))), PathEffect.CUTS),
        (net(replace(BRIDGE, ports=("ens3",)), BOND), PathEffect.CUTS),
        (net(BOND), PathEffect.CUTS),
        (net(replace(BRIDGE, mtu=9000), BOND), PathEffect.TOUCHES),
        (net(replace(BRIDGE, cidr=IPv4Interface("192.0.2.9/24")), BOND), PathEffect.TOUCHES),
        (net(replace(BRIDGE, ports=("bond0", "ens3"), mtu=9000), BOND), PathEffect.TOUCHES),
        (net(replace(BRIDGE, gateway=None), replace(BOND, slaves=("ens1",))), PathEffect.NARROWS),
    ],
)
def test_the_worst_that_is_done_to_the_way_is_told(then: Network, effect: PathEffect) -> None:
    """A second path widens, a lost one narrows, the last one cuts; anything else touches."""
    assert effect_on(management_path(BEFORE, {ADDRESS}), BEFORE, then) is effect


MGMT = OvsIntPort(name="mgmt", bridge="vmbr5", cidr=IPv4Interface(f"{ADDRESS}/24"))
STORAGE = OvsIntPort(name="storage", bridge="vmbr5", tag=50)
OVS_BOND = OvsBond(name="bond5", bridge="vmbr5", slaves=("ens1", "ens2"))
NIC = OvsPort(name="ens3", bridge="vmbr5")
SWITCH = OvsBridge(name="vmbr5", ports=("bond5", "mgmt", "storage"))
WIDER = replace(SWITCH, ports=("bond5", "ens3", "mgmt", "storage"))
SWITCHED = net(SWITCH, OVS_BOND, MGMT, STORAGE)
TWO_UPLINKS = net(WIDER, OVS_BOND, NIC, MGMT, STORAGE)
HOLDER = replace(SWITCH, ports=("bond5", "storage"), cidr=MGMT.cidr)
ON_THE_SWITCH = net(HOLDER, OVS_BOND, STORAGE)
UNLISTED = replace(SWITCH, ports=("bond5", "mgmt"))


@pytest.mark.parametrize(
    ("before", "then", "effect"),
    [
        (SWITCHED, net(replace(UNLISTED, mtu=9000), OVS_BOND, MGMT), PathEffect.TOUCHES),
        (SWITCHED, net(UNLISTED, OVS_BOND, replace(MGMT, tag=10)), PathEffect.TOUCHES),
        (SWITCHED, net(UNLISTED, replace(OVS_BOND, slaves=("ens1",)), MGMT), PathEffect.NARROWS),
        (SWITCHED, net(replace(SWITCH, ports=("mgmt", "storage")), MGMT, STORAGE), PathEffect.CUTS),
        (SWITCHED, net(replace(SWITCH, ports=("ens3", "mgmt", "storage")), NIC, MGMT, STORAGE), PathEffect.CUTS),
        (SWITCHED, net(replace(SWITCH, ports=("bond5", "storage")), OVS_BOND, STORAGE), PathEffect.CUTS),
        (SWITCHED, TWO_UPLINKS, PathEffect.WIDENS),
        (TWO_UPLINKS, SWITCHED, PathEffect.NARROWS),
        (TWO_UPLINKS, net(replace(WIDER, ports=("ens3", "mgmt")), NIC, MGMT), PathEffect.CUTS),
        (ON_THE_SWITCH, net(replace(HOLDER, ports=("storage",)), STORAGE), PathEffect.CUTS),
        (ON_THE_SWITCH, net(replace(HOLDER, ports=("bond5", "ens3")), OVS_BOND, NIC), PathEffect.WIDENS),
    ],
)
def test_only_what_leads_out_of_a_switch_is_a_path(before: Network, then: Network, effect: PathEffect) -> None:
    """An internal port that comes or goes widens and narrows nothing, and none that stays is a path that is left."""
    assert effect_on(management_path(before, {ADDRESS}), before, then) is effect


@pytest.mark.parametrize("node", [SWITCHED, net(UNLISTED, OVS_BOND, MGMT)])
def test_the_way_through_a_switch_is_shown_without_its_internal_ports(node: Network) -> None:
    """As they would stand where its uplinks do."""
    shown = "ens1+ens2 > bond5 > vmbr5 > mgmt > 192.0.2.1"
    assert shown_path(management_path(node, {ADDRESS}), node) == shown


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (SWITCHED, net(UNLISTED, OVS_BOND, MGMT)),
        (net(UNLISTED, OVS_BOND, MGMT), SWITCHED),
        (ON_THE_SWITCH, net(replace(HOLDER, ports=("bond5",)), OVS_BOND)),
    ],
    ids=["goes", "comes", "goes from the bridge that has the address"],
)
def test_an_internal_port_beside_the_way_touches_nothing(before: Network, then: Network) -> None:
    """It is a leaf, as the one that has the address is."""
    assert where_touched(management_path(before, {ADDRESS}), before, then) is None


def test_a_port_of_a_linux_bridge_that_may_be_a_cable_is_a_path() -> None:
    """What nobody knows, as one end of a veth, may lead out."""
    before = net(replace(BRIDGE, ports=("bond0", "veth0")), BOND, Other(name="veth0", kind="unknown"))
    assert effect_on(management_path(before, {ADDRESS}), before, BEFORE) is PathEffect.NARROWS


def test_the_way_is_shown_from_the_cable_up() -> None:
    """NICs, bond, bridge, address."""
    assert shown_path(management_path(BEFORE, {ADDRESS}), BEFORE) == "ens1+ens2 > bond0 > vmbr0 > 192.0.2.1"


def test_widening_needs_consent_and_is_an_event_field(tmp_path: Path) -> None:
    """A wrong switch port makes a loop of it."""
    lab = Lab(tmp_path / "lab")
    lab.widened()
    error = lab.failed(errors.ManagementRisk)
    assert "widens the management path of pve1: ens33 > vmbr0 > 192.168.171.21" in error.message
    shown = lab.events[0]
    assert isinstance(shown, Shown)
    assert shown.effect is PathEffect.WIDENS


@pytest.mark.parametrize(
    ("host", "found"),
    [
        (ADDRESS, {ADDRESS, "198.51.100.1"}),
        ("127.0.0.1", {"127.0.0.1"}),
        ("203.0.113.7", {"203.0.113.7"}),
        ("192.0.2.2", {"198.51.100.1"}),
    ],
    ids=["its own", "a tunnel", "NAT", "a peer"],
)
def test_an_address_that_is_on_no_interface_leaves_none_out(
    host: str, found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a tunnel the cluster's address says nothing about the way from here; through a peer it does."""
    monkeypatch.setattr(Endpoint, "addresses", lambda self: frozenset({self.host}))
    node = Node(Connection([Endpoint(host=host)], Token(id="root@pam!full", secret="s")), "pve1")
    assert management_addresses(node, Cluster(members=MEMBERS), BEFORE) == found


def test_through_a_tunnel_every_interface_with_an_address_counts() -> None:
    """The address that the endpoint has is nowhere on the node."""
    other = Bridge(name="vmbr9", ports=("ens4",), cidr=IPv4Interface("10.0.0.1/24"))
    assert {"vmbr0", "vmbr9", "ens4"} <= management_path(net(BRIDGE, BOND, other), {"127.0.0.1"}).names


# --- high availability -----------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path: Path) -> Lab:
    """Two nodes; on the first, vmbr0 is to be widened."""
    folder = tmp_path / "lab"
    Sim.open(folder)
    Sim.init(folder, node="pve2", nics=["eno1"])
    lab = Lab(folder)
    lab.widened()
    return lab


def test_fencing_is_told_before_the_question(cluster: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which services are active; those of other nodes, and what is stopped, are none of it."""
    entries = [
        {"type": "quorum", "node": "pve1"},
        {"type": "service", "sid": "vm:100", "node": "pve1", "state": "started"},
        {"type": "service", "sid": "vm:101", "node": "pve1", "state": "stopped"},
        {"type": "service", "sid": "vm:102", "node": "pve2", "state": "started"},
    ]
    get = Connection.get

    def answered(self: Connection, *path: str, **rest: Any) -> Answer:
        return Answer(data=entries) if path[:2] == ("cluster", "ha") else get(self, *path, **rest)

    monkeypatch.setattr(Connection, "get", answered)
    cluster.apply(allow_management=True)
    assert "pve1 has active HA services (vm:100): if the cluster loses it for 60 s" in cluster.warnings


def test_where_nobody_tells_of_high_availability_nothing_is_said(cluster: Lab) -> None:
    """The simulated node knows no such call; what is pending is looked at once more after asking."""
    cluster.apply(allow_management=True, verify=Verify.FLAGS)
    assert "HA" not in cluster.warnings
    at = cluster.sent.index("GET cluster/ha/status/current")
    rest = [text for text in cluster.sent[at + 1 :] if "bridges" not in text]
    assert rest[:3] == ["GET tasks", "GET network", "PUT network"]


def test_a_lone_node_and_guests_bridges_are_not_asked_about(tmp_path: Path, cluster: Lab) -> None:
    """Nobody fences a lone node, and nothing of a guest's bridge is on the way to the node."""
    lone = Lab(tmp_path / "lone")
    lone.widened()
    lone.apply(allow_management=True)
    cluster.revert()
    cluster.tagged()
    cluster.apply()
    assert not [text for text in (*lone.sent, *cluster.sent) if "/ha/" in text]


def test_a_way_that_names_itself_is_shown_all_the_same() -> None:
    """A switch lists its port, and the port names its switch: each is shown once."""
    port = Other(name="mgmt", kind="OVSIntPort", beneath=("vmbr0",), cidr=IPv4Interface(f"{ADDRESS}/24"))
    runtime = net(Other(name="vmbr0", kind="OVSBridge", beneath=("ens1", "mgmt")), port)
    assert shown_path(management_path(runtime, {ADDRESS}), runtime) == "ens1 > vmbr0 > mgmt > 192.0.2.1"
