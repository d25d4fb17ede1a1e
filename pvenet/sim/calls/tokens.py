"""Calls about a user's API tokens; the secret of one is told once. pve-api#token-create, pve-api#token-delete."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from pvenet.sim.calls.accounts import changed, known_user
from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.schema import UNDEFINED, Param, Refused, Schema, bad_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.\-_]+")


def list_tokens(asked: Asked) -> Answer:
    user = _user(asked)
    own = {name.partition("!")[2]: token for name, token in asked.users.tokens.items() if name.startswith(f"{user}!")}
    return Answer(data=[{"tokenid": name, **_shown(token)} for name, token in own.items()])


def show_token(asked: Asked) -> Answer:
    """Nobody has seen it: pve-api#token-read."""
    _user(asked)
    return Answer(data=_shown(_known(asked)))


def create_token(asked: Asked) -> Answer:
    user, name = _user(asked), _full(asked)
    if name in asked.users.tokens:
        raise bad_parameters(tokenid="Token already exists.")
    if not _NAME.fullmatch(asked.found["tokenid"]):
        # pve-api#accounts-reading
        raise bad_parameters(tokenid="invalid format - value does not look like a token name\n")
    token = {"secret": str(uuid.uuid4()), "privsep": True, "expire": 0, **_given(asked)}
    with changed(asked, "generating token failed") as data:
        known_user(data["users"], user)
        data["tokens"][name] = token
    given = {key: str(asked.params[key]) for key in ("comment", "expire", "privsep") if key in asked.params}
    return Answer(data={"full-tokenid": name, "value": token["secret"], "info": {"privsep": 1, **given}})


def change_token(asked: Asked) -> Answer:
    """Its comment and the like; with `regenerate` it has a new secret, and the old one opens nothing any more."""
    _user(asked)
    anew = asked.params.get("regenerate")
    if "regenerate" in asked.params and not asked.config.token_regenerate:
        raise bad_parameters(regenerate=UNDEFINED)
    token = {**_known(asked), **_given(asked), **({"secret": str(uuid.uuid4())} if anew else {})}
    with changed(asked, "updating token info failed") as data:
        data["tokens"][_full(asked)] = token
    told = {"full-tokenid": _full(asked), "value": token["secret"]} if anew else {}
    return Answer(data={**_shown(token), **told})


def delete_token(asked: Asked) -> Answer:
    _user(asked)
    _known(asked)
    with changed(asked, "deleting token failed") as data:
        del data["tokens"][_full(asked)]
        data["acl"] = [entry for entry in data["acl"] if entry["who"] != _full(asked)]
    return Answer()


def _full(asked: Asked) -> str:
    return f"{asked.found['userid']}!{asked.found['tokenid']}"


def _user(asked: Asked) -> str:
    """The user, for whom it is the own one, or who may change users; a token is not its user (K7-tokens-106)."""
    user = asked.found["userid"]
    if asked.identity.name != user and not asked.may("User.Modify", "/access/groups"):
        raise Refused(403, "Permission check failed")
    if user not in asked.users.users:
        raise Refused(500, f"no such user ('{user}')")
    return user


def _known(asked: Asked) -> Mapping[str, Any]:
    token = asked.users.tokens.get(_full(asked))
    if token is None:  # pve-api#accounts-reading
        raise Refused(500, f"no such token '{asked.found['tokenid']}' for user '{asked.found['userid']}'")
    return token


def _given(asked: Asked) -> dict[str, Any]:
    kept: dict[str, Any] = {key: asked.params[key] for key in ("comment", "expire") if key in asked.params}
    return kept | ({"privsep": bool(asked.params["privsep"])} if "privsep" in asked.params else {})


def _shown(token: Mapping[str, Any]) -> dict[str, Any]:
    comment = {"comment": token["comment"]} if token.get("comment") else {}
    return {"expire": token.get("expire", 0), "privsep": int(token.get("privsep", True)), **comment}


USERS_TOKENS = "/access/users/{userid}/token"
ONE = USERS_TOKENS + "/{tokenid}"
OF_USER = {"userid": Param(optional=False)}
IN_PATH = {**OF_USER, "tokenid": Param(optional=False)}
FIELDS = {
    "comment": Param(),
    "expire": Param(type="integer", minimum=0),
    "privsep": Param(type="boolean"),
}
WRITTEN = Schema(params={**IN_PATH, **FIELDS})
CHANGED = Schema(params={**IN_PATH, **FIELDS, "regenerate": Param(type="boolean")})
CALLS = (
    Call(method="GET", path=USERS_TOKENS, run=list_tokens, schema=Schema(params=OF_USER)),
    Call(method="GET", path=ONE, run=show_token, schema=Schema(params=IN_PATH)),
    Call(method="POST", path=ONE, run=create_token, schema=WRITTEN, protected=True),
    Call(method="PUT", path=ONE, run=change_token, schema=CHANGED, protected=True),
    Call(method="DELETE", path=ONE, run=delete_token, schema=Schema(params=IN_PATH), protected=True),
)
