"""A node's interfaces: the table, one in full, and both as JSON data."""

from __future__ import annotations

import json
from typing import Any

from pvenet.model import Interface, Link, Network, Other, beneath, kind_of, natural, own_first
from pvenet.render.values import Paint, aligned, headed, plain_value, said, text

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


def network_data(network: Network) -> list[dict[str, Any]]:
    """Every interface, in the order of the table."""
    return [interface_data(interface, _link(network, interface)) for interface in _sorted(network)]


def interface_data(interface: Interface, link: Link) -> dict[str, Any]:
    """An interface as `list --json` and `show --json` give it: flat, its fields by the model's words."""
    kept = interface.file_only
    data: dict[str, Any] = {"name": interface.name, "type": kind_of(interface), "active": link.active}
    if isinstance(interface, Other):
        data |= {key: value for key, value in json.loads(interface.entry).items() if key not in ("iface", "type")}
    for field in own_first(type(interface)):  # `options` are the file's lines that PVE doesn't know, of every kind
        data["ovs_options" if field == "options" else field] = plain_value(getattr(interface, field))
    data |= {"method": kept.method, "method6": kept.method6, "options": list(kept.options)}
    data |= {"options6": list(kept.options6), "altnames": list(link.altnames)}
    return data


def table(network: Network, paint: Paint) -> str:
    """The interfaces of a node, a line each."""
    head = ("name", "type", "active", "autostart", "address", "gateway", "on", "comments")
    rows = [_row(interface, _link(network, interface)) for interface in _sorted(network)]
    used = [column for column in range(len(head)) if column < 4 or any(row[column] for row in rows)]  # noqa: PLR2004
    lines = [[head[column] for column in used], *([row[column] for column in used] for row in rows)]
    return headed(lines, paint)


def _row(interface: Interface, link: Link) -> tuple[str, ...]:
    return (
        interface.name,
        kind_of(interface),
        "yes" if link.active else "no",
        "yes" if interface.autostart else "no",
        " ".join(str(address) for address in (interface.cidr, interface.cidr6) if address),
        " ".join(str(gateway) for gateway in (interface.gateway, interface.gateway6) if gateway),
        " ".join(beneath(interface)),
        interface.comments.replace("\n", " / "),
    )


def details(interface: Interface, link: Link) -> str:
    """One interface, a line a field that is set."""
    rows = [("name", interface.name), ("type", kind_of(interface)), ("active", "yes" if link.active else "no")]
    rows += [(field.replace("_", "-"), text(getattr(interface, field))) for field in said(interface)]
    if isinstance(interface, Other):
        known = {"iface", "type", *(row[0] for row in rows)}
        rows += [(key, text(value)) for key, value in json.loads(interface.entry).items() if key not in known]
    kept = interface.file_only
    rows += [("method", kept.method)] if kept.method not in ("static", "manual") else []
    rows += [("method6", kept.method6)] if kept.method6 not in ("static", "manual") else []
    rows += [("in the file", line) for line in (*kept.options, *kept.options6)]
    rows += [("altnames", " ".join(link.altnames))] if link.altnames else []
    return aligned(rows)


def _sorted(network: Network) -> list[Interface]:
    return sorted(network.interfaces.values(), key=lambda each: (_ORDER.get(kind_of(each), 9), natural(each.name)))


def _link(network: Network, interface: Interface) -> Link:
    return network.links.get(interface.name, Link())
