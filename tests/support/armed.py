"""Armed applies on the simulated node, and what befalls them, for the tests of `--arm`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab import Lab

from pvenet import errors
from pvenet.events import Verdict
from pvenet.journal import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STAGED = ["DELETE network/vmbr1", "DELETE network/bond0", "PUT network/ens38", "PUT network/ens39"]
"""The way back from steps 2 and 3 of the walk-through."""
ARMING = ["GET network", *(text for step in STAGED for text in (step, "GET network"))]
"""What arming sends: a look whether the reload has taken what was pending, then each step and its diff."""


def begun(folder: Path) -> Lab:
    """A node with something staged that touches no management, and a reload of some seconds."""
    lab = Lab(folder)
    lab.nature(reload_seconds=3.0)
    lab.tagged()
    return lab


def during(lab: Lab, act: Callable[[], None]) -> None:
    """Do something once while it is armed: before the first look at the task."""
    lab.adapter.before["GET tasks/UPID/status"] = act


def when_sent(lab: Lab, act: Callable[[], None]) -> None:
    """Do something when the reload has been answered."""
    lab.adapter.after["PUT network"] = act


def power_cycle(lab: Lab, seconds: int = 1) -> None:
    """Somebody goes there; the boot moves what is staged into place."""
    with suppress(errors.Unreachable):
        lab.somebody("GET network", f"reboot={seconds}@GET network")


def applied(lab: Lab, **options: Any) -> None:
    """An armed apply that ends well, with nothing of it left behind."""
    assert lab.apply(arm=True, **options).verdict is Verdict.APPLIED
    assert {"bond0", "vmbr1"} <= lab.up
    assert "iface vmbr1" in lab.live
    journal = lab.journals.all()[-1]
    assert (journal.state, journal.back, len(journal.steps)) == (State.APPLIED, None, 2)


def rolled_back(lab: Lab, up: set[str]) -> errors.PvenetError:
    """An armed apply that ends rolled back, with everything as it was."""
    error = lab.failed(errors.RolledBack, arm=True)
    as_before(lab, up)
    assert lab.states == [State.ROLLED_BACK]
    return error


def as_before(lab: Lab, up: set[str]) -> None:
    assert lab.pending is None
    assert "bond0" not in lab.live
    assert "vmbr1" not in lab.live
    assert up <= lab.up
    assert not {"bond0", "vmbr1"} & lab.up
