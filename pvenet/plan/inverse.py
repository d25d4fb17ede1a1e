"""The restore plan: what leads back from where a plan leads, and what of it the API can't put back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pvenet.changes import Loss, Plan, outcome, ovs, same_kind
from pvenet.limits import MTUS, TAGS, line_end, refused, takes_name, takes_vids
from pvenet.model import FileOnly, Interface, Network, Other, OvsPort, Vlan, canonical, defaults, kind_of, natural
from pvenet.model.relations import named
from pvenet.plan.order import plan_and_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_GIVEN = {"bond_miimon": "100", "bridge_stp": "off", "bridge_fd": "0"}
"""What a created interface has by itself (pve-api#auto-filled)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inverse:
    """A restore plan, and what it can't put back."""

    plan: Plan
    lost: tuple[Loss, ...] = ()


def inverse(plan: Plan, baseline: Network, there: Mapping[str, Interface] | None = None) -> Inverse:
    """What restores the baseline from where the plan leads, or from as many of its first steps as are given.

    `there`: where that is, if it is known.
    """
    before = baseline.interfaces
    there = outcome(before, plan.steps) if there is None else there
    desired = {
        name: restorable(before.get(name), there.get(name))
        for name in there.keys() | before.keys()
        if not _untouched(before.get(name), there.get(name))
    }
    restore, restored = plan_and_outcome(Network(interfaces=there, links=baseline.links), desired)
    return Inverse(plan=restore, lost=lost_between(before, restored))


def _untouched(before: Interface | None, now: Interface | None) -> bool:
    """Whether nothing has become of an interface: it is the same value, by which PVE's own write changes nothing."""
    return before is now and (before is None or named(before) is before)


def restorable(before: Interface | None, now: Interface | None) -> Interface | None:
    """An interface as near to what it was as the API allows."""
    if before is None or isinstance(before, Other):
        return now if isinstance(before, Other) else None
    instead = now if now is not None and same_kind(before, now) else None
    left: dict[str, Any] = {}
    for field in _unsendable(before):
        for each in (field, f"gateway{field.removeprefix('cidr')}") if field.startswith("cidr") else (field,):
            left[each] = getattr(instead, each) if instead else defaults(type(before)).get(each)
    return named(replace(before, **left) if left else before)


_REFUSES: Mapping[str, Callable[[Any], bool]] = {
    "comments": lambda text: line_end(text) is not None,
    "mtu": lambda mtu: mtu is not None and mtu not in MTUS,
    "cidr": lambda address: address is not None and refused(address),
    "cidr6": lambda address: address is not None and refused(address),
    "vids": lambda vids: not all(map(takes_vids, vids)),
    "ports": lambda names: not all(map(takes_name, names)),
    "slaves": lambda names: not all(map(takes_name, names)),
    "primary": lambda name: name is not None and not takes_name(name),
    "tag": lambda tag: tag is not None and tag not in TAGS,
}
"""Whether the value of a field is none that can be sent."""


def _unsendable(interface: Interface) -> frozenset[str]:
    """The fields whose value a node's file may hold, and that are not sent: PVE refuses it, or it could be run."""
    return frozenset(
        field for field, refuses in _REFUSES.items() if hasattr(interface, field) and refuses(getattr(interface, field))
    )


def lost_between(baseline: Mapping[str, Interface], restored: Mapping[str, Interface]) -> tuple[Loss, ...]:
    """What differs from the baseline when everything has been put back that can be."""
    found = []
    touched = [name for name, before in baseline.items() if not _untouched(before, restored.get(name))]
    for name in sorted(touched, key=natural):
        before, now = baseline[name], restored.get(name)
        if now is None or not (same_kind(before, now) or ovs.passes(before, now)):
            other = before if isinstance(before, Other) and before.unread else None
            what = other.unwritten if other else f"pvenet can't write the kind {kind_of(before)}"
            found.append(Loss(name=name, what=what))
            continue
        found += [
            Loss(name=name, what=_not_sent(field, getattr(before, field)))
            for field in sorted(_unsendable(before))
            if getattr(before, field) != getattr(now, field)
        ]
        if isinstance(before, Vlan) and before.raw_device and before != named(before):
            found.append(Loss(name=name, what=f"vlan-raw-device {before.raw_device}, which PVE takes from the name"))
        if now.autostart and not canonical(before).autostart:
            role = "an OVS port" if isinstance(now, OvsPort) else "a slave"
            found.append(Loss(name=name, what=f"autostart off, which PVE does not keep on {role}"))
        found += [Loss(name=name, what=what) for what in lost_in_the_file(before.file_only, now.file_only)]
    return tuple(found)


def _not_sent(field: str, value: object) -> str:
    if field == "comments":
        return f"the comments {value!a}, part of which could be run"
    return f"PVE refuses the {field} {' '.join(value) if isinstance(value, tuple) else value}"


def lost_in_the_file(before: FileOnly, now: FileOnly) -> Iterator[str]:
    """What the stanzas held that the API can't set (pve-api#unsettable)."""
    for key, value in before.settings:
        if (key, value) not in now.settings and value != _GIVEN.get(key):
            yield f"{key} {value}"
    yield from [line for line in before.options if line not in now.options]
    yield from [line for line in before.options6 if line not in now.options6]
    if "inet" in before.families and before.method not in ("manual", "static", now.method):
        yield f"inet {before.method}"
    if "inet6" in before.families and before.method6 != "static" and "inet6" not in now.families:
        yield f"inet6 {before.method6}"
    if None in before.families and None not in now.families:
        yield "a stanza without a family"
