"""The lines by kind in `ip -details`: what a link is, and what it is to its master. Pure. pve-api#ip-kind.

Each is words with values. What the kernel's own defaults are stands here as recorded; what varies comes from the link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.kernel.value import OVS, SWITCH, BondState, BridgeState, Kernel, Link, SlaveState, lacp_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

LACKING = {
    "6.1": frozenset(
        {"coupled_control", "fdb_n_learned", "fdb_max_learned", "mst_enabled", "neigh_vlan_suppress", "mab"}
        | {"gso_ipv4_max_size", "gro_ipv4_max_size", "proto"}
    ),
    "6.15": frozenset[str](),
}
"""The words that a release of iproute2 does not know. pve-api#iproute2-6.1."""
NO_TIME = "   0.00"
"""A timer that does not run."""

BRIDGE_QUERIES = (
    *("mcast_router 1", "mcast_query_use_ifaddr 0", "mcast_querier 0", "mcast_hash_elasticity 16"),
    *("mcast_hash_max 4096", "mcast_last_member_count 2", "mcast_startup_query_count 2"),
    *("mcast_last_member_interval 100", "mcast_membership_interval 26000", "mcast_querier_interval 25500"),
    *("mcast_query_interval 12500", "mcast_query_response_interval 1000", "mcast_startup_query_interval 3124"),
    *("mcast_stats_enabled 0", "mcast_igmp_version 2", "mcast_mld_version 1"),
    *("nf_call_iptables 0", "nf_call_ip6tables 0", "nf_call_arptables 0"),
)
PORT_SWITCHES = (
    *("topology_change_ack 0", "config_pending 0", "proxy_arp off", "proxy_arp_wifi off", "mcast_router 1"),
    *("mcast_fast_leave off", "mcast_flood on", "bcast_flood on", "mcast_to_unicast off", "neigh_suppress off"),
    *("neigh_vlan_suppress off", "group_fwd_mask 0", "group_fwd_mask_str 0x0", "vlan_tunnel off", "isolated off"),
    *("locked off", "mab off"),
)
COSTS = {10: 100, 100: 19, 1000: 5, 10000: 2}
UNKNOWN_COST = 100
VIRTUAL_COST = 2
"""Of what says of itself that it does 10 Gbit/s: tap and veth."""


def details(link: Link, kernel: Kernel, lacking: AbstractSet[str]) -> list[str]:
    """The lines of a link, each with the blank at its end; none for a NIC that is no member of anything."""
    lines = [*_kind(link), *_member(link, kernel)]
    return ["".join(f"{pair} " for pair in line if pair.split()[0] not in lacking) for line in lines]


def _kind(link: Link) -> Iterator[Iterable[str]]:
    if link.bond:
        yield _bond(link.bond)
    elif link.bridge:
        yield _bridge(link, link.bridge)
    elif link.vlan:
        yield ("vlan", f"protocol {link.vlan.protocol}", f"id {link.vlan.id}", "<REORDER_HDR>")
    elif link.kind == "tun":
        yield ("tun", "type tap", "pi off", "vnet_hdr off", "persist on")
    elif link.kind:
        yield (link.detail or link.kind,)


def _member(link: Link, kernel: Kernel) -> Iterator[Iterable[str]]:
    if link.slave:
        yield _slave(link.slave)
    elif link.port_state and link.master:
        yield _port(link, link.master, kernel)
    elif link.master == SWITCH:
        yield (f"{OVS}_slave",)


def _bond(bond: BondState) -> Iterator[str]:
    yield f"bond mode {bond.mode}"
    if bond.active_slave:
        yield f"active_slave {bond.active_slave}"
    yield from (f"miimon {bond.miimon}", "updelay 0", "downdelay 0", "peer_notify_delay 0", "use_carrier 1")
    yield from ("arp_interval 0", "arp_missed_max 2", "arp_validate none", "arp_all_targets any")
    if bond.primary:
        yield f"primary {bond.primary}"
    yield from ("primary_reselect always", "fail_over_mac none", f"xmit_hash_policy {bond.xmit_hash_policy}")
    yield from ("resend_igmp 1", "num_grat_arp 1", "all_slaves_active 0", "min_links 0", "lp_interval 1")
    yield from ("packets_per_slave 1", "lacp_active on", f"lacp_rate {bond.lacp_rate}", "coupled_control on")
    yield "ad_select stable"
    if bond.ad_aggregator is not None:
        yield from (f"ad_aggregator {bond.ad_aggregator}", f"ad_num_ports {bond.ad_num_ports}")
        yield from (f"ad_actor_key {bond.ad_actor_key}", f"ad_partner_key {bond.ad_partner_key}")
        yield from (f"ad_partner_mac {bond.ad_partner_mac}", "ad_actor_sys_prio 65535", "ad_user_port_key 0")
        yield "ad_actor_system 00:00:00:00:00:00"
    yield "tlb_dynamic_lb 1"


def _bridge(link: Link, bridge: BridgeState) -> Iterator[str]:
    own = bridge_id(link)
    yield f"bridge forward_delay {bridge.forward_delay}"
    yield from ("hello_time 200", "max_age 2000", "ageing_time 30000", f"stp_state {int(bridge.stp)}")
    yield from ("priority 32768", f"vlan_filtering {int(bridge.vlan_filtering)}", "vlan_protocol 802.1Q")
    yield from (f"bridge_id {own}", f"designated_root {own}", "root_port 0", "root_path_cost 0")
    yield from ("topology_change 0", "topology_change_detected 0")
    yield from (f"{timer} {NO_TIME}" for timer in ("hello_timer", "tcn_timer", "topology_change_timer", "gc_timer"))
    yield from ("fdb_n_learned 0", "fdb_max_learned 0", "vlan_default_pvid 1", "vlan_stats_enabled 0")
    yield from ("vlan_stats_per_port 0", "group_fwd_mask 0", "group_address 01:80:c2:00:00:00", "mcast_snooping 1")
    yield from ("no_linklocal_learn 0", "mcast_vlan_snooping 0", "mst_enabled 0", *BRIDGE_QUERIES)


def bridge_id(link: Link) -> str:
    """Its priority and its MAC, whose parts have no leading zeros here."""
    return "8000." + ":".join(f"{int(part, 16):x}" for part in link.mac.split(":"))


def _slave(slave: SlaveState) -> Iterator[str]:
    yield f"bond_slave state {slave.state}"
    yield from (f"mii_status {slave.mii_status}", f"link_failure_count {slave.link_failure_count}")
    yield from (f"perm_hwaddr {slave.perm_hwaddr}", "queue_id 0", "prio 0")
    if slave.aggregator_id is not None:
        yield f"ad_aggregator_id {slave.aggregator_id}"
        for side, state in (("actor", slave.actor_state), ("partner", slave.partner_state)):
            yield f"ad_{side}_oper_port_state {state}"
            yield f"ad_{side}_oper_port_state_str <{','.join(lacp_words(state))}>"


def _port(link: Link, master: str, kernel: Kernel) -> Iterator[str]:
    bridge = kernel.link(master)
    number = [port.name for port in kernel.ports(master)].index(link.name) + 1
    designated = bridge_id(bridge) if bridge else ""
    yield f"bridge_slave state {link.port_state}"
    yield from ("priority 32", f"cost {_cost(link)}", "hairpin off", "guard off", "root_block off", "fastleave off")
    yield from ("learning on", "flood on", f"port_id 0x80{number:02x}", f"port_no 0x{number:x}")
    yield from (f"designated_port {0x8000 + number}", "designated_cost 0")
    yield from (f"designated_bridge {designated}", f"designated_root {designated}")
    yield from (f"{timer} {NO_TIME}" for timer in ("hold_timer", "message_age_timer", "forward_delay_timer"))
    yield from PORT_SWITCHES


def _cost(link: Link) -> int:
    if link.kind in {"tun", "veth"}:
        return VIRTUAL_COST
    return COSTS.get(link.speed or 0, UNKNOWN_COST)
