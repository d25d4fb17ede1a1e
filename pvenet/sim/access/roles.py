"""Roles: those that every server has, as recorded (K7-tokens-003), and what others are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.sim.access.privileges import PRIVILEGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ADMINISTRATORS_ALONE = frozenset(
    {
        "Mapping.Modify",
        "Permissions.Modify",
        "Realm.Allocate",
        "Sys.AccessNetwork",
        "Sys.Incoming",
        "Sys.Modify",
        "Sys.PowerMgmt",
    }
)
"""What PVEAdmin lacks. pve-api#role."""
NO_ACCESS = "NoAccess"
"""Who has this one somewhere has nothing there."""


def _all_of(*areas: str) -> frozenset[str]:
    return frozenset(privilege for privilege in PRIVILEGES if privilege.startswith(tuple(f"{area}." for area in areas)))


SPECIAL: Mapping[str, frozenset[str]] = {
    "Administrator": PRIVILEGES,
    NO_ACCESS: frozenset(),
    "PVEAdmin": PRIVILEGES - ADMINISTRATORS_ALONE,
    "PVEAuditor": frozenset(privilege for privilege in PRIVILEGES if privilege.endswith(".Audit")),
    "PVEDatastoreAdmin": _all_of("Datastore"),
    "PVEDatastoreUser": frozenset({"Datastore.AllocateSpace", "Datastore.Audit"}),
    "PVEMappingAdmin": _all_of("Mapping"),
    "PVEMappingUser": frozenset({"Mapping.Audit", "Mapping.Use"}),
    "PVEPoolAdmin": _all_of("Pool"),
    "PVEPoolUser": frozenset({"Pool.Audit"}),
    "PVESDNAdmin": _all_of("SDN"),
    "PVESDNUser": frozenset({"SDN.Audit", "SDN.Use"}),
    "PVESysAdmin": frozenset({"Sys.Audit", "Sys.Console", "Sys.Syslog"}),
    "PVETemplateUser": frozenset({"VM.Audit", "VM.Clone"}),
    "PVEUserAdmin": frozenset({"Group.Allocate", "Realm.AllocateUser", "User.Modify"}),
    "PVEVMAdmin": _all_of("VM"),
    "PVEVMUser": _all_of("VM.GuestAgent") - {"VM.GuestAgent.Unrestricted"}
    | {"VM.Audit", "VM.Backup", "VM.Config.CDROM", "VM.Config.Cloudinit", "VM.Console", "VM.PowerMgmt"},
}
"""The privileges of the roles that nobody can change."""
_PATHS = (
    r"access(/(groups|realm)(/[^/]+)?)?",
    r"mapping(/[^/]+){0,2}",
    r"nodes(/[^/]+)?",
    r"pool(/[^/]+)*",
    r"sdn(/(controllers|dns|fabrics|ipams)(/[^/]+)?|/zones(/[^/]+){0,3})?",
    r"storage(/[^/]+)?",
    r"vms(/\d+)?",
)
PATH = re.compile(f"/({'|'.join(_PATHS)})?")
"""What the list can name: K7-tokens-096, and from reading pve-api#accounts-reading."""


def path_of(text: str) -> str | None:
    """A path as the list keeps it, without slashes at its end (K7-tokens-094); None for one that it can't name."""
    path = "/" + "/".join(part for part in text.split("/") if part)
    return path if text.startswith("/") and PATH.fullmatch(path) else None


def told(name: str, privileges: Iterable[str], *, special: bool) -> dict[str, str | int]:
    """A role as a listing tells it."""
    return {"roleid": name, "privs": ",".join(sorted(privileges)), "special": int(special)}
