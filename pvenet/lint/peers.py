"""What one node has otherwise than the others by the same name: bonds, and the VLANs of bridges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.impact.reach import span
from pvenet.limits import TAGS
from pvenet.lint.nodes import Finding, expected, having, sources
from pvenet.model import HASHING_MODES, Bond, Bridge, OvsBond, Vlan, XmitHashPolicy, from_vlan_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pvenet.lint.nodes import Nodes
    from pvenet.model import Interface

_BOND = ("mode", "xmit_hash_policy")
_VLANS = ("vlan_aware", "vids")


def bond_peers(nodes: Nodes) -> Iterator[Finding]:
    """A bond's mode or hash policy is not that of the other nodes' bond of its name.

    All their switch ports are mostly set up alike, and a bond in another mode then loses frames, or one of its cables.
    A bond in balance-xor or 802.3ad without a hash policy has layer2.

        nodes:
          pve1: {bond0: {type: bond, slaves: [eno1, eno2], mode: 802.3ad}}
          pve2: {bond0: {type: bond, slaves: [eno1, eno2], mode: 802.3ad}}
          pve3: {bond0: {type: bond, slaves: [eno1, eno2], mode: active-backup}}
    """
    for kind in (Bond, OvsBond):
        for name, bonds in _by_name(nodes, kind).items():
            values = {node: _balancing(bond) for node, bond in bonds.items()}
            usual = expected(values)
            for node in (node for node, value in values.items() if value != usual):
                message = f"{name} is {values[node]}, and {usual} on {having(values, usual)}"
                fields = _BOND[:1] if values[node].split()[0] != usual.split()[0] else _BOND
                rests_on = sources(node, name, fields) + sources(next(iter(_like(values, usual))), name, fields)
                yield Finding(node=node, interface=name, field=fields[-1], message=message, rests_on=rests_on)


def _balancing(bond: Interface) -> str:
    """How a bond spreads what it sends."""
    if isinstance(bond, Bond) and bond.mode in HASHING_MODES:
        return f"{bond.mode} with {bond.xmit_hash_policy or XmitHashPolicy.LAYER2}"
    return str(bond.mode) if isinstance(bond, Bond | OvsBond) else ""


def bridge_vlans(nodes: Nodes) -> Iterator[Finding]:
    """A bridge lacks VLANs that the other nodes' bridge of its name has.

    A guest in such a VLAN is cut off when it moves there. So may one be where the bridge is VLAN-aware on some nodes
    alone, or stands on another VLAN there.

        nodes:
          pve1: {vmbr1: {type: bridge, ports: [eno2], vlan_aware: true, vids: [2-100]}}
          pve2: {vmbr1: {type: bridge, ports: [eno2], vlan_aware: true, vids: [2-50]}}
    """
    for name, bridges in _by_name(nodes, Bridge).items():
        yield from _awareness(name, bridges)
        yield from _vids(name, bridges)
        yield from _outer_tags(nodes, name, bridges)


def _awareness(name: str, bridges: Mapping[str, Bridge]) -> Iterator[Finding]:
    values = {node: bridge.vlan_aware for node, bridge in bridges.items()}
    usual = expected(values, (True, False))
    for node in (node for node, value in values.items() if value != usual):
        is_not, has = ("is not", "is") if usual else ("is", "is not")
        message = f"{name} {is_not} VLAN-aware, and {has} on {having(values, usual)}"
        rests_on = sources(node, name, _VLANS[:1]) + sources(_like(values, usual)[0], name, _VLANS[:1])
        yield Finding(node=node, interface=name, field="vlan_aware", message=message, rests_on=rests_on)


def _vids(name: str, bridges: Mapping[str, Bridge]) -> Iterator[Finding]:
    values = {node: _vlans(bridge) for node, bridge in bridges.items() if bridge.vlan_aware}
    if not values:
        return
    usual = expected(values, sorted(values.values(), key=len, reverse=True))
    for node in (node for node, value in values.items() if value != usual):
        lacking, more = usual - values[node], values[node] - usual
        others = having(values, usual)
        message = f"{name} lacks the VLANs {_ranges(lacking)}, which it has on {others}"
        if not lacking:
            message = f"{name} has the VLANs {_ranges(more)}, which it lacks on {others}"
        rests_on = sources(node, name, _VLANS) + sources(_like(values, usual)[0], name, _VLANS)
        yield Finding(node=node, interface=name, field="vids", message=message, rests_on=rests_on)


def _vlans(bridge: Bridge) -> frozenset[int]:
    return frozenset(
        vid for low, high in map(span, bridge.vids) for vid in range(max(low, TAGS[0]), min(high, TAGS[-1]) + 1)
    )


def _ranges(vids: Collection[int]) -> str:
    """`2-49,51`."""
    found: list[list[int]] = []
    for vid in sorted(vids):
        if found and found[-1][1] == vid - 1:
            found[-1][1] = vid
        else:
            found.append([vid, vid])
    return ",".join(f"{low}-{high}" if low < high else f"{low}" for low, high in found)


def _outer_tags(nodes: Nodes, name: str, bridges: Mapping[str, Bridge]) -> Iterator[Finding]:
    """The tags that a bridge's ports put on, where it has ports and is not VLAN-aware."""
    values = {
        node: tuple(sorted({_tag(port, nodes.networks[node].interfaces) for port in bridge.ports}))
        for node, bridge in bridges.items()
        if bridge.ports and not bridge.vlan_aware
    }
    if not values:
        return
    usual = expected(values)
    for node in (node for node, value in values.items() if value != usual):
        message = f"{name} goes out {_tagged(values[node])}, and {_tagged(usual)} on {having(values, usual)}"
        rests_on = tuple(
            each for peer in (node, _like(values, usual)[0]) for each in sources(peer, name, ("ports", "vlan_aware"))
        )
        yield Finding(node=node, interface=name, field="ports", message=message, rests_on=rests_on)


def _tag(port: str, interfaces: Mapping[str, Interface]) -> int:
    """The tag of a port that is a VLAN, with or without a stanza; 0 for what puts none on."""
    interface = interfaces.get(port)
    if interface is None and "." not in port:
        return 0
    tag = from_vlan_name(port)[1] if interface is None else None
    if isinstance(interface, Vlan):
        tag = interface.tag
    return tag or 0


def _tagged(tags: tuple[int, ...]) -> str:
    words = [f"in VLAN {tag}" if tag else "without a tag" for tag in tags]
    return " and ".join(words)


def _like(values: Mapping[str, object], value: object) -> list[str]:
    return [node for node, each in values.items() if each == value]


def _by_name(nodes: Nodes, kind: type[Interface]) -> dict[str, dict[str, Any]]:
    """The interfaces of a kind, by name and node."""
    found: dict[str, dict[str, Any]] = {}
    for node, network in nodes.networks.items():
        for name, interface in network.interfaces.items():
            if isinstance(interface, kind):
                found.setdefault(name, {})[node] = interface
    return found
