"""Ways to a node: peers that hand on, the endpoint that has to answer in the end, an address that moves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

import pytest
from killed import Killed, Killer, back
from lab import APPLY, Lab

from pvenet import errors
from pvenet.apply.status import status
from pvenet.cluster import Member
from pvenet.connection import Connection, Trust
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token
from pvenet.events import OnFailure, Verdict
from pvenet.journal import State
from pvenet.model import Bridge, Network
from pvenet.node import Node
from pvenet.routes import kept, learn_peers, recall, routes
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

PEERS = (Member(name="pve1", online=True, address="192.0.2.1"), Member(name="pve2", online=True, address="192.0.2.2"))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A cluster of two; something is staged on the first that touches no management."""
    folder = tmp_path / "lab"
    Sim.open(folder)
    Sim.init(folder, node="pve2", nics=["eno1"])
    lab = Lab(folder)
    lab.tagged()
    return lab


# --- through a peer --------------------------------------------------------------------------------------------------


def test_a_node_that_only_its_peer_reaches_is_rolled_back(lab: Lab) -> None:
    """The peer says that everything is up; but the endpoint that answered before does not: not as it was."""
    lab.order("path-lost@PUT network")
    error = lab.failed(errors.RolledBack)
    assert "as pve2 of sim:lab sees it; but sim:lab gives no answer" in error.message
    assert "bond0" not in lab.live
    assert lab.states == [State.ROLLED_BACK]
    assert lab.started == 2


def test_a_way_that_comes_back_in_time_is_no_failure(lab: Lab) -> None:
    """The endpoint has until the deadline to answer again."""
    lab.order("path-lost=40@PUT network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "sim:lab does not answer yet" in lab.waited


def test_a_lost_way_is_kept_where_that_was_asked_for(lab: Lab) -> None:
    """Exit 1: up, and not reachable from here."""
    lab.order("path-lost@PUT network")
    lab.failed(errors.ApplyFailed, on_failure=OnFailure.KEEP)
    assert lab.states == [State.FAILED]


def test_a_node_that_its_peers_do_not_reach_either_is_unknown(lab: Lab) -> None:
    """Every way is tried within the deadlines, then the console is told."""
    lab.order("node-lost@PUT network")
    begun = lab.time.now
    error = lab.failed(errors.StateUnknown)
    assert "on its console, as root" in error.hint
    assert 120.0 <= lab.time.now - begun <= 200.0


def test_without_trouble_no_peer_is_asked(lab: Lab) -> None:
    """They are learnt from what is asked anyway."""
    lab.nature(reload_seconds=0.0)
    lab.apply()
    assert lab.sent == [*APPLY, "GET tasks/UPID/status", "GET tasks/UPID/log", "GET network"]


@pytest.mark.parametrize("named", [True, False])
def test_a_later_process_knows_the_peers_that_were_learnt(lab: Lab, *, named: bool) -> None:
    """Killed after the reload, which has cut the way: status and rollback go through the peer that nobody gives."""
    lab.order("path-lost@PUT network")
    with suppress(Killed):
        lab.adapter.after["PUT network"] = Killer(lab, 1, "before")
        lab.apply()
    lab.time.now += 100.0
    new = Lab(lab.folder, time=lab.time)
    if not named:  # journals of another cluster with a node of that name tell no ways
        new.node.connection.endpoints = (replace(new.node.connection.endpoint, label="sim:other"),)
    assert status(new.node, new.journals).reachable is named
    if named:
        assert back(new).verdict is Verdict.ROLLED_BACK
        assert "bond0" not in new.live


def test_what_a_journal_keeps_of_a_way_is_enough_to_trust_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, name and fingerprint; where the connection is pinned, only what is pinned, too."""
    node = real("pve1.example.com", monkeypatch)
    learn_peers(node, PEERS)
    journal = replace(lab.journals.all()[0], endpoint="https://pve1.example.com:8006", routes=kept(node))
    lab.journals.write(journal)
    assert lab.journals.all()[0] == journal
    again = real("pve1.example.com", monkeypatch)
    recall(again, lab.journals.all()[0])
    (peer,) = again.connection.learnt
    assert (peer.url, peer.known_as) == ("https://192.0.2.2:8006", "pve2.example.com")
    pinned = real("pve1.example.com", monkeypatch, fingerprint="AA" * 32)
    recall(pinned, lab.journals.all()[0])
    assert pinned.connection.learnt == ()


# --- who is learnt ---------------------------------------------------------------------------------------------------


def real(host: str, monkeypatch: pytest.MonkeyPatch, fingerprint: str | None = None) -> Node:
    """A node at an endpoint that nobody dials."""
    monkeypatch.setattr(
        Endpoint, "addresses", lambda self: frozenset({self.host.replace("pve1.example.com", "192.0.2.1")})
    )
    token = Token(id="root@pam!full", secret="s")
    return Node(Connection([Endpoint(host=host)], token, Trust(fingerprint=fingerprint)), "pve1")


def test_peers_are_known_by_their_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """And by the name that their certificate has, where the node's own is known."""
    node = real("pve1.example.com", monkeypatch)
    learn_peers(node, PEERS)
    (peer,) = node.connection.endpoints[1:]
    assert (peer.url, peer.known_as) == ("https://192.0.2.2:8006", "pve2.example.com")


def test_a_pinned_connection_pins_its_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fingerprint that the cluster knows; one without any is not asked."""
    node = real("192.0.2.1", monkeypatch, fingerprint="AA" * 32)
    monkeypatch.setattr("pvenet.routes.fingerprints", lambda _: {"pve2": "BB" * 32})
    learn_peers(node, (*PEERS, Member(name="pve3", online=True, address="192.0.2.3")))
    (peer,) = node.connection.endpoints[1:]
    assert peer.fingerprint == "BB" * 32


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_through_a_tunnel_nobody_is_dialled(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """The addresses that the cluster names mean nothing here."""
    node = real(host, monkeypatch)
    learn_peers(node, PEERS)
    assert len(node.connection.endpoints) == 1


def test_peers_that_are_given_or_away_are_not_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the node itself."""
    node = real("192.0.2.2", monkeypatch)
    learn_peers(node, (*PEERS, Member(name="pve3", online=False, address="192.0.2.3")))
    assert len(node.connection.endpoints) == 1


# --- an address that moves -------------------------------------------------------------------------------------------


def bridged(address: str) -> Network:
    return Network(interfaces={"vmbr0": Bridge(name="vmbr0", cidr=IPv4Interface(address))})


def test_a_new_address_is_where_the_node_has_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the certificate that it has now; after a rollback it is the old one again."""
    node = real("192.0.2.1", monkeypatch)
    found = routes(node, PEERS, bridged("192.0.2.1/24"), bridged("192.0.2.9/24"))
    assert str(found.before) == "https://192.0.2.1:8006"
    assert str(found.after) == "https://192.0.2.9:8006"
    assert found.after is not None
    assert found.after.known_as == "192.0.2.1"
    assert found.after in node.connection.endpoints


@pytest.mark.parametrize("then", ["192.0.2.1/25", "192.0.2.1/24"])
def test_a_new_prefix_is_no_new_address(monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    """The node stays where it was."""
    node = real("192.0.2.1", monkeypatch)
    found = routes(node, PEERS, bridged("192.0.2.1/24"), bridged(then))
    assert found.after == found.before == node.connection.endpoint


def test_a_peer_is_nobodys_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the endpoint is another member, its silence says nothing about the node."""
    node = real("192.0.2.2", monkeypatch)
    found = routes(node, PEERS, bridged("192.0.2.1/24"), bridged("192.0.2.9/24"))
    assert (found.before, found.after) == (None, None)


def test_an_address_that_changes_interfaces_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """From one bridge to another: the same endpoint has to answer."""
    node = real("192.0.2.1", monkeypatch)
    before = bridged("192.0.2.1/24")
    other = replace(before.interfaces["vmbr0"], name="vmbr1")
    found = routes(node, (), before, Network(interfaces={"vmbr1": other}))
    assert found.after == node.connection.endpoint
