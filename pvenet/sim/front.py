"""The front door of a sim: counts requests, lets faults happen, holds the folder while one is answered.

The server and the adapter both come in here, so that they misbehave alike.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pvenet.sim import faults as faults_
from pvenet.sim.api import Moment, handle
from pvenet.sim.calls import Caches
from pvenet.sim.frame import Plain, Request, Response, respond
from pvenet.sim.settle import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pvenet.sim.faults import Fault
    from pvenet.sim.state import Sim

UNAUTHORISED = 401


class Dropped(Exception):  # noqa: N818  it is what happens to a connection, not a fault of the program
    """The connection ends without an answer; `all` says that every other one does, too."""

    def __init__(self, *, everything: bool = False) -> None:
        super().__init__("connection dropped")
        self.everything = everything


class Silence(Exception):  # noqa: N818  see above
    """Nothing comes back, and nothing says why."""


class Front:
    """One endpoint of a sim."""

    def __init__(
        self,
        sim: Sim,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        faults: Sequence[Fault | str] = (),
        local: str | None = None,
    ) -> None:
        self.sim = sim
        self.clock = clock
        self.sleep = sleep
        self.local = local
        self.caches = Caches()
        self.script = faults_.Script(faults)

    def answer(self, request: Request) -> Response:
        """Answer a request; raises `Dropped` or `Silence` where there is no answer."""
        scene = self.script.next()
        if scene.restart:
            self.caches.forget()
            raise Dropped(everything=True)
        if scene.delay:
            self.sleep(scene.delay)
        if scene.drop_before:
            raise Dropped
        if scene.status:
            return respond(self.clock(), scene.status, faults_.REASONS[scene.status])
        response = self._act(request, scene)
        if scene.drop_after:
            raise Dropped
        if response.status == UNAUTHORISED and (seconds := self.sim.nature().auth_delay):
            self.sleep(seconds)
        return response

    def _act(self, request: Request, scene: faults_.Scene) -> Response:
        with self.sim.held():
            now = self.clock()
            local = self.local or self.sim.nodes[0]
            machine = settled(self.sim.node(local), now)
            if not machine.online or machine.silent(now):
                raise Silence
            faults_.act_first(self.sim, local, scene, now)
            moment = Moment(now=now, local=local, caches=self.caches, lacking=scene.lacking, orders=scene.orders)
            response = handle(self.sim, request, moment)
        self.script.seen(request, response)
        return response


__all__ = ["Dropped", "Front", "Plain", "Silence"]
