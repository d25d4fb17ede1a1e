"""The privileges that PVE knows here, and where it tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a login tells the UI that it may do: privileges by area, each asked for at one path (A013, A036).
AREAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "access": ("/access", ("Group.Allocate", "Permissions.Modify", "User.Modify")),
    "dc": ("/", ("SDN.Allocate", "SDN.Audit", "SDN.Use", "Sys.Audit", "Sys.Modify")),
    "mapping": ("/mapping", ("Mapping.Audit", "Mapping.Modify", "Mapping.Use", "Permissions.Modify")),
    "nodes": (
        "/nodes",
        (
            "Permissions.Modify",
            "Sys.AccessNetwork",
            "Sys.Audit",
            "Sys.Console",
            "Sys.Incoming",
            "Sys.Modify",
            "Sys.PowerMgmt",
            "Sys.Syslog",
        ),
    ),
    "sdn": ("/sdn", ("Permissions.Modify", "SDN.Allocate", "SDN.Audit", "SDN.Use")),
    "storage": (
        "/storage",
        (
            "Datastore.Allocate",
            "Datastore.AllocateSpace",
            "Datastore.AllocateTemplate",
            "Datastore.Audit",
            "Permissions.Modify",
        ),
    ),
    "vms": (
        "/vms",
        (
            "Permissions.Modify",
            "VM.Allocate",
            "VM.Audit",
            "VM.Backup",
            "VM.Clone",
            "VM.Config.CDROM",
            "VM.Config.CPU",
            "VM.Config.Cloudinit",
            "VM.Config.Disk",
            "VM.Config.HWType",
            "VM.Config.Memory",
            "VM.Config.Network",
            "VM.Config.Options",
            "VM.Console",
            "VM.GuestAgent.Audit",
            "VM.GuestAgent.FileRead",
            "VM.GuestAgent.FileSystemMgmt",
            "VM.GuestAgent.FileWrite",
            "VM.GuestAgent.Unrestricted",
            "VM.Migrate",
            "VM.PowerMgmt",
            "VM.Replicate",
            "VM.Snapshot",
            "VM.Snapshot.Rollback",
        ),
    ),
}
ELSEWHERE = ("Pool.Allocate", "Pool.Audit", "Realm.Allocate", "Realm.AllocateUser")
"""What a login does not tell of (K7-tokens-002)."""
PRIVILEGES = frozenset((*ELSEWHERE, *(privilege for _path, privileges in AREAS.values() for privilege in privileges)))
COMMON_PATHS = ("/access", "/mapping", "/nodes", "/sdn", "/sdn/zones", "/sdn/zones/localnetwork", "/storage", "/vms")
"""Paths that a listing of permissions always tries (A057)."""
