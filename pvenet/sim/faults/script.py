"""Which faults are due at which request."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pvenet.sim.faults.fault import Fault, parse
from pvenet.sim.faults.kinds import KINDS
from pvenet.sim.faults.scene import Scene
from pvenet.sim.files import SimError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.sim.http.frame import Request, Response


class Script:
    """Which faults are due at which request; raises `SimError` for what a real machine can't be told to do."""

    def __init__(self, faults: Sequence[Fault | str], *, real: bool = False) -> None:
        self._waiting = [parse(fault) if isinstance(fault, str) else fault for fault in faults]
        if real and (made_up := [f"{fault}" for fault in self._waiting if KINDS[fault.kind].made_up]):
            raise SimError(f"only a simulated machine can be told to do this: {', '.join(made_up)}")
        self._count = 0
        self._guard = threading.Lock()

    def next(self) -> Scene:
        """What happens to the next request."""
        with self._guard:
            self._count += 1
            scene = Scene()
            for fault in list(self._waiting):
                scene = self._played(fault, scene)
            return scene

    def _played(self, fault: Fault, scene: Scene) -> Scene:
        kind = KINDS[fault.kind]
        if kind.when == "request" and fault.at == self._count:
            self._waiting.remove(fault)
            return kind.play(scene, fault.value)
        if kind.when != "request" and fault.at <= self._count:
            return kind.play(scene, fault.value)
        return scene

    def seen(self, request: Request, response: Response) -> None:
        """What was ordered for a reload, or for a staging call, has happened with the first one."""
        path = request.target.partition("?")[0].rstrip("/")
        reload = request.method == "PUT" and path.endswith("/network") and response.status < 400  # noqa: PLR2004
        staging = request.method != "GET" and "/network" in path and not (request.method == "PUT" and reload)
        done = {"reload"} if reload else {"staging"} if staging else set()
        with self._guard:
            self._waiting = [
                fault for fault in self._waiting if fault.at > self._count or KINDS[fault.kind].when not in done
            ]
