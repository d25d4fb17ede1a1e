"""What is to be made on a node so that a token has its rights: only what is missing. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.login.rights import Right

USER = "pvenet@pve"
COMMENT = "made by pvenet login"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A token, and what it is to be able to do."""

    rights: tuple[Right, ...]
    token_name: str
    user: str = USER
    read_only: bool = False
    """It must not be able to change anything."""

    @property
    def token(self) -> str:
        """The token's name, whole."""
        return f"{self.user}!{self.token_name}"

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(right.role for right in self.rights))


@dataclass(frozen=True, kw_only=True)
class Grant:
    """An entry of the access list."""

    path: str
    who: str
    role: str
    propagate: bool


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is there already."""

    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    enabled: bool | None = None
    """Whether the user is; None where there is none."""
    separated: bool | None = None
    """Whether the token is; None where there is none."""
    grants: frozenset[Grant] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call, and the line of `pveum` that does the same."""

    text: str
    """What it makes, for people."""
    method: str
    path: tuple[str, ...]
    form: Mapping[str, str | int]
    line: str
    gives_secret: bool = False
    whom: str = ""
    """Who gets it, `user` or `token`, where the same is given to both."""


def steps(wanted: Wanted, found: Found, *, secret: bool) -> tuple[Step, ...]:
    """What is missing, in an order in which it can be made. `secret`: one is needed, also of a token that is there.

    Raises RefusedByPvenet for what is there and in the way.
    """
    _refuse_obstacles(wanted, found)
    return tuple(_steps(wanted, found, secret=secret))


def _steps(wanted: Wanted, found: Found, *, secret: bool) -> Iterator[Step]:
    for name in wanted.roles:
        yield from _role(name, found.roles.get(name))
    if found.enabled is None:
        yield _user(wanted.user)
    yield from _token(wanted, found.separated, secret=secret)
    have = {(grant.path, grant.who, grant.role): grant.propagate for grant in found.grants}
    for right in wanted.rights:
        for who in (wanted.user, wanted.token):  # it has what both have: pve-api#token-acl
            there = have.get((right.path, who, right.role))
            if there is None or (right.propagate and not there):
                yield _grant(right, who)


def _refuse_obstacles(wanted: Wanted, found: Found) -> None:
    if found.enabled is False:
        raise errors.RefusedByPvenet(
            f"the user {wanted.user} exists, but is disabled: its tokens don't work",
            hint=f"enable it on the node: pveum user modify {wanted.user} --enable 1",
        )
    if wanted.read_only and (more := _changing(wanted, found)):
        raise errors.RefusedByPvenet(
            f"{wanted.token} exists, and has the role {more.role} on {more.path}: it would not be read-only",
            hint="name another token with --token-name, or remove that on the node:\n"
            f"  pveum acl delete {more.path} --tokens {shlex.quote(more.who)} --roles {more.role}",
        )


def _changing(wanted: Wanted, found: Found) -> Grant | None:
    """An entry by which the token may do more than look; without its user's it would be none, but that may come."""
    own = sorted((grant for grant in found.grants if grant.who == wanted.token), key=lambda grant: grant.path)
    may = (g for g in own if not all(privilege.endswith(".Audit") for privilege in found.roles.get(g.role, ())))
    return next(may, None)


def _role(name: str, there: frozenset[str] | None) -> Iterator[Step]:
    privileges = ROLES[name]
    if there is None:
        text, listed = f"role {name}: {', '.join(privileges)}", ",".join(privileges)
        yield Step(
            text=text,
            method="POST",
            path=("access", "roles"),
            form={"roleid": name, "privs": listed},
            line=f"pveum role add {name} --privs {listed}",
        )
    elif missing := [privilege for privilege in privileges if privilege not in there]:
        whole = ",".join(sorted(there | set(privileges)))
        yield Step(
            text=f"role {name} exists: add {', '.join(missing)}",
            method="PUT",
            path=("access", "roles", name),
            form={"privs": whole},
            line=f"pveum role modify {name} --privs {whole}",
        )


def _user(user: str) -> Step:
    return Step(
        text=f"user {user}, without a password",
        method="POST",
        path=("access", "users"),
        form={"userid": user, "comment": COMMENT},
        line=f"pveum user add {user} --comment {shlex.quote(COMMENT)}",
    )


def _token(wanted: Wanted, separated: bool | None, *, secret: bool) -> Iterator[Step]:  # noqa: FBT001 - as it was found
    path = ("access", "users", wanted.user, "token", wanted.token_name)
    named = f"{wanted.user} {wanted.token_name}"
    if separated is None:
        yield Step(
            text=f"token {wanted.token}, with rights of its own",
            method="POST",
            path=path,
            form={"privsep": 1, "comment": COMMENT},
            line=f"pveum user token add {named} --privsep 1 --comment {shlex.quote(COMMENT)}",
            gives_secret=True,
        )
        return
    if not separated:
        yield Step(
            text=f"token {wanted.token} exists, with all rights of its user: give it rights of its own",
            method="PUT",
            path=path,
            form={"privsep": 1},
            line=f"pveum user token modify {named} --privsep 1",
        )
    if secret:  # that of one that is there can't be read: pve-api#token-create
        yield Step(
            text=f"token {wanted.token} exists: a NEW SECRET, and the old one stops working",
            method="PUT",
            path=path,
            form={"regenerate": 1},
            line=f"pveum user token modify {named} --regenerate 1",
            gives_secret=True,
        )


def _grant(right: Right, who: str) -> Step:
    kind = "tokens" if "!" in who else "users"
    beneath = "" if right.propagate else " alone"
    return Step(
        text=f"role {right.role} on {right.path}{beneath}",
        whom=kind.removesuffix("s"),
        method="PUT",
        path=("access", "acl"),
        form={"path": right.path, "roles": right.role, kind: who, "propagate": int(right.propagate)},
        line=f"pveum acl modify {right.path} --{kind} {shlex.quote(who)} --roles {right.role}"
        f" --propagate {int(right.propagate)}",
    )


def removal(token: str) -> str:
    """The line that takes a token away."""
    user, _, name = token.partition("!")
    return f"pveum user token remove {shlex.quote(user)} {shlex.quote(name)}"
