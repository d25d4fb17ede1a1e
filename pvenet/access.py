"""What the caller may do on a node, asked before it matters. Facts, section 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.model import Bridge
from pvenet.node import permission_missing

if TYPE_CHECKING:
    from pvenet.node import Node, Permissions, Reading

ZONE = "/sdn/zones/localnetwork"
"""Without SDN.Audit or SDN.Use here the listing silently leaves out the bridges."""


def check(node: Node) -> None:
    """Raises PermissionMissing for the first privilege that an apply needs and the caller lacks."""
    held = node.permissions()
    path = f"/nodes/{node.name}"
    for privilege in ("Sys.Audit", "Sys.Modify"):
        if privilege not in effective(held, path):
            raise permission_missing(node.connection, privilege, path, node.name)
    _check_zone(node, held)


def refuse_hidden(node: Node, reading: Reading) -> None:
    """Raises PermissionMissing where a listing has no bridge because the caller may not see any.

    A node with no bridge at all costs one more request; any other none.
    """
    if not any(isinstance(interface, Bridge) for interface in reading.network.interfaces.values()):
        _check_zone(node, node.permissions())


def effective(held: Permissions, path: str) -> frozenset[str]:
    """The privileges on a path: its own, or those that the nearest listed path above it hands down."""
    if path in held:
        return frozenset(held[path])
    while path not in held and path != "/":
        path = path.rsplit("/", 1)[0] or "/"
    return frozenset(privilege for privilege, handed_down in held.get(path, {}).items() if handed_down)


def _check_zone(node: Node, held: Permissions) -> None:
    if not effective(held, ZONE) & {"SDN.Audit", "SDN.Use"}:
        raise permission_missing(node.connection, "SDN.Audit", ZONE, node.name)
