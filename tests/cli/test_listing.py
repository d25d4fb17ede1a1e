"""`list`, `show` and `diff` while a reload runs: it is said that the flags may be wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]


@pytest.mark.parametrize("words", [["list"], ["show", "vmbr0"], ["diff"]], ids=lambda words: words[0])
@pytest.mark.parametrize("whose", ["ours", "somebody else's"])
def test_a_listing_during_a_reload_warns(
    lab: Path, run: Run, words: list[str], whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is known from its journal, somebody else's because what is to come up is not up yet."""
    (lab / "sim.json").write_text(json.dumps(json.loads((lab / "sim.json").read_text()) | {"reload_seconds": 60.0}))
    run("bond", "create", "--slaves", "ens38,ens39")
    assert run("apply", "--yes", "--no-wait").code == 0
    if whose != "ours":
        monkeypatch.setenv("PVENET_STATE_DIR", str(lab.with_name("elsewhere")))
    ran = run(*words)
    assert ran.code == 0
    assert f"warning: a reload {'that was started from here ' if whose == 'ours' else ''}is running on pve1" in ran.err


@pytest.mark.usefixtures("lab")
def test_without_a_reload_nothing_more_is_asked(run: Run) -> None:
    """No task, also with journals of former applies; a NIC that is up and unused costs a look at the rights."""
    run("bond", "create", "--slaves", "ens38,ens39")
    run("apply", "--yes")
    ran = run("list", "--node", "pve1", "--debug")
    asked = [line for line in ran.err.splitlines() if line.startswith("debug:")]
    assert [line.partition("/api2/json/")[2].partition(" ")[0] for line in asked] == [
        "nodes/pve1/network",
        "access/permissions",
    ]
