"""What the rules look at, and what they find: frozen values. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from pvenet.kernel.links import KernelLink
    from pvenet.model import Network
    from pvenet.model.cluster import ClusterLink

_Key = TypeVar("_Key")
_Value = TypeVar("_Value", bound="Hashable")


class Source(NamedTuple):
    """A field of an interface on a node, on which a finding rests."""

    node: str
    interface: str
    field: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a rule has found."""

    rule: str = ""
    """The rule's name; `find` fills it in."""
    node: str
    interface: str
    field: str
    """The field of the interface that it is about, by the model's name; `name` for the whole of it."""
    message: str
    """A clause for people, without a full stop."""
    value: str = ""
    """The word of a list that it is about."""
    rests_on: tuple[Source, ...] = ()
    """Everything that was read for it; a file may not say all of that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nodes:
    """What is known of some nodes."""

    networks: Mapping[str, Network]
    """By node, in the order in which they are told; each interface in its canonical form."""
    kernels: Mapping[str, Mapping[str, KernelLink]] = field(default_factory=dict)
    """The links of a node's kernel, by node and name, where they could be had."""
    cluster_links: tuple[ClusterLink, ...] = ()
    """The ends of corosync's links, where they could be had."""
    complete: frozenset[str] = frozenset()
    """The nodes whose network is known as a whole: what it does not have is not there."""


def expected(values: Mapping[_Key, _Value], order: Sequence[_Value] = ()) -> _Value:
    """What most have; of what is as frequent, what comes first in `order`, then what comes first."""
    counts = Counter(values.values())
    most = max(counts.values())
    frequent = [value for value in dict.fromkeys((*order, *values.values())) if counts[value] == most]
    return frequent[0]


def having(values: Mapping[str, _Value], value: _Value) -> str:
    """The nodes that have a value, for a message."""
    return ", ".join(node for node, each in values.items() if each == value)


def sources(node: str, interface: str, fields: Iterable[str]) -> tuple[Source, ...]:
    """Several fields of one interface."""
    return tuple(Source(node, interface, each) for each in fields)
