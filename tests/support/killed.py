"""Kill -9 at a request, and whoever comes after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab import Lab

from pvenet.apply.options import ApplyOptions
from pvenet.apply.resume import roll_back
from pvenet.apply.runtime import Runtime

if TYPE_CHECKING:
    from pvenet.events import Ended


class Killed(BaseException):
    """The process is gone: nothing is caught, nothing is cleaned up."""


@dataclass
class Killer:
    """Kills at the Nth request, before or after it has acted."""

    lab: Lab
    at: int
    acted: str
    count: int = 0

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.at:
            if self.acted == "before":
                raise Killed
            self.lab.adapter.once_acted = self.kill

    def kill(self) -> None:
        raise Killed


@dataclass
class Dead(Killer):
    """A killed process sends nothing any more, whatever its code would do on its way out."""

    dead: bool = False

    def __call__(self) -> None:
        if self.dead:
            raise Killed
        try:
            super().__call__()
        except Killed:
            self.dead = True
            raise

    def kill(self) -> None:
        self.dead = True
        raise Killed


def later(lab: Lab) -> Lab:
    """The same node, met by a new process."""
    lab.time.now += 1.0
    return Lab(lab.folder, time=lab.time, on_failure=lab.on_failure)


def back(lab: Lab, name: str = "", **options: Any) -> Ended:
    """`pvenet rollback --yes`."""
    runtime = Runtime(emit=lab.events.append, clock=lab.time.clock, sleep=lab.sleep)
    return roll_back(lab.node, lab.journals, ApplyOptions(**options), runtime, name=name)
