"""The machine beneath a node: its NICs, and what the kernel has now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pvenet.sim.machine.hardware import PLAIN, Guest, Nic, mac_named, mac_of
from pvenet.sim.machine.node_addresses import address_of
from pvenet.sim.machine.reload import applied, ifreload
from pvenet.sim.machine.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What `machine.json` holds."""

    nics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Physical NICs, and their altnames."""
    up: AbstractSet[str] = frozenset()
    """Links that are up."""
    made: AbstractSet[str] = frozenset()
    """Virtual links that the kernel has: bonds, bridges, VLANs."""
    slaves: Mapping[str, str] = field(default_factory=dict)
    """Slaves of its bonds, and whose each is."""
    links: Mapping[str, Settings] | None = None
    """What the kernel was told of its links; None before the first reload: what the file says."""
    hardware: Mapping[str, Nic] = field(default_factory=dict)
    """NICs that are not as NICs are."""
    guests: tuple[Guest, ...] = ()
    lacp_takes: float = 0.0
    """Seconds until a bond has found its partner."""
    partnerless: AbstractSet[str] = frozenset()
    """Bonds whose switch answers no LACP."""
    split: AbstractSet[str] = frozenset()
    """Bonds whose last slave is cabled to another switch than the others."""
    ip: str = ""
    """The address that the cluster knows."""
    addresses: tuple[str, ...] | None = None
    """The addresses that it has; None before the first reload: those of the file."""
    online: bool = True
    """Off: the machine is down, and answers 595 through its peers."""
    silent_from: float = 0.0
    silent_until: float = 0.0
    """From when to when the way to the machine is lost; -1: it does not come back by itself."""
    cut_off: bool = False
    """Its peers don't reach it either."""
    pid: int = 0x0E00
    """The last process id given."""
    reloads: tuple[str, ...] = ()
    """Files of the tasks whose `ifreload` has not ended yet."""

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        known = dict(data)
        nics = known.pop("nics", {})
        return cls(
            nics={name: tuple(altnames) for name, altnames in nics.items()},
            up=frozenset(known.pop("up", ())),
            made=frozenset(known.pop("made", ())),
            reloads=tuple(known.pop("reloads", ())),
            addresses=None if (addresses := known.pop("addresses", None)) is None else tuple(addresses),
            links=None if (links := known.pop("links", None)) is None else _each(Settings.of, links),
            hardware=_each(Nic.of, known.pop("hardware", {})),
            guests=tuple(map(Guest.of, known.pop("guests", ()))),
            partnerless=frozenset(known.pop("partnerless", ())),
            split=frozenset(known.pop("split", ())),
            **known,
        )

    @classmethod
    def fresh(cls, nics: Iterable[str] | Mapping[str, tuple[str, ...]], text: str) -> Self:
        """A machine that has just booted with this file; of its NICs, the altnames may be told."""
        known = nics if isinstance(nics, Mapping) else dict.fromkeys(nics, ())
        machine = cls(nics=known, up=frozenset({"lo"}), ip=address_of(text))
        outcome = ifreload(text, machine.nics, machine.up, machine.made)
        up, made = applied(outcome.steps, machine.up, machine.made, machine.nics)
        return machine.but(up=up, made=made, slaves=outcome.slaves)

    def rebooted(self, text: str) -> Self:
        """This machine when it has just booted with this file; its guests start and take their ports."""
        booted = type(self).fresh(self.nics, text)
        return self.but(up=booted.up, made=booted.made, slaves=booted.slaves, links=None, addresses=None, reloads=())

    def nic(self, name: str) -> Nic:
        return self.hardware.get(name, PLAIN)

    def card_mac(self, node: str, name: str) -> str:
        """The MAC that a link is born with; a NIC's is its card's."""
        return self.nic(name).mac or mac_named((name, *self.nics.get(name, ()))) or mac_of(node, name)

    def silent(self, now: float) -> bool:
        """Whether the way to it is lost."""
        return self.silent_from <= now and (self.silent_until < 0 or now < self.silent_until)

    def reached_by_peers(self, now: float) -> bool:
        return self.online and not (self.cut_off and self.silent(now))

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def data(self) -> dict[str, Any]:
        return {
            "nics": {name: list(altnames) for name, altnames in self.nics.items()},
            "up": sorted(self.up),
            "made": sorted(self.made),
            "slaves": dict(self.slaves),
            "ip": self.ip,
            "online": self.online,
            "silent_from": self.silent_from,
            "silent_until": self.silent_until,
            "cut_off": self.cut_off,
            "pid": self.pid,
            "reloads": list(self.reloads),
            "addresses": None if self.addresses is None else list(self.addresses),
            "links": None if self.links is None else {name: each.data() for name, each in self.links.items()},
            "hardware": {name: nic.data() for name, nic in self.hardware.items()},
            "guests": [guest.data() for guest in self.guests],
            "lacp_takes": self.lacp_takes,
            "partnerless": sorted(self.partnerless),
            "split": sorted(self.split),
        }


def _each(of: Callable[[Mapping[str, Any]], _Value], data: Mapping[str, Mapping[str, Any]]) -> dict[str, _Value]:
    return {name: of(each) for name, each in data.items()}
