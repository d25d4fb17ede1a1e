"""What the caller may do on a node: privileges by path, what is missing, and when a listing can't be believed.

PVE leaves out of a listing the bridges that the caller may not see, without a word (pve-api#hidden-bridges). A listing
alone can't prove that none is missing; what suggests it is looked for, and the permissions then decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.model import Bond, Ethernet, Other, Vlan, beneath, kind_of, parent_in, typed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pvenet.model import Interface, Network

Permissions = Mapping[str, Mapping[str, bool]]
"""Privileges by path: true for one that is handed down to the paths beneath. One that is false is held all the same, at
its own path (pve-api#permission-values)."""

ZONE = "/sdn/zones/localnetwork"
"""The bridges of a node are paths beneath it."""

_GUESTS_PLACE = "/vms"
"""The guests are paths beneath it."""

ADMIN, AUDIT, GUESTS, LOCK = "NetAdminPvenet", "NetAuditPvenet", "NetGuestsPvenet", "NetLockPvenet"
ROLES: Mapping[str, tuple[str, ...]] = {
    ADMIN: ("Sys.Audit", "Sys.Modify", "SDN.Audit"),
    AUDIT: ("Sys.Audit", "SDN.Audit"),
    GUESTS: ("VM.Audit",),
    LOCK: ("SDN.Allocate",),
}
"""The roles that a login and the hints make, and their privileges. PVE refuses names that begin with PVE, in any case
(pve-api#role-name)."""

_SHOWING = frozenset({"SDN.Audit", "SDN.Use"})
"""Either of them on a bridge's own path shows it in the listing."""

_OUTSIDE = frozenset({"dhcp", "auto"})
"""The methods by which an interface gets its addresses from outside."""

_LO_ALONE = 1
"""Places in the file that a whole listing does not show: that of `lo`."""


# --- permissions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class NotKnown:
    """What could not be found out: never the same as "none"."""

    what: str
    """`which stopped guests there are`"""
    why: str = ""
    """A clause, where it is no privilege that is missing."""
    privilege: str | None = None
    """The one that is missing."""
    path: str | None = None
    """Where it is missing."""
    grants: tuple[str, ...] = ()
    """The commands that grant it, for root on a node."""


def effective(held: Permissions, path: str) -> frozenset[str]:
    """The privileges on a path: its own, or those that the nearest listed path above it hands down."""
    if path in held:
        return frozenset(held[path])
    while path not in held and path != "/":
        path = path.rsplit("/", 1)[0] or "/"
    return frozenset(privilege for privilege, handed_down in held.get(path, {}).items() if handed_down)


def bridge_path(bridge: str) -> str:
    """Where the right to see a bridge is held."""
    return f"{ZONE}/{bridge}"


def sees(held: Permissions, bridge: str) -> bool:
    """Whether a listing shows a bridge of that name."""
    return bool(effective(held, bridge_path(bridge)) & _SHOWING)


def hiding(held: Permissions) -> str | None:
    """The path on which a right is missing to see every bridge, whatever its name; None where all are seen."""
    if not sees(held, "*"):  # no bridge's name: what the zone hands down
        return ZONE
    for path in sorted(held):
        zone, _, bridge = path.rpartition("/")
        if zone == ZONE and not sees(held, bridge):
            return path
    return None


def missing(held: Permissions, node: str) -> tuple[str, str] | None:
    """The first privilege that an apply needs and the caller lacks, and its path."""
    path = f"/nodes/{node}"
    for privilege in ("Sys.Audit", "Sys.Modify"):
        if privilege not in effective(held, path):
            return privilege, path
    hidden = hiding(held)
    return ("SDN.Audit", hidden) if hidden else None


def permission_missing(who: str, privilege: str, path: str, node: str, *, why: str = "") -> errors.PermissionMissing:
    """The error for a missing privilege, with the lines that grant a role that has all of them.

    `why` says what gave it away.
    """
    handed_down = ", propagated to the bridges beneath it" if path == ZONE else ""
    return errors.PermissionMissing(
        f"{who} lacks {privilege} on {path}{handed_down} (node {node}){f': {why}' if why else ''}",
        hint="on the node, as root:\n  " + "\n  ".join(grants(who, path, node)),
        privilege=privilege,
        path=path,
    )


def grants(who: str, path: str, node: str) -> tuple[str, ...]:
    """The lines that grant all that a change needs, also on a path that lacks it. They can be run twice."""
    places = dict.fromkeys((f"/nodes/{node}", ZONE, path))
    return (
        _role(ADMIN),
        *(f"pveum acl modify {place} {each} --roles {ADMIN} --propagate 1" for place in places for each in _named(who)),
    )


def lock_grants(who: str) -> tuple[str, ...]:
    """The lines that let somebody hold the SDN lock; not handed down, where they would hide what comes from above."""
    return (
        _role(LOCK),
        *(f"pveum acl modify /sdn {each} --roles {LOCK} --propagate 0" for each in _named(who)),
    )


def _role(name: str) -> str:
    """The line that makes a role, whether or not it is there."""
    role = f"{name} --privs {','.join(ROLES[name])}"
    return f"pveum role add {role} || pveum role modify {role}"


def audit_grants(who: str, path: str) -> tuple[str, ...]:
    """The lines that let somebody see what is at a path, and beneath it unless that is everything.

    By the roles that a login makes: whoever has followed a hint lacks nothing of it there.
    """
    beneath = int(path != "/")
    role = GUESTS if path == _GUESTS_PLACE or path.startswith(f"{_GUESTS_PLACE}/") else AUDIT
    return (
        _role(role),
        *(f"pveum acl modify {path} {each} --roles {role} --propagate {beneath}" for each in _named(who)),
    )


def _named(who: str) -> list[str]:
    """A user or a token as an ACL names it, and the token's user, too: it has what both have (pve-api#token-acl)."""
    user, _, token = who.partition("!")
    whom = [] if token and user == "root@pam" else [f"--users '{user}'"]  # root@pam has every privilege
    return [*whom, f"--tokens '{who}'"] if token else whom


# --- listings --------------------------------------------------------------------------------------------------------


def suspicion(network: Network, places: Collection[int], changes: str, *, thorough: bool = False) -> str | None:
    """What suggests that a listing is without some of the bridges, a clause; None where nothing does.

    `places`: the places of the listed interfaces in the node's file (`priority`). `changes`: PVE's pending diff.
    `thorough`: a NIC that is up and unused is enough, which is common. A suspicion costs a look at the permissions and
    decides nothing.
    """
    found = _suspicions(network, places, changes)
    idle = (f"{name} is up, and nothing that is listed uses it" for name in _up_for_nobody(network, Ethernet))
    return next(found, None) or (next(idle, None) if thorough else None)


def _suspicions(network: Network, places: Collection[int], changes: str) -> Iterator[str]:
    interfaces = network.interfaces
    if not any(kind_of(interface) == "bridge" for interface in interfaces.values()):
        yield "no bridge is listed"
    for name in sorted(_named_in(changes) - interfaces.keys() - {"lo"}):
        yield f"{name} is pending and not listed"
    for interface in interfaces.values():
        for name in _unlisted_carriers(interface, interfaces):
            yield f"{interface.name} is on top of {name}, which is not listed"
    if not any(_leads_out(interface) for interface in interfaces.values()):
        yield "nothing that is listed has a default gateway"
    if not changes:  # with a change pending, what is up may have been left by that
        for name in _up_for_nobody(network, Bond):
            yield f"{name} is up, and nothing that is listed uses it"
    if len(set(range(2, max(places, default=0))) - set(places)) > _LO_ALONE:
        yield "the node's file has more interfaces than are listed"


def _named_in(changes: str) -> frozenset[str]:
    """The interfaces whose stanzas PVE's diff shows, but for those that it takes away."""
    return frozenset(re.findall(r"^[ +]iface[ \t]+(\S+)", changes, flags=re.MULTILINE))


def _unlisted_carriers(interface: Interface, known: Mapping[str, Interface]) -> list[str]:
    """What a VLAN or an alias stands on and is not listed; it may be a bridge."""
    names = beneath(interface) if isinstance(typed(interface), Vlan | Other) else ()
    return [name for name in names if name not in known and parent_in(name) not in known]


def _leads_out(interface: Interface) -> bool:
    """Whether it has a default gateway, or may get one from outside."""
    kept = interface.file_only
    return bool(interface.gateway or interface.gateway6) or not _OUTSIDE.isdisjoint((kept.method, kept.method6))


def _up_for_nobody(network: Network, kind: type[Bond | Ethernet]) -> Iterator[str]:
    """The bonds or NICs that are up, and neither have an address nor carry anything that is listed."""
    interfaces = network.interfaces
    used = {name for interface in interfaces.values() for name in beneath(interface)}
    idle = [
        name
        for name, interface in interfaces.items()
        if isinstance(typed(interface), kind)
        and name not in used
        and not (interface.cidr or interface.cidr6 or _leads_out(interface))
    ]
    spoken_of = {parent_in(name) for name in (*used, *interfaces)} if idle else ()
    yield from (name for name in idle if name not in spoken_of and network.links[name].active)
