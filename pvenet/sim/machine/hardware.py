"""What no file says: the NICs' own nature, the switches that they are cabled to, and the guests' ports."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SWITCH = "02:00:00:00:5c:01"
"""The LACP system of the switch that NICs are cabled to unless told otherwise."""
OTHER_SWITCH = "02:00:00:00:5c:02"
OUI = "bc:24:11"
_NAMED_MAC = re.compile(r"enx([0-9a-f]{12})")


def mac_named(names: Iterable[str]) -> str:
    """The MAC that one of a NIC's names is made of; empty where none is. pve-api#altname-mac."""
    found = next(filter(None, map(_NAMED_MAC.fullmatch, names)), None)
    return ":".join(re.findall("..", found[1])) if found else ""


def mac_of(node: str, link: str) -> str:
    """The MAC that a link of this node is born with."""
    digest = hashlib.sha256(f"{node}/{link}".encode("utf-8", "surrogateescape")).digest()
    return ":".join([OUI, *(f"{byte:02x}" for byte in digest[:3])])


@dataclass(frozen=True, kw_only=True)
class Nic:
    """A physical NIC and its cable."""

    mac: str = ""
    """Empty: what its names say, or made of the names of its node and of itself."""
    speed: int = 1000
    """Mbit/s."""
    carrier: bool = True
    partner: str | None = SWITCH
    """The LACP system at the other end; None: it speaks no LACP."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)

    def data(self) -> dict[str, Any]:
        return said(self)

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)


PLAIN = Nic()


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest's port on a bridge."""

    vmid: int
    index: int
    """Which of the guest's NICs it is: 0 for net0."""
    bridge: str | None
    """None where its bridge was removed: nothing but the guest's restart brings it back."""
    container: bool = False
    firewall: bool = False
    tag: int | None = None
    """The VLAN of its untagged frames, on a VLAN-aware bridge."""
    trunks: tuple[str, ...] | None = None
    """The other VLANs there; None: all of them, unless there is a tag."""
    carrier: bool = True
    """The guest has its end up."""

    @property
    def device(self) -> str:
        """The guest's own end on this node."""
        return f"{'veth' if self.container else 'tap'}{self.vmid}i{self.index}"

    @property
    def port(self) -> str:
        """What is a port of the bridge: behind PVE's firewall it is another link. pve-api#bridges-guests."""
        return f"fwpr{self.vmid}p{self.index}" if self.firewall else self.device

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        known = dict(data)
        trunks = known.get("trunks")
        return cls(**known | {"trunks": None if trunks is None else tuple(map(str, trunks))})

    def data(self) -> dict[str, Any]:
        return said(self)

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)


def said(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, without those that are as they are by default."""
    default = {field.name: field.default for field in fields(value)}
    return {name: found for name, found in asdict(value).items() if found != default[name]}


def unplugged(guests: Iterable[Guest], gone: Iterable[str]) -> tuple[Guest, ...]:
    """The guests' ports when these bridges are gone; that others keep theirs was not seen. pve-api#reload-guests."""
    lost = frozenset(gone)
    return tuple(guest.but(bridge=None) if guest.bridge in lost else guest for guest in guests)
