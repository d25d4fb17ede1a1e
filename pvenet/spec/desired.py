"""The desired state of a node: its own values with what the file says merged over them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pvenet.edit import consistent
from pvenet.model import Bond, Bridge, Ethernet, Interface, Network, Other, defaults, with_values
from pvenet.model.walks import downward
from pvenet.spec.network_spec import KINDS, Absent, InterfaceSpec, NodeSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.changes import Desired
    from pvenet.plan import ManagementPath


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredState:
    """What shall be on one node."""

    desired: Desired
    kept: tuple[str, ...] = ()
    """What a complete file does not mention and what stays all the same, a clause each."""


def desired_state(spec: NodeSpec, network: Network, management: Callable[[], ManagementPath]) -> DesiredState:
    """What shall be on the node; with `only`, also that the rest shall go: then the management path is asked for."""
    desired: dict[str, Interface | None] = {}
    for name, each in spec.interfaces.items():
        desired[name] = None if isinstance(each, Absent) else merged(each, network.interfaces.get(name))
    if not spec.only:
        return DesiredState(desired=desired)
    named = desired.keys() | spec.ignored
    kept = {name: why for name, why in _kept(spec, network, management()).items() if name not in named}
    rest = [name for name in network.interfaces if name not in named and name not in kept]
    reasons = tuple(why for why in kept.values() if why)
    return DesiredState(desired={**desired, **dict.fromkeys(rest)}, kept=reasons)


def merged(spec: InterfaceSpec, before: Interface | None) -> Interface:
    """The interface as described: over what is there where it is of that kind, else over PVE's own defaults."""
    kind = KINDS[spec.type]
    empty = defaults(kind)
    given: dict[str, Any] = {name: empty[name] if value is None else value for name, value in spec.fields.items()}
    alike = before is not None and type(before) is kind
    after: Interface = with_values(before, **given) if before and alike else kind(name=spec.name, **given)
    return consistent(after, given) if isinstance(after, Bond | Bridge) else after


def _kept(spec: NodeSpec, network: Network, management: ManagementPath) -> dict[str, str]:
    """What stays though a complete file does not mention it, and why; NICs stay without a word."""
    found = {name: "" for name, each in network.interfaces.items() if isinstance(each, Ethernet)}
    for name, interface in network.interfaces.items():
        if name in management.names and name not in found:
            found[name] = f"{name} is not mentioned and stays: {management.reason}"
        elif isinstance(interface, Other):
            found[name] = f"{name} is not mentioned and stays: {interface.unwritten}"
    beneath = downward([*spec.ignored, *(name for name, why in found.items() if why)], network)
    for name in beneath:
        found.setdefault(name, f"{name} is not mentioned and stays: something that stays is on top of it")
    return found
