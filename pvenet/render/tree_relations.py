"""What stands on what in the picture of a node: each thing has one home, where a reader looks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet.impact import own_bridge, with_links
from pvenet.kernel.view import members_of
from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    beneath,
    from_vlan_name,
    kind_of,
    natural,
    parent_in,
    typed,
)
from pvenet.model.relations import outward, supports

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.kernel.links import KernelLink
    from pvenet.model import Interface, Network

NIC = Ethernet | OvsPort
Kin = dict[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Relations:
    """The things of a node by name, and how they stand to each other."""

    interfaces: Mapping[str, Interface]
    """Also those that only the kernel has, that only a name speaks of, and that go."""
    below: Mapping[str, tuple[str, ...]]
    above: Mapping[str, tuple[str, ...]]

    def is_nic(self, name: str) -> bool:
        """Whether it is a cable."""
        return _is_nic(self.interfaces[name])

    def cables(self, name: str) -> tuple[str, ...]:
        """The NICs that it stands on directly."""
        return tuple(low for low in self.below[name] if self.is_nic(low))

    def home(self, name: str) -> str | None:
        """What it is drawn on in full; None where that are cables, or nothing."""
        return next((low for low in self.below[name] if not self.is_nic(low)), None)


def relations(staged: Network, applied: Network | None, links: Mapping[str, KernelLink]) -> Relations:
    """Those of the staged network; what goes stays where it was, but for cables that somebody else has taken."""
    old = applied.interfaces if applied else {}
    gone = {name: each for name, each in old.items() if name not in staged.interfaces and not _is_nic(each)}
    every = with_links(replace(staged, interfaces={**gone, **staged.interfaces}), links).interfaces
    known = {name: each for name, each in every.items() if name not in gone and _is_own(name, staged)}
    used = {low for each in known.values() for low in beneath(each)}
    known = {
        name: each for name, each in known.items() if name in {*staged.interfaces, *used} or kind_of(each) == "bridge"
    }
    names = _Names({**known, **gone}, staged, links)
    below = _below(known, known, names, links)
    taken = {low for lows in below.values() for low in lows if _is_nic(known.get(low))}
    found = {**known, **gone}
    for name, lows in _below(gone, found, names, links).items():
        below[name] = tuple(low for low in lows if low not in taken)
    _complete(found, below)
    above: dict[str, list[str]] = {name: [] for name in found}
    for name, lows in below.items():
        for low in lows:
            above[low].append(name)
    return Relations(interfaces=found, below=below, above={name: in_order(users) for name, users in above.items()})


def _is_nic(interface: Interface | None) -> bool:
    return isinstance(typed(interface), NIC)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, as people sort them."""
    return tuple(sorted(set(names), key=natural))


def _is_own(name: str, staged: Network) -> bool:
    """Not the loopback, and no bridge that PVE makes for one VLAN of another's guests, who are shown on that."""
    return name != "lo" and (name in staged.interfaces or own_bridge(name, staged.interfaces)[0] == name)


class _Names:
    """What a thing is called in the picture, by any of its names."""

    def __init__(self, known: Mapping[str, Interface], staged: Network, links: Mapping[str, KernelLink]) -> None:
        self._names: dict[str, str] = {}
        every = [(name, *link.altnames) for name, link in staged.links.items()]
        every += [(link.name, *(link.altnames or ())) for link in links.values()]
        for group in every:
            own = next((name for name in group if name in known), group[0])
            self._names |= {name: own for name in group if name not in known}

    def of(self, name: str) -> str:
        return self._names.get(name, name)


def _below(
    of: Mapping[str, Interface], known: Mapping[str, Interface], names: _Names, links: Mapping[str, KernelLink]
) -> Kin:
    return {
        name: in_order(low for low in map(names.of, _carriers(each, known, links)) if low not in (name, "lo"))
        for name, each in of.items()
    }


def _carriers(interface: Interface, known: Mapping[str, Interface], links: Mapping[str, KernelLink]) -> Iterable[str]:
    """What an interface stands on. An internal port stands on its switch, and not the other way round; of one with a
    value that can't be read the switch alone says so.
    """
    if isinstance(interface, Other) and interface.kind == OvsIntPort.type:
        switches = [each for each in known.values() if kind_of(each) == OvsBridge.type]
        return [each.name for each in switches if interface.name in beneath(each)]
    interface = typed(interface)
    match interface:
        case OvsBridge():
            return outward(interface, known)
        case OvsBond():
            return interface.slaves
        case Bond() | Bridge() if not members_of(interface) and beneath(interface):  # `regex` and the like
            return [link.name for link in links.values() if link.master == interface.name and link.kind in ("", "bond")]
        case Bond() | Bridge():
            return members_of(interface)
        case _:
            return [name for name in supports(interface, known) if name in known or not _head_is_there(name, interface)]


def _head_is_there(name: str, interface: Interface) -> bool:
    """Whether a name is the head of another on which it stands: that one is added, and stands on it."""
    return any(parent_in(low) == name for low in beneath(interface))


def _complete(found: dict[str, Interface], below: Kin) -> None:
    """Add what only a name speaks of: a VLAN that needs no stanza (pve-api#vlan-port), a NIC that is not there."""
    waiting = [low for lows in below.values() for low in lows]
    for name in waiting:  # it grows while it is walked
        if name in found:
            continue
        head = parent_in(name)
        if head is None:
            found[name], below[name] = Ethernet(name=name, autostart=False), ()
        else:
            found[name] = replace(Vlan(name=name, raw_device=head), tag=from_vlan_name(name)[1])
            below[name] = (head,)
            waiting.append(head)
