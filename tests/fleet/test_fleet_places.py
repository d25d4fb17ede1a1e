"""Several clusters of one fleet: who is asked, how often, and what is made of places that say nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pvenet import cluster, errors, parallel
from pvenet.fleet import places as module
from pvenet.fleet import resume
from pvenet.fleet.nodes import Fleet, each_place, known, named_or_all, only_one, unheard, visit
from pvenet.fleet.places import Places
from pvenet.fleet.plans import selected
from pvenet.journal import Journals, utc_now
from pvenet.node import Node
from pvenet.settings import Identity, Settings, connect
from pvenet.sim.state import Sim
from pvenet.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.connection import Connection

_SOMEBODY = Identity(token_id="root@pam!test", token_secret="11111111-1111-1111-1111-111111111111")


def simulated(folder: Path, *nodes: str) -> Connection:
    """A cluster with these nodes."""
    for node in nodes:
        Sim.init(folder, node=node)
    return connect(Settings(sim=folder, state_dir=folder))


def silent(port: int) -> Connection:
    """A place where nobody answers."""
    return connect(Settings(endpoints=(f"https://127.0.0.1:{port}",), state_dir=Path(), identity=_SOMEBODY))


def fleet_of(state: Path, **connections: Connection) -> Fleet:
    """A fleet of these places."""
    return Fleet(connection=next(iter(connections.values())), state_dir=state, places=Places(connections))


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Two clusters, of which one has two nodes."""
    return fleet_of(tmp_path / "state", a=simulated(tmp_path / "a", "a1"), b=simulated(tmp_path / "b", "b1", "b2"))


def test_places_are_asked_once_and_all_at_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them answers before the other has been asked, and nobody is asked again."""
    both = threading.Barrier(2)
    asked: list[Connection] = []
    names = cluster.names

    def met(connection: Connection) -> tuple[str, ...]:
        asked.append(connection)
        both.wait(30)
        return names(connection)

    monkeypatch.setattr(module, "names", met)
    assert fleet.names() == known(fleet, ()) == ("a1", "b1", "b2")
    assert {*asked} == {*fleet.connections.values()}
    assert len(asked) == 2
    assert fleet.place("b2") is fleet.place("b1") is fleet.connections["b"]
    assert fleet.place("a1") is fleet.connection


def test_a_node_is_read_where_it_is(fleet: Fleet) -> None:
    """Each over a connection to its own place, and what is read of a place is read once for its nodes."""
    read: list[str] = []

    def label(connection: Connection) -> str:
        read.append(str(connection.endpoint))
        return read[-1]

    of = each_place(fleet, label)
    found, failed = visit(
        fleet, ("b1", "a1", "b2"), lambda node: (of(node), len(node.read().network.interfaces)), lambda _: None
    )
    assert list(found) == ["b1", "a1", "b2"]
    assert not failed
    assert found["b1"][0] == found["b2"][0] == str(fleet.connections["b"].endpoint)
    assert found["a1"][0] == str(fleet.connection.endpoint)
    assert len(read) == 2


def test_no_more_connections_are_open_than_are_allowed(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of places there is: whoever goes on to another hangs up first."""
    kind = type(fleet.connection)
    there, most, lock = set[int](), [0], threading.Lock()
    another, close = kind.another, kind.close

    def made(self: Connection) -> Connection:
        more = another(self)
        with lock:
            there.add(id(more))
            most[0] = max(most[0], len(there))
        return more

    def closed(self: Connection) -> None:
        with lock:
            there.discard(id(self))
        close(self)

    monkeypatch.setattr(kind, "another", made)
    monkeypatch.setattr(kind, "close", closed)
    items = [place for _ in range(10) for place in fleet.connections.values()]
    told = list(parallel.spread(lambda item: item, items, lambda own, item: own.endpoint == item.endpoint, at_once=3))
    assert len(told) == len(items)
    assert all(right is True for _, right in told)
    assert most[0] <= 3


def test_what_leads_to_a_place_is_used_as_it_is(fleet: Fleet) -> None:
    """One after another need no further connection, and are at the right place."""
    items = [place for _ in range(5) for place in fleet.connections.values()]
    told = list(parallel.spread(lambda item: item, items, lambda own, item: own is item, at_once=1))
    assert told == [(item, True) for item in items]


def test_no_two_use_one_connection_at_once(fleet: Fleet) -> None:
    """Whoever comes to a place meanwhile has one more to it; a single place, which may be in use, is left alone."""
    both = threading.Barrier(2)

    def met(own: Connection, _: int) -> Connection:
        both.wait(30)
        return own

    place = fleet.connection
    lent = [found for _, found in parallel.spread(lambda _: place, range(2), met, at_once=2)]
    assert place in lent
    assert len({*lent}) == 2
    own = [found for _, found in parallel.parallel(place, range(2), met, at_once=2)]
    assert place not in own
    assert len({*own}) == 2


def test_a_name_of_two_nodes_is_never_guessed(tmp_path: Path) -> None:
    """Whatever asks where it is; the others are nobody's business."""
    fleet = fleet_of(tmp_path / "state", a=simulated(tmp_path / "a", "n1", "n2"), b=simulated(tmp_path / "b", "n1"))
    told = "n1 is the name of a node in 2 places, by the profiles a and b"
    for ask in (
        lambda: known(fleet, ()),
        lambda: known(fleet, ("n1",)),
        lambda: only_one(fleet, ("n1",)),
        lambda: named_or_all(fleet, ()),
        lambda: fleet.place("n1"),
        lambda: fleet.node("n1"),
    ):
        with pytest.raises(errors.UsageError, match=told):
            ask()
    file = tmp_path / "network.yaml"
    file.write_text("nodes: {n1: , n2: }\n")
    with pytest.raises(errors.UsageError, match=told):
        selected(fleet, load(file), ())
    assert selected(fleet, load(file), ("n2",)) == ("n2",)
    assert known(fleet, ("n2",)) == ("n2",)
    assert only_one(fleet, ("n2",)).connection is fleet.connection


def test_a_silent_place_is_where_its_journals_say(tmp_path: Path) -> None:
    """A node that nobody knows now is looked for where it was; where all nodes are wanted it is one of them."""
    state = tmp_path / "state"
    gone, other = silent(2), silent(1)
    fleet = fleet_of(state, a=simulated(tmp_path / "a", "a1"), other=other, gone=gone)
    assert fleet.place("x1") is other
    keep_journal(state, "x1", gone)
    keep_journal(state, "y1", simulated(tmp_path / "elsewhere", "y1"))
    assert fleet.place("x1") is gone
    assert [(node.name, node.connection) for node in named_or_all(fleet, ())] == [
        ("a1", fleet.connection),
        ("x1", gone),
    ]
    found, failed = visit(fleet, ("a1", "x1"), lambda node: node.name, lambda _: None)
    assert list(found) == ["a1"]
    assert isinstance(failed["x1"], errors.Unreachable)
    assert "profile other: " in failed["x1"].message
    assert "profile gone: " in failed["x1"].message
    assert list(unheard(fleet, ())) == ["profile other", "profile gone"]
    assert not unheard(fleet, ("a1",))


def test_locks_that_were_left_are_looked_for_wherever_somebody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place that is silent says so when its nodes are read."""
    places = {"a": simulated(tmp_path / "a", "a1"), "dead": silent(1), "b": simulated(tmp_path / "b", "b1")}
    asked: list[Connection] = []

    def left_behind(place: Connection, _: object) -> tuple[str, ...]:
        asked.append(place)
        return (f"{place.endpoint}",)

    monkeypatch.setattr(resume, "left_behind", left_behind)
    said: list[str] = []
    resume.release_locks(fleet_of(tmp_path / "state", **places), said.append)
    assert asked == [places["a"], places["b"]]
    assert said == [f"{place.endpoint}" for place in asked]


def keep_journal(state: Path, node: str, place: Connection) -> None:
    """Keep a journal of a node that was changed at a place."""
    journals = Journals(state, node).at(Node(place, node))
    with journals.lock():
        journals.write(journals.begin(baseline=(), now=utc_now()))


def test_a_place_that_refuses_is_none_that_may_be_left_out(tmp_path: Path) -> None:
    """A node that nobody knows may be there: of several reasons the one that can't be skipped counts."""
    wrong = connect(
        Settings(
            sim=tmp_path / "c", state_dir=tmp_path, identity=Identity(token_id="root@pam!no", token_secret="1" * 36)
        )
    )
    fleet = fleet_of(tmp_path / "state", a=simulated(tmp_path / "a", "a1"), dead=silent(1), wrong=wrong)
    error = fleet.lost("x1")
    assert isinstance(error, errors.AccessError)
    assert fleet.lost("a1") is None
    assert known(fleet, ("x1", "a1")) == ("x1", "a1")


def test_nodes_are_unknown_only_where_everybody_has_answered(fleet: Fleet) -> None:
    """Then it is a mistake in the name."""
    with pytest.raises(errors.UsageError, match="there is no node b3"):
        known(fleet, ("b3",))


@pytest.mark.parametrize("named", [(), ("a1", "b1")])
def test_one_node_is_one(fleet: Fleet, named: Sequence[str]) -> None:
    """Not several, and not the first of several."""
    with pytest.raises(errors.UsageError, match="2 are named: a1, b1" if named else "there are 3: a1, b1, b2"):
        only_one(fleet, named)
