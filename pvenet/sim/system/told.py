"""What this machine's `ip -details -json link` and `bridge -json vlan` say, as a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.sim.kernel.value import (
    NOBODY,
    BondState,
    BridgeState,
    Kernel,
    Link,
    SlaveState,
    VlanState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAST_OF_RANGE = "vlanEnd"


def kernel_told(links: Sequence[Mapping[str, Any]], vlans: Sequence[Mapping[str, Any]] = ()) -> Kernel:
    """The links with the VLANs of those that are ports; addresses and routes are not in it."""
    tables = {str(entry["ifname"]): entry.get("vlans", ()) for entry in vlans if entry}
    return Kernel(links=tuple(_link(told, tables.get(str(told["ifname"]), ())) for told in links if told))


def _link(told: Mapping[str, Any], table: Sequence[Mapping[str, Any]]) -> Link:
    flags, info = told.get("flags", ()), told.get("linkinfo", {})
    kind, data = info.get("info_kind", ""), info.get("info_data", {})
    its_master, as_member = info.get("info_slave_kind"), info.get("info_slave_data", {})
    primary, vlans = _vlans(table)
    return Link(
        index=told["ifindex"],
        name=told["ifname"],
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        mtu=told["mtu"],
        mac=told.get("address", "") if told.get("link_type") != "none" else "",
        permaddr=told.get("permaddr", ""),
        kind=kind,
        master=told.get("master"),
        parent=told.get("link") or (f"if{told['link_index']}" if "link_index" in told else None),
        foreign_parent="link" not in told and "link_index" in told,
        altnames=tuple(told.get("altnames", ())),
        alias=told.get("ifalias", ""),
        bond=_bond(data) if kind == "bond" else None,
        slave=_slave(as_member) if its_master == "bond" else None,
        bridge=_bridge(data) if kind == "bridge" else None,
        port_state=as_member.get("state") if its_master == "bridge" else None,
        vlan=VlanState(id=data["id"], protocol=data["protocol"]) if kind == "vlan" else None,
        primary_vlan=primary,
        vlans=vlans,
    )


def _vlans(table: Sequence[Mapping[str, Any]]) -> tuple[int | None, tuple[str, ...]]:
    """The one of untagged frames, and the others as the bridges call writes them."""
    primary, others = None, []
    for entry in table:
        first, last = entry["vlan"], entry.get(LAST_OF_RANGE)
        if "PVID" in entry.get("flags", ()):
            primary = first
        else:
            others.append(f"{first}-{last}" if last is not None else str(first))
    return primary, tuple(others)


def _bond(data: Mapping[str, Any]) -> BondState:
    ad = data.get("ad_info", {})
    return BondState(
        mode=data["mode"],
        miimon=data["miimon"],
        active_slave=data.get("active_slave"),
        primary=data.get("primary"),
        xmit_hash_policy=data["xmit_hash_policy"],
        lacp_rate=data.get("ad_lacp_rate", "slow"),
        ad_aggregator=ad.get("aggregator"),
        ad_num_ports=ad.get("num_ports", 0),
        ad_actor_key=ad.get("actor_key", 0),
        ad_partner_key=ad.get("partner_key", 0),
        ad_partner_mac=ad.get("partner_mac", NOBODY),
    )


def _slave(data: Mapping[str, Any]) -> SlaveState:
    return SlaveState(
        state=data["state"],
        mii_status=data["mii_status"],
        link_failure_count=data["link_failure_count"],
        perm_hwaddr=data["perm_hwaddr"],
        aggregator_id=data.get("ad_aggregator_id"),
        actor_state=data.get("ad_actor_oper_port_state", 0),
        partner_state=data.get("ad_partner_oper_port_state", 0),
    )


def _bridge(data: Mapping[str, Any]) -> BridgeState:
    return BridgeState(
        stp=bool(data["stp_state"]),
        vlan_filtering=bool(data["vlan_filtering"]),
        forward_delay=data["forward_delay"],
    )
