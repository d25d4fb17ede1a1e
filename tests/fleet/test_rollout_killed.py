"""A rollout, or its undoing, that is killed at any moment is brought to its end, and nothing is done twice."""

from __future__ import annotations

import os
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest
from killed import Killed
from mortal import Fate
from network_file import tagged

from pvenet import private
from pvenet.fleet.book import Rollouts
from pvenet.journal import Journals, State
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.sdn.folder import SdnFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran

    Run = Callable[..., Ran]

NODES = ("pve1", "pve2")
WANTED = tagged(*NODES)
APPLY = ("apply", "-f", "network.yaml", "--yes")
UNDO = ("rollback", "--rollout", "r1", "--yes")
WAYS = ((), ("--sdn-lock",), ("--parallel", "2", "--parallel-in-cluster", "--sdn-lock"))
Moment = tuple[tuple[str, ...], int]
MOMENTS: list[Moment] = [(way, at) for way in WAYS for at in range(1, 180)]
LATER: list[Moment] = [(way, at) for way in WAYS[:2] for at in range(1, 180)]
FULL = os.environ.get("PVENET_MATRIX") == "full"
LEFT = "the SDN lock that was left behind"


def sample(moments: list[Moment], count: int) -> list[Moment]:
    """Some of them, or all where the whole matrix is wanted."""
    return moments if FULL else random.Random(15).sample(moments, count)


@dataclass
class World:
    """The processes that come one after another, and the reloads that they have sent."""

    fate: Fate = field(default_factory=Fate)
    reloads: Counter[str] = field(default_factory=Counter)
    _lock: Any = field(default_factory=Lock)

    def moment(self) -> None:
        """Raises Killed in the last moment of a process, in whatever thread."""
        with self._lock:
            self.fate.moment()

    def lives(self, moments: int) -> None:
        """The next process lives so long; 0: to its end."""
        self.fate.left, self.fate.dead = moments, False


@pytest.fixture
def world(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A process may die before each request and each file that it writes, and after."""
    made = World()
    assert cluster.exists()

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def go(*words: Any, **rest: Any) -> Any:
            made.moment()
            found = real(*words, **rest)
            made.moment()
            return found

        return go

    send = SimAdapter.send

    def counted(self: SimAdapter, request: requests.PreparedRequest, **rest: Any) -> requests.Response:
        answer = send(self, request, **rest)
        path = (request.url or "").partition("/api2/json")[2].partition("?")[0]
        if request.method == "PUT" and path.endswith("/network") and answer.status_code == 200:
            made.reloads[path.split("/")[2]] += 1
        return answer

    monkeypatch.setattr(SimAdapter, "send", mortal(counted))
    for name in ("write", "replace"):
        monkeypatch.setattr(private, name, mortal(getattr(private, name)))
    return made


def dies(run: Run, world: World, at: int, *words: str) -> None:
    """Run a command that is killed at a moment, or ends before it comes."""
    world.lives(at)
    with suppress(Killed):
        run(*words)
    world.lives(0)


def dies_at(run: Run, world: World, last: tuple[str, str], *words: str) -> None:
    """Run a command that is killed when it is about to send a request with this method and path."""
    send = SimAdapter.send

    def killed(self: SimAdapter, request: requests.PreparedRequest, **rest: Any) -> requests.Response:
        if request.method == last[0] and (request.url or "").partition("?")[0].endswith(last[1]):
            world.fate.dead = True
            world.moment()
        return send(self, request, **rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimAdapter, "send", killed)
        with pytest.raises(Killed):
            run(*words)
    world.lives(0)


def states(cluster: Path) -> list[State]:
    """How the youngest journal of each node stands."""
    return [Journals(cluster / ".pvenet", node).all()[-1].state for node in NODES]


def is_live(cluster: Path, node: str) -> bool:
    """Whether a node has what the file wants."""
    return "iface bond0" in (cluster / node / "etc/network/interfaces").read_text()


@pytest.mark.parametrize(("way", "at"), sample(MOMENTS, 6))
def test_a_rollout_that_was_killed_at_any_moment_is_gone_on_with(  # noqa: PLR0913, PLR0917 - fixtures
    cluster: Path, run: Run, file: Path, world: World, way: tuple[str, ...], at: int
) -> None:
    """One --resume is enough: each node is reloaded once, the lock is free, and all of it can be undone."""
    file.write_text(WANTED)
    dies(run, world, at, *APPLY, *way)
    ran = run(*APPLY, "--resume", *way)
    if "no rollout of network.yaml was started" in ran.err:
        assert not world.reloads
        ran = run(*APPLY, *way)
    assert ran.code == 0 or "it has ended well on all its nodes" in ran.err, ran.err
    assert world.reloads == dict.fromkeys(NODES, 1)
    assert all(is_live(cluster, node) for node in NODES)
    (kept,) = Rollouts(cluster / ".pvenet").all()
    assert {each.stands for each in kept.members} == {"applied"}
    assert states(cluster) == [State.APPLIED] * 2
    assert SdnFolder(cluster).holder is None
    ran = run("rollback", "--rollout", kept.id, "--yes")
    assert ran.code == 0, ran.err
    assert not any(is_live(cluster, node) for node in NODES)


@pytest.mark.parametrize(("way", "at"), sample(LATER, 3))
def test_an_undoing_that_was_killed_at_any_moment_is_gone_on_with(  # noqa: PLR0913, PLR0917 - fixtures
    cluster: Path, run: Run, file: Path, world: World, way: tuple[str, ...], at: int
) -> None:
    """By the same command again: each node goes back once, and no --resume takes the rollout for what is live."""
    file.write_text(WANTED)
    assert run(*APPLY).code == 0
    world.reloads.clear()
    dies(run, world, at, *UNDO, *way)
    ran = run(*UNDO, *way)
    assert ran.code == 0, ran.err
    assert world.reloads == dict.fromkeys(NODES, 1)
    assert not any(is_live(cluster, node) for node in NODES)
    assert states(cluster) == [State.ROLLED_BACK] * 2
    if LEFT in run("status").out or way:
        assert SdnFolder(cluster).holder is None
    ran = run(*APPLY, "--resume")
    assert ran.code == 7
    assert "was rolled back on pve1, pve2" in ran.err
    shown = run("history", "show", "r1", "--json").data["nodes"]
    assert {each["stands"] for each in shown} == {"undone"}


def test_a_reload_that_was_never_sent_is_planned_anew(cluster: Path, run: Run, file: Path, world: World) -> None:
    """The process was killed when its journal said that it is about to be: nobody has to say --resume twice."""
    file.write_text(WANTED)
    dies_at(run, world, ("PUT", "/nodes/pve1/network"), *APPLY)
    (left,) = Journals(cluster / ".pvenet", "pve1").all()
    assert left.state is State.RELOADING
    ran = run(*APPLY, "--resume", "--json")
    assert ran.code == 0, ran.err
    ends = [(line["node"], line["verdict"]) for line in ran.lines if line["event"] == "end"]
    assert ends == [("pve1", "applied"), ("pve2", "applied")]
    assert [each.state for each in Journals(cluster / ".pvenet", "pve1").all()] == [State.DROPPED, State.APPLIED]
    assert world.reloads == dict.fromkeys(NODES, 1)


@pytest.mark.parametrize("at", [("DELETE", "/cluster/sdn/lock"), ("PUT", "/nodes/pve2/network")])
def test_the_lock_of_a_rollout_that_was_killed_is_released_whatever_is_left_of_it(
    cluster: Path, run: Run, file: Path, world: World, at: tuple[str, str]
) -> None:
    """Also where nothing is left but the lock, and where the rest wants none; a dry run sends nothing."""
    file.write_text(WANTED)
    dies_at(run, world, at, *APPLY, "--sdn-lock")
    held = SdnFolder(cluster).holder
    assert held is not None
    run(*APPLY, "--resume", "--dry-run")
    assert SdnFolder(cluster).holder == held
    ran = run(*APPLY, "--resume")
    assert LEFT in ran.err
    assert SdnFolder(cluster).holder is None


def test_what_is_taken_up_is_done_under_the_lock_too(cluster: Path, run: Run, file: Path, world: World) -> None:
    """Where one is wanted: what was staged and never sent is taken back while nobody else's SDN apply can come."""
    file.write_text(WANTED)
    dies_at(run, world, ("PUT", "/nodes/pve1/network"), *APPLY, "--sdn-lock")
    reverts: list[str | None] = []
    send = SimAdapter.send

    def watched(self: SimAdapter, request: requests.PreparedRequest, **rest: Any) -> requests.Response:
        if request.method == "DELETE" and (request.url or "").endswith("/nodes/pve1/network"):
            reverts.append(SdnFolder(cluster).holder)
        return send(self, request, **rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimAdapter, "send", watched)
        assert run(*APPLY, "--resume", "--sdn-lock").code == 0
    assert len(reverts) == 1
    assert reverts[0] is not None
    assert SdnFolder(cluster).holder is None


def test_a_node_that_is_taken_up_and_has_failed_ends_it_there(
    cluster: Path, run: Run, file: Path, world: World
) -> None:
    """As it would have without the kill: the rest is planned by the next --resume."""
    file.write_text(WANTED)
    fails = ("--fault", "reload-fails@PUT nodes/pve1/network")
    dies_at(run, world, ("DELETE", "/nodes/pve1/network/vmbr1"), *APPLY, *fails)
    ran = run(*APPLY, "--resume")
    assert ran.code == 8
    assert not any(is_live(cluster, node) for node in NODES)
    assert run(*APPLY, "--resume").code == 0
    assert all(is_live(cluster, node) for node in NODES)
