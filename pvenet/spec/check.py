"""The relations in a file by itself, without any node. Pure.

A file says only what it wants, and the rest is as it is on a node that is not asked here. So it is judged on the node
that suits it best: whatever it refers to is there, and whatever it leaves out is as the rest needs it.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING, Any

from pvenet.model import (
    HASHING_MODES,
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    Interface,
    Network,
    OvsBond,
    OvsBridge,
    OvsPort,
    Vlan,
    beneath,
    from_vlan_name,
    parent_in,
)
from pvenet.model.walks import downward
from pvenet.plan import problems
from pvenet.spec.addresses import shared_addresses
from pvenet.spec.desired import merged
from pvenet.spec.network_spec import InterfaceSpec, NetworkSpec, NodeSpec

if TYPE_CHECKING:
    from pvenet.plan import Problem
    from pvenet.spec.diagnostics import Diagnostic


def relations(spec: NetworkSpec) -> list[Diagnostic]:
    """What can't be on any node, each where the file says it; what the defaults say is reported once."""
    found: dict[object, Diagnostic] = {}
    for node in spec.nodes.values():
        for problem in problems_of(node):
            diagnostic = node.diagnostic(problem)
            found.setdefault((diagnostic.position, problem.message), diagnostic)
    return [*found.values(), *shared_addresses(spec)]


def problems_of(node: NodeSpec) -> tuple[Problem, ...]:
    """What stands against a part of the file on the node that suits it best."""
    desired = _filled_in(node)
    found = problems(_assumed_node(desired), desired)
    return tuple(replace(problem, warning=problem.warning or problem.by_change) for problem in found)


def _filled_in(node: NodeSpec) -> dict[str, Interface | None]:
    """What the file wants, with what it leaves out as the rest needs it."""
    desired: dict[str, Interface | None] = {}
    for name, spec in node.interfaces.items():
        desired[name] = _completed(spec) if isinstance(spec, InterfaceSpec) else None
    there = {name: interface for name, interface in desired.items() if interface}
    for name, mtu in _mtus(there).items():
        spec = node.interfaces[name]
        if isinstance(spec, InterfaceSpec) and "mtu" not in spec.fields:
            desired[name] = replace(there[name], mtu=mtu)
    return desired


def _completed(spec: InterfaceSpec) -> Interface:
    interface, said = merged(spec, None), spec.fields
    more: dict[str, Any] = {}
    if interface.gateway and "cidr" not in said:
        more["cidr"] = IPv4Interface(f"{interface.gateway + (-1 if int(interface.gateway) % 2 else 1)}/24")
    if interface.gateway6 and "cidr6" not in said:
        more["cidr6"] = IPv6Interface(f"{interface.gateway6 + (-1 if int(interface.gateway6) % 2 else 1)}/64")
    match interface:
        case Bond():
            if "mode" not in said and interface.xmit_hash_policy:
                more["mode"] = min(HASHING_MODES)
            if "mode" not in said and interface.primary:
                more["mode"] = BondMode.ACTIVE_BACKUP
            if "slaves" not in said and interface.primary:
                more["slaves"] = (interface.primary,)
        case Vlan():
            raw_device, tag = from_vlan_name(interface.name)
            if "raw_device" not in said and not raw_device:
                more["raw_device"] = "eth0"
            if "tag" not in said and tag is None:
                more["tag"] = 1
        case _:
            pass
    return replace(interface, **more)


def _mtus(there: dict[str, Interface]) -> dict[str, int]:
    """The MTU that each interface needs for what stands on it."""
    found: dict[str, int] = {}
    network = Network(interfaces=there)
    for name, interface in there.items():
        if interface.mtu:
            for support in downward([name], network):
                if support != name and support in there:
                    found[support] = max(interface.mtu, found.get(support, 0))
    return found


def _assumed_node(desired: dict[str, Interface | None]) -> Network:
    """A node that has what the file refers to and does not describe, and the NICs that it describes."""
    there: dict[str, Interface] = {}
    for name, interface in desired.items():
        if isinstance(interface, Ethernet | OvsPort):
            there[name] = Ethernet(name=name, autostart=not interface.autostart)
    referred = {name for interface in desired.values() if interface for name in beneath(interface)}
    referred |= {parent for interface in desired.values() if interface and (parent := parent_in(interface.name))}
    within = Bond | OvsBond | OvsBridge  # whose members' MTUs must not be above their own
    slaves = {name for each in desired.values() if isinstance(each, within) for name in beneath(each)}
    for name in sorted(referred):
        if desired.get(name) is None:
            there[name] = _guess(name) if name not in slaves else Ethernet(name=name)
    return Network(interfaces=there)


def _guess(name: str) -> Interface:
    """Something that a name may stand for, large enough for anything."""
    if name.removeprefix("bond").isdecimal():
        return Bond(name=name)
    if name.startswith("vmbr") and name.removeprefix("vmbr").isdecimal():
        return Bridge(name=name, mtu=65520)
    return Ethernet(name=name, mtu=65520)
