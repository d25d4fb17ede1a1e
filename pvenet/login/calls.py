"""The calls of first contact: what is there, making what is missing, and what a token may do in the end.

They go with a ticket. A server that hangs up has not acted, most likely (pve-api#hang-up); whether it has is looked up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.connection import AnswerLost
from pvenet.login.plan import Found, Grant, Wanted, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pvenet.connection import Connection
    from pvenet.login.plan import Step
    from pvenet.login.rights import Right

ROUNDS = 5
"""How often is looked again where an answer is lost, or somebody else was quicker."""
_SECRET = re.compile(r"[!-~]{1,256}")


def look(connection: Connection, wanted: Wanted) -> Found:
    """What is there of all that is wanted. pve-api#accounts-list."""
    answer = connection.get("access", "roles")
    roles = {
        answer.required(row, "roleid"): frozenset(answer.field(row, "privs").split(",")) - {""} for row in answer.rows()
    }
    users = connection.get("access", "users")
    enabled = {users.required(row, "userid"): users.field(row, "enable") != "0" for row in users.rows()}
    known = wanted.user in enabled
    return Found(
        roles=roles,
        enabled=enabled.get(wanted.user),
        separated=_separated(connection, wanted) if known else None,
        grants=_grants(connection),
    )


def _separated(connection: Connection, wanted: Wanted) -> bool | None:
    answer = connection.get("access", "users", wanted.user, "token")
    known = {answer.required(row, "tokenid"): answer.field(row, "privsep") != "0" for row in answer.rows()}
    return known.get(wanted.token_name)


def _grants(connection: Connection) -> frozenset[Grant]:
    answer = connection.get("access", "acl")
    return frozenset(
        Grant(
            path=answer.required(row, "path"),
            who=answer.required(row, "ugid"),
            role=answer.required(row, "roleid"),
            propagate=answer.field(row, "propagate") != "0",
        )
        for row in answer.rows()
        if row.get("type") in ("user", "token")
    )


def make(
    connection: Connection, wanted: Wanted, found: Found, *, secret: bool, done: Callable[[Step], None]
) -> str | None:
    """Make what is missing; the token's secret, where a new one was needed. `done` hears of each step.

    Raises RefusedByPVE for what may not be made, Unreachable where it stays unknown whether it was.
    """
    given: str | None = None
    for _ in range(ROUNDS):
        try:
            for step in steps(wanted, found, secret=secret and given is None):
                given = _send(connection, step) or given
                done(step)
        except (AnswerLost, errors.RefusedByPVE) as error:
            before, found = found, look(connection, wanted)
            if isinstance(error, errors.RefusedByPVE) and found == before:
                raise _refused(error, wanted) from None
        else:
            return given
    raise errors.Unreachable(
        f"{connection.endpoint} loses one answer after another; not all was created",
        hint="run `pvenet login` again: it goes on with what is missing",
    )


def _send(connection: Connection, step: Step) -> str | None:
    """Send a step; the secret, where it gives one."""
    send = {"POST": connection.post, "PUT": connection.put}[step.method]
    answer = send(*step.path, form=step.form)
    if not step.gives_secret:
        return None
    secret = answer.object().get("value")
    if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
        raise errors.NotPVE(f"{connection.endpoint} returns a token without a valid secret", hint="is it PVE?")
    return secret


def _refused(error: errors.RefusedByPVE, wanted: Wanted) -> errors.PvenetError:
    if "regenerate" in error.errors:  # new in 9.1: pve-api#token-create
        return errors.RefusedByPVE(
            f"this release of PVE can't give an existing token a new secret: {wanted.token}",
            hint="name another token with --token-name, or remove that one on the node first",
            status=error.status,
            errors=error.errors,
        )
    details = "".join(f"\n  {name}: {text}" for name, text in error.errors.items())
    return errors.RefusedByPVE(
        f"{error.message}{details}",
        hint="log in as somebody who may create roles, users and tokens (root@pam), or let\n"
        "them run the lines of `pvenet login --print` there and paste the token.\n"
        "What was already created remains, and will be used",
        status=error.status,
        errors=error.errors,
    )


def held(connection: Connection, rights: Iterable[Right]) -> dict[str, frozenset[str]]:
    """The caller's privileges on these rights' paths: the key counts, not its value (pve-api#permission-values)."""
    found = {}
    for path in dict.fromkeys(right.path for right in rights):
        told = connection.get("access", "permissions", path=path).object().get(path)
        found[path] = frozenset(told if isinstance(told, dict) else ())
    return found


def remove_token(connection: Connection, token: str) -> None:
    """Remove a token there; one that is gone is removed."""
    user, _, name = token.partition("!")
    answer = connection.get("access", "users", user, "token")
    if name in {answer.field(row, "tokenid") for row in answer.rows()}:
        connection.delete("access", "users", user, "token", name)
