"""A node's network as a network file would say it. Pure.

A node may hold what nobody can ask for: an address that PVE refuses, a port with an address, a name that PVE reads as
something else. A file that says so would not pass its own check, so it is left out, with the reason: what a file does
not mention is kept as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from pvenet.model import (
    ALL_VIDS,
    Bridge,
    Ethernet,
    Interface,
    Network,
    Other,
    Vlan,
    canonical,
    defaults,
    from_vlan_name,
    own_first,
)
from pvenet.spec.check import problems_of
from pvenet.spec.diagnostics import NOWHERE
from pvenet.spec.network_spec import InterfaceSpec, NodeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.plan import Problem

OWN_KEYS = ("only", "lint")
"""Keys of a node that are no interfaces; one of that name can't be described."""
_TOGETHER = {"cidr": ("cidr", "gateway"), "cidr6": ("cidr6", "gateway6")}
"""Fields that make no sense without each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What a file can say of a node, and what it can't."""

    spec: NodeSpec
    left_out: Mapping[str, tuple[str, ...]]
    """Why something of an interface is left out, a clause each."""


def description(node: str, network: Network) -> Description:
    """A spec that passes its check, and that asks nothing of the node that it was made from."""
    interfaces = {
        name: _interface_spec(interface)
        for name, interface in network.interfaces.items()
        if not isinstance(interface, Other) and name not in OWN_KEYS
    }
    spec = NodeSpec(node=node, position=NOWHERE, interfaces=interfaces)
    left_out: dict[str, tuple[str, ...]] = {}
    while wrong := [problem for problem in problems_of(spec) if not problem.warning]:
        for problem in wrong:
            left_out[problem.interface] = (*left_out.get(problem.interface, ()), problem.message)
            spec = _without(spec, problem)
    return Description(spec=spec, left_out=left_out)


def _interface_spec(interface: Interface) -> InterfaceSpec:
    """What makes the interface what it is, without what goes without saying."""
    kept = canonical(interface)
    usual = {**defaults(type(kept))}
    if isinstance(kept, Ethernet):
        usual["autostart"] = False
    if isinstance(kept, Bridge) and kept.vlan_aware:
        usual["vids"] = ALL_VIDS
    if isinstance(kept, Vlan):
        raw_device, tag = from_vlan_name(kept.name)
        usual |= {"raw_device": raw_device, "tag": tag}
    said = {
        name: value
        for name in own_first(type(kept))
        if (value := getattr(kept, name)) != usual[name] or isinstance(usual[name], Enum)
    }
    return InterfaceSpec(name=kept.name, type=kept.type, fields=said, position=NOWHERE)


def _without(spec: NodeSpec, problem: Problem) -> NodeSpec:
    """The spec without the fields that a problem is about; where it is about none of them, without the interface."""
    interface = spec.interfaces.get(problem.interface)
    if not isinstance(interface, InterfaceSpec):
        return spec
    gone = _TOGETHER.get(problem.field, (problem.field,))
    left = {name: value for name, value in interface.fields.items() if name not in gone}
    if len(left) < len(interface.fields):
        return replace(spec, interfaces={**spec.interfaces, interface.name: replace(interface, fields=left)})
    interfaces = {name: each for name, each in spec.interfaces.items() if name != interface.name}
    return replace(spec, interfaces=interfaces, ignored=spec.ignored | {interface.name})
