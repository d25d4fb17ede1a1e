"""The text of `ip -details -statistics address` to links, words read by name. pve-api#ip-lines."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pvenet.kernel import words
from pvenet.kernel.ip_lines import blocks
from pvenet.kernel.ip_relations import check
from pvenet.kernel.links import Address, BondStatus, BridgeStatus, KernelLink, SlaveStatus, VlanStatus
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.kernel.ip_lines import AddressLine, Block

_KINDS = frozenset(
    (
        *("amt", "bareudp", "batadv", "bond", "bridge", "can", "dsa", "dummy", "erspan", "geneve", "gre", "gretap"),
        *("gtp", "hsr", "ifb", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "ipoib", "ipvlan", "ipvtap"),
        *("lowpan", "macsec", "macvlan", "macvtap", "netdevsim", "netkit", "nlmon", "openvswitch", "ovpn", "pfcp"),
        *("ppp", "rmnet", "sit", "team", "tun", "vcan", "veth", "virt_wifi", "vlan", "vrf", "vti", "vti6", "vxcan"),
        *("vxlan", "wireguard", "wwan", "xfrm"),
    )
)
"""Linux' words for the kinds of links that are made, not plugged in."""
_MODES = frozenset(("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"))
_POLICIES = frozenset(("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"))
_PORT_STATES = frozenset(("forwarding", "listening", "learning", "blocking", "disabled"))
_VLAN_PROTOCOLS = frozenset(("802.1Q", "802.1ad"))
_MII = frozenset(("UP", "DOWN", "GOING_DOWN", "GOING_BACK"))
"""Two of them are of a slave that waits for its bond's delay."""
_LACP_STATES = (
    *("active", "short_timeout", "aggregating", "in_sync", "collecting", "distributing", "defaulted", "expired"),
)
"""By their bits in a port's state."""
_SLAVE_STATES = frozenset(("ACTIVE", "BACKUP"))
_ACTOR, _PARTNER = "ad_actor_oper_port_state", "ad_partner_oper_port_state"
_AGGREGATED = ("ad_aggregator", "ad_num_ports", "ad_actor_key", "ad_partner_key", "ad_partner_mac")
_SCOPES = frozenset(("global", "site", "link", "host", "nowhere"))
_OWN_SCOPES = frozenset(("link", "host"))
"""Of addresses that the kernel makes itself."""
_PAIRS = frozenset(("peer", "brd", "any", "scope", "proto", "metric", "flags"))
_FLAGS = frozenset(
    (
        *("secondary", "temporary", "tentative", "optimistic", "deprecated", "home", "nodad", "mngtmpaddr", "dynamic"),
        *("noprefixroute", "autojoin", "dadfailed", "stable-privacy"),
    )
)
_SELF_MADE = frozenset(("kernel_lo", "kernel_ll", "kernel_ra"))
_LACP = "802.3ad"
_NOBODY = "00:00:00:00:00:00"
"""The partner's MAC while nobody answers. pve-api#lacp-no-partner."""
_WITH_MAC = ("link/ether", "link/loopback", "link/infiniband")
_IN_DRIVERS = "parentdev"
"""Stands behind what has hardware."""


def read_links(text: str) -> Mapping[str, KernelLink]:
    """The links by name, in the text's order. Raises Unreadable."""
    found = blocks(text)
    check(found)
    return {block.name: _link(block) for block in found}


def _link(block: Block) -> KernelLink:
    kind = _kind(block)
    return KernelLink(
        name=block.name,
        up="UP" in block.flags,
        carrier="LOWER_UP" in block.flags if "UP" in block.flags else None,
        mtu=words.number(words.required(block.header, "mtu")),
        kind=kind,
        mac=_mac(block.link),
        permanent_mac=_permanent(block),
        parent=_parent(block),
        master=words.after(block.header, "master"),
        altnames=None if "altname" in block.made_up else tuple(block.altnames),
        addresses=None if "inet" in block.made_up else _addresses(block),
        bond=_bond(block.kind) if kind == "bond" else None,
        slave=_slave(block.slave) if block.slave[:1] == ("bond_slave",) else None,
        bridge=_bridge(block.kind) if kind == "bridge" else None,
        port_state=_port_state(block.slave),
        vlan=_vlan(block.kind) if kind == "vlan" else None,
    )


def _kind(block: Block) -> str | None:
    """Without a line of its kind it is a NIC, where hardware is named; older releases don't name it."""
    if block.kind:
        return block.kind[0] if block.kind[0] in _KINDS else None
    hardware = "LOOPBACK" in block.flags or any(_IN_DRIVERS in row for row in (block.link, block.slave))
    return "" if hardware else None


def _mac(link: Sequence[str]) -> str | None:
    return words.mac(link[1]) if link[0] in _WITH_MAC and len(link) > 1 else None


def _permanent(block: Block) -> str | None:
    """The kernel's word; drivers that don't tell leave it to the bond, which gives it back (pve-api#ip-slave)."""
    of_bond = words.after(block.slave, "perm_hwaddr") if block.slave[:1] == ("bond_slave",) else None
    found = words.after(block.link, "permaddr") or of_bond
    return None if found is None or words.mac(found) == _mac(block.link) else words.mac(found)


def _parent(block: Block) -> str | None:
    """None also where it lives in another namespace, and has no name here."""
    return None if "link-netnsid" in block.link or block.at == "NONE" else block.at


# --- by kind ---------------------------------------------------------------------------------------------------------


def _bond(row: Sequence[str]) -> BondStatus:
    """pve-api#ip-bond."""
    mode = words.choice(words.required(row, "mode"), _MODES)
    policy = words.after(row, "xmit_hash_policy")
    lacp = mode == _LACP and words.all_or_none(row, _AGGREGATED)
    partner = words.required(row, "ad_partner_mac") if lacp else None
    return BondStatus(
        mode=mode,
        active_slave=words.after(row, "active_slave"),
        primary=words.after(row, "primary"),
        xmit_hash_policy=None if policy is None else words.choice(policy, _POLICIES),
        partner_mac=None if partner in (None, _NOBODY) else words.mac(partner),
        aggregated=words.number_after(row, "ad_num_ports") if lacp else None,
    )


def _slave(row: Sequence[str]) -> SlaveStatus:
    """pve-api#ip-slave."""
    words.all_or_none(row, ("ad_aggregator_id", _ACTOR, _PARTNER))
    return SlaveStatus(
        active=words.choice(words.required(row, "state"), _SLAVE_STATES) == "ACTIVE",
        mii_up=words.choice(words.required(row, "mii_status"), _MII) == "UP",
        aggregator=words.number_after(row, "ad_aggregator_id"),
        actor=_lacp_states(row, _ACTOR),
        partner=_lacp_states(row, _PARTNER),
    )


def _lacp_states(row: Sequence[str], name: str) -> frozenset[str]:
    """The bits of the number, which newer releases also write in words."""
    number = words.number_after(row, name)
    states = frozenset(word for bit, word in enumerate(_LACP_STATES) if (number or 0) >> bit & 1)
    written = words.after(row, f"{name}_str")
    if written is not None and {*written.removeprefix("<").removesuffix(">").split(",")} - {""} != states:
        raise Unreadable("what a slave says by LACP is not what its number says")
    return states


def _bridge(row: Sequence[str]) -> BridgeStatus:
    """pve-api#ip-bridge."""
    delay = words.number(words.required(row, "forward_delay"))
    return BridgeStatus(vlan_filtering=_switch(row, "vlan_filtering"), stp=_stp(row), forward_delay=delay / 100)


def _switch(row: Sequence[str], name: str) -> bool:
    return words.choice(words.required(row, name), frozenset("01")) == "1"


def _stp(row: Sequence[str]) -> bool:
    """2 is STP by a program, not by the kernel."""
    return words.choice(words.required(row, "stp_state"), frozenset("012")) != "0"


def _port_state(row: Sequence[str]) -> str | None:
    if row[:1] != ("bridge_slave",):
        return None
    return words.choice(words.required(row, "state"), _PORT_STATES)


def _vlan(row: Sequence[str]) -> VlanStatus:
    """pve-api#ip-vlan."""
    vid = words.number(words.required(row, "id"))
    if vid not in range(4096):
        raise Unreadable("a VLAN's id is none")
    return VlanStatus(id=vid, protocol=words.choice(words.required(row, "protocol"), _VLAN_PROTOCOLS))


# --- addresses -------------------------------------------------------------------------------------------------------


def _addresses(block: Block) -> tuple[Address, ...]:
    found = tuple(_address(line) for line in block.addresses)
    if len({each.address for each in found}) < len(found):
        raise Unreadable("an address is listed twice")
    return found


def _address(line: AddressLine) -> Address:
    """pve-api#ip-addresses."""
    row = line.words
    own = words.required(row, row[0])
    pairs, flags = _described(row[2:-1] if row[0] == "inet" else row[2:])
    prefix = pairs.get("peer", own)
    try:
        address = ip_interface(own if "/" in own else f"{own}/{prefix.partition('/')[2]}")
    except ValueError:
        raise Unreadable("an address is none") from None
    if "/" not in prefix or row[0] != ("inet" if address.version == 4 else "inet6"):  # noqa: PLR2004 - IP's own
        raise Unreadable("an address is not of its family")
    if ("dynamic" in flags) == line.forever:
        raise Unreadable("an address does not last as long as it says")
    scope = words.choice(pairs.get("scope", ""), _SCOPES)
    made = scope in _OWN_SCOPES or "dynamic" in flags or pairs.get("proto") in _SELF_MADE
    return Address(address=address, scope=scope, dynamic=made)


def _described(row: Sequence[str]) -> tuple[Mapping[str, str], frozenset[str]]:
    """What stands behind an address: words with a value, and words without. A label is not among them."""
    pairs: dict[str, str] = {}
    flags = set[str]()
    rest = iter(row)
    for word in rest:
        if word in _PAIRS and word not in pairs:
            pairs[word] = next(rest, "")
        elif word in _FLAGS and word not in flags:
            flags.add(word)
        else:
            raise Unreadable("an address is followed by what does not belong there")
    return pairs, frozenset(flags)
