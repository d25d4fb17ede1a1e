"""Calls about who is asking: tickets and permissions."""

from __future__ import annotations

from pvenet.sim.access.users import ROOT, Identity
from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.interfaces import listing, parse
from pvenet.sim.schema import Param, Schema

REQUIRED = Param(optional=False)
TICKET = Schema(
    params={
        "username": Param(optional=False, max_length=64),
        "password": REQUIRED,
        "realm": Param(max_length=32),
        "otp": Param(),
        "new-format": Param(type="boolean"),
        "path": Param(max_length=64, requires="privs"),
        "privs": Param(max_length=64, requires="path"),
        "tfa-challenge": Param(),
    }
)
PERMISSIONS = Schema(params={"path": Param(), "userid": Param()})


def log_in(asked: Asked) -> Answer:
    given = asked.params
    user = asked.users.login(
        str(given["username"]), given.get("realm"), str(given["password"]), given.get("otp"), asked.now
    )
    if asked.users.second_factor(user):
        return Answer(data=_challenge(asked, user))
    return Answer(
        data={
            "username": user,
            "ticket": asked.users.ticket(user, asked.now),
            "CSRFPreventionToken": asked.users.csrf(user, asked.now),
            "cap": asked.users.abilities(user),
        }
    )


def _challenge(asked: Asked, user: str) -> dict[str, object]:
    """What is answered to the password of an account with a second factor: a ticket that opens nothing.

    From reading; nothing of it was recorded. pve-api#second-factor.
    """
    return {
        "username": user,
        "ticket": asked.users.ticket('!tfa!{"totp":true}', asked.now),
        "CSRFPreventionToken": asked.users.csrf(user, asked.now),
        "NeedTFA": 1,
        "cap": {},
    }


def permissions(asked: Asked) -> Answer:
    """Own permissions, or those of somebody else for who may audit (schema of the call)."""
    who = Identity.of(str(asked.params.get("userid", asked.identity.name)))
    if not asked.identity.owns(who.name) and asked.identity.user != ROOT:
        asked.need("Sys.Audit", "/access")
    node = asked.sim.node(asked.local)
    host = asked.sim.host(asked.local)
    bridges = [str(entry["iface"]) for entry in listing(parse(node.text(), host), "bridge")]
    return Answer(data=asked.users.dump(who, asked.params.get("path"), bridges))


CALLS = (
    Call(method="POST", path="/access/ticket", run=log_in, schema=TICKET, protected=True, open=True),
    Call(method="GET", path="/access/ticket", run=lambda _asked: Answer(), open=True),
    Call(method="GET", path="/access/permissions", run=permissions, schema=PERMISSIONS),
)
