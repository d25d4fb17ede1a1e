"""The packages that matter to PVE. pve-api#apt-versions, of which there is no recording: the words of the fact."""

from __future__ import annotations

from typing import Any

from pvenet.sim.calls.base import Answer, Asked, Call

IFUPDOWN2 = "3.3.0-1+pmx12"
OPENVSWITCH = "3.5.0-1+b1"


def versions(asked: Asked) -> Answer:
    """Those that the configuration of the sim has installed, and PVE itself."""
    found = [_row("pve-manager", "9.2.11")]
    if asked.config.ifupdown2:
        found.append(_row("ifupdown2", IFUPDOWN2))
    if asked.config.ovs:
        found.append(_row("openvswitch-switch", OPENVSWITCH))
    return Answer(data=found)


def _row(name: str, version: str) -> dict[str, Any]:
    known = {"Package": name, "Version": version, "OldVersion": version}
    return known | {"CurrentState": "Installed", "Origin": "Proxmox"}


CALLS = (Call(method="GET", path="/nodes/{node}/apt/versions", run=versions, privilege="Sys.Audit"),)
