"""Which faults are due at which request."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pvenet.sim.faults.catalogue import KINDS
from pvenet.sim.faults.fault import Fault, parse
from pvenet.sim.faults.scene import Scene
from pvenet.sim.files import SimError
from pvenet.sim.http.frame import split_target
from pvenet.sim.machine.backend import LOCKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.sim.faults.kind import Kind
    from pvenet.sim.http.frame import Request, Response


@dataclass
class _Ordered:
    """A fault, and whether its request has come."""

    fault: Fault
    counted: int = 0
    """How many of the requests among which it happens have come."""
    node: str = ""
    """Which node the request named at which it began; none names every one."""

    @property
    def kind(self) -> Kind:
        return KINDS[self.fault.kind]

    @property
    def begun(self) -> bool:
        return self.counted >= self.fault.at

    def count(self, request: Request) -> None:
        """Count this request if it is one of them."""
        before = self.begun
        self.counted += self.fault.counts(request)
        if self.begun and not before and not self.kind.everywhere:
            self.node = _named(request)

    def concerns(self, request: Request) -> bool:
        """Whether it has begun, and not at another node than this request is about."""
        return self.begun and (not self.node or _named(request) in ("", self.node))


class Script:
    """Which faults are due at which request; raises `SimError` for what a real machine can't be told to do."""

    def __init__(self, faults: Sequence[Fault | str], *, real: bool = False) -> None:
        self._waiting = [_Ordered(parse(fault) if isinstance(fault, str) else fault) for fault in faults]
        if real and (made_up := [f"{each.fault}" for each in self._waiting if each.kind.made_up]):
            raise SimError(f"only a simulated machine can be told to do this: {', '.join(made_up)}")
        self._guard = threading.Lock()

    def next(self, request: Request) -> Scene:
        """What happens to this request."""
        with self._guard:
            scene = Scene()
            for each in self._waiting:
                each.count(request)
                scene = each.kind.play(scene, each.fault.value) if each.concerns(request) else scene
            self._waiting = [each for each in self._waiting if not (each.begun and each.kind.when == "request")]
            return scene

    def seen(self, request: Request, response: Response) -> None:
        """What was ordered for a reload has happened with the first one; a lock that is held, to whoever wanted it."""
        path = split_target(request.target)[0]
        reload = request.method == "PUT" and path.rstrip("/").endswith("/network") and response.status < 400  # noqa: PLR2004
        done = {"reload"} if reload else {"staging"} if response.reason == LOCKED else set()
        with self._guard:
            self._waiting = [each for each in self._waiting if not (each.concerns(request) and each.kind.when in done)]


def _named(request: Request) -> str:
    """The node that a request names, if it names one."""
    parts = split_target(request.target)[0].split("/")
    return next((node for above, node in pairwise(parts) if above == "nodes"), "")
