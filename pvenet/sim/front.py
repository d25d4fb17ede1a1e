"""The front door of a sim: counts requests, lets faults happen, holds the folder while one is answered.

The server and the adapter both come in here, so that they misbehave alike.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.sim.access.users import ROOT
from pvenet.sim.api import Moment, handle
from pvenet.sim.calls import Caches
from pvenet.sim.daemon import PATIENCE, Daemon, Kept, waits
from pvenet.sim.faults.scene import Scene
from pvenet.sim.faults.script import Script
from pvenet.sim.files import SimError
from pvenet.sim.formats import is_address
from pvenet.sim.http.frame import Request, Response, encode, respond

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pvenet.sim.faults.fault import Fault
    from pvenet.sim.state import Sim

UNAUTHORISED = 401
TIMED_OUT = (596, "Connection timed out")


class Dropped(Exception):
    """The connection ends without an answer."""

    def __init__(self, *, everything: bool = False, garbled: bool = False) -> None:
        super().__init__("connection dropped")
        self.everything = everything
        """So does every other one."""
        self.garbled = garbled
        """It ends with bytes that are no TLS."""


class Silence(Exception):
    """Nothing comes back, and nothing says why; `reached` is whether the node has got the request."""

    def __init__(self, *, reached: bool = True) -> None:
        super().__init__("no answer")
        self.reached = reached


class Front:
    """One endpoint of a sim."""

    def __init__(  # noqa: PLR0913  options, all by name
        self,
        sim: Sim,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        faults: Sequence[Fault | str] = (),
        local: str | None = None,
        by_address: bool = False,
    ) -> None:
        self.sim = sim
        self.clock = clock
        self.sleep = sleep
        self.local = local
        self.by_address = by_address
        """An address is answered at only while a node has it."""
        self.caches = Caches()
        self.daemon = Daemon()
        self.script = Script(faults, real=sim.backend.real)

    def answer(self, request: Request, *, patience: float | None = None) -> Response:
        """Answer a request; raises `Dropped` or `Silence` where there is no answer.

        Patience is how long this client waits for an answer, where it can't go away by itself.
        """
        scene = self.script.next(request)
        if scene.restart:
            self.caches.forget()
            raise Dropped(everything=True)
        if scene.drop_before:
            raise Dropped
        if not scene.acted and (reply := self._in_its_place(scene)):
            return reply
        try:
            self._catch_up()
            response = self._served(request, scene, patience)
        except SimError as error:  # a person has broken one of the sim's files
            return respond(self.clock(), 500, str(error), encode({"data": None, "message": f"{error}\n"}))
        if scene.drop_after:
            raise Dropped
        if reply := self._in_its_place(scene):
            return reply
        if scene.body is not None:
            response = respond(self.clock(), 200, "OK", scene.body.encode("utf-8", "surrogateescape"))
        return response.but(torn=scene.torn, pace=scene.pace)

    def _served(self, request: Request, scene: Scene, patience: float | None) -> Response:
        """The answer when it comes: a worker of the daemon may have to become free first. pve-api#report-occupies."""
        now = self.clock()
        wait = self.daemon.wait(self._about_now(request), now) if self.daemon.busy(now) and waits(request) else 0.0
        if wait > min(PATIENCE, PATIENCE if patience is None else patience):
            self.daemon.keep(Kept(when=now + wait, request=request, scene=scene))
            return self._given_up(PATIENCE, patience)
        if wait:
            self.sleep(wait)
        response = self._act(request, scene)
        if max(wait + response.work, self.clock() - now) > PATIENCE:
            return self._given_up(max(0.0, PATIENCE - (self.clock() - now)), patience)
        self._wait(response, scene, patience)
        return response

    def _given_up(self, seconds: float, patience: float | None) -> Response:
        """What the server says when it has waited so long; raises `Silence` where its client has gone before."""
        if patience is not None and patience < seconds:
            self.sleep(patience)
            raise Silence
        self.sleep(seconds)
        return respond(self.clock(), *TIMED_OUT)

    def _catch_up(self) -> None:
        """What was handed over and given up happens when its turn has come (K2-slow-006)."""
        for kept in self.daemon.due(self.clock()):
            with contextlib.suppress(Silence):
                self._act(kept.request, kept.scene, kept.when)

    def reachable(self, host: str = "") -> bool:
        """Whether a request could arrive now."""
        with self.sim.held():
            now = self.clock()
            return self._answers(self._arrival(host), host, now)

    def answer_late(self, request: Request) -> Response:
        """Answer what was asked while the way was lost, and was not given up."""
        return self._act(request, Scene())

    def _in_its_place(self, scene: Scene) -> Response | None:
        """What comes back and is not the node's; raises `Dropped` for what is nobody's."""
        if scene.garbled:
            raise Dropped(garbled=True)
        return scene.reply(self.clock()) if scene.reply else None

    def _wait(self, response: Response, scene: Scene, patience: float | None) -> None:
        failed = response.status == UNAUTHORISED
        seconds = scene.delay + response.work + response.seconds
        seconds += self.sim.config().auth_delay if failed else 0.0
        if patience is not None and seconds > patience:
            self.sleep(patience)
            raise Silence
        if seconds:
            self.sleep(seconds)

    def _act(self, request: Request, scene: Scene, when: float | None = None) -> Response:
        with self.sim.held():
            now = self.clock() if when is None else when
            local = self._arrival(request.host)
            about = self._about(request, local)
            for act in scene.foreign:
                self.sim.node(about).advance(now)
                act(self.sim.node(about), self.sim, now)
            if not self._answers(local, request.host, now):
                raise Silence(reached=False)
            moment = Moment(now=now, local=local, caches=self.caches, lacking=scene.lacking, frozen=scene.freeze)
            if scene.foreign_reload:
                handle(self.sim, self._foreign_reload(about), moment)
            response = handle(self.sim, request, replace(moment, orders=scene.orders))
        if response.work:
            self.daemon.occupy(about, now, response.work)
        if response.unfinished:
            response = response.unfinished()
        self.script.seen(request, response)
        return response

    def _arrival(self, host: str) -> str:
        """The node that this request arrives at."""
        names = self.sim.nodes
        if not names:
            raise SimError(f"{self.sim.folder} holds no node any more")
        if self.by_address and (having := [name for name in names if host in self._addresses(name)]):
            return having[0]
        asked = host.partition(".")[0]
        return self.local or (asked if asked in names else names[0])

    def _addresses(self, name: str) -> tuple[str, ...]:
        node = self.sim.node(name)
        return node.addresses(node.advance(self.clock()))

    def _answers(self, name: str, host: str, now: float) -> bool:
        """Whether a request to this host can arrive at the node."""
        machine = self.sim.node(name).advance(now)
        there = not (self.by_address and is_address(host)) or host in self._addresses(name)
        return there and machine.online and not machine.silent(now)

    def _about_now(self, request: Request) -> str:
        with self.sim.held():
            return self._about(request, self._arrival(request.host))

    def _about(self, request: Request, local: str) -> str:
        """The node that a request is about, to which others do what they do, or the one that it arrives at."""
        path = request.target.partition("?")[0].split("/")
        named = path[path.index("nodes") + 1 :][:1] if "nodes" in path else []
        return named[0] if named and named[0] in self.sim.nodes else local

    def _foreign_reload(self, node: str) -> Request:
        users, now = self.sim.users(), self.clock()
        headers = {
            "cookie": f"PVEAuthCookie={users.ticket(ROOT, now)}",
            "csrfpreventiontoken": users.csrf(ROOT, now),
        }
        return Request(method="PUT", target=f"/api2/json/nodes/{node}/network", headers=headers)
