"""A network beside what the kernel has: which link a name means, and what has to be there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pvenet.kernel.files import stanza_names
from pvenet.kernel.links import Report
from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    Network,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    beneath,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.kernel.links import BridgePorts, KernelLink
    from pvenet.model import Interface

OVS = OvsBridge | OvsBond | OvsIntPort | OvsPort
"""Who is whose port is in OVS's own database, and the kernel's `master` is `ovs-system` for all."""


_SHAPES = frozenset({"all", "glob", "regex"})
"""Words of a list of members that stand for whatever there is."""


_BESIDE = "bond_xmit_hash_policy "
"""What begins a value without which all else can be compared. Of any other that can't be read nobody has seen what
ifupdown2 makes of its stanza.
"""


def _comparable(interface: Interface) -> Interface:
    """An interface as one of its kind where all is known that the kernel is to have of it."""
    beside = isinstance(interface, Other) and all(value.startswith(_BESIDE) for value in interface.unread)
    return typed(interface) if beside else interface


def members_of(interface: Interface) -> tuple[str, ...]:
    """The slaves or ports that the file names one by one; none where it says how they look instead."""
    named = beneath(interface) if isinstance(interface, Bond | Bridge) else ()
    return () if _SHAPES & set(named) else tuple(dict.fromkeys(named))


def below(interface: Interface) -> tuple[str, ...]:
    """What an interface brings up with itself; a bridge of OVS its ports, whatever their `autostart` says
    (pve-api#ovs-autostart).
    """
    if isinstance(interface, Other):
        return ()
    return members_of(interface) if isinstance(interface, Bond | Bridge) else beneath(interface)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What there is to compare."""

    network: Network
    report: Report
    """One without links, where none is to be had."""
    bridges: Mapping[str, BridgePorts]
    names: Mapping[str, str]
    """The kernel's name, by a NIC's other names."""
    compared: tuple[Interface, ...] = ()
    """The interfaces that have to be as the file says."""
    users: Mapping[str, tuple[Interface, ...]] = field(default_factory=dict)
    """Who of these names a link as a slave, a port or a raw device, by the kernel's name."""
    members: Mapping[str, tuple[KernelLink, ...]] = field(default_factory=dict)
    """The links that the kernel has in a bond or a bridge, by its name."""

    def name(self, name: str) -> str:
        """What the kernel calls it."""
        return self.names.get(name, name)

    def link(self, name: str) -> KernelLink | None:
        """The link that a file's name means."""
        return self.report.links.get(self.name(name))

    def may_be_named_otherwise(self) -> bool:
        """Whether a name that no link has may be the altname of one, because not all of these could be read."""
        return any(link.altnames is None for link in self.report.links.values())

    def joined(self, name: str, whole: str) -> bool:
        """Whether the kernel has one as a member of the other."""
        link = self.link(name)
        return link is not None and link.master == self.name(whole)

    def wholes(self, name: str) -> tuple[Interface, ...]:
        """The bonds and bridges that name it as a member."""
        return tuple(each for each in self.users.get(self.name(name), ()) if isinstance(each, Bond | Bridge))


def view(network: Network, report: Report | None, bridges: Mapping[str, BridgePorts] | None) -> View:
    """A network beside a report, or the bridges call alone."""
    known = report or Report(links={})
    network = replace(network, interfaces={name: _comparable(each) for name, each in network.interfaces.items()})
    seen = View(network=network, report=known, bridges=bridges or {}, names=_names(network, known.links.values()))
    compared = _compared(seen)
    users: dict[str, list[Interface]] = {}
    for interface in compared:
        for low in below(interface):
            users.setdefault(seen.name(low), []).append(interface)
    members: dict[str, list[KernelLink]] = {}
    for link in known.links.values():
        members.setdefault(link.master or "", []).append(link)
    return replace(
        seen,
        compared=compared,
        users={name: tuple(above) for name, above in users.items()},
        members={name: tuple(links) for name, links in members.items()},
    )


def _names(network: Network, links: Iterable[KernelLink]) -> Mapping[str, str]:
    """By the report; without one any of a NIC's names serves, as long as it is the same one everywhere."""
    found: dict[str, str] = {}
    for name, link in network.links.items():
        every = (name, *link.altnames)
        found |= dict.fromkeys(every, min(every))
    for known in links:
        found |= dict.fromkeys((*(known.altnames or ()), known.name), known.name)
    return found


def _compared(seen: View) -> tuple[Interface, ...]:
    """What a reload brings up, what somebody has brought up, and what is beneath these."""
    interfaces = seen.network.interfaces
    found = {seen.name(name): None for name, each in interfaces.items() if _stands(seen, each)}
    waiting = list(found)
    for name in waiting:  # it grows while it is walked
        low = [seen.name(each) for each in below(interfaces[name])] if name in interfaces else []
        waiting += [each for each in low if each not in found]
        found |= dict.fromkeys(low)
    doubled = {name for text in seen.report.sourced.values() for name in stanza_names(text)}  # not in PVE's listing
    return tuple(
        each
        for name, each in interfaces.items()
        if seen.name(name) in found and name not in doubled and not isinstance(each, Other)
    )


def _stands(seen: View, interface: Interface) -> bool:
    """Whether it is to be there by itself. That a NIC is up says nothing: it may be for a reason of its own."""
    if isinstance(interface, Other | OvsBond | OvsIntPort | OvsPort):
        return False
    link = seen.link(interface.name)
    return interface.autostart or (link is not None and link.up and not isinstance(interface, Ethernet))
