"""What is told of a user's token; never its secret. pve-api#token-read."""

from __future__ import annotations

from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.schema import Param, Refused, Schema

NO_SUCH = 500
PARAMS = {"userid": Param(), "tokenid": Param()}


def show(asked: Asked) -> Answer:
    """Its end and whether it has rights of its own, for its user and for who may modify users."""
    user = asked.found["userid"]
    if asked.identity.name != user:
        asked.need("User.Modify", "/access/groups")
    name = f"{user}!{asked.found['tokenid']}"
    token = asked.users.tokens.get(name)
    if token is None:
        raise Refused(NO_SUCH, f"no such token '{asked.found['tokenid']}' for user '{user}'")
    return Answer(data={"expire": int(token.get("expire") or 0), "privsep": int(token.get("privsep", True))})


CALLS = (Call(method="GET", path="/access/users/{userid}/token/{tokenid}", run=show, schema=Schema(params=PARAMS)),)
