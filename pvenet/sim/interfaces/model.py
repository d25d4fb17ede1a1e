"""What a file holds: interfaces as bags of properties, and lines that belong to none."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from pvenet.sim.formats import split_list
from pvenet.sim.interfaces.characters import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

Property: TypeAlias = str | int | tuple[str | None, ...] | None
"""What PVE keeps under a name: the text of the file, a flag or a number of its own, a list."""

PORT_LISTS = ("bridge_ports", "ovs_ports", "slaves", "ovs_bonds")
"""The properties that name what an interface is made of."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine beneath a node, as far as the configuration looks at it."""

    nics: Mapping[str, tuple[str, ...]]
    """Physical NICs that are present, and their altnames."""
    up: AbstractSet[str]
    """Links that the kernel has up."""
    ovs: bool = False
    """Open vSwitch is installed."""
    ifupdown2: bool = True


@dataclass(frozen=True)
class Interface:
    """One interface: its name, and its properties by the names that the API gives them.

    PVE merges a request into the properties whatever its type, and writes what it doesn't know
    (pve-api#type-change: a bond that turns into a bridge keeps `slaves`), so it is a bag, not a kind.
    """

    name: str
    properties: Mapping[str, Property]

    def get(self, key: str) -> Property:
        return self.properties.get(key)

    def text(self, key: str) -> str:
        """A property as text; empty when it is absent."""
        value = self.properties.get(key)
        return "" if value is None else str(value)

    def given(self, key: str) -> str:
        """A property as text; empty also where it is 0, which PVE takes for none as well."""
        text = self.text(key)
        return "" if text == "0" else text

    def words(self, key: str) -> tuple[str, ...]:
        """A property as the words that blanks separate. A leading blank makes an empty first word (C042)."""
        text = self.text(key)
        found = tuple(words(text))
        return ("", *found) if found and text[0].isspace() else found

    @property
    def type(self) -> str:
        return self.text("type")

    @property
    def autostart(self) -> bool:
        return bool(self.get("autostart"))

    @property
    def place(self) -> int | None:
        """The place in the file, from 2 on (pve-api#f9); None for what has no stanza yet."""
        value = self.get("priority")
        return value if isinstance(value, int) else None

    @property
    def families(self) -> tuple[str | None, ...]:
        """The family of each of its stanzas; None for a stanza without one."""
        value = self.get("families")
        return value if isinstance(value, tuple) else ()

    @property
    def ports(self) -> tuple[str, ...]:
        """What it is made of: ports of a bridge, slaves of a bond, in either kind of switch."""
        return tuple(port for key in PORT_LISTS for port in split_list(self.text(key)))

    @property
    def raw_device(self) -> str | None:
        """What a VLAN or an alias sits on."""
        if self.type == "alias":
            return self.name.rpartition(":")[0]
        return self.text("vlan-raw-device") or None if self.type == "vlan" else None

    def but(self, changes: Mapping[str, Property], drop: Iterable[str] = ()) -> Interface:
        """The same interface with properties changed, after some are dropped."""
        dropped = set(drop)
        kept = {key: value for key, value in self.properties.items() if key not in dropped}
        return Interface(self.name, MappingProxyType(kept | dict(changes)))


@dataclass(frozen=True)
class Loose:
    """A line that belongs to no stanza, and its place among them."""

    place: int
    line: str


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A parsed file, with `active` and `exists` as they were when it was parsed (pve-api#frozen-flags)."""

    interfaces: Mapping[str, Interface]
    loose: tuple[Loose, ...]
    text: str
    host: Host
