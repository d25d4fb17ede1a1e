"""What follows from a difference between the kernel and the network wanted: a failure, a wait, a warning. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pvenet.kernel.difference import HARMLESS, SLOW, Difference, Kind
from pvenet.kernel.differences import differences
from pvenet.model import Bond, Bridge, Interface, Network, OvsBond, Vlan, beneath, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pvenet.kernel.links import BridgePorts, KernelLink, Report


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was had of the kernel at one moment."""

    report: Report | None = None
    bridges: Mapping[str, BridgePorts] | None = None
    missing: str = ""
    """What could not be had that was asked for, and why; empty where all was."""

    def differences(self, network: Network) -> tuple[Difference, ...]:
        """What is otherwise than a network, as far as it can be told."""
        return differences(network, self.report, self.bridges)

    def could_show(self, difference: Difference) -> bool:
        """Whether such a difference would have been seen."""
        return self.report is not None or (self.bridges is not None and difference.kind in BRIDGED)


BRIDGED = frozenset({Kind.PORT_MISSING, Kind.VLAN_FILTERING})
"""What the bridges call alone can show."""
NOTHING_SEEN = Look()


class Require(StrEnum):
    """What somebody wants to be a failure that is a warning otherwise."""

    LACP = "lacp"
    CARRIER = "carrier"


_REQUIRED = {
    Kind.LACP_PARTNER: Require.LACP,
    Kind.LACP_SPLIT: Require.LACP,
    Kind.NO_CARRIER: Require.CARRIER,
}

_FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.BOND_MODE: frozenset({"mode"}),
    Kind.PRIMARY: frozenset({"primary"}),
    Kind.HASH_POLICY: frozenset({"xmit_hash_policy"}),
    Kind.SLAVE_NOT_JOINED: frozenset({"slaves"}),
    Kind.PORT_MISSING: frozenset({"ports"}),
    Kind.VLAN_FILTERING: frozenset({"vlan_aware"}),
    Kind.VLAN_ID: frozenset({"tag"}),
    Kind.VLAN_PARENT: frozenset({"raw_device"}),
    Kind.MTU: frozenset({"mtu"}),
    Kind.ADDRESS: frozenset({"cidr", "cidr6"}),
    Kind.DEFAULT_ROUTE: frozenset({"gateway", "gateway6"}),
}
"""The field that brings about what a difference lacks; of any other kind every field of the interface does."""

PROVABLE = frozenset().union(*_FIELDS.values()) | {"autostart"}
"""The fields of whose effect the kernel can tell."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the kernel is asked about a change, and what the change is about."""

    report: bool
    """The node's report can prove something of it."""
    bridges: bool
    """The bridges call can."""
    ours: Mapping[str, frozenset[str]] | None
    """The fields that it changes, by name; None where whose they are is not known, and all count."""
    near: frozenset[str] | None
    """What it changes, and what that stands on; None: everything."""
    idle: frozenset[str] = frozenset()
    """What no reload reaches: it has no autostart, and nothing that has stands on it."""
    slaves: frozenset[str] = frozenset()
    """Those of every bond of the network wanted."""

    def is_near(self, *names: str) -> bool:
        """Whether the change stands on one of them."""
        return self.near is None or not self.near.isdisjoint(names)


def scope(
    ours: Mapping[str, frozenset[str]] | None, before: Network | None, wanted: Network, *, management: bool
) -> Scope:
    """What to ask the kernel about changes of these fields. `management`: they touch the management path."""
    idle = _idle(wanted)
    slaves = frozenset(
        name for each in wanted.interfaces.values() if isinstance(typed(each), Bond) for name in beneath(each)
    )
    if ours is None or before is None:
        return Scope(report=True, bridges=True, ours=None, near=None, idle=idle, slaves=slaves)
    parts = [network.interfaces[name] for network in (before, wanted) for name in ours if name in network.interfaces]
    provable = management and any(fields & {"name", *PROVABLE} for fields in ours.values())
    report = provable or any(_reported(part, ours[part.name]) for part in parts)
    bridged = any(isinstance(part, Bridge) and ours[part.name] & {"name", "ports", "vlan_aware"} for part in parts)
    near = set(ours)
    for network in (before, wanted):
        near |= _standing_on(near & network.interfaces.keys(), network.interfaces)
    return Scope(report=report, bridges=report or bridged, ours=ours, near=frozenset(near), idle=idle, slaves=slaves)


def _idle(wanted: Network) -> frozenset[str]:
    started = {name for name, each in wanted.interfaces.items() if each.autostart}
    return frozenset(wanted.interfaces.keys() - started - _standing_on(started, wanted.interfaces))


def _reported(part: Interface, fields: frozenset[str]) -> bool:
    """Whether only the report can prove a change of these fields."""
    if isinstance(part, Bond | OvsBond | Vlan) and "name" in fields:
        return True
    if isinstance(part, Bridge):
        fields -= {"ports", "vlan_aware", "autostart"}
    if "name" in fields:  # it comes, goes, or is made anew
        return any(getattr(part, field) is not None for field in ("cidr", "cidr6", "mtu"))
    return bool(fields & PROVABLE)


def _standing_on(names: Collection[str], interfaces: Mapping[str, Interface]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    for name in waiting:  # it grows while it is walked
        new = [low for low in beneath(interfaces[name]) if low not in found] if name in interfaces else []
        found.update(new)
        waiting += new
    return found


@dataclass(frozen=True, kw_only=True)
class Consequences:
    """What the kernel has otherwise, by what follows from it."""

    failures: tuple[Difference, ...] = ()
    waits: tuple[Difference, ...] = ()
    """It may still come."""
    warnings: tuple[Difference, ...] = ()
    as_before: int = 0
    """How many more are as they were before, on interfaces that the change does not stand on."""

    long: bool = False
    """What is waited for takes long by nature, or its lack is a failure; a NIC that was down has carrier in seconds."""


def judge_kernel(  # noqa: PLR0913 - two moments, and three that say how to judge
    now: Iterable[Difference],
    *,
    scope: Scope,
    before: Collection[Difference],
    baseline: Look = NOTHING_SEEN,
    require: Collection[Require] = (),
    last: bool = False,
) -> Consequences:
    """What follows from what the kernel has otherwise than the network wanted.

    `before`: what it had otherwise before the change, than the network of then; `baseline`: the look that showed it.
    `last`: nothing is waited for any more.
    """
    judge = _Judge(scope, frozenset(each.key for each in before), baseline, require)
    found: dict[str, list[Difference]] = {"failures": [], "waits": [], "warnings": [], "as_before": []}
    for each in now:
        found[judge.consequence(each, last=last)].append(each)
    return Consequences(
        failures=tuple(found["failures"]),
        waits=tuple(found["waits"]),
        warnings=tuple(found["warnings"]),
        as_before=len(found["as_before"]),
        long=any(each.kind is not Kind.NO_CARRIER or judge.fails_at_last(each) for each in found["waits"]),
    )


@dataclass(frozen=True)
class _Judge:
    scope: Scope
    known: frozenset[object]
    """The keys of what was otherwise before."""
    baseline: Look
    require: Collection[Require]

    def consequence(self, each: Difference, *, last: bool) -> str:
        """Which of the consequences a difference has."""
        near = self.scope.is_near(each.name, *each.subjects)
        as_before = each.key in self.known
        if each.kind in HARMLESS:
            return "as_before" if as_before else "warnings"
        if each.kind in SLOW and near:
            if self.fails_at_last(each):
                return "failures" if last else "waits"
            if not (last or as_before):
                return "waits"
        elif each.kind not in SLOW and self._fails_at_once(each, as_before=as_before):
            return "failures"
        return "warnings" if near or not as_before else "as_before"

    def _fails_at_once(self, each: Difference, *, as_before: bool) -> bool:
        """Of what takes no time: the change was to bring it, or it is lost. What no reload reaches keeps what it had,
        and has what the file says of it when it is brought up again.
        """
        brought = self._brought(each)
        if each.name in self.scope.idle and (brought or self.scope.ours is None):
            return False
        return brought or (not as_before and self._was_lost(each))

    def _was_lost(self, each: Difference) -> bool:
        """Whether something is gone that was there. A slave takes the MTU of the bond that is made of it, whatever the
        slave's own stanza says: that is no loss of what was changed.
        """
        follows = each.kind is Kind.MTU and each.name in self.scope.slaves and self.scope.is_near(each.name)
        return self.baseline.could_show(each) and not follows

    def fails_at_last(self, each: Difference) -> bool:
        """Whether what takes its time is a failure where it has not come in the end."""
        required = _REQUIRED.get(each.kind) in self.require
        return required or (each.key not in self.known and _was_there(each, self.baseline.report))

    def _brought(self, each: Difference) -> bool:
        """Whether the change was to bring what is lacking."""
        fields = (self.scope.ours or {}).get(each.name, frozenset())
        if "name" in fields:
            return True
        wanted = _FIELDS.get(each.kind)
        hit = bool(fields if wanted is None else fields & wanted)
        # of one port or slave of several: it may have been lacking before, and be none of those that were added
        return hit and not (each.subject and each.key in self.known)


def _was_there(difference: Difference, baseline: Report | None) -> bool:
    """Whether the kernel had before what takes its time to come."""
    links = baseline.links if baseline else {}
    named = {altname: link for link in links.values() for altname in link.altnames or ()} | dict(links)
    link = named.get(difference.name)
    parts = [part for name in difference.subjects if (part := named.get(name))]
    check = _HAD.get(difference.kind)
    return check is not None and check(link, parts)


def _had_carrier(link: KernelLink | None, parts: Sequence[KernelLink]) -> bool:
    one = parts[0] if parts else link
    return one is not None and one.carrier is True


def _had_partner(link: KernelLink | None, _parts: Sequence[KernelLink]) -> bool:
    return link is not None and link.bond is not None and link.bond.partner_mac is not None


def _was_in_sync(link: KernelLink | None, parts: Sequence[KernelLink]) -> bool:
    """Whether one of the slaves that are outside now was in sync with this bond's partner."""
    states = [part.slave for part in parts if link and part.master == link.name and part.carrier]
    return any(state is not None and "in_sync" in state.partner for state in states)


_HAD: Mapping[Kind, Callable[[KernelLink | None, Sequence[KernelLink]], bool]] = {
    Kind.NO_CARRIER: _had_carrier,
    Kind.LACP_PARTNER: _had_partner,
    Kind.LACP_SPLIT: _was_in_sync,
}
