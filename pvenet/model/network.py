"""A node's network: its interfaces, and what follows from them alone, each worked out once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pvenet.model.addresses import addresses
from pvenet.model.canonical import canonical
from pvenet.model.relations import carriers, inverted, supports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.model.interfaces import Interface, Link


@dataclass(frozen=True, kw_only=True)
class Network:
    """One node's interfaces, by name, and what the node observes of them."""

    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)

    @cached_property
    def kept(self) -> Mapping[str, Interface]:
        """The interfaces as PVE keeps them."""
        return {name: canonical(interface) for name, interface in self.interfaces.items()}

    @cached_property
    def ips(self) -> Mapping[str, tuple[str, ...]]:
        """The addresses, without their subnets, by the interfaces that have some."""
        return {
            name: tuple(str(address.ip) for address in found)
            for name, interface in self.interfaces.items()
            if (found := addresses(interface))
        }

    @cached_property
    def supports(self) -> Mapping[str, tuple[str, ...]]:
        """All that has to be there for each interface."""
        return {name: supports(interface, self.interfaces) for name, interface in self.interfaces.items()}

    @cached_property
    def carriers(self) -> Mapping[str, tuple[str, ...]]:
        """What the traffic of each interface goes through next."""
        known = self.interfaces
        return {name: carriers(interface, known, self.supports[name]) for name, interface in known.items()}

    @cached_property
    def carried(self) -> Mapping[str, Sequence[str]]:
        """Whose traffic goes through each name next."""
        return inverted(self.carriers)

    @cached_property
    def users(self) -> Mapping[str, Sequence[str]]:
        """Who stands on each name directly."""
        return inverted(self.supports)
