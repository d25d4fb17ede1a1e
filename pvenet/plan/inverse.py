"""The way back from a plan, as equal values; and what the API has no way to put back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv6Network
from typing import TYPE_CHECKING

from pvenet.model import Ethernet, Interface, Network, Other, kind_of, settled
from pvenet.plan.changes import Plan, outcome, same_kind
from pvenet.plan.order import plan as plan_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MTUS = range(1280, 65521)
"""What PVE takes (facts, section 6)."""

SHORTEST_PREFIX = 8
"""Of an IPv4 address, for PVE (facts, section 6)."""

DOCUMENTATION = IPv6Network("2001:db8::/32")
"""Addresses that PVE refuses to set and keeps where it finds them (facts, section 7)."""

_GIVEN = {"bond_miimon": "100", "bridge_stp": "off", "bridge_fd": "0"}
"""What a created interface has by itself (facts, section 6)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """What of an interface no call of the API can put back."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Inverse:
    """The plan that leads back, and what it can't put back."""

    plan: Plan
    lost: tuple[Loss, ...] = ()


def inverse(plan: Plan, baseline: Network) -> Inverse:
    """The way back to the baseline from where the plan leads, or from as many of its first steps as are given."""
    there = outcome(baseline.interfaces, plan.steps)
    desired: dict[str, Interface | None] = {}
    lost: list[Loss] = []
    for name in there.keys() | baseline.interfaces.keys():
        before, after = baseline.interfaces.get(name), there.get(name)
        if before is None:
            desired[name] = None
        elif after is None or settled(before) != after:
            desired[name], losses = _restored(before, after)
            lost += losses
    back = plan_to(Network(interfaces=there, links=baseline.links), desired)
    lost += _kept_started(baseline.interfaces, outcome(there, back.steps))
    return Inverse(plan=back, lost=tuple(sorted(lost, key=lambda loss: (loss.name, loss.what))))


def _restored(before: Interface, after: Interface | None) -> tuple[Interface | None, list[Loss]]:
    """An interface as near to what it was as the API allows, and what is missing."""
    if isinstance(before, Other):
        return after, [Loss(name=before.name, what=f"pvenet can't write the kind {kind_of(before)}")]
    made_anew = after is None or not same_kind(before, after)
    lost = list(_lost_from_the_file(before)) if made_anew else []
    refused = {
        field: what
        for field, what in _refused(before).items()
        if made_anew or getattr(before, field) != getattr(after, field)
    }
    lost += [Loss(name=before.name, what=what) for what in refused.values()]
    instead = Ethernet(name=before.name) if made_anew or after is None else after
    return replace(
        before,
        mtu=instead.mtu if "mtu" in refused else before.mtu,
        cidr=instead.cidr if "cidr" in refused else before.cidr,
        cidr6=instead.cidr6 if "cidr6" in refused else before.cidr6,
    ), lost


def _refused(interface: Interface) -> dict[str, str]:
    """The fields whose value a node's file may hold and PVE refuses to be sent."""
    found = {}
    if interface.mtu is not None and interface.mtu not in MTUS:
        found["mtu"] = f"PVE refuses the mtu {interface.mtu}"
    if interface.cidr is not None and interface.cidr.network.prefixlen < SHORTEST_PREFIX:
        found["cidr"] = f"PVE refuses the address {interface.cidr}"
    if interface.cidr6 is not None and interface.cidr6 in DOCUMENTATION:
        found["cidr6"] = f"PVE refuses the address {interface.cidr6}"
    return found


def _lost_from_the_file(interface: Interface) -> Iterator[Loss]:
    """What the stanza of a deleted interface held that creating it anew does not bring (facts, section 7)."""
    kept, name = interface.file_only, interface.name
    for key, value in kept.settings:
        if value != _GIVEN.get(key):
            yield Loss(name=name, what=f"{key} {value}")
    for line in (*kept.options, *kept.options6):
        yield Loss(name=name, what=line)
    if "inet" in kept.families and kept.method not in ("static", "manual"):
        yield Loss(name=name, what=f"inet {kept.method}")
    if "inet6" in kept.families and kept.method6 != "static":
        yield Loss(name=name, what=f"inet6 {kept.method6}")
    if None in kept.families:
        yield Loss(name=name, what="a stanza without a family")


def _kept_started(baseline: Mapping[str, Interface], back: Mapping[str, Interface]) -> Iterator[Loss]:
    """Slaves that did not start by themselves: PVE sets that again on every write (facts, section 6)."""
    for name, interface in baseline.items():
        if name in back and back[name].autostart and not interface.autostart:
            yield Loss(name=name, what="autostart off, which PVE does not keep on a slave")
