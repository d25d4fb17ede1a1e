"""What a simulated node really is: read from its folder, and never through the client."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pvenet.sim.interfaces import Host, parse
from pvenet.sim.machine.reload import ifreload
from pvenet.sim.machine.tasks import TaskFolder
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.sim.interfaces import Property
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.machine.tasks import Task

FOREIGN = "vmbr99"
"""The bridge that somebody else stages."""
OURS = "root@pam!full"
"""The user that pvenet is here."""
OBSERVED = frozenset({"active", "exists", "priority", "altnames"})
NICS = dict.fromkeys(("ens33", "ens37", "ens38", "ens39", "ens40", "ens41"), ())

Described = dict[str, "frozenset[tuple[str, Property]]"]


@lru_cache(maxsize=4096)
def _described(text: str) -> Described:
    found = parse(text, Host(nics=NICS, up=frozenset()))
    return {
        name: frozenset((key, value) for key, value in interface.properties.items() if key not in OBSERVED)
        for name, interface in found.interfaces.items()
    }


def described(text: str) -> Described:
    """The interfaces that a file describes: equal for equal values, whatever the bytes."""
    return dict(_described(text))


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A node at one moment."""

    live: Described
    pending: Described | None
    agrees: bool
    """The kernel has what the live file says, and no reload will change it."""
    reloads: int
    """How many reloads of ours the node has seen."""

    @property
    def view(self) -> Described:
        """What the API would list."""
        return self.live if self.pending is None else self.pending


def truth(folder: Path, now: float, node: str = "pve1") -> Truth:
    """What stands in the folder."""
    place = Sim(folder).node(node)
    machine = place.advance(now)
    left = ifreload(place.applied(), machine.nics, machine.up, machine.made).steps
    mine = [task for _, task in TaskFolder(place.tasks).all() if task.name.user == OURS]
    return Truth(
        live=described(place.applied()),
        pending=described(place.text()) if place.text() != place.applied() else None,
        agrees=not left and not any(task.steps[task.happened :] for task in _running(place, machine)),
        reloads=len(mine),
    )


def _running(place: NodeFolder, machine: Machine) -> list[Task]:
    found = map(TaskFolder(place.tasks).get, machine.reloads)
    return [task for task in found if task is not None]


def repair(folder: Path, node: str = "pve1") -> None:
    """Somebody goes there and brings the way to the node back."""
    place = Sim(folder).node(node)
    place.save(place.machine().but(silent_from=0.0, silent_until=0.0))
