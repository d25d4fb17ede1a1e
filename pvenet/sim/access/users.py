"""Users, their tokens and tickets, and what each may do (pve-api#authentication and pve-api#permissions, group A)."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from pvenet.sim.access.privileges import AREAS, COMMON_PATHS, PRIVILEGES
from pvenet.sim.access.roles import NO_ACCESS, SPECIAL

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

ROOT = "root@pam"
FULL_TOKEN = "root@pam!full"  # noqa: S105  a name, not a secret
TICKET_SECONDS = 2 * 60 * 60
TICKET_AHEAD = 5 * 60
"""How far in the future a ticket may have been made: clocks of cluster members differ."""
SIGNATURE_BYTES = 256


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who is asking."""

    user: str
    token: str | None = None

    @property
    def name(self) -> str:
        return self.user if self.token is None else f"{self.user}!{self.token}"

    @classmethod
    def of(cls, name: str) -> Self:
        user, _, token = name.partition("!")
        return cls(user=user, token=token or None)

    def owns(self, other: str) -> bool:
        """A user's tokens are the user's; a token is only itself."""
        return self.name == other or (self.token is None and Identity.of(other).user == self.user)


class Denied(Exception):
    """A 401; the text is the reason phrase. `told` ones have a body as well."""

    def __init__(self, reason: str, *, told: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.told = told


@dataclass(frozen=True, kw_only=True)
class Users:
    """What `users.json` holds."""

    users: Mapping[str, Mapping[str, Any]]
    tokens: Mapping[str, Mapping[str, Any]]
    acl: tuple[Mapping[str, Any], ...]
    """Who has which `role` at which path; or `privileges`, as a person may write them."""
    key: bytes
    """Signs tickets."""
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Those that somebody has made, and their privileges."""
    lacking: frozenset[str] = frozenset()
    """Privileges that nobody has, by order of a fault."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            users=data.get("users", {}),
            tokens=data.get("tokens", {}),
            acl=tuple(data.get("acl", ())),
            key=str(data.get("key", "")).encode(),
            roles=data.get("roles", {}),
        )

    def credentials(self) -> tuple[str, str]:
        """The token that may do everything, and its secret; empty where somebody took it out."""
        return FULL_TOKEN, str(self.tokens.get(FULL_TOKEN, {}).get("secret", ""))

    def without(self, privileges: frozenset[str]) -> Self:
        return replace(self, lacking=privileges)

    def enter(self, method: str, headers: Mapping[str, str], now: float) -> Identity:
        """Who sends this request; raises `Denied`."""
        scheme, _, value = headers.get("authorization", "").partition("=")
        if scheme == "PVEAPIToken":
            return self._token(value, now)
        ticket = value if scheme == "PVEAuthCookie" else _cookie(headers.get("cookie", ""))
        if not ticket:
            raise Denied("No ticket")  # also for Basic and Bearer (A011, A012)
        user = self.ticket_user(ticket, now)
        if user is None:
            raise Denied("Authentication failed!")
        if method != "GET" and not self._csrf_fits(user, headers.get("csrfpreventiontoken", ""), now):
            raise Denied("Permission denied - invalid csrf token")
        return Identity(user=user)

    def _token(self, value: str, now: float) -> Identity:
        name, _, secret = value.partition("=")
        token = self.tokens.get(unquote(name), {})
        identity = Identity.of(unquote(name))
        right = hmac.compare_digest(str(token.get("secret", "")).encode(), secret.encode())
        if not (secret and right and identity.token and self._enabled(identity.user)) or _expired(token, now):
            raise Denied("Authentication failed!")
        return identity

    def login(self, username: str, realm: str | None, password: str, otp: str | None, now: float) -> str:
        """The user who may have a ticket; raises `Denied`."""
        user = username if realm is None else f"{username}@{realm}"
        known = self.users.get(user, {})
        fits = hmac.compare_digest(str(known.get("password", "")).encode(), password.encode())
        renewed = self.ticket_user(password, now) == user
        if otp is not None or not self._enabled(user) or not (fits or renewed) or not password:
            raise Denied("authentication failure", told=True)
        return user

    def second_factor(self, user: str) -> bool:
        """Whether a password alone does not let this user in."""
        return bool(self.users.get(user, {}).get("tfa", False))

    def _enabled(self, user: str) -> bool:
        return bool(self.users.get(user, {}).get("enabled", False))

    def ticket(self, user: str, now: float) -> str:
        stamp = f"PVE:{user}:{int(now):08X}"
        return f"{stamp}::{self._sign(stamp, SIGNATURE_BYTES)}"

    def ticket_user(self, ticket: str, now: float) -> str | None:
        """Whose ticket this is, if it is good."""
        stamp, _, _signature = ticket.partition("::")
        match stamp.split(":"):
            case ["PVE", user, hextime]:
                age = _age(hextime, now)
                good = hmac.compare_digest(f"{stamp}::{self._sign(stamp, SIGNATURE_BYTES)}".encode(), ticket.encode())
                return user if good and self._enabled(user) and -TICKET_AHEAD < age < TICKET_SECONDS else None
            case _:
                return None

    def csrf(self, user: str, now: float) -> str:
        hextime = f"{int(now):08X}"
        return f"{hextime}:{self._sign(f'{hextime}:{user}', 32).rstrip('=')}"

    def _csrf_fits(self, user: str, token: str, now: float) -> bool:
        hextime, _, signature = token.partition(":")
        expected = self._sign(f"{hextime}:{user}", 32).rstrip("=")
        fits = hmac.compare_digest(expected.encode(), signature.encode())
        return fits and -TICKET_AHEAD < _age(hextime, now) < TICKET_SECONDS

    def _sign(self, text: str, size: int) -> str:
        parts = (hmac.digest(self.key, f"{n}:{text}".encode(), "sha256") for n in range(size // 32))
        return base64.b64encode(b"".join(parts)).decode()

    def privileges(self, identity: Identity, path: str) -> frozenset[str]:
        """What this identity may do at this path."""
        return frozenset(self._effective(identity, path))

    def _effective(self, identity: Identity, path: str) -> dict[str, int]:
        """Privileges at a path, each with 1 where it is handed down and 0 where not (pve-api#permission-values)."""
        own = dict.fromkeys(PRIVILEGES, 1) if identity.user == ROOT else self._granted(identity.user, path)
        if identity.token is not None and self.tokens.get(identity.name, {}).get("privsep", True):
            its = self._granted(identity.name, path)
            own = {privilege: min(own[privilege], its[privilege]) for privilege in own.keys() & its.keys()}
        return {privilege: own[privilege] for privilege in sorted(own.keys() - self.lacking)}

    def _granted(self, who: str, path: str) -> dict[str, int]:
        """What the list grants: the entry nearest to the path counts, and counts alone."""
        granted: dict[str, int] = {}
        for place in _lineage(path):
            entries = [e for e in self.acl if e["who"] == who and e["path"] == place]
            entries = [e for e in entries if place == path or e.get("propagate", True)]
            if entries:
                entries.sort(key=lambda entry: bool(entry.get("propagate", True)))  # of two, the one that hands it down
                granted = {p: int(entry.get("propagate", True)) for entry in entries for p in self._named(entry)}
                if any(entry.get("role") == NO_ACCESS for entry in entries):
                    granted = {}
        return granted

    def _named(self, entry: Mapping[str, Any]) -> Collection[str]:
        """The privileges of an entry; those of a role that is gone are none."""
        role = entry.get("role")
        return entry.get("privileges", ()) if role is None else self.role(role) or ()

    def role(self, name: str) -> Collection[str] | None:
        """A role's privileges; None where there is no such role."""
        return SPECIAL.get(name, self.roles.get(name))

    def dump(self, identity: Identity, path: str | None, bridges: list[str]) -> dict[str, dict[str, int]]:
        """Effective privileges by path, as /access/permissions tells them (A057, A058)."""
        if path is not None:
            return {path: self._effective(identity, path)}
        places = [f"/sdn/zones/localnetwork/{bridge}" for bridge in bridges]
        paths = dict.fromkeys([*(str(entry["path"]) for entry in self.acl), *COMMON_PATHS, *places])
        if identity.user == ROOT:
            paths = dict.fromkeys(["/", *paths])
        found = {path: self._effective(identity, path) for path in paths}
        return {path: privileges for path, privileges in found.items() if privileges}

    def abilities(self, user: str) -> dict[str, dict[str, int]]:
        """What the answer to a login tells the UI (A013, A036)."""
        identity = Identity(user=user)
        return {
            area: dict.fromkeys(sorted(self.privileges(identity, path) & set(privileges)), 1)
            for area, (path, privileges) in AREAS.items()
        }


def _cookie(header: str) -> str:
    """The ticket among the cookies, quoted or raw (A024, A025)."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "PVEAuthCookie":
            return unquote(value)
    return ""


def _age(hextime: str, now: float) -> float:
    try:
        return now - int(hextime, 16)
    except ValueError:
        return TICKET_SECONDS


def _expired(token: Mapping[str, Any], now: float) -> bool:
    return bool(token.get("expire")) and float(token["expire"]) < now


def _lineage(path: str) -> list[str]:
    """A path and what is above it, from the top."""
    names = [name for name in path.split("/") if name]
    return ["/", *("/" + "/".join(names[: n + 1]) for n in range(len(names)))]
