"""What a node stands on: a machine that is made up, or the one that this runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pvenet.sim.calls.base import Asked
    from pvenet.sim.machine import Machine
    from pvenet.sim.state import NodeFolder
    from pvenet.sim.tasks import Task


class Beneath(Protocol):
    """The places where the API meets the machine. There are two: `simulated.py` and `system.py`."""

    @property
    def real(self) -> bool:
        """Whether what it does happens to the machine that this runs on."""

    def look(self, machine: Machine) -> Machine:
        """The machine of this description, with the links that it has now."""

    def settled(self, node: NodeFolder, now: float) -> Machine:
        """The machine as it is now; what has happened since the last request is written down."""

    def reload(self, asked: Asked) -> str:
        """Take what is staged and start `ifreload -a`; the UPID of its task."""

    def stop(self, node: NodeFolder, number: str, task: Task, now: float) -> None:
        """Interrupt a running task: what it had done stays done."""
