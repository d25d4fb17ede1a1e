"""What makes PVE refuse every write of a node's file, as far as its listing tells, in PVE's words.

PVE checks the whole file in steps, and stops at the first that finds a fault (pve-api#f57 to f68): what is found here
is of that step. Where this says nothing PVE may refuse all the same. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from pvenet.wire.prediction import asked
from pvenet.wire.rewriting import LISTS, free_lonely_ports, split, take_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pvenet.wire.requests import Request
    from pvenet.wire.spelling import Entry

    There = Mapping[str, Entry]

_ANY_MTU = 65536
_OVS_MODES = frozenset({"active-backup", "balance-slb", "lacp-balance-slb", "lacp-balance-tcp"})
_PORT_OPTIONS = (
    "bridge-learning",
    "bridge-arp-nd-suppress",
    "bridge-unicast-flood",
    "bridge-multicast-flood",
    "bridge-access",
)
_TUNNELS = ("vxlan-svcnodeip", "vxlan-remoteip", "vxlan-local-tunnelip")
_DIGITS = re.compile(r"\d+")
_VLAN = re.compile(r"vlan(\d+)")
_VXLAN = (*_TUNNELS, "vxlan-physdev")
_PERL = "/usr/share/perl5/PVE/Network/Interfaces.pm line"


def unseen_slave(message: str) -> str | None:
    """The slave of which a refusal says that the worker that gave it knows no such interface."""
    found = re.search(r"wrong interface type on slave '([^']+)' \('' !=", message)
    return found[1] if found else None


def refusals(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Of a write of this listing, each fault that PVE could name; empty where none is sure."""
    there = {str(entry["iface"]): {**entry} for entry in entries}
    there.setdefault("lo", {"iface": "lo", "type": "loopback", "families": ["inet"]})  # which a listing leaves out
    if found := tuple(dict.fromkeys(_taken_twice(there))):
        return found
    free_lonely_ports(there)
    checks: tuple[Callable[[There], Iterator[str]], ...] = (
        _switch_ports,
        _ovs_slaves,
        _slaves,
        _vxlan,
        _vlans,
        _uplinks,
        _bridge_ports,
        _port_options,
        _unwritable,
    )
    for check in checks:
        if found := tuple(dict.fromkeys(check(there))):
            return found
        if check is _switch_ports:
            take_ports(there)
    return ()


def foreseen(entries: Sequence[Entry], request: Request) -> tuple[str, ...]:
    """The faults for which PVE refuses a request that neither makes nor mends one of them."""
    now = refusals(entries)
    after = refusals(asked(entries, request).values()) if now else ()
    return tuple(each for each in now if each in after)


def _of(there: There, *kinds: str) -> list[tuple[str, Entry]]:
    return [(name, entry) for name, entry in there.items() if entry.get("type") in kinds]


def _type(there: There, name: str) -> str:
    return str(there.get(name, {}).get("type") or "")


def _has(entry: Entry, key: str) -> bool:
    return str(entry.get(key) or "") not in ("", "0")


def _taken_twice(there: There) -> Iterator[str]:
    """Step 1 (f57)."""
    words = {
        name: {word for key in LISTS for word in split(entry.get(key))}
        for name, entry in there.items()
        if not entry.keys().isdisjoint(LISTS)
    }
    uses = Counter(word for each in words.values() for word in each)
    for name, each in words.items():
        for word in sorted(each):
            if uses[word] > 1:
                yield f"port '{word}' is already used on interface '{name}'"


def _number(value: object) -> int:
    found = _DIGITS.match(str(value or ""))
    return int(found[0]) if found else 0


def _mtu(parent: str, entry: Entry | None, child: str, other: Entry | None) -> Iterator[str]:
    """An MTU above that of what it stands on (f65)."""
    asked = (other or {}).get("mtu")
    if asked in (None, "", 0, "0"):
        return
    entry = entry or {}
    room = entry.get("mtu") if _has(entry, "mtu") else _ANY_MTU if entry.get("type") == "bond" else 1500
    if _number(room) < _number(asked):
        yield f"interface '{parent}' - mtu {room} is lower than '{child}' - mtu {asked}"


def _switch_ports(there: There) -> Iterator[str]:
    """Step 3 (f59)."""
    for name, entry in _of(there, "OVSBridge"):
        for port in str(entry.get("ovs_ports") or "").split():
            if port not in there:
                yield f"OVS bridge '{name}' - unable to find port '{port}'"
            elif _type(there, port) not in ("eth", "OVSPort", "OVSIntPort", "OVSBond"):
                yield f"interface '{port}' is not defined as OVS port/bond"
            else:
                yield from _mtu(name, entry, port, there[port])


def _ovs_slaves(there: There) -> Iterator[str]:
    """Step 4 (f60)."""
    for name, entry in _of(there, "OVSBond"):
        for slave in str(entry.get("ovs_bonds") or "").split():
            if (kind := _type(there, slave)) != "eth":
                yield f"OVS bond '{name}' - wrong interface type on slave '{slave}' ('{kind}' != 'eth')"
            else:
                yield from _mtu(name, entry, slave, there[slave])


def _slaves(there: There) -> Iterator[str]:
    """Step 5 (f61)."""
    for name, entry in _of(there, "bond"):
        slaves = str(entry.get("slaves") or "").split()
        for slave in slaves:
            if (kind := _type(there, slave)) not in ("eth", "bond"):
                yield f"bond '{name}' - wrong interface type on slave '{slave}' ('{kind}' != 'eth or bond')"
            else:
                yield from _mtu(name, entry, slave, there[slave])
        if slaves and _has(entry, "bond-primary") and entry["bond-primary"] not in slaves:
            yield f"bond '{name}' - bond-primary interface is not a slave at {_PERL} 909."


def _vxlan(there: There) -> Iterator[str]:
    """Step 6 (f62)."""
    ids: dict[str, list[str]] = {}
    for name, entry in there.items():
        if entry.get("type") == "vxlan":
            ids.setdefault(str(entry.get("vxlan-id")), []).append(name)
        if entry.keys().isdisjoint(_VXLAN):
            continue
        if sum(_has(entry, key) for key in _TUNNELS) > 1:
            words = "vxlan-svcnodeip, vxlan-remoteip and vxlan-localtunnelip"
            yield f"iface {name} - {words} are mutually exclusive"
        if _has(entry, "vxlan-svcnodeip") != _has(entry, "vxlan-physdev"):
            yield f"iface {name} - vxlan-svcnodeip and vxlan-physdev must be define together"
    for number, names in ids.items():
        for name in names if len(names) > 1 else ():
            yield from (f"iface {name} - duplicate vxlan-id {number} already used in {o}" for o in names if o != name)


def _vlans(there: There) -> Iterator[str]:
    """Step 7 (f63)."""
    for name, entry in _of(there, "vlan"):
        parent, dot, tag = name.rpartition(".")
        if not (dot and tag.isdecimal()):
            parent, tag = str(entry.get("vlan-raw-device") or ""), str(entry.get("vlan-id") or "")
            if found := _VLAN.fullmatch(name):
                tag = found[1]
        if not parent:
            yield f"missing vlan-raw-device option at {_PERL} 954."
        elif not tag:
            yield f"missing vlan-id option at {_PERL} 962."
        elif _number(tag) > 4094:  # noqa: PLR2004 - the last VLAN id
            yield f"vlan '{name}' - vlan-id {tag} should be <= 4094"
        elif parent not in there:
            yield f"vlan '{name}' - unable to find parent '{parent}'"
        elif (kind := _type(there, parent)) not in ("eth", "bond", "bridge", "vlan"):
            yield f"vlan '{name}' - wrong interface type on parent '{parent}' ('{kind}' != 'eth|bond|bridge|vlan' )"
        else:
            yield from _mtu(parent, there[parent], name, entry)


def _uplinks(there: There) -> Iterator[str]:
    """Step 8 (f64)."""
    users: dict[str, list[str]] = {}
    for name, entry in there.items():
        if not _has(entry, "uplink-id"):
            continue
        number = str(entry["uplink-id"])
        users.setdefault(number, []).append(name)
        if entry.get("type") not in ("eth", "bond"):
            yield f"iface '{name}' - uplink-id {number} is only allowed on physical and linux bond interfaces"
    for number, names in users.items():
        for name in names:
            yield from (f"iface '{name}' - uplink-id {number} is already assigned on '{o}'" for o in names if o != name)


def _bridge_ports(there: There) -> Iterator[str]:
    """Step 9 (f66)."""
    parents = {port.rpartition(".")[0] for _, it in _of(there, "bridge") for port in _ports(it) if "." in port}
    for name, entry in _of(there, "bridge"):
        for port in _ports(entry):
            parent, _, tag = port.rpartition(".")
            if port in there:
                yield from _bridged_address(port, there[port], name)
                yield from _mtu(port, there[port], name, entry)
            elif parent and tag.isdecimal():
                yield from _mtu(port, there.get(parent), name, entry) if parent in there else ()
            elif port not in parents:
                yield f"bridge '{name}' - unable to find bridge port '{port}'"


def _ports(entry: Entry) -> list[str]:
    return str(entry.get("bridge_ports") or "").split()


def _bridged_address(port: str, entry: Entry, bridge: str) -> Iterator[str]:
    families = entry.get("families") or ()
    for family, suffix, none in (("inet", "", str(IPv4Address(0))), ("inet6", "6", "::")):
        static = family in families and entry.get(f"method{suffix}") == "static"
        if static and entry.get(f"address{suffix}") != none:
            yield f"iface {port} - ip address can't be set on interface if bridged in {bridge}"


def _port_options(there: There) -> Iterator[str]:
    """Step 10 (f67)."""
    bridges = {port: entry for _, entry in _of(there, "bridge") for port in _ports(entry)}
    for name, entry in there.items():
        if entry.keys().isdisjoint(_PORT_OPTIONS):
            continue
        for key in (key for key in _PORT_OPTIONS if _has(entry, key)):
            if name not in bridges:
                words = "bridge port specific options can be used only on interfaces attached to a bridge"
                yield f"iface {name} - {key}: {words}"
            elif key == "bridge-access" and not _has(bridges[name], "bridge_vlan_aware"):
                yield f"iface {name} - bridge-access option can be only used if interface is in a vlan aware bridge"


def _unwritable(there: There) -> Iterator[str]:
    """Step 11 (f68)."""
    for name, entry in there.items():
        if "families" not in entry:
            yield f"Can't use an undefined value as an ARRAY reference at {_PERL} 1130."
        mode = entry.get("bond_mode") or "active-backup"
        if entry.get("type") == "OVSBond" and mode not in _OVS_MODES:
            yield f"OVS does not support bond mode '{mode}"
        protocol = entry.get("vlan-protocol")
        if entry.get("type") == "vlan" and protocol and protocol not in ("802.1ad", "802.1q"):
            yield f"{name}: wrong vlan-protocol {protocol}"
