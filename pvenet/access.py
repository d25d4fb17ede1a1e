"""What the caller may do on a node: privileges by path, and what is missing. pve-api#permissions."""

from __future__ import annotations

from collections.abc import Mapping

from pvenet import errors

Permissions = Mapping[str, Mapping[str, bool]]
"""Privileges by path; true for one that is handed down to the paths beneath."""

ZONE = "/sdn/zones/localnetwork"
"""Without SDN.Audit or SDN.Use here the listing silently leaves out the bridges."""


def effective(held: Permissions, path: str) -> frozenset[str]:
    """The privileges on a path: its own, or those that the nearest listed path above it hands down."""
    if path in held:
        return frozenset(held[path])
    while path not in held and path != "/":
        path = path.rsplit("/", 1)[0] or "/"
    return frozenset(privilege for privilege, handed_down in held.get(path, {}).items() if handed_down)


def sees_bridges(held: Permissions) -> bool:
    """Whether a listing has the bridges."""
    return bool(effective(held, ZONE) & {"SDN.Audit", "SDN.Use"})


def missing(held: Permissions, node: str) -> tuple[str, str] | None:
    """The first privilege that an apply needs and the caller lacks, and its path."""
    path = f"/nodes/{node}"
    for privilege in ("Sys.Audit", "Sys.Modify"):
        if privilege not in effective(held, path):
            return privilege, path
    return None if sees_bridges(held) else ("SDN.Audit", ZONE)


def permission_missing(who: str, privilege: str, path: str, node: str) -> errors.PermissionMissing:
    """The error for a missing privilege, with the lines that grant a role that has all of them."""
    kind = "--tokens" if "!" in who else "--users"
    return errors.PermissionMissing(
        f"{who} lacks {privilege} on {path} (node {node})",
        hint="on the node, as root:\n"
        "  pveum role add PvenetAdmin --privs Sys.Audit,Sys.Modify,SDN.Audit\n"
        f"  pveum acl modify /nodes/{node} {kind} '{who}' --roles PvenetAdmin\n"
        f"  pveum acl modify /sdn/zones/localnetwork {kind} '{who}' --roles PvenetAdmin",
        privilege=privilege,
        path=path,
    )
