"""A rollout holds one SDN lock for all its nodes: it is the whole cluster's."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pvenet.apply.runtime import Runtime
from pvenet.fleet.locks import SdnLocks
from pvenet.fleet.nodes import Fleet
from pvenet.fleet.places import Places
from pvenet.settings import connect, read_settings
from pvenet.settings.options import Options
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.sdn.folder import SdnFolder
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran

    Run = Callable[..., Ran]

WANTED = "nodes:\n  pve1: {ens40: {type: eth, mtu: 1400}}\n  pve2: {ens40: {type: eth, mtu: 1400}}\n"
LOCK = "/cluster/sdn/lock"


@pytest.fixture
def writes(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Every write with who held the lock when it was sent."""
    found: list[tuple[str, str | None]] = []
    send = SimAdapter.send

    def watched(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        path = (request.url or "").partition("/api2/json")[2].partition("?")[0]
        if request.method != "GET":
            found.append((f"{request.method} {path}", SdnFolder(cluster).holder))
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", watched)
    return found


def test_one_lock_is_held_from_the_first_staged_step_to_the_last_verdict(
    cluster: Path, run: Run, file: Path, writes: list[tuple[str, str | None]]
) -> None:
    """It is asked for once, before anything is staged on any node."""
    file.write_text(WANTED)
    assert run("apply", "-f", str(file), "--yes", "--sdn-lock").code == 0
    requests = [request for request, _ in writes]
    assert (requests[0], requests[-1]) == (f"POST {LOCK}", f"DELETE {LOCK}")
    assert requests.count(f"POST {LOCK}") == 1
    assert {"PUT /nodes/pve1/network", "PUT /nodes/pve2/network"} <= {*requests}
    assert len({holder for _, holder in writes[1:]}) == 1
    assert writes[1][1] is not None
    assert SdnFolder(cluster).holder is None


def test_each_cluster_has_one_of_its_own_until_its_last_node_has_ended(cluster: Path, tmp_path: Path) -> None:
    """Nobody waits for another cluster's rollout; and what is held at the end is released, whatever ends it."""
    other = tmp_path / "other"
    for name in ("n1", "n2"):
        Sim.init(other, node=name)
    here, there = (connect(read_settings(Options(sim=place), {})) for place in (cluster, other))
    places = Places({"here": here, "there": there})
    fleet = Fleet(connection=here, state_dir=tmp_path / "state", places=places)
    names = ("pve1", "pve2", "n1", "n2")

    def holders() -> list[bool]:
        return [SdnFolder(place).holder is not None for place in (cluster, other)]

    with suppress(KeyboardInterrupt), SdnLocks(fleet, names, Runtime(emit=lambda _: None), wanted=True) as locks:
        for name in names:
            locks.take(name)
        assert holders() == [True, True]
        locks.ended("n1")
        assert holders() == [True, True]
        locks.ended("n2")
        assert holders() == [True, False]
        raise KeyboardInterrupt
    assert holders() == [False, False]


def test_a_rollout_that_fails_releases_it(
    cluster: Path, run: Run, file: Path, writes: list[tuple[str, str | None]]
) -> None:
    """With the first node rolled back, and the second untouched."""
    file.write_text(WANTED)
    ran = run("apply", "-f", str(file), "--yes", "--sdn-lock", "--fault", "reload-fails@PUT network")
    assert ran.code == 8
    assert writes[-1][0] == f"DELETE {LOCK}"
    assert SdnFolder(cluster).holder is None


def test_a_rollout_of_nothing_takes_none(
    cluster: Path, run: Run, file: Path, writes: list[tuple[str, str | None]]
) -> None:
    """Nothing would be in its midst."""
    file.write_text("nodes:\n  pve1: {ens40: {type: eth}}\n")
    assert run("apply", "-f", str(file), "--yes", "--sdn-lock").code == 0
    assert not writes
    assert cluster.exists()
