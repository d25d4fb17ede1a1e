"""A rollout holds one SDN lock for all its nodes: it is the whole cluster's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pvenet.sim.adapter import SimAdapter
from pvenet.sim.sdn.folder import SdnFolder

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
