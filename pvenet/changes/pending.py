"""A staged view in which what is pending is marked, and what is to go stands as well. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pvenet.changes.change import Create, Delete, Update
from pvenet.model import Ethernet, Network, canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pvenet.changes.change import Change
    from pvenet.model import Interface, Link


class PendingKind(StrEnum):
    """What becomes of an interface when what is pending is applied."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class PendingView:
    """The interfaces of a node, staged and live."""

    network: Network
    """As staged; what is to go stands as it is live."""
    kinds: Mapping[str, PendingKind] = field(default_factory=dict)
    """Of those that are pending."""
    live: Mapping[str, Interface] = field(default_factory=dict)
    """What those that are changed are live, where that is known."""
    foreign: bool = False
    """Somebody else has staged it, or some of it: what is live is known by PVE's diff alone."""
    whole: bool = True
    """Whether of everything that is pending it is known whose line it is."""


def pending_view(network: Network, steps: Iterable[Change], links: Mapping[str, Link]) -> PendingView:
    """What was staged from here, with what it means; `links`: as they were before it."""
    kinds: dict[str, PendingKind] = {}
    live: dict[str, Interface] = {}
    gone: dict[str, Interface] = {}
    for step in steps:
        again = step.name in kinds  # of another kind: what was there goes, and a new one comes
        match step:
            case Create():
                kinds[step.name] = PendingKind.CHANGED if again else PendingKind.CREATED
            case Update():
                kinds[step.name], live[step.name] = PendingKind.CHANGED, step.before
            case Delete() if again or step.name in network.interfaces:
                kinds[step.name], live[step.name] = PendingKind.CHANGED, step.before
            case Delete():
                kinds[step.name], gone[step.name] = PendingKind.DELETED, step.before
    return PendingView(network=_with(network, gone, links), kinds=kinds, live=live)


def foreign_view(
    network: Network, *, begun: Mapping[str, int], ended: Mapping[str, Interface], changed: Collection[str], whole: bool
) -> PendingView:
    """What PVE's diff tells of what somebody else has staged: how many stanzas of a name come, what goes,
    and of which lines change.
    """
    kinds: dict[str, PendingKind] = {}
    for name in {*begun, *changed, *ended}:
        interface, link = network.interfaces.get(name), network.links.get(name)
        if interface is None:
            if name in ended:
                kinds[name] = PendingKind.DELETED
        elif link is not None and link.exists:  # PVE writes a stanza for each NIC, which changes nothing
            if name not in begun or canonical(interface) != canonical(Ethernet(name=name, autostart=False)):
                kinds[name] = PendingKind.CHANGED
        else:
            anew = begun.get(name, 0) >= len(interface.file_only.families)  # else one of its families was there
            kinds[name] = PendingKind.CREATED if anew else PendingKind.CHANGED
    gone = {name: each for name, each in ended.items() if name not in network.interfaces}
    return PendingView(network=_with(network, gone, {}), kinds=kinds, foreign=True, whole=whole)


def _with(network: Network, gone: Mapping[str, Interface], links: Mapping[str, Link]) -> Network:
    former = {name: link for name, link in links.items() if name in gone}
    return Network(interfaces={**network.interfaces, **gone}, links={**former, **network.links})
