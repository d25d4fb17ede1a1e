"""What a network file says, once read: of each node, and of each interface. Frozen values, each with its position."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pvenet.model import Bond, Bridge, Ethernet, OvsBond, OvsBridge, OvsIntPort, OvsPort, Vlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.plan import Problem
    from pvenet.spec.diagnostics import Diagnostic, Position

Kind = type[Any]
"""A class of the model; which ones, `KINDS` says."""

KINDS: Mapping[str, Kind] = {
    kind.type: kind for kind in (Ethernet, Bond, Bridge, Vlan, OvsBridge, OvsBond, OvsIntPort, OvsPort)
}
"""The kinds that a file can describe, by PVE's word. The fields that the API can set are the file's keys."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InterfaceSpec:
    """An interface as a file describes it: only what it says, the rest is kept as it is on the node."""

    name: str
    type: str
    """PVE's word for the kind."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Values of the model by its field's name; None clears."""
    positions: Mapping[str, Position] = field(default_factory=dict)
    """Where a field stands, and where each word of a list does (`slaves`, `slaves ens38`)."""
    position: Position
    """Where its name stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent:
    """An interface that the file wants absent."""

    name: str
    position: Position


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeSpec:
    """What a file says of one node, its defaults and the node's own merged."""

    node: str
    position: Position
    interfaces: Mapping[str, InterfaceSpec | Absent]
    ignored: frozenset[str] = frozenset()
    """Named only to be left alone."""
    only: bool = False
    """The file is complete for the node: what it does not mention goes."""
    lint_ignore: frozenset[str] = frozenset()
    """The rules of `pvenet lint` that are not told of the node, by name; those of the whole file among them."""

    def diagnostic(self, problem: Problem) -> Diagnostic:
        """A problem of the plan, at the position of the file that causes it."""
        found = self.located(problem.interface, problem.field, problem.message, problem.value)
        message = found.message
        if problem.other is not None and problem.other in self.interfaces:
            message += self._position(problem.other, problem.field).aside
        return replace(found, message=message, nearest=problem.nearest, warning=problem.warning)

    def located(self, interface: str, field: str, message: str, value: str = "") -> Diagnostic:
        """What is wrong with a field of an interface, or with one word of it."""
        from pvenet.spec.diagnostics import Diagnostic

        return Diagnostic(self._position(interface, field, value), f"{self.node}: {message}")

    def position_of(self, interface: str) -> Position:
        """Where an interface's name stands; the node's for one that the file does not name."""
        return self._position(interface, "")

    def _position(self, interface: str, field: str, value: str = "") -> Position:
        spec = self.interfaces.get(interface)
        position = spec.position if spec else self.position
        if isinstance(spec, InterfaceSpec):
            position = spec.positions.get(field, position)
            position = spec.positions.get(f"{field} {value}", position)
        return position


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkSpec:
    """A whole network file."""

    file: str
    """As it was called on the command line."""
    nodes: Mapping[str, NodeSpec]
