"""What the file says of NICs that are not there, or are others now: facts, and how they are told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.model import Bond, Bridge, Other, OvsBond, OvsBridge, Vlan, kind_of, looks_like_a_nic, typed
from pvenet.nics.cards import NICS, by_mac, cards
from pvenet.nics.memory import role
from pvenet.nics.names import footing, is_configured, users

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pvenet.model import Network
    from pvenet.nics.cards import Card
    from pvenet.nics.memory import Memory, Rename


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """A name that the file says, and the card that it means."""

    name: str
    uses: str
    """What the file has it for: `a port of vmbr0`."""
    there: bool
    """Another card has the name now."""
    now: str = ""
    """What the card is called; empty where no card has its MAC, or that is not known."""
    mac: str = ""
    """Its MAC; empty where that is not known."""
    sharing: tuple[str, ...] = ()
    """The NICs that have this MAC."""
    unsure: bool = False
    """There are NICs whose MAC is not known."""

    @property
    def text(self) -> str:
        """What happened to it, without a node."""
        what = "is another NIC now" if self.there else "is gone"
        said = f"{self.name}, {self.uses}, {what}"
        if self.now:
            return f"{said}; the NIC with its MAC is {self.now} now"
        if len(self.sharing) > 1:
            return f"{said}; its MAC, {self.mac}, is that of {_listed(self.sharing)}"
        if not self.mac:
            return f"{said}; its MAC is not known"
        if self.unsure:
            return f"{said}; which NIC has its MAC, {self.mac}, the list does not say"
        return f"{said}; no NIC has its MAC, {self.mac}"


def gone(network: Network, found: Sequence[Card], memory: Memory, changed: Sequence[Rename]) -> tuple[Gone, ...]:
    """The NICs that interfaces stand on, or that are configured, and that are not there or not the same."""
    moved = {each.old: each for each in changed}
    having = by_mac(found)
    macs = {known.name: mac for mac, known in memory.items()}
    macs |= {known.name: mac for mac, known in memory.items() if mac not in having}
    there = {name for card in found for name in card.names}
    lost = (name for name in _lacking(network, there) if name in macs or _is_nic(network, name))
    names = dict.fromkeys([*moved, *lost, *_taken_over(network, having, memory, changed)])
    return tuple(
        Gone(
            name=name,
            uses=uses(network, name),
            there=name in there,
            now=moved[name].new if name in moved else "",
            mac=moved[name].mac if name in moved else macs.get(name, ""),
            unsure=not all(card.mac for card in found),
            sharing=tuple(card.name for card in having.get(macs.get(name, ""), ())),
        )
        for name in names
    )


def _taken_over(network: Network, having: Collection[str], memory: Memory, changed: Sequence[Rename]) -> Iterator[str]:
    """The names of cards that are not there, which cards that were renamed have now."""
    left = {known.name for mac, known in memory.items() if mac not in having}
    return (each.new for each in changed if each.new in left and role(network, each.new))


def lacking(network: Network) -> frozenset[str]:
    """The NICs that a listing names and that are not there, by that alone.

    Of a name that is none of udev's PVE does not say that it is a NIC's where there is none (pve-api#f35).
    """
    used = {name for each in network.interfaces.values() for name in footing(network, each)}
    strange = {name for name in used if _is_strange(network, name)}
    return frozenset(strange | {each.name for each in gone(network, cards(network), {}, ())})


def _is_strange(network: Network, name: str) -> bool:
    interface, link = network.interfaces.get(name), network.links.get(name)
    return isinstance(interface, Other) and interface.kind == "unknown" and not (link and (link.exists or link.active))


def absent(network: Network) -> frozenset[str]:
    """The same, and the VLANs on them: nothing brings these up."""
    found = set(lacking(network))
    vlans = {name: each for name, each in network.interfaces.items() if isinstance(typed(each), Vlan)}
    while more := {name for name, each in vlans.items() if found & {*footing(network, each)}} - found:
        found |= more
    return frozenset(found)


def _is_nic(network: Network, name: str) -> bool:
    interface = network.interfaces.get(name)
    return kind_of(interface) in NICS if interface else looks_like_a_nic(name)


def _lacking(network: Network, there: set[str]) -> Iterator[str]:
    """What is named and is neither an interface that something makes nor a NIC that is there."""
    for each in network.interfaces.values():
        for name in (*footing(network, each), *((each.name,) if _is_own(network, each.name) else ())):
            if name not in there and not _is_made(network, name):
                yield name


def _is_own(network: Network, name: str) -> bool:
    interface = network.interfaces[name]
    return kind_of(interface) in NICS and is_configured(interface)


def _is_made(network: Network, name: str) -> bool:
    return name in network.interfaces and kind_of(network.interfaces[name]) not in NICS


def uses(network: Network, name: str) -> str:
    """What a NIC is to the file, a clause: `a port of vmbr0 and the raw device of vlan5`."""
    said = [_use(network, each) for each in users(network, name)]
    return _listed(said) if said else "which the file has"


def _use(network: Network, user: str) -> str:
    match typed(network.interfaces[user]):
        case Bond() | OvsBond():
            return f"a slave of {user}"
        case Bridge() | OvsBridge():
            return f"a port of {user}"
        case Vlan():
            return f"the raw device of {user}"
        case _:
            return f"beneath {user}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
