"""JSON entries to values. Tolerant: mixed types, missing and unknown keys, nulls. pve-api#absent-fields."""

from __future__ import annotations

import json
import re
from functools import partial
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING, Any

from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    FileOnly,
    Interface,
    Link,
    Network,
    Other,
    OvsBond,
    OvsBondMode,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    XmitHashPolicy,
    beneath,
    own_values,
    settable,
)
from pvenet.model.addresses import with_subnet
from pvenet.wire.spelling import OBSERVED, SPELLINGS, Entry, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_DERIVED = frozenset({"address", "netmask", "address6", "netmask6", "comments6"})
"""Said once more elsewhere in the entry: in cidr, cidr6 and comments."""

_ALWAYS = OBSERVED | _DERIVED | {"iface", "type", "ovs_type", "method", "method6", "families", "options", "options6"}

_KNOWN: Mapping[type[Interface], frozenset[str]] = {
    kind: _ALWAYS | {spelled(kind, name) for name in settable(kind)} for kind in (*SPELLINGS, Other)
}
"""The keys of an entry that are more than settings of its stanzas, by kind."""

_BENEATH = ("slaves", "bridge_ports", "ovs_ports", "ovs_bonds", "vlan-raw-device")
"""What an interface of a kind that is not modelled stands on, by whichever of these it has."""

_DIGITS = re.compile(r"\d+", re.ASCII)


def _with_subnet(kind: type[IPv4Interface | IPv6Interface], text: str) -> IPv4Interface | IPv6Interface:
    found = with_subnet(text)
    if not isinstance(found, kind):
        raise ValueError(text)  # noqa: TRY004 - the text is wrong, and no type
    return found


_CIDR, _CIDR6 = (partial(_with_subnet, kind) for kind in (IPv4Interface, IPv6Interface))


def network(entries: Iterable[Entry]) -> Network:
    """A node's network, from the `data` of GET /nodes/{node}/network; in the file's order."""
    ordered = sorted(entries, key=lambda entry: (_integer(entry.get("priority")) or 1_000_000, str(entry["iface"])))
    return Network(
        interfaces={str(entry["iface"]): interface(entry) for entry in ordered},
        links={str(entry["iface"]): link(entry) for entry in ordered},
    )


def link(entry: Entry) -> Link:
    """What an entry of the listing observes."""
    return Link(
        active=_true(entry.get("active")),
        exists=_true(entry.get("exists")),
        altnames=tuple(map(str, entry.get("altnames") or ())),
    )


def interface(entry: Entry) -> Interface:
    """The value of an entry; an `Other` for a kind that is not modelled or a value that has no right shape."""
    reader = _READERS.get(str(entry.get("type")))
    if reader is None:
        return _other(entry)
    kind, read = reader
    try:
        return read(entry, _common(entry, kind))
    except ValueError:
        return _other(entry)


def _common(entry: Entry, kind: type[Interface]) -> dict[str, Any]:
    return {
        "name": str(entry["iface"]),
        "autostart": _true(entry.get("autostart")),
        "cidr": _optional(_CIDR, entry.get("cidr")),
        "gateway": _optional(IPv4Address, entry.get("gateway")),
        "cidr6": _optional(_CIDR6, entry.get("cidr6")),
        "gateway6": _optional(IPv6Address, entry.get("gateway6")),
        "mtu": _integer(entry.get("mtu")),
        "comments": str(entry.get("comments") or "").rstrip("\n"),
        "file_only": _file_only(entry, kind),
    }


def _ethernet(_entry: Entry, common: dict[str, Any]) -> Interface:
    return Ethernet(**common)


def _bond(entry: Entry, common: dict[str, Any]) -> Interface:
    return Bond(
        **common,
        slaves=_words(entry.get("slaves")),
        mode=BondMode(str(entry.get("bond_mode") or BondMode.BALANCE_RR)),
        primary=entry.get("bond-primary") or None,
        xmit_hash_policy=_optional(XmitHashPolicy, entry.get("bond_xmit_hash_policy")),
    )


def _bridge(entry: Entry, common: dict[str, Any]) -> Interface:
    return Bridge(
        **common,
        ports=_words(entry.get("bridge_ports")),
        vlan_aware=_true(entry.get("bridge_vlan_aware")),
        vids=tuple(str(entry.get("bridge_vids") or "").split()),  # ifupdown2 knows blanks only (pve-api#f94)
    )


def _vlan(entry: Entry, common: dict[str, Any]) -> Interface:
    return Vlan(**common, raw_device=entry.get("vlan-raw-device") or None, tag=_integer(entry.get("vlan-id")))


def _ovs_bridge(entry: Entry, common: dict[str, Any]) -> Interface:
    return OvsBridge(**common, ports=_words(entry.get("ovs_ports")), options=str(entry.get("ovs_options") or ""))


def _ovs_bond(entry: Entry, common: dict[str, Any]) -> Interface:
    return OvsBond(
        **common,
        **_ovs_port_words(entry),
        slaves=_words(entry.get("ovs_bonds")),
        mode=OvsBondMode(str(entry.get("bond_mode") or OvsBondMode.ACTIVE_BACKUP)),
    )


def _ovs_int_port(entry: Entry, common: dict[str, Any]) -> Interface:
    return OvsIntPort(**common, **_ovs_port_words(entry))


def _ovs_port(entry: Entry, common: dict[str, Any]) -> Interface:
    return OvsPort(**common, **_ovs_port_words(entry))


def _ovs_port_words(entry: Entry) -> dict[str, Any]:
    return {
        "bridge": entry.get("ovs_bridge") or None,
        "tag": _integer(entry.get("ovs_tag")),
        "options": str(entry.get("ovs_options") or ""),
    }


_READERS: Mapping[str, tuple[type[Interface], Callable[[Entry, dict[str, Any]], Interface]]] = {
    "eth": (Ethernet, _ethernet),
    "bond": (Bond, _bond),
    "bridge": (Bridge, _bridge),
    "vlan": (Vlan, _vlan),
    "OVSBridge": (OvsBridge, _ovs_bridge),
    "OVSBond": (OvsBond, _ovs_bond),
    "OVSIntPort": (OvsIntPort, _ovs_int_port),
    "OVSPort": (OvsPort, _ovs_port),
}


_TYPED: Mapping[str, Callable[[str], Any]] = {
    "cidr": _CIDR,
    "gateway": IPv4Address,
    "cidr6": _CIDR6,
    "gateway6": IPv6Address,
    "mtu": int,
}
_OWN: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    "bond": {"bond_mode": BondMode, "bond_xmit_hash_policy": XmitHashPolicy},
    "vlan": {"vlan-id": int},
    "OVSBond": {"bond_mode": OvsBondMode, "ovs_tag": int},
    "OVSIntPort": {"ovs_tag": int},
    "OVSPort": {"ovs_tag": int},
}


def _readable(kind: Callable[[str], Any], value: object) -> bool:
    try:
        _optional(kind, value)
    except ValueError:
        return False
    return True


def _other(entry: Entry) -> Other:
    kind = str(entry.get("type") or "unknown")
    known = {**_TYPED, **_OWN.get(kind, {})} if kind in _READERS else {}
    unread = [key for key, read in known.items() if not _readable(read, entry.get(key))]
    typed = {
        name: _optional(read, entry.get(name)) for name, read in _TYPED.items() if _readable(read, entry.get(name))
    }
    if "mtu" in unread:
        typed["mtu"] = _leading(entry["mtu"])
    kept = {key: value for key, value in entry.items() if key not in OBSERVED}
    return Other(
        **typed,
        **_of_its_kind(kind, {key: value for key, value in entry.items() if key not in unread}),
        name=str(entry["iface"]),
        autostart=_true(entry.get("autostart")),
        comments=str(entry.get("comments") or "").rstrip("\n"),
        kind=kind,
        file_only=_file_only(entry, Other),
        entry=json.dumps(kept, sort_keys=True, ensure_ascii=False),
        unread=tuple(_said(key, entry[key]) for key in unread),
    )


def _of_its_kind(kind: str, entry: Entry) -> dict[str, Any]:
    """What an entry without the values that can't be read says of one of its kind: what is beneath, and its own."""
    if kind not in _READERS:
        return {"beneath": tuple(word for key in _BENEATH for word in _words(entry.get(key)))}
    model, read = _READERS[kind]
    made = read(entry, _common(entry, model))
    return {"beneath": beneath(made), "own": own_values(made)}


def _leading(value: object) -> int | None:
    """The MTU as PVE counts it: by the digits with which it begins (pve-api#f65)."""
    found = _DIGITS.match(str(value))
    return int(found[0]) if found else None


def _said(key: str, value: object) -> str:
    """A value as a message names it; what goes on over its line is set in."""
    return f"{key} {value}".replace("\n", "\n  ")


def _file_only(entry: Entry, kind: type[Interface]) -> FileOnly:
    known = _KNOWN[kind]
    return FileOnly(
        method=str(entry.get("method") or "manual"),
        method6=str(entry.get("method6") or "manual"),
        families=tuple(entry.get("families") or ()),
        options=tuple(map(str, entry.get("options") or ())),
        options6=tuple(map(str, entry.get("options6") or ())),
        settings=tuple(sorted([(key, str(value)) for key, value in entry.items() if key not in known])),
    )


def _true(value: object) -> bool:
    return str(value) == "1" or value is True


def _integer(value: object) -> int | None:
    return None if value in (None, "") else int(value if isinstance(value, bool) else str(value))


def _optional(kind: Callable[[str], Any], value: object) -> Any:
    return None if value in (None, "") else kind(str(value))


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(value or "").replace(",", " ").replace(";", " ").split())
