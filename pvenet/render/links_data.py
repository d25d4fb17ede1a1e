"""The same as JSON data: everything that was had of the kernel's links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.kernel.difference import HARMLESS
from pvenet.kernel.files import named_twice, stanza_names
from pvenet.model import Bond, BondMode, typed
from pvenet.render.links import differing, filtering_of, guest_at, in_sync, members, ports_of, shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.kernel.comparison import Comparison
    from pvenet.kernel.difference import Difference
    from pvenet.kernel.links import KernelLink, Port, Route


def links_data(comparison: Comparison, names: Collection[str], *, node: str) -> dict[str, Any]:
    """What `links --json` gives. Without names every link, also `lo` and those that lead to guests."""
    report = comparison.report
    links = shown(comparison, names or (report.links.keys() if report else ()))
    sourced = report.sourced if report else {}
    return {
        "node": node,
        "links": [_link(comparison, link) for link in links],
        "bridges": [_bridge(comparison, name) for name in _bridges(comparison) if not names or name in names],
        "default_routes": [_route(each) for each in (report.routes if report else ()) if each.to == "default"],
        "differences": [_difference(each) for each in differing(comparison, names)],
        "compared": sorted(comparison.network.interfaces) if comparison.network else [],
        "basis": comparison.basis,
        "sourced": [{"path": path, "interfaces": list(stanza_names(text))} for path, text in sourced.items()],
        "named_twice": {name: list(paths) for name, paths in (named_twice(report) if report else {}).items()},
    }


def _link(comparison: Comparison, link: KernelLink) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": link.name,
        "kind": link.kind,
        "state": str(link.state),
        "carrier": link.carrier,
        "speed": link.speed,
        "mtu": link.mtu,
        "mac": link.permanent_mac or link.mac,
        "member_of": link.master,
        "port_state": link.port_state,
        "altnames": None if link.altnames is None else list(link.altnames),
        "addresses": _addresses(link),
    }
    if link.vlan:
        data |= {"vlan": {"id": link.vlan.id, "protocol": link.vlan.protocol, "parent": link.parent}}
    if link.bond:
        data |= {"bond": _bond(comparison, link)}
    return data


def _addresses(link: KernelLink) -> list[dict[str, Any]] | None:
    if link.addresses is None:
        return None
    return [{"address": str(each.address), "scope": each.scope, "dynamic": each.dynamic} for each in link.addresses]


def _bond(comparison: Comparison, link: KernelLink) -> dict[str, Any]:
    status = link.bond
    wanted = typed(comparison.network.interfaces.get(link.name)) if comparison.network else None
    slaves = members(comparison, link.name)
    return {
        "mode": status and status.mode,
        "slaves": [slave.name for slave in slaves],
        "wanted": list(wanted.slaves) if isinstance(wanted, Bond) else None,
        "active_slave": status and status.active_slave,
        "primary": status and status.primary,
        "xmit_hash_policy": status and status.xmit_hash_policy,
        "lacp_partner": status and status.partner_mac,
        "aggregated": status and status.aggregated,
        "in_sync": {slave.name: in_sync(slave) for slave in slaves}
        if status and status.mode == BondMode.LACP
        else None,
    }


def _bridges(comparison: Comparison) -> list[str]:
    links = comparison.report.links if comparison.report else {}
    return list(dict.fromkeys([*(comparison.bridges or {}), *(name for name, link in links.items() if link.bridge)]))


def _bridge(comparison: Comparison, name: str) -> dict[str, Any]:
    ports = ports_of(comparison, name)
    filtering = filtering_of(comparison, name)
    return {"name": name, "vlan_filtering": filtering, "ports": [_port(port, told) for port, told in ports.items()]}


def _port(name: str, told: Port | None) -> dict[str, Any]:
    vlans = {"primary_vlan": told.primary_vlan, "vlans": list(told.vlans)} if told else {}
    return {"name": name, "guest": guest_at(name, told), **vlans}


def _route(route: Route) -> dict[str, Any]:
    return {"family": route.family, "via": route.via and str(route.via), "dev": route.dev, "proto": route.proto}


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "interface": each.name,
        "kind": str(each.kind),
        "subject": each.subject,
        "wanted": each.wanted,
        "found": each.found,
        "text": each.text,
        "never_fails": each.kind in HARMLESS,
    }
