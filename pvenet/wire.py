"""The one place that knows PVE's spelling: JSON entries to values, values to form parameters.

Reading is tolerant (mixed types, missing and unknown keys, nulls); writing is exact. Facts, sections 5 to 7.
"""

from __future__ import annotations

import json
from dataclasses import fields
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, IPv6Network
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
    settled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Entry = dict[str, Any]
Form = dict[str, str | int]

_OVS_PORT = {"bridge": "ovs_bridge", "tag": "ovs_tag", "options": "ovs_options"}

SPELLINGS: Mapping[type[Interface], Mapping[str, str]] = {
    Ethernet: {},
    Bond: {"mode": "bond_mode", "primary": "bond-primary", "xmit_hash_policy": "bond_xmit_hash_policy"},
    Bridge: {"ports": "bridge_ports", "vlan_aware": "bridge_vlan_aware", "vids": "bridge_vids"},
    Vlan: {"raw_device": "vlan-raw-device", "tag": "vlan-id"},
    OvsBridge: {"ports": "ovs_ports", "options": "ovs_options"},
    OvsBond: {"slaves": "ovs_bonds", "mode": "bond_mode", **_OVS_PORT},
    OvsIntPort: _OVS_PORT,
    OvsPort: _OVS_PORT,
}
"""The model's fields that PVE calls otherwise, by kind; every other field has PVE's name."""

OBSERVED = frozenset({"active", "exists", "altnames", "priority"})
"""What the node observes or counts; it takes no part in an interface's value."""

_DERIVED = frozenset({"address", "netmask", "address6", "netmask6", "comments6"})
"""Said once more elsewhere in the entry: in cidr, cidr6 and comments."""

_KNOWN = OBSERVED | _DERIVED | {"iface", "type", "ovs_type", "method", "method6", "families", "options", "options6"}

_BENEATH = ("slaves", "bridge_ports", "ovs_ports", "ovs_bonds", "vlan-raw-device")

_DOCUMENTATION = IPv6Network("2001:db8::/32")
"""PVE's check of an address refuses this net (facts, section 7)."""

_HOSTS = (IPv6Network("2000::/3"), IPv6Network("fc00::/7"), IPv6Network("fe80::/10"))
"""Where PVE takes a host's IPv6 address from (C151)."""

_SHORTEST_PREFIX = 8
"""Of an address that PVE takes (facts, section 6; the same for IPv6)."""


def spelled(kind: type[Interface], name: str) -> str:
    """PVE's name of a field of a kind."""
    return SPELLINGS.get(kind, {}).get(name, name)


# --- reading ---------------------------------------------------------------------------------------------------------


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
        altnames=tuple(str(name) for name in entry.get("altnames") or ()),
    )


def interface(entry: Entry) -> Interface:
    """The value of an entry; an `Other` for a kind that is not modelled or a value that has no right shape."""
    reader = _READERS.get(str(entry.get("type")))
    if reader is None:
        return _other(entry)
    kind, read = reader
    try:
        return read(entry, _common(entry) | {"file_only": _file_only(entry, kind)})
    except ValueError:
        return _other(entry)


def _common(entry: Entry) -> dict[str, Any]:
    return {
        "name": str(entry["iface"]),
        "autostart": _true(entry.get("autostart")),
        "cidr": _optional(IPv4Interface, entry.get("cidr")),
        "gateway": _optional(IPv4Address, entry.get("gateway")),
        "cidr6": _optional(IPv6Interface, entry.get("cidr6")),
        "gateway6": _optional(IPv6Address, entry.get("gateway6")),
        "mtu": _integer(entry.get("mtu")),
        "comments": str(entry.get("comments") or "").rstrip("\n"),
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
        vids=_words(entry.get("bridge_vids")),
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


def _other(entry: Entry) -> Other:
    typed = {}
    for name, kind in (
        ("cidr", IPv4Interface),
        ("gateway", IPv4Address),
        ("cidr6", IPv6Interface),
        ("gateway6", IPv6Address),
        ("mtu", int),
    ):
        try:
            typed[name] = _optional(kind, entry.get(name))
        except ValueError:
            typed[name] = None
    kept = {key: value for key, value in entry.items() if key not in OBSERVED}
    return Other(
        **typed,
        name=str(entry["iface"]),
        autostart=_true(entry.get("autostart")),
        comments=str(entry.get("comments") or "").rstrip("\n"),
        kind=str(entry.get("type") or "unknown"),
        beneath=tuple(word for key in _BENEATH for word in _words(entry.get(key))),
        file_only=_file_only(entry, Other),
        entry=json.dumps(kept, sort_keys=True, ensure_ascii=False),
    )


def _file_only(entry: Entry, kind: type[Interface]) -> FileOnly:
    known = _KNOWN | {spelled(kind, field.name) for field in fields(kind)}
    return FileOnly(
        method=str(entry.get("method") or "manual"),
        method6=str(entry.get("method6") or "manual"),
        families=tuple(entry.get("families") or ()),
        options=tuple(str(line) for line in entry.get("options") or ()),
        options6=tuple(str(line) for line in entry.get("options6") or ()),
        settings=tuple(sorted((key, str(value)) for key, value in entry.items() if key not in known)),
    )


def _true(value: object) -> bool:
    return str(value) == "1" or value is True


def _integer(value: object) -> int | None:
    return None if value in (None, "") else int(str(value))


def _optional(kind: Callable[[str], Any], value: object) -> Any:
    return None if value in (None, "") else kind(str(value))


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(value or "").replace(",", " ").replace(";", " ").split())


# --- writing ---------------------------------------------------------------------------------------------------------


def create_form(after: Interface) -> Form:
    """The parameters of POST /nodes/{node}/network that create an interface as it is given."""
    form: Form = {"iface": after.name, "type": _type(after)}
    for name in _settable(after):
        text = _written(getattr(after, name))
        if text is not None:
            form[spelled(type(after), name)] = text
    return form


def update_form(before: Interface, after: Interface) -> Form:
    """The parameters of PUT /nodes/{node}/network/{iface} that change `before` into `after`, and nothing else.

    `type`, the current cidr and cidr6, what changes, and `delete` for what goes: PVE rebuilds method and families
    from each request alone and merges the rest (facts, section 7), so that less would lose the address and more
    could overwrite what somebody else has changed meanwhile.
    """
    form: Form = {"type": _type(after)}
    gone = []
    old, new = settled(before), settled(after)
    resent = _resent(before, after)
    for name in _settable(after):
        text = _written(getattr(new, name))
        changed = getattr(old, name, None) != getattr(new, name)
        if text is not None and (changed or name in resent):
            form[spelled(type(after), name)] = text
        elif changed:
            gone.append(spelled(type(after), name))
    if gone:
        form["delete"] = ",".join(gone)
    return form


def _resent(before: Interface, after: Interface) -> frozenset[str]:
    """The fields that every update sends again, lest PVE drop them.

    An `inet manual` stanza with an address (what a careless update leaves behind) stays manual when the address is
    not sent, and would turn static when it is. Beside an inet6 address it would not stay at all.
    """
    kept = before.file_only
    if kept.method == "manual" and "inet" in kept.families and after.cidr6 is None:
        return frozenset({"cidr6"})
    return frozenset({"cidr", "cidr6"})


def losses(before: Interface, after: Interface | None = None) -> tuple[str, ...]:
    """What the update from `before` to `after` would lose besides what it is for, a clause each; empty for nothing.

    Without `after`: what an update would lose whatever it is for. Facts, section 7, "What no PUT can keep".
    """
    after = after or before
    form = update_form(before, after)
    found = ["the stanza without a family becomes `inet`"] if None in before.file_only.families else []
    found += _lost_inet(before, after, form) + _lost_inet6(before, after, form)
    found += [
        f"the address {address} is one that PVE refuses when it is sent again"
        for address, same in ((before.cidr, before.cidr == after.cidr), (before.cidr6, before.cidr6 == after.cidr6))
        if address is not None and same and _refused(address)
    ]
    return tuple(found)


def _lost_inet(before: Interface, after: Interface, form: Form) -> list[str]:
    """The inet stanza stays where its address is sent, or no other is; a bare `inet manual` is no loss."""
    kept = before.file_only
    if "inet" not in kept.families:
        return []
    if "cidr" not in form and "cidr6" in form:
        lines = (*_said(gateway=after.gateway), *kept.options)
        empty = not lines and kept.method in ("static", "manual")
        return [] if empty else [_vanishing(f"inet {kept.method}", lines)]
    method = "static" if "cidr" in form else "manual"
    asked = kept.method in ("static", "manual") and before.cidr != after.cidr
    return [] if asked or kept.method == method else [f"`inet {kept.method}` becomes `inet {method}`"]


def _lost_inet6(before: Interface, after: Interface, form: Form) -> list[str]:
    """The inet6 stanza stays where its address is sent, and is static then."""
    kept = before.file_only
    if "inet6" not in kept.families:
        return []
    if "cidr6" in form:
        return [] if kept.method6 == "static" else [f"`inet6 {kept.method6}` becomes `inet6 static`"]
    lines = (*_said(gateway=after.gateway6), *kept.options6)
    asked = before.cidr6 is not None and not lines
    return [] if asked else [_vanishing(f"inet6 {kept.method6}", lines)]


def _said(**lines: object) -> list[str]:
    return [f"{key} {value}" for key, value in lines.items() if value is not None]


def _vanishing(stanza: str, options: tuple[str, ...]) -> str:
    lines = "".join(f", with `{line}`" for line in options)
    return f"the stanza `{stanza}` disappears{lines}"


def _refused(address: IPv4Interface | IPv6Interface) -> bool:
    """Whether a file may hold an address that PVE does not take from a request (facts, sections 6 and 7; C151)."""
    if address.network.prefixlen < _SHORTEST_PREFIX:
        return True
    return isinstance(address, IPv6Interface) and (
        address in _DOCUMENTATION or not any(address in net for net in _HOSTS)
    )


def _type(value: Interface) -> str:
    return value.kind if isinstance(value, Other) else value.type


def _settable(value: Interface) -> list[str]:
    names = [field.name for field in fields(value) if field.name not in ("name", "file_only", "kind", "entry")]
    if isinstance(value, Vlan) and "." in value.name:
        names = [name for name in names if name not in ("raw_device", "tag")]  # the name says both
    return names


def _written(value: object) -> str | int | None:
    """A value as a form writes it; None where the parameter is left out, or deleted.

    An empty list is left out: PVE writes `none` for it. `False` too, because `bridge_vlan_aware=0` turns it on
    (facts, section 6).
    """
    if value is None or value is False or value in ((), ""):
        return None
    if value is True:
        return 1
    if isinstance(value, int):
        return value
    if isinstance(value, tuple):
        return " ".join(str(word) for word in value)
    return str(value)
