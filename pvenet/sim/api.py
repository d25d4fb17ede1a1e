"""The API of a simulated node: a request in, a response out.

The order in which PVE asks its questions is seen in group A: is there such a method, may this client enter, is there
such a call, is it this node's, may this user, are the parameters right, and only then what the call itself refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pvenet.sim import calls
from pvenet.sim.access.users import Denied, Identity
from pvenet.sim.calls import Answer, Asked, Call
from pvenet.sim.corosync.membership import Membership
from pvenet.sim.http.frame import METHODS, Plain, Request, Response, encode, parameters, respond, split_target
from pvenet.sim.machine.backend import NO_ORDERS, Orders
from pvenet.sim.schema import Refused, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.sim.access.users import Users
    from pvenet.sim.calls import Caches, Gate
    from pvenet.sim.http.frame import Kind
    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.state import Node, Sim

FORMATS = ("json", "extjs")
NO_ROUTE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the answer to one request depends on, beside the request."""

    now: float
    local: str
    """The node that the request arrived at."""
    caches: Caches
    lacking: frozenset[str] = frozenset()
    """Privileges taken away by a fault."""
    orders: Orders = NO_ORDERS
    """What a call is told to do by faults."""
    frozen: bool = False
    """Flags freeze, whatever the sim's configuration says."""


@dataclass(frozen=True, kw_only=True)
class Guest:
    """Who is asking, among all who may."""

    users: Users
    identity: Identity


def handle(sim: Sim, request: Request, moment: Moment) -> Response:
    """Answer a request. Whoever calls this holds the folder."""
    visit = _Visit(sim, request, moment)
    now = moment.now + sim.config().clock_ahead
    try:
        answer = visit.answer()
    except Plain as plain:
        return respond(now, plain.status, plain.reason, plain.body.encode(), "text").but(seconds=plain.seconds)
    except Denied as denied:
        body = _failure(denied.reason + "\n") if denied.told else b""
        return respond(now, 401, denied.reason, body)
    except Refused as refused:
        return _refusal(refused, visit.style, now).but(seconds=refused.seconds)
    if answer.later is not None:
        done = _deferred(answer, answer.later, visit.style, now)
        return respond(now, 200, "OK").but(work=answer.work, unfinished=done)
    return _answered(answer, visit.style, now)


def _deferred(answer: Answer, later: Callable[[], object], style: str, now: float) -> Callable[[], Response]:
    return lambda: _answered(answer.but(data=later()), style, now + answer.work).but(work=answer.work)


def _answered(answer: Answer, style: str, now: float) -> Response:
    envelope = {"data": answer.data, **answer.siblings}
    if style == "extjs":
        envelope["success"] = 1  # B035
    return respond(now, 200, "OK", encode(envelope), answer.way)


class _Visit:
    """One request on its way through the questions."""

    def __init__(self, sim: Sim, request: Request, moment: Moment) -> None:
        self.sim = sim
        self.request = request
        self.moment = moment
        self.path, self.query = split_target(request.target)
        self.style = self.path.split("/")[2] if self.path.startswith("/api2/") else ""

    def answer(self) -> Answer:
        request, now = self.request, self.moment.now
        if request.method not in METHODS:
            raise Plain(501, f"method '{request.method}' not available")  # B030 to B032
        if self.style not in FORMATS:
            text = f"no such file '{self.path}'"  # B034
            raise Plain(500, text, text + "\n")
        call_path = "/" + "/".join(self.path.split("/")[3:])
        call, found = calls.find(request.method, call_path)
        if call is not None and call.switch and not getattr(self.sim.config(), call.switch):
            call = None  # pve-api#bridges-old-server
        users = self.sim.users().without(self.moment.lacking)
        open_to_all = call is not None and call.open
        identity = Identity(user="") if open_to_all else users.enter(request.method, request.headers, now)
        params = parameters(request.method, self.query, request.headers.get("content-type", ""), request.body)
        if call is None:
            # B024, B028, B029, B033: the path is shown decoded and without the format
            raise Refused(501, f"Method '{request.method} {call_path}' not implemented")
        guest = Guest(users=users, identity=identity)
        if call.gate is not None:
            _pass(call.gate, guest, found)
        asked = _checked(call, self._asked(guest, params, found))
        far = asked.node_or_none is not None and asked.node.name != self.moment.local
        try:
            return call.run(asked).but(way=_way(request.method, far=far, protected=call.protected))
        except Refused:
            if call.protected:
                self.moment.caches.next_daemon()
            raise

    def _asked(self, guest: Guest, params: dict[str, Any], found: dict[str, str]) -> Asked:
        moment = self.moment
        node, machine = self._node(found.pop("node", None))
        config = self.sim.config()
        return Asked(
            sim=self.sim,
            config=replace(config, workers=config.workers or 1) if moment.frozen else config,
            users=guest.users,
            identity=guest.identity,
            params=params,
            found=found,
            now=moment.now,
            local=moment.local,
            node_or_none=node,
            machine_or_none=machine,
            caches=moment.caches,
            worker=self.request.worker,
            orders=moment.orders,
        )

    def _node(self, name: str | None) -> tuple[Node | None, Machine | None]:
        """The node that a path names, reached through the one that was asked; pve-api#nodes."""
        if name is None:
            return None, None
        local, now = self.moment.local, self.moment.now
        name = local if name == "localhost" else name  # A071
        names = self.sim.nodes
        if name not in names:
            if name.lower() in {known.lower() for known in names}:
                raise Plain(595, "Connection refused")  # A072: it resolves, but to no other node
            failure = f"failed to get address info for: {name}: Name or service not known"
            raise Refused(500, f"hostname lookup '{name}' failed - {failure}")
        node = self.sim.node(name)
        machine = node.advance(now)
        if name == local:
            return node, machine
        if not machine.reached_by_peers(now):
            raise Plain(595, "Connection refused")
        if not Membership.of(self.sim, local, now).reaches(name):
            raise Plain(595, "No route to host", seconds=NO_ROUTE_SECONDS)  # pve-api#peer-unreachable
        return node, machine


def _way(method: str, *, far: bool, protected: bool) -> Kind:
    """How an answer came (K4-two-nodes-022, 023 and 032)."""
    if far and method == "GET":
        return "relayed and handed over" if protected else "relayed"
    return "handed over" if far or protected else "json"


def _pass(gate: Gate, guest: Guest, found: dict[str, str]) -> None:
    """Raises PVE's 403 where this guest may not."""
    place = gate.place(found)
    if not place or gate.privilege not in guest.users.privileges(guest.identity, place):
        raise Refused(403, f"Permission check failed ({place}, {gate.privilege})")


def _checked(call: Call, asked: Asked) -> Asked:
    """Privileges first, parameters second (A045)."""
    if call.privilege is not None:
        asked.need(call.privilege)
    twice = "duplicate parameter (already defined in URI) with conflicting values!"
    if conflicts := {name: twice for name in asked.found.keys() & asked.params.keys() if asked.differs(name)}:
        raise Refused(400, "Parameter verification failed.", conflicts)
    if call.schema is None:
        return asked
    return replace(asked, params=verify(asked.params | asked.found, call.schema))


def _refusal(refused: Refused, style: str, now: float) -> Response:
    # The text of a 501 has no line's end (B024), all others have.
    message = refused.message if refused.status == 501 else refused.message + "\n"  # noqa: PLR2004
    reason = refused.message.partition("\n")[0]
    if style == "extjs":
        told: dict[str, Any] = {"success": 0, "status": str(refused.status)}  # B036: the frame itself is fine
        return respond(now, 200, "OK", _failure(message, refused.errors, told), "handed over")
    return respond(now, refused.status, reason, _failure(message, refused.errors))


def _failure(message: str, errors: dict[str, str] | None = None, more: dict[str, Any] | None = None) -> bytes:
    return encode({"data": None, "message": message} | ({"errors": errors} if errors else {}) | (more or {}))
