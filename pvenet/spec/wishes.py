"""What a network file says, once read: a wish an interface and a node. Frozen values, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pvenet.model import Bond, Bridge, Ethernet, OvsBond, OvsBridge, OvsIntPort, OvsPort, Vlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.plan import Problem
    from pvenet.spec.places import Fault, Place

Kind = type[Any]
"""A class of the model; which ones, `KINDS` says."""

KINDS: Mapping[str, Kind] = {
    kind.type: kind for kind in (Ethernet, Bond, Bridge, Vlan, OvsBridge, OvsBond, OvsIntPort, OvsPort)
}
"""The kinds that a file can describe, by PVE's word. Their fields are the file's keys."""

NO_KEYS = frozenset({"name", "file_only"})
"""Fields of the model that are no keys: the one is the key above, the other nothing can write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """An interface as a file describes it: only what it says, the rest is kept as it is on the node."""

    name: str
    type: str
    """PVE's word for the kind."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Values of the model by its field's name; None clears."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where a field stands, and where each word of a list does (`slaves`, `slaves ens38`)."""
    place: Place
    """Where its name stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """An interface that shall be absent."""

    name: str
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeWishes:
    """What a file wants of one node, its defaults and the node's own merged."""

    node: str
    place: Place
    interfaces: Mapping[str, Wish | Gone]
    ignored: frozenset[str] = frozenset()
    """Named only to be left alone."""
    only: bool = False
    """The file is complete for the node: what it does not mention goes."""

    def fault(self, problem: Problem) -> Fault:
        """A problem of the plan where the file speaks of it."""
        from pvenet.spec.places import Fault

        wish = self.interfaces.get(problem.interface)
        place = wish.place if wish else self.place
        if isinstance(wish, Wish):
            place = wish.places.get(problem.field, place)
            place = wish.places.get(f"{problem.field} {problem.value}", place)
        message = f"{self.node}: {problem.message}"
        return Fault(place, message, nearest=problem.nearest, warning=problem.warning)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """A whole network file."""

    file: str
    """As it was called on the command line."""
    nodes: Mapping[str, NodeWishes]
