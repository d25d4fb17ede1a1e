"""Calls about roles, users and the access list: who may do what. pve-api#accounts-list."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pvenet.sim.access.privileges import PRIVILEGES
from pvenet.sim.access.roles import SPECIAL, path_of, told
from pvenet.sim.calls.base import Answer, Asked, Call, Gate
from pvenet.sim.files import read_json, write_json
from pvenet.sim.formats import list_of, split_list
from pvenet.sim.schema import Param, Refused, Schema, bad_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.sim.access.users import Users

_USER = re.compile(r"[^\s:/]+@[A-Za-z][\w.-]+")


@contextmanager
def changed(asked: Asked, doing: str) -> Iterator[dict[str, Any]]:
    """The users' file, written when this is left; refused where the cluster lets nothing be written (K4-two-nodes-071).

    A refusal within says first what was to be done.
    """
    asked.need_quorum("file-user_cfg", doing)
    path = asked.sim.folder / "users.json"
    data = read_json(path)
    try:
        yield data
    except LookupError as error:
        raise Refused(500, f"{doing}: {error.args[0]}") from None
    write_json(path, data)


# --- roles -----------------------------------------------------------------------------------------------------------


def list_roles(asked: Asked) -> Answer:
    made = [told(name, privileges, special=False) for name, privileges in asked.users.roles.items()]
    return Answer(data=[*(told(name, privileges, special=True) for name, privileges in SPECIAL.items()), *made])


def show_role(asked: Asked) -> Answer:
    name = asked.found["roleid"]
    privileges = asked.users.role(name)
    if privileges is None:
        raise Refused(500, f"role '{name}' does not exist")
    return Answer(data=dict.fromkeys(sorted(privileges), 1))


def create_role(asked: Asked) -> Answer:
    name = str(asked.params["roleid"])
    if name.upper().startswith("PVE"):
        raise bad_parameters(roleid="cannot use role ID starting with the (case-insensitive) 'PVE' namespace")
    with changed(asked, "create role failed") as data:
        if asked.users.role(name) is not None:
            raise LookupError(f"role '{name}' already exists")
        data.setdefault("roles", {})[name] = _privileges(asked)
    return Answer()


def change_role(asked: Asked) -> Answer:
    name = asked.found["roleid"]
    with changed(asked, "update role failed") as data:
        before = _own_role(data, name)
        data["roles"][name] = sorted({*(before if asked.params.get("append") else ()), *_privileges(asked)})
    return Answer()


def delete_role(asked: Asked) -> Answer:
    name = asked.found["roleid"]
    with changed(asked, "delete role failed") as data:
        _own_role(data, name)
        del data["roles"][name]
    return Answer()


def _own_role(data: dict[str, Any], name: str) -> list[str]:
    if name in SPECIAL:
        raise LookupError(f"auto-generated role '{name}' cannot be modified")  # pve-api#accounts-reading
    if name not in data.get("roles", {}):
        raise LookupError(f"role '{name}' does not exist")
    return list(data["roles"][name])


def _privileges(asked: Asked) -> list[str]:
    return sorted(set(split_list(str(asked.params.get("privs", "")))))


# --- users -----------------------------------------------------------------------------------------------------------


def list_users(asked: Asked) -> Answer:
    """All of them for who may see users, else oneself. pve-api#accounts-reading."""
    every = asked.may("User.Modify", "/access/groups") or asked.may("Sys.Audit", "/access/groups")
    known = {name: user for name, user in asked.users.users.items() if every or name == asked.identity.user}
    return Answer(data=[{"userid": name, **_shown(user), "realm-type": _realm(name)} for name, user in known.items()])


def create_user(asked: Asked) -> Answer:
    name = str(asked.params["userid"])
    with changed(asked, "create user failed") as data:
        if name in data["users"]:
            raise LookupError(f"user '{name}' already exists")
        data["users"][name] = {"enabled": True, **_user(asked)}
    return Answer()


def change_user(asked: Asked) -> Answer:
    name = asked.found["userid"]
    with changed(asked, "update user failed") as data:
        known_user(data["users"], name)
        data["users"][name] |= _user(asked)
    return Answer()


def delete_user(asked: Asked) -> Answer:
    """With it go its tokens, and what the access list says of both."""
    name = asked.found["userid"]
    with changed(asked, "delete user failed") as data:
        known_user(data["users"], name)
        del data["users"][name]
        data["tokens"] = {token: each for token, each in data["tokens"].items() if token.partition("!")[0] != name}
        data["acl"] = [entry for entry in data["acl"] if str(entry["who"]).partition("!")[0] != name]
    return Answer()


def known_user(users: Any, name: str) -> None:
    """Raises LookupError for a user who is not there."""
    if name not in users:
        raise LookupError(f"no such user ('{name}')")


def _user(asked: Asked) -> dict[str, Any]:
    """What is given of it, of all that the sim keeps."""
    kept: dict[str, Any] = {name: asked.params[name] for name in ("comment", "password") if name in asked.params}
    return kept | ({"enabled": bool(asked.params["enable"])} if "enable" in asked.params else {})


def _shown(user: Any) -> dict[str, Any]:
    comment = {"comment": user["comment"]} if user.get("comment") else {}
    return {"enable": int(user.get("enabled", False)), "expire": 0, **comment}


def _realm(name: str) -> str:
    return name.rpartition("@")[2]


def _user_name(text: str) -> str | None:
    """pve-api#accounts-reading."""
    return None if _USER.fullmatch(text) else f"value '{text}' does not look like a valid user name"


# --- the access list -------------------------------------------------------------------------------------------------


def list_acl(asked: Asked) -> Answer:
    """What roles were given to whom; for who may see it, else nothing. pve-api#accounts-reading."""
    if not asked.may("Sys.Audit", "/access"):
        return Answer(data=[])
    return Answer(data=[_entry(entry) for entry in asked.users.acl if "role" in entry])


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "path": entry["path"],
        "type": "token" if "!" in entry["who"] else "user",
        "ugid": entry["who"],
        "roleid": entry["role"],
        "propagate": int(entry.get("propagate", True)),
    }


def change_acl(asked: Asked) -> Answer:
    """Give roles to users and tokens at a path, or take them away. A node need not be there (K7-tokens-097)."""
    given = asked.params
    path = path_of(str(given["path"]))
    if path is None:
        raise bad_parameters(path=f"invalid ACL path '{given['path']}'")
    asked.need("Permissions.Modify", path)
    whom = [name for key in ("users", "tokens") for name in split_list(str(given.get(key, "")))]
    if not whom and "groups" not in given:
        # pve-api#accounts-reading
        raise bad_parameters(**dict.fromkeys(("groups", "tokens", "users"), "property is missing"))
    with changed(asked, "ACL update failed") as data:
        for role in split_list(str(given["roles"])):
            for who in whom:
                _check(asked.users, role, who)
                _put(
                    data, {"path": path, "who": who, "role": role, "propagate": bool(given.get("propagate", 1))}, given
                )
    return Answer()


def _check(users: Users, role: str, who: str) -> None:
    """Raises LookupError; all but the role's text is from reading. pve-api#accounts-reading."""
    if users.role(role) is None:
        raise LookupError(f"role '{role}' does not exist")
    user, _, token = who.partition("!")
    known_user(users.users, user)
    if token and who not in users.tokens:
        raise LookupError(f"no such token '{token}' for user '{user}'")


def _put(data: dict[str, Any], entry: dict[str, Any], given: dict[str, Any]) -> None:
    key = [entry[name] for name in ("path", "who", "role")]
    others = [each for each in data["acl"] if [each.get(name) for name in ("path", "who", "role")] != key]
    data["acl"] = others if given.get("delete") else [*others, entry]


# --- the table -------------------------------------------------------------------------------------------------------

REQUIRED, FLAG, TEXT = Param(optional=False), Param(type="boolean"), Param()
_KNOWN = list_of(lambda text: None if text in PRIVILEGES else f"invalid privilege '{text}'")
PRIVS = Param(format=_KNOWN)
USER = {
    "comment": Param(max_length=2048),
    "email": TEXT,
    "enable": FLAG,
    "expire": Param(type="integer", minimum=0),
    "firstname": TEXT,
    "groups": TEXT,
    "keys": TEXT,
    "lastname": TEXT,
    "password": Param(min_length=8, max_length=64),
}
ACL = {"path": REQUIRED, "roles": REQUIRED, "users": TEXT, "groups": TEXT, "tokens": TEXT}
MAY_MAKE_ROLES = Gate(privilege="Sys.Modify", place=lambda _found: "/access")
MAY_CHANGE_USERS = Gate(privilege="User.Modify", place=lambda _found: "/access/groups")
ROLES, ROLE = "/access/roles", "/access/roles/{roleid}"
USERS = "/access/users"


def _write(method: str, path: str, run: Any, params: dict[str, Param], gate: Gate | None) -> Call:
    return Call(method=method, path=path, run=run, schema=Schema(params=params), gate=gate, protected=True)


IN_PATH = {"roleid": REQUIRED}
USER_IN_PATH = {"userid": Param(optional=False, format=_user_name)}
CALLS = (
    Call(method="GET", path=ROLES, run=list_roles),
    Call(method="GET", path=ROLE, run=show_role, schema=Schema(params=IN_PATH)),
    _write("POST", ROLES, create_role, {"roleid": REQUIRED, "privs": PRIVS}, MAY_MAKE_ROLES),
    _write("PUT", ROLE, change_role, {**IN_PATH, "privs": PRIVS, "append": FLAG}, MAY_MAKE_ROLES),
    _write("DELETE", ROLE, delete_role, IN_PATH, MAY_MAKE_ROLES),
    Call(method="GET", path=USERS, run=list_users, schema=Schema(params={"enabled": FLAG, "full": FLAG})),
    _write("POST", USERS, create_user, {**USER, **USER_IN_PATH}, MAY_CHANGE_USERS),
    _write("PUT", USERS + "/{userid}", change_user, {**USER, **USER_IN_PATH, "append": FLAG}, MAY_CHANGE_USERS),
    _write("DELETE", USERS + "/{userid}", delete_user, USER_IN_PATH, MAY_CHANGE_USERS),
    Call(method="GET", path="/access/acl", run=list_acl),
    _write("PUT", "/access/acl", change_acl, {**ACL, "propagate": FLAG, "delete": FLAG}, None),
)
