"""The recorded texts of `ip`, and what the same moment was as JSON, by a reader of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paths import FIXTURES

from pvenet.kernel.links import BondStatus, BridgeStatus, KernelLink, SlaveStatus, VlanStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KERNEL = FIXTURES / "kernel"
SCENARIOS = sorted(path.name for path in (KERNEL / "ip").iterdir())
RELEASES = ("6.1", "6.15")
REPORTS = sorted(path.stem for path in (KERNEL / "reports").glob("*.txt"))
NOBODY = "00:00:00:00:00:00"


@dataclass(frozen=True)
class Moment:
    """One moment of the recorded machine."""

    folder: Path

    def text(self, release: str) -> str:
        """What a release of `ip` printed."""
        return (self.folder / f"ip-{release}.txt").read_text(encoding="utf-8")

    @property
    def truth(self) -> Mapping[str, KernelLink]:
        """The links by the JSON, which has neither addresses nor speeds."""
        entries = json.loads((self.folder / "ip-link.json").read_text(encoding="utf-8"))
        return {entry["ifname"]: _link(entry) for entry in entries}


def moment(scenario: str) -> Moment:
    """A recorded moment by its name."""
    return Moment(KERNEL / "ip" / scenario)


def report(name: str) -> str:
    """A recorded report, whole."""
    return (KERNEL / "reports" / f"{name}.txt").read_text(encoding="utf-8")


def _link(entry: Mapping[str, Any]) -> KernelLink:
    info = entry.get("linkinfo", {})
    kind, slave_kind = info.get("info_kind"), info.get("info_slave_kind")
    data, slave = info.get("info_data", {}), info.get("info_slave_data", {})
    up = "UP" in entry["flags"]
    hardware = "parentdev" in entry or entry["link_type"] == "loopback"
    return KernelLink(
        name=entry["ifname"],
        up=up,
        carrier="LOWER_UP" in entry["flags"] if up else None,
        mtu=entry["mtu"],
        kind=kind or ("" if hardware else None),
        mac=entry.get("address"),
        permanent_mac=entry.get("permaddr"),
        parent=entry.get("link"),
        master=entry.get("master"),
        altnames=tuple(entry.get("altnames", ())),
        bond=_bond(data) if kind == "bond" else None,
        slave=_slave(slave) if slave_kind == "bond" else None,
        bridge=_bridge(data) if kind == "bridge" else None,
        port_state=slave["state"] if slave_kind == "bridge" else None,
        vlan=VlanStatus(id=data["id"], protocol=data["protocol"]) if kind == "vlan" else None,
    )


def _bond(data: Mapping[str, Any]) -> BondStatus:
    lacp = data.get("ad_info", {})
    partner = lacp.get("partner_mac")
    return BondStatus(
        mode=data["mode"],
        active_slave=data.get("active_slave"),
        primary=data.get("primary"),
        xmit_hash_policy=data.get("xmit_hash_policy"),
        partner_mac=None if partner == NOBODY else partner,
        aggregated=lacp.get("num_ports"),
    )


def _slave(data: Mapping[str, Any]) -> SlaveStatus:
    return SlaveStatus(
        active=data["state"] == "ACTIVE",
        mii_up=data["mii_status"] == "UP",
        aggregator=data.get("ad_aggregator_id"),
        actor=frozenset(data.get("ad_actor_oper_port_state_str", ())),
        partner=frozenset(data.get("ad_partner_oper_port_state_str", ())),
    )


def _bridge(data: Mapping[str, Any]) -> BridgeStatus:
    return BridgeStatus(
        vlan_filtering=bool(data["vlan_filtering"]),
        stp=bool(data["stp_state"]),
        forward_delay=data["forward_delay"] / 100,
    )
