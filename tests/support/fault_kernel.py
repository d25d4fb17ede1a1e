"""What a simulated kernel has of a file, as plain facts; and what follows for a verdict. Shares nothing with pvenet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fault_truth import NICS

from pvenet.sim.kernel.value import NOBODY, lacp_words
from pvenet.sim.machine.kernel import kernel_of
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from fault_truth import Described

    from pvenet.sim.kernel.value import Kernel, Link

KINDS = frozenset(
    (
        *("no-carrier", "no-partner", "partner-splits", "lacp-takes"),
        *("not-joined", "port-missing", "mtu-stays", "address-missing", "route-missing"),
        *("report-slow", "report-odd", "report-too-late"),
    )
)
"""The faults that no flag shows."""
SLOW = frozenset({"carrier", "partner", "sync"})
"""What comes by itself or not at all: its lack fails a change only where it was lost, or is required."""
REQUIRED = {"lacp": frozenset({"partner", "sync"}), "carrier": frozenset({"carrier"})}


class Fact(NamedTuple):
    """One thing that a kernel has of an interface, or that a file wants of it."""

    name: str
    what: str
    value: str = ""

    @property
    def subject(self) -> str:
        """Who has to be named where this is told."""
        return self.value if self.what in {"member", "sync"} else self.name


Facts = frozenset[Fact]


def facts_now(folder: Path, now: float, node: str = "pve1") -> Facts:
    """What a node's kernel has."""
    place = Sim(folder).node(node)
    return facts(kernel_of(place, place.advance(now), now))


def facts(kernel: Kernel) -> Facts:
    """All that a kernel has of what a file can want."""
    return frozenset(fact for link in kernel.links for fact in _of_link(kernel, link)) | frozenset(
        Fact(route.dev, "gateway", route.via) for route in kernel.routes if route.to == "default"
    )


def _of_link(kernel: Kernel, link: Link) -> Iterator[Fact]:
    yield Fact(link.name, "mtu", str(link.mtu))
    yield from (Fact(link.name, "address", each.cidr) for each in link.addresses)
    if link.carrier:
        yield Fact(link.name, "carrier")
    if link.master:
        yield Fact(link.master, "member", link.name)
    if link.bridge:
        yield Fact(link.name, "aware", str(link.bridge.vlan_filtering))
    if link.vlan:
        yield Fact(link.name, "tag", str(link.vlan.id))
        yield Fact(link.name, "parent", link.parent or "")
    if link.bond:
        yield Fact(link.name, "mode", link.bond.mode)
        yield Fact(link.name, "hash", link.bond.xmit_hash_policy)
    if link.bond and link.bond.ad_partner_mac != NOBODY:
        yield Fact(link.name, "partner")
        slaves = [slave for slave in kernel.ports(link.name) if slave.carrier]
        yield from (Fact(link.name, "sync", each.name) for each in slaves if _is_in(each, link.bond.ad_aggregator))


def _is_in(link: Link, aggregator: int | None) -> bool:
    slave = link.slave
    return (
        slave is not None
        and slave.aggregator_id == aggregator
        and all("in_sync" in lacp_words(state) for state in (slave.actor_state, slave.partner_state))
    )


def wanted(file: Described) -> Facts:
    """All that a file wants of a kernel, of what starts by itself and what is beneath it."""
    values = {name: {key: str(value) for key, value in each} for name, each in file.items()}
    names = [name for name, each in values.items() if each.get("autostart")]
    for name in names:  # it grows while it is walked
        names += [low for low in beneath(values.get(name, {})) if low not in names]
    return frozenset(fact for name in names if name != "lo" for fact in _of_stanza(name, values.get(name, {})))


def beneath(values: Mapping[str, str]) -> list[str]:
    """What an interface stands on."""
    words = (values.get(key, "") for key in ("slaves", "bridge_ports", "vlan-raw-device"))
    return [word for text in words for word in text.split() if word != "none"]


def _of_stanza(name: str, values: Mapping[str, str]) -> Iterator[Fact]:
    simple = {"mtu": "mtu", "cidr": "address", "cidr6": "address", "gateway": "gateway", "gateway6": "gateway"}
    simple |= {"bond_mode": "mode", "vlan-id": "tag", "vlan-raw-device": "parent"}
    yield from (Fact(name, what, values[key]) for key, what in simple.items() if values.get(key))
    if values.get("bond_xmit_hash_policy") and values.get("bond_mode") in {"802.3ad", "balance-xor"}:
        yield Fact(name, "hash", values["bond_xmit_hash_policy"])
    if values.get("type") == "bridge":
        yield Fact(name, "aware", str(values.get("bridge_vlan_aware") == "1"))
    if "vlan-raw-device" not in values:
        yield from (Fact(name, "member", low) for low in beneath(values))
    if values.get("bond_mode") == "802.3ad":
        yield Fact(name, "partner")
        yield from (Fact(name, "sync", slave) for slave in beneath(values))
    if name in NICS:
        yield Fact(name, "carrier")


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a verdict has to say of a kernel."""

    failures: Facts
    """Any of these, and the change is not applied."""
    warnings: Facts
    """These are said where it is."""


def due(before: Facts | None, now: Facts, *, old: Described, new: Described, require: Collection[str] = ()) -> Due:
    """What follows from what a kernel had before a change from one file to another, and has now; None: nobody looked.

    A change fails where what it was to bring has not come, or what both files want was there and is gone. What comes by
    itself fails it only on what it stands on, and where it was there before or is required.
    """
    want = wanted(new)
    lacking = frozenset(fact for fact in want - now if not _excused(fact, now, new))
    brought, had = want - wanted(old), before or frozenset()
    required = frozenset(what for word in require for what in REQUIRED[word])
    near = _near(old, new)
    failures = frozenset(
        fact
        for fact in lacking
        if (
            (fact in had or fact in brought)
            if fact.what not in SLOW
            else fact.name in near and (fact in had or fact.what in required)
        )
    )
    return Due(failures=failures, warnings=frozenset(f for f in lacking - failures if f.name in near or f in had))


def _excused(fact: Fact, now: Facts, new: Described) -> bool:
    """What can't be there, because of something else that is told of."""
    if fact.what == "member":
        return Fact(fact.value, "carrier") not in now and dict(new[fact.name]).get("type") == "bond"
    if fact.what == "sync":
        needed = Fact(fact.name, "partner"), Fact(fact.name, "member", fact.value), Fact(fact.value, "carrier")
        return not now.issuperset(needed)
    if fact.what in {"partner", "gateway"}:
        return Fact(fact.name, "carrier") not in now
    return False


def _near(old: Described, new: Described) -> set[str]:
    """What a change is of, and what that stands on."""
    found = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    for file in (old, new):
        waiting = list(found)
        for name in waiting:  # it grows while it is walked
            values = {key: str(value) for key, value in file.get(name, ())}
            waiting += [low for low in beneath(values) if low not in waiting]
        found |= set(waiting)
    return found
