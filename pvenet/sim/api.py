"""The API of a simulated node: a request in, a response out.

The order in which PVE asks its questions is seen in group A: is there such a method, may this client enter, is there
such a call, is it this node's, may this user, are the parameters right, and only then what the call itself refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pvenet.sim import calls, settle
from pvenet.sim.access import Denied, Identity, Users
from pvenet.sim.calls import Answer, Asked, Call
from pvenet.sim.frame import METHODS, Plain, Request, Response, encode, parameters, respond, split_target
from pvenet.sim.schema import Refused, verify

if TYPE_CHECKING:
    from pvenet.sim.calls import Caches
    from pvenet.sim.machine import Machine
    from pvenet.sim.state import NodeFolder, Sim

FORMATS = ("json", "extjs")


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the answer to one request depends on, beside the request."""

    now: float
    local: str
    """The node that the request arrived at."""
    caches: Caches
    lacking: frozenset[str] = frozenset()
    """Privileges taken away by a fault."""
    orders: calls.Orders = calls.NO_ORDERS
    """What a reload is told to do by faults."""


def handle(sim: Sim, request: Request, moment: Moment) -> Response:
    """Answer a request. Whoever calls this holds the folder."""
    path, query = split_target(request.target)
    style = path.split("/")[2] if path.startswith("/api2/") else ""
    try:
        answer = _answer(sim, request, moment, path, query)
    except Plain as plain:
        return respond(moment.now, plain.status, plain.reason, plain.body.encode(), json_body=False)
    except Denied as denied:
        body = _failure(denied.reason + "\n") if denied.told else b""
        return respond(moment.now, 401, denied.reason, body)
    except Refused as refused:
        return _refusal(refused, style, moment.now)
    envelope = {"data": answer.data} | answer.siblings
    if style == "extjs":
        envelope["success"] = 1  # B035
    return respond(moment.now, 200, "OK", encode(envelope), handed_over=answer.handed_over)


def _answer(sim: Sim, request: Request, moment: Moment, path: str, query: str) -> Answer:
    if request.method not in METHODS:
        raise Plain(501, f"method '{request.method}' not available")  # B030 to B032
    if not path.startswith("/api2/") or path.split("/")[2] not in FORMATS:
        text = f"no such file '{path}'"  # B034
        raise Plain(500, text, text + "\n")
    call_path = "/" + "/".join(path.split("/")[3:])
    call, found = calls.find(request.method, call_path)
    users = sim.users().without(moment.lacking)
    open_to_all = call is not None and call.open
    identity = Identity(user="") if open_to_all else users.enter(request.method, request.headers, moment.now)
    params = parameters(request.method, query, request.headers.get("content-type", ""), request.body)
    if call is None:
        # B024, B028, B029, B033: the path is shown decoded and without the format
        raise Refused(501, f"Method '{request.method} {call_path}' not implemented")
    asked = _asked(sim, request, moment, users, identity, params, found)
    answer = call.run(_checked(call, asked))
    far = asked.node_or_none is not None and asked.node.name != moment.local
    return answer.but(handed_over=call.protected or far)


def _asked(
    sim: Sim,
    request: Request,
    moment: Moment,
    users: Users,
    identity: Identity,
    params: dict[str, Any],
    found: dict[str, str],
) -> Asked:
    node, machine = _node(sim, found.pop("node", None), moment)
    return Asked(
        sim=sim,
        nature=sim.nature(),
        users=users,
        identity=identity,
        params=params,
        found=found,
        now=moment.now,
        local=moment.local,
        node_or_none=node,
        machine_or_none=machine,
        caches=moment.caches,
        worker=request.worker,
        orders=moment.orders,
    )


def _node(sim: Sim, name: str | None, moment: Moment) -> tuple[NodeFolder | None, Machine | None]:
    """The node that a path names, reached through the one that was asked; facts 4."""
    if name is None:
        return None, None
    name = moment.local if name == "localhost" else name  # A071
    names = sim.nodes
    if name not in names:
        if name.lower() in {known.lower() for known in names}:
            raise Plain(595, "Connection refused")  # A072: it resolves, but to no other node
        raise Refused(
            500,
            f"hostname lookup '{name}' failed - failed to get address info for: {name}: Name or service not known",
        )
    node = sim.node(name)
    machine = settle.settled(node, moment.now)
    if name != moment.local and (not machine.online or machine.silent(moment.now)):
        raise Plain(595, "Connection refused")
    return node, machine


def _checked(call: Call, asked: Asked) -> Asked:
    """Privileges first, parameters second (A045)."""
    if call.privilege is not None:
        asked.need(call.privilege)
    if call.schema is None:
        return asked
    return replace(asked, params=verify(asked.params | asked.found, call.schema))


def _refusal(refused: Refused, style: str, now: float) -> Response:
    # The text of a 501 has no line's end (B024), all others have.
    message = refused.message if refused.status == 501 else refused.message + "\n"  # noqa: PLR2004
    reason = refused.message.partition("\n")[0]
    if style == "extjs":
        told: dict[str, Any] = {"success": 0, "status": str(refused.status)}  # B036: the frame itself is fine
        return respond(now, 200, "OK", _failure(message, refused.errors, told), handed_over=True)
    return respond(now, refused.status, reason, _failure(message, refused.errors))


def _failure(message: str, errors: dict[str, str] | None = None, more: dict[str, Any] | None = None) -> bytes:
    return encode({"data": None, "message": message} | ({"errors": errors} if errors else {}) | (more or {}))
