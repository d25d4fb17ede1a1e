"""What the listing must be after a write of ours, field by field; and with that, what somebody else has changed.

PVE has no lock and no author. So before a write the staged view is held, and after it the view is known that must be
there: what was asked for, and what PVE does of itself. Whatever differs is somebody else's. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pvenet.wire.rewriting import OVS_PORTS, bare, rewritten, same_options, split, words_of
from pvenet.wire.spelling import OBSERVED, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.wire.requests import Request

_PARTS = {
    "cidr": ("cidr", "address", "netmask"),
    "cidr6": ("cidr6", "address6", "netmask6"),
    "address": (),
    "address6": (),
}
"""What goes with a field that is deleted; an address comes back from its cidr (f98)."""
_UNSEEN = OBSERVED | {"iface"}


@dataclass(frozen=True, kw_only=True, order=True)
class Difference:
    """One field of an interface that is not as it must be."""

    name: str
    field: str
    """By PVE's name; empty where the whole interface is there and must not be, or the other way round."""


def told(found: Iterable[Difference]) -> str:
    """Differences in words: `vmbr1, ens41 (autostart, comments)`."""
    fields: dict[str, list[str]] = {}
    for each in found:
        fields.setdefault(each.name, []).extend([each.field] if each.field else [])
    return ", ".join(f"{name} ({', '.join(said)})" if said else name for name, said in fields.items())


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """A listing's entries by their names."""
    return {str(entry["iface"]): entry for entry in entries}


def predicted(entries: Iterable[Entry], request: Request) -> dict[str, Entry]:
    """The entries after a request that PVE takes."""
    return rewritten(asked(entries, request))


def asked(entries: Iterable[Entry], request: Request) -> dict[str, Entry]:
    """The entries with what a request asks for, before PVE checks them and writes them anew."""
    there = {name: {**entry} for name, entry in by_name(entries).items()}
    match request.method:
        case "POST":
            _create(there, request.name, request.form)
        case "PUT":
            _update(there, request.name, request.form)
        case _:
            _delete(there, request.name)
    return there


def differences(must: Mapping[str, Entry], entries: Iterable[Entry]) -> tuple[Difference, ...]:
    """Where a listing is not as it must be; what the kernel observes takes no part, nor a NIC that came or went."""
    now = by_name(entries)
    found = []
    for name in must.keys() | now.keys():
        wanted, here = must.get(name), now.get(name)
        if wanted is None or here is None:
            if not _is_bare(wanted or here or {}):
                found.append(Difference(name=name, field=""))
            continue
        keys = (wanted.keys() | here.keys()) - _UNSEEN
        found += [Difference(name=name, field=key) for key in keys if not _same(key, wanted.get(key), here.get(key))]
    return tuple(sorted(found))


def _same(key: str, wanted: Any, here: Any) -> bool:
    if key == "ovs_options":  # whose words PVE writes in any order
        return same_options(wanted, here)
    if key == "vxlan-remoteip" and wanted != here:  # of another type PVE writes an address in its own memory (f31)
        return all(re.fullmatch(r"ARRAY\(0x[0-9a-f]+\)", str(each)) for each in here or ())
    return wanted == here or (not isinstance(wanted, list) and str(_blank(wanted)) == str(_blank(here)))


def _blank(value: Any) -> Any:
    return "" if value is None else value


def _is_bare(entry: Entry) -> bool:
    """A NIC of which the file says nothing; a parent that is not there is as little (pve-api#f44)."""
    kept = {key: value for key, value in entry.items() if key not in OBSERVED}
    return kept in (bare(str(entry.get("iface")), physical=True), {"iface": entry.get("iface")})


# --- what a request does ---------------------------------------------------------------------------------------------


def _create(there: dict[str, Entry], name: str, form: Mapping[str, str | int]) -> None:
    entry: Entry = {"iface": name}
    if vids := form.get("bridge_vids"):
        form = {**form, "bridge_vids": " ".join(split(vids))}  # an update's are written as they came (f94)
    _set(entry, form)
    there[name] = entry
    if str(form.get("type")) in OVS_PORTS:
        _put_on(there, name, entry.get("ovs_bridge"))


def _update(there: dict[str, Entry], name: str, form: Mapping[str, str | int]) -> None:
    given = dict(form)
    entry = there.get(name, {"iface": name})
    for key in str(given.pop("delete", "")).split(","):
        for part in _PARTS.get(key, (key,)):
            entry.pop(part, None)
    _set(entry, given)
    there[name] = entry


def _delete(there: dict[str, Entry], name: str) -> None:
    entry = there.pop(name, {})
    if entry.get("type") in ("OVSIntPort", "OVSBond"):
        _take_off(there, name, entry.get("ovs_bridge"))
    if entry.get("exists") == 1 and entry.get("type") not in ("vlan", "alias"):
        there[name] = {**bare(name, physical=True), "exists": 1}


def _set(entry: Entry, form: Mapping[str, str | int]) -> None:
    """The fields of a request, with what PVE derives of them (f90, f92)."""
    for key, value in form.items():
        entry[key] = value if key == "autostart" else str(value)
    if entry.get("autostart") in (0, "0"):
        del entry["autostart"]
    kind = str(form["type"])
    families = [family for family, key in (("inet", "cidr"), ("inet6", "cidr6")) if form.get(key)]
    entry["families"] = families or ["inet"]
    for suffix in ("", "6"):
        cidr = form.get(f"cidr{suffix}")
        entry[f"method{suffix}"] = "static" if cidr else "manual"
        if cidr:
            entry[f"address{suffix}"], _, entry[f"netmask{suffix}"] = str(cidr).rpartition("/")
    if kind == "bridge":
        entry.setdefault("bridge_ports", "")
    if kind in ("OVSBridge", *OVS_PORTS):
        entry["ovs_type"] = kind
    if kind in OVS_PORTS and "ovs_options" in form:
        _take_apart(entry, kind)
    elif kind not in OVS_PORTS and (tag := entry.pop("ovs_tag", None)):  # a line that PVE does not know (f20, f86)
        lines = "options6" if entry["families"] == ["inet6"] else "options"
        entry[lines] = [f"ovs_tag {tag}", *entry.get(lines, ())]
    _name_a_vlan(entry, kind)


def _take_apart(entry: Entry, kind: str) -> None:
    """What an OVS port's options say that has a field of its own (f49 to f51)."""
    words = dict(words_of(entry.pop("ovs_options")))
    if "tag" in words:
        entry.setdefault("ovs_tag", words.pop("tag"))
        words.pop("tag", None)
    if kind == "OVSBond":
        words.pop("bond_mode", None)
        words.pop("lacp", None)
    if words:
        entry["ovs_options"] = " ".join(f"{key}={value}" for key, value in words.items())


def _name_a_vlan(entry: Entry, kind: str) -> None:
    parent, dot, tag = str(entry["iface"]).rpartition(".")
    if kind == "vlan" and dot and tag.isdecimal():
        entry |= {"vlan-raw-device": parent, "vlan-id": tag}
    elif kind == "vlan" and (found := re.fullmatch(r"vlan(\d+)", str(entry["iface"]))):
        entry["vlan-id"] = found[1]


def _put_on(there: dict[str, Entry], name: str, bridge: object) -> None:
    if switch := there.get(str(bridge)):
        ports = split(switch.get("ovs_ports"))
        switch["ovs_ports"] = " ".join(ports if name in ports else [*ports, name])


def _take_off(there: dict[str, Entry], name: str, bridge: object) -> None:
    if switch := there.get(str(bridge)):
        ports = [port for port in split(switch.get("ovs_ports")) if port != name]
        switch["ovs_ports"] = " ".join(ports)
