"""Addresses that two nodes of a file have. Pure."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING

from pvenet.changes import Delete
from pvenet.model.addresses import addresses
from pvenet.spec.diagnostics import Diagnostic
from pvenet.spec.network_spec import InterfaceSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pvenet.spec.diagnostics import Position
    from pvenet.spec.network_spec import NetworkSpec
    from pvenet.spec.node_plan import NodePlan


def shared_addresses(spec: NetworkSpec) -> list[Diagnostic]:
    """Warnings about addresses on two nodes, with both places; what the defaults say is reported once."""
    first: dict[object, tuple[str, str, Position]] = {}
    found: dict[object, Diagnostic] = {}
    for node, name, address, position in _addresses(spec):
        ip = address.ip
        other, its, at = first.setdefault(ip, (node, name, position))
        if other != node and not ip.is_link_local:
            message = f"{node}: {name} has the address {ip}, which {its} on {other} also has{at.aside}"
            found.setdefault((ip, position), Diagnostic(position, message, warning=True))
    return list(found.values())


def _addresses(spec: NetworkSpec) -> Iterator[tuple[str, str, IPv4Interface | IPv6Interface, Position]]:
    for node, described in spec.nodes.items():
        for name, interface in described.interfaces.items():
            if isinstance(interface, InterfaceSpec):
                for field, value in interface.fields.items():
                    if isinstance(value, IPv4Interface | IPv6Interface):
                        yield node, name, value, interface.positions.get(field, interface.position)


def taken_addresses(spec: NetworkSpec, plans: Iterable[NodePlan]) -> list[Diagnostic]:
    """Where a plan would give a node the address by which another one is reached."""
    plans = list(plans)
    reached = {address: each.node for each in plans for address in each.management.addresses}
    found = []
    for each in plans:
        for step in each.plan.steps:
            if isinstance(step, Delete):
                continue
            before = {address.ip for address in addresses(getattr(step, "before", None))}
            for address in addresses(step.after):
                other = reached.get(str(address.ip), each.node)
                if other != each.node and address.ip not in before:
                    message = f"{step.name} would have the address {address.ip}, by which {other} is reached"
                    field = "cidr" if address.version == 4 else "cidr6"  # noqa: PLR2004 - IP versions
                    found.append(spec.nodes[each.node].located(step.name, field, message))
    return found
