"""Ways to a node: peers that hand on, the endpoint that has to answer in the end, an address that moves."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

import pytest
from clock import FakeTime
from killed import Killed, Killer, back
from lab import APPLY, Lab

from pvenet import errors
from pvenet.apply.apply import apply
from pvenet.apply.kernel import Verify
from pvenet.apply.options import ApplyOptions
from pvenet.apply.resume import roll_back
from pvenet.apply.runtime import Runtime
from pvenet.apply.stage import stage
from pvenet.apply.status import status
from pvenet.cluster import Member
from pvenet.connection import Connection, Trust
from pvenet.connection.endpoint import Endpoint, parse
from pvenet.connection.session import Token
from pvenet.events import OnFailure, Verdict
from pvenet.journal import Journals, State
from pvenet.model import Bridge, Network
from pvenet.node import Node
from pvenet.routes import kept, learn_peers, recall, routes
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.server import At, Server
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from pvenet.events import Ended, Event

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
    assert "seen from pve2 of sim:lab; but sim:lab has not answered" in error.message
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
    lab.apply(verify=Verify.FLAGS)
    links = [*APPLY[:2], "GET cluster/config/nodes", *APPLY[2:]]
    assert lab.sent == [*links, "GET tasks/UPID/status", "GET tasks/UPID/log", "GET network"]


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
    journal = replace(lab.journals.all()[0], endpoint="https://pve1.example.com:8006", routes=kept(node.connection))
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
    assert [str(each) for each in found.before] == ["https://192.0.2.1:8006"]
    (after,) = found.after
    assert str(after) == "https://192.0.2.9:8006"
    assert after.known_as == "192.0.2.1"
    assert after in node.connection.endpoints


@pytest.mark.parametrize("then", ["192.0.2.1/25", "192.0.2.1/24"])
def test_a_new_prefix_is_no_new_address(monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    """The node stays where it was."""
    node = real("192.0.2.1", monkeypatch)
    found = routes(node, PEERS, bridged("192.0.2.1/24"), bridged(then))
    assert found.after == found.before == (node.connection.endpoint,)


def test_a_peer_is_nobodys_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the endpoint is another member, its silence says nothing about the node."""
    node = real("192.0.2.2", monkeypatch)
    found = routes(node, PEERS, bridged("192.0.2.1/24"), bridged("192.0.2.9/24"))
    assert (found.before, found.after) == ((), ())


def test_an_address_that_changes_interfaces_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """From one bridge to another: the same endpoint has to answer."""
    node = real("192.0.2.1", monkeypatch)
    before = bridged("192.0.2.1/24")
    other = replace(before.interfaces["vmbr0"], name="vmbr1")
    found = routes(node, (), before, Network(interfaces={"vmbr1": other}))
    assert found.after == (node.connection.endpoint,)


def test_an_address_that_comes_on_another_interface_is_where_it_has_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old bridge goes with its address."""
    node = real("192.0.2.1", monkeypatch)
    before, other = bridged("192.0.2.1/24"), bridged("192.0.2.9/24").interfaces["vmbr0"]
    found = routes(node, (), before, Network(interfaces={"vmbr1": replace(other, name="vmbr1")}))
    assert [str(each) for each in found.after] == ["https://192.0.2.9:8006"]


# --- an address that moves, on a node that has only one at a time ----------------------------------------------------

OLD, NEW, PEER = "192.0.2.11", "192.0.2.12", "192.0.2.20"
LINK = "10.10.10."
"""A second link of a cluster stays where it is, so that the node does not lose the others with its address."""
FILE = f"""auto lo
iface lo inet loopback

iface ens33 inet manual

auto ens38
iface ens38 inet static
\taddress {LINK}1/24

auto vmbr0
iface vmbr0 inet static
\taddress {OLD}/24
\tbridge-ports ens33
\tbridge-stp off
\tbridge-fd 0
"""


class Moving:
    """A node in process that answers at its addresses, and whoever asks it there, each a process of its own."""

    def __init__(self, folder: Path, *members: str) -> None:
        self.time = FakeTime()
        self.folder = folder
        self.sim = Sim.init(folder, interfaces=FILE, links=[f"{LINK}1"])
        for number, name in enumerate(members):
            at, link = f"192.0.2.2{number}", f"{LINK}2{number}"
            file = FILE.replace(OLD, at).replace(f"{LINK}1", link)
            Sim.init(folder, node=name, interfaces=file, links=[link])
        self.events: list[Event] = []
        self.journals = Journals(folder / "state", "pve1")
        self.runtime = Runtime(emit=self.events.append, clock=self.time.clock, sleep=self.time.sleep)

    def node(self, *hosts: str, faults: Sequence[str] = ()) -> Node:
        adapter = SimAdapter(self.sim, clock=self.time.clock, sleep=self.time.sleep, faults=faults, by_address=True)
        token = Token(id=adapter.credentials[0], secret=adapter.credentials[1])
        endpoints = [Endpoint(host=host, adapter=adapter) for host in hosts]
        return Node(Connection(endpoints, token, clock=self.time.clock), "pve1")

    def move(self, *hosts: str, **options: Any) -> Ended:
        """Stage the new address, and apply."""
        node = self.node(*hosts)
        vmbr0 = node.read().network.interfaces["vmbr0"]
        assert isinstance(vmbr0, Bridge)
        stage(node, self.journals, {"vmbr0": replace(vmbr0, cidr=IPv4Interface(f"{NEW}/24"))})
        return apply(node, self.journals, ApplyOptions(allow_management=True, **options), self.runtime)

    def back(self, *hosts: str) -> Ended:
        return roll_back(self.node(*hosts), self.journals, ApplyOptions(allow_management=True), self.runtime)


@pytest.mark.parametrize("hosts", [(OLD,), (OLD, NEW), (NEW, OLD)])
def test_an_address_is_moved_by_whichever_endpoints_are_given(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    """The old address falls silent, which is no failure: the new one is where the node has to answer."""
    lab = Moving(tmp_path)
    begun = lab.time.now
    assert lab.move(*hosts).verdict is Verdict.APPLIED
    assert lab.time.now - begun < 45


@pytest.mark.parametrize("applied", [(OLD,), (OLD, NEW)])
@pytest.mark.parametrize("hosts", [(NEW,), (OLD, NEW), (NEW, OLD), (OLD,)])
def test_a_moved_address_is_rolled_back_by_whichever_endpoints_are_given(
    tmp_path: Path, applied: tuple[str, ...], hosts: tuple[str, ...]
) -> None:
    """The old address comes back and answers; of the new one nobody needs to hear."""
    lab = Moving(tmp_path)
    lab.move(*applied)
    begun = lab.time.now
    assert lab.back(*hosts).verdict is Verdict.ROLLED_BACK
    assert lab.time.now - begun < 45
    assert [journal.state for journal in lab.journals.all()] == [State.ROLLED_BACK]
    assert lab.node(OLD).read().pending is None


@pytest.mark.parametrize("hosts", [(OLD,), (OLD, NEW)])
def test_an_address_that_does_not_come_up_is_rolled_back(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    """A reload that fails half-way leaves the old one, where the rollback ends."""
    lab = Moving(tmp_path)
    node = lab.node(*hosts, faults=["reload-fails@PUT network"])
    vmbr0 = node.read().network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    stage(node, lab.journals, {"vmbr0": replace(vmbr0, cidr=IPv4Interface(f"{NEW}/24"))})
    with pytest.raises(errors.RolledBack):
        apply(node, lab.journals, ApplyOptions(allow_management=True), lab.runtime)
    assert lab.node(OLD).read().pending is None


def test_a_peer_that_answers_is_not_the_node(tmp_path: Path) -> None:
    """Given beside it, and asked when the node is silent: the new address has to answer itself."""
    lab = Moving(tmp_path, "pve2")
    assert lab.move(OLD, PEER).verdict is Verdict.APPLIED
    assert lab.back(PEER, NEW).verdict is Verdict.ROLLED_BACK


@pytest.mark.parametrize("given", [(1,), (0, 1), (1, 0)])
def test_through_tunnels_the_endpoints_that_were_given_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[int, ...]
) -> None:
    """Nothing says which end leads to which address: the node has to answer at one, itself."""
    monkeypatch.setattr("pvenet.connection.session.CONNECT_TIMEOUT", 1.0)
    sim = Sim.init(tmp_path, interfaces=FILE)
    (tmp_path / "sim.json").write_text(
        json.dumps(json.loads((tmp_path / "sim.json").read_text()) | {"reload_seconds": 0.2})
    )
    journals, runtime = Journals(tmp_path / "state", "pve1"), Runtime(emit=lambda _: None)
    with Server(sim, address=OLD, also=[At(host="127.0.0.1", address=NEW)]) as server:
        at = server.endpoint

        def node(*numbers: int) -> Node:
            ends = [parse((at.url, *at.also)[number]) for number in numbers]
            token = Token(id=at.token_id, secret=at.token_secret)
            return Node(Connection(ends, token, Trust(fingerprint=at.fingerprint)), "pve1")

        options = ApplyOptions(timeout=10, allow_management=True)
        first = node(0, 1)
        vmbr0 = first.read().network.interfaces["vmbr0"]
        assert isinstance(vmbr0, Bridge)
        stage(first, journals, {"vmbr0": replace(vmbr0, cidr=IPv4Interface(f"{NEW}/24"))})
        assert apply(first, journals, options, runtime).verdict is Verdict.APPLIED
        last = node(*given)
        assert roll_back(last, journals, options, runtime).verdict is Verdict.ROLLED_BACK
        assert str(last.connection.endpoint) == at.url
        for each in (first, last):
            each.connection.close()


def test_a_tunnel_to_a_peer_is_no_route_to_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends were given, and the one that answers says that it is another node."""
    monkeypatch.setattr("pvenet.connection.session.CONNECT_TIMEOUT", 1.0)
    sim = Sim.init(tmp_path, interfaces=FILE)
    Sim.init(tmp_path, node="pve2", interfaces=FILE.replace(OLD, PEER))
    (tmp_path / "sim.json").write_text(
        json.dumps(json.loads((tmp_path / "sim.json").read_text()) | {"reload_seconds": 0.2})
    )
    journals, runtime = Journals(tmp_path / "state", "pve1"), Runtime(emit=lambda _: None)
    with Server(sim, address=OLD, also=[At(host="127.0.0.1", address=PEER)]) as server:
        at = server.endpoint
        token = Token(id=at.token_id, secret=at.token_secret)
        ends = [parse(at.url), parse(at.also[0])]
        node = Node(Connection(ends, token, Trust(fingerprint=at.fingerprint)), "pve1")
        vmbr0 = node.read().network.interfaces["vmbr0"]
        assert isinstance(vmbr0, Bridge)
        stage(node, journals, {"vmbr0": replace(vmbr0, cidr=IPv4Interface(f"{NEW}/24"))})
        with pytest.raises(errors.RolledBack, match="has not answered"):
            apply(node, journals, ApplyOptions(timeout=3, allow_management=True), runtime)
        node.connection.close()
