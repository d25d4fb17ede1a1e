"""A node's interfaces: the table, one in full, and both as JSON data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pvenet.changes import said
from pvenet.changes.pending import PendingKind, PendingView
from pvenet.foreign import one_line
from pvenet.model import Interface, Link, Network, Other, beneath, kind_of, natural, own_first
from pvenet.render.columns import broken, fitted
from pvenet.render.values import aligned, plain_value, text

if TYPE_CHECKING:
    from pvenet.render.values import Paint

_ORDER = {
    "eth": 0,
    "OVSPort": 0,
    "bond": 1,
    "OVSBond": 1,
    "bridge": 2,
    "OVSBridge": 2,
    "vlan": 3,
    "OVSIntPort": 3,
}
_MARKS = {PendingKind.CREATED: "+", PendingKind.CHANGED: "~", PendingKind.DELETED: "-"}
_COLOURS = {PendingKind.CREATED: "green", PendingKind.CHANGED: "yellow", PendingKind.DELETED: "red"}
_BECOMES = {
    PendingKind.CREATED: "created: staged, not live yet",
    PendingKind.CHANGED: "changed: staged, not live yet",
    PendingKind.DELETED: "deleted: still live, goes when that is applied",
}
_LEAST_ROOM = 24
_HEAD = ("", "name", "type", "active", "autostart", "address", "gateway", "on", "comments")


def network_data(network: Network) -> list[dict[str, Any]]:
    """Every interface, in the order of the table."""
    return [interface_data(interface, _link(network, interface)) for interface in _sorted(network)]


def listing_data(view: PendingView) -> list[dict[str, Any]]:
    """What `list --json` gives: the same with what is pending of each, and what is to go."""
    return [listed_data(view, interface) for interface in _sorted(view.network)]


def listed_data(view: PendingView, interface: Interface) -> dict[str, Any]:
    """One of them, as `show --json` gives it."""
    kind = view.kinds.get(interface.name)
    data = interface_data(interface, _link(view.network, interface)) | {"pending": plain_value(kind)}
    return data if _seen(view, interface) else data | {"active": None}


def interface_data(interface: Interface, link: Link) -> dict[str, Any]:
    """An interface: flat, its fields by the model's words."""
    kept = interface.file_only
    data: dict[str, Any] = {"name": interface.name, "type": kind_of(interface), "active": link.active}
    if isinstance(interface, Other):
        data |= {key: value for key, value in json.loads(interface.entry).items() if key not in ("iface", "type")}
    for field in own_first(type(interface)):  # `options` are the file's lines that PVE doesn't know, of every kind
        data["ovs_options" if field == "options" else field] = plain_value(getattr(interface, field))
    data |= {"method": kept.method, "method6": kept.method6, "options": list(kept.options)}
    data |= {"options6": list(kept.options6), "altnames": list(link.altnames)}
    return data


def table(view: PendingView, width: int | None, paint: Paint) -> str:
    """The interfaces of a node in lines that fit a width; without one a line each, and nothing is cut."""
    shown = _sorted(view.network)
    rows = [_row(view, interface) for interface in shown]
    colours = [_COLOURS.get(view.kinds[each.name], "") if each.name in view.kinds else "" for each in shown]
    return fitted(_HEAD, rows, width, paint, wraps=("gateway", "address", "on"), cuts="comments", colours=colours)


def _row(view: PendingView, interface: Interface) -> tuple[str, ...]:
    kind = view.kinds.get(interface.name)
    return (
        _MARKS[kind] if kind else "",
        interface.name,
        kind_of(interface),
        _active(view, interface),
        "yes" if interface.autostart else "no",
        " ".join(str(address) for address in (interface.cidr, interface.cidr6) if address),
        " ".join(str(gateway) for gateway in (interface.gateway, interface.gateway6) if gateway),
        " ".join(beneath(interface)),
        interface.comments.replace("\n", " / "),
    )


def _active(view: PendingView, interface: Interface) -> str:
    if not _seen(view, interface):
        return ""
    return "yes" if _link(view.network, interface).active else "no"


def _seen(view: PendingView, interface: Interface) -> bool:
    """Whether anything has told its flag: what somebody else has staged to go is in no list."""
    return not (view.foreign and view.kinds.get(interface.name) is PendingKind.DELETED)


def details(view: PendingView, interface: Interface, width: int | None = None) -> str:
    """One interface, a line a field that is set; of one that is changed, with what is live.

    Within a width a value goes on beneath itself.
    """
    link, kind = _link(view.network, interface), view.kinds.get(interface.name)
    rows = [("name", interface.name), ("type", kind_of(interface)), ("active", _active(view, interface) or "not known")]
    rows += [("pending", _BECOMES[kind])] if kind else []
    rows += _fields(view, interface)
    if isinstance(interface, Other):
        known = {"iface", "type", *(row[0] for row in rows)}
        rows += [(key, text(value)) for key, value in json.loads(interface.entry).items() if key not in known]
    kept = interface.file_only
    rows += [("method", kept.method)] if kept.method not in ("static", "manual") else []
    rows += [("method6", kept.method6)] if kept.method6 not in ("static", "manual") else []
    rows += [("in the file", line) for line in (*kept.options, *kept.options6)]
    rows += [("altnames", " ".join(link.altnames))] if link.altnames else []
    if width is None:
        return aligned(rows)
    room = max(width - max(len(name) for name, _ in rows) - 2, _LEAST_ROOM)
    lines = [(name, broken(one_line(value), room)) for name, value in rows]
    return aligned([(name if first else "", part) for name, parts in lines for first, part in _firsts(parts)])


def _firsts(parts: list[str]) -> list[tuple[bool, str]]:
    return [(at == 0, part) for at, part in enumerate(parts)]


def _fields(view: PendingView, interface: Interface) -> list[tuple[str, str]]:
    """The fields that say something, or say it live."""
    live = view.live.get(interface.name)
    if live is None:
        return [(_word(field), text(getattr(interface, field))) for field in said(interface)]
    shown = {*said(interface), *said(live)}
    rows = [("type", f"(live: {kind_of(live)})")] if kind_of(live) != kind_of(interface) else []
    for field in dict.fromkeys([*own_first(type(interface)), *own_first(type(live))]):
        value, former = (text(getattr(each, field, None)) for each in (interface, live))
        if field in shown:
            rows.append((_word(field), value if value == former else f"{value or 'none'}  (live: {former or 'none'})"))
    return rows


def _word(field: str) -> str:
    return field.replace("_", "-")


def _sorted(network: Network) -> list[Interface]:
    return sorted(network.interfaces.values(), key=lambda each: (_ORDER.get(kind_of(each), 9), natural(each.name)))


def _link(network: Network, interface: Interface) -> Link:
    return network.links.get(interface.name, Link())
