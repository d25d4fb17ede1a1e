"""What can go wrong, on order: faults as data, and as the words of a command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.sim.frame import Request, Response
    from pvenet.sim.state import Sim

from pvenet.sim.calls import Orders

REASONS = {
    595: "Connection refused",
    596: "Connection timed out",
    597: "Broken pipe",
    598: "Connection timed out",
    599: "Too many redirections",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    kind: str
    at: int
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Scene:
    restart: bool = False
    delay: float = 0.0
    drop_before: bool = False
    drop_after: bool = False
    status: int = 0
    lacking: frozenset[str] = frozenset()
    orders: Orders = Orders()


class Script:
    def __init__(self, faults: Sequence[Fault | str]) -> None:
        self.faults = faults

    def next(self) -> Scene:
        return Scene()

    def seen(self, request: Request, response: Response) -> None:
        pass


def act_first(sim: Sim, local: str, scene: Scene, now: float) -> None:
    pass
