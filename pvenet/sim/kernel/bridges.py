"""What the bridges call tells. Pure. pve-api#bridges-answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.sim.kernel.value import Kernel, Link

GUEST_PORT = re.compile(r"(?:tap|veth)(?P<vmid>\d+)i(?P<index>\d+)|fwpr(?P<vmid_behind>\d+)p(?P<index_behind>\d+)")
"""A guest's own port, or that of its firewall. pve-api#bridges-guests."""


def bridges(names: Iterable[str], kernel: Kernel) -> list[dict[str, Any]]:
    """These bridges of the file, and what hangs on each in the kernel."""
    return [_bridge(name, kernel) for name in names]


def _bridge(name: str, kernel: Kernel) -> dict[str, Any]:
    link = kernel.link(name)
    if link is None or link.bridge is None:
        return {"name": name, "vlan_filtering": None, "ports": []}  # pve-api#bridges-missing
    aware = link.bridge.vlan_filtering
    ports = [_port(port, aware=aware) for port in kernel.ports(name)]
    return {"name": name, "vlan_filtering": int(aware), "ports": ports}


def _port(port: Link, *, aware: bool) -> dict[str, Any]:
    """A port with PVE's types: `vmid` is a text, `primary_vlan` a number. pve-api#bridges-types."""
    told: dict[str, Any] = {"name": port.name}
    if found := GUEST_PORT.fullmatch(port.name):
        told["vmid"] = found["vmid"] or found["vmid_behind"]
        told["index"] = f"net{found['index'] or found['index_behind']}"
    if aware:
        told["vlans"] = list(port.vlans)
        if port.primary_vlan is not None:
            told["primary_vlan"] = port.primary_vlan
    return told
