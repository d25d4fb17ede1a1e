"""What a network file would do to its nodes, planned in parallel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from pvenet import errors
from pvenet.apply.affected import affected
from pvenet.apply.bystanders import crowded
from pvenet.apply.hosts import address_move, with_names
from pvenet.apply.management import management_addresses
from pvenet.apply.nics import meant_by
from pvenet.apply.removals import foreseen, planned_removals
from pvenet.cluster import with_links
from pvenet.fleet.nodes import each_place, its_place, read, refuse
from pvenet.guests import list_guests, present
from pvenet.impact import concerned
from pvenet.journal import Ours, ownership
from pvenet.nics.renaming import candidates
from pvenet.nics.sight import Sight
from pvenet.plan import Risk, management_path, removals_on
from pvenet.spec import nics
from pvenet.spec.addresses import shared_addresses, taken_addresses
from pvenet.spec.diagnostics import Diagnostic
from pvenet.spec.load import refuse as refuse_wrong
from pvenet.spec.node_plan import Pending, outline, pending_ours, plan_node

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pvenet.cluster import Cluster
    from pvenet.connection import Connection
    from pvenet.fleet.nodes import Fleet
    from pvenet.guests import GuestList
    from pvenet.journal import Foreign, Nothing
    from pvenet.model import Network
    from pvenet.node import Node, Reading
    from pvenet.plan import ManagementPath
    from pvenet.spec.network_spec import NetworkSpec, NodeSpec
    from pvenet.spec.node_plan import NodePlan
    from pvenet.spec.saved import Saved


@dataclass(frozen=True, kw_only=True)
class FleetPlan:
    """What would happen to each node that could be read."""

    spec: NetworkSpec
    nodes: tuple[NodePlan, ...]
    failed: Mapping[str, errors.PvenetError]
    """Why the others could not be read."""

    @property
    def changes(self) -> bool:
        """Whether there is something to do on any node."""
        return any(each.plan for each in self.nodes)

    @property
    def differs(self) -> bool:
        """Whether any node is live otherwise than the file says, or than it is staged."""
        return any(each.plan or each.pending for each in self.nodes)

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is worth a second look, each once."""
        shared = shared_addresses(self.spec) if self.changes else []
        return tuple(dict.fromkeys([*(one for each in self.nodes for one in each.diagnostics), *shared]))


def selected(fleet: Fleet, spec: NetworkSpec, only: Sequence[str]) -> tuple[str, ...]:
    """The file's nodes, or those of them that were named.

    Raises InvalidNetwork for one that is not there, and UsageError for one that is the name of two.
    """
    there = fleet.names()
    diagnostics = [
        Diagnostic(
            node.position, f"there is no node {name}; there are {', '.join(there[:9])}", errors.nearest(name, there)
        )
        for name, node in spec.nodes.items()
        if name not in there and fleet.lost(name) is None
    ]
    refuse_wrong(diagnostics, spec.file)
    for name in only:
        if name not in spec.nodes:
            raise errors.UsageError(
                f"{spec.file} does not mention the node {name}", hint=f"it has {', '.join(spec.nodes) or 'none'}"
            )
    meant = tuple(name for name in spec.nodes if not only or name in only)
    fleet.refuse_ambiguous(meant)
    return meant


def plan_nodes(
    fleet: Fleet, spec: NetworkSpec, wanted: Sequence[str], count: Callable[[int], None], *, update_hosts: bool = False
) -> FleetPlan:
    """What a file would do to each of the wanted nodes. Raises InvalidNetwork for what can't be on one.

    `update_hosts`: it is agreed that a node's /etc/hosts follows a new address of its own.
    """
    clusters, listed = its_place(fleet, with_links), each_place(fleet, _guests)

    def planned(node: Node, reading: Reading) -> NodePlan:
        way = cache(partial(_way, node, clusters, reading.network))
        said = spec.nodes[node.name]
        own, words = _by_name(node, reading.network, said)
        outlined = outline(own, reading.network, lambda: way().path)
        then = outlined.network
        whose = ownership(fleet.journals(node.name).at(node), reading)
        live = whose.journal.network if isinstance(whose, Ours) and not whose.armed else reading.network
        touched = concerned(live, then)
        there = present(node, listed=listed(node)) if crowded(live, touched) else None
        cluster, addresses, path = way()  # after the guests: PVE closes the connection after this answer
        found = plan_node(own, reading.network, outlined, path)
        at = said.position
        cut = [Diagnostic(at, f"{node.name}: {text}", warning=True) for text in reading.line_ends]
        why = f"PVE refuses every write on {node.name}, whatever it changes"
        refusals = [Diagnostic(at, f"{why}: {each}") for each in foreseen(reading, found.plan)]
        taken = planned_removals(reading, found.plan)
        hit = removals_on(found.management, taken, addresses)
        known = path if live is reading.network else None
        move = address_move(node, (live, then), cluster, agreed=update_hosts)
        return replace(
            found,
            risks=(Risk.MANAGEMENT, *found.risks[1:]) if hit else found.risks,  # the first write does it
            pending=_pending(whose, reading, addresses),
            impact=affected(node, live, then, lambda: cluster, there=there, touched=touched, path=known, thorough=True),
            hosts=move.edit.lines if move.edit else (),
            notes=(*nics.notes(said, words.names), *nics.unproven(said, words.macs), *move.notes),
            nics=words.macs,
            diagnostics=words.wrong or (*found.diagnostics, *cut, *refusals),
            not_rolled_back=(*found.not_rolled_back, *taken),
        )

    found, failed = read(fleet, wanted, planned, count)
    taken = taken_addresses(spec, list(found.values()))
    refuse_wrong([*taken, *(diagnostic for each in found.values() for diagnostic in each.diagnostics)], spec.file)
    return FleetPlan(spec=spec, nodes=tuple(found.values()), failed=failed)


class _Way(NamedTuple):
    """How a node is reached."""

    cluster: Cluster
    addresses: frozenset[str]
    path: ManagementPath


def _way(node: Node, clusters: Callable[[Node], Cluster], network: Network) -> _Way:
    cluster = with_names(node, clusters(node))
    addresses = management_addresses(node, cluster, network)
    return _Way(cluster, addresses, management_path(network, addresses))


@dataclass(frozen=True, kw_only=True)
class _Words:
    """How a file names NICs."""

    names: Mapping[str, str]
    """Their names of today by the file's words."""
    macs: Mapping[str, str]
    """Their MACs by these names, as far as they are known."""
    wrong: tuple[Diagnostic, ...]


def _by_name(node: Node, network: Network, spec: NodeSpec) -> tuple[NodeSpec, _Words]:
    """What a file says of a node, with each NIC by its name."""
    found = meant_by(node, network, nics.words(spec), sharp=bool(spec.nics))
    names = nics.labelled(spec, found)
    macs = {card.name: card.mac for card in found.cards if card.mac}
    sight = Sight(network=network, cards=found.cards)
    wrong = [
        Diagnostic(nics.position(spec, word), f"{spec.node}: {why}; {candidates(sight)}")
        for word, why in found.wrong.items()
    ]
    return nics.resolved(spec, names), _Words(names=names, macs=macs, wrong=tuple(wrong))


def _guests(connection: Connection) -> GuestList | None:
    """The guests of all nodes of a place; None where that fails: each node then asks, and tells why."""
    try:
        return list_guests(connection)
    except errors.PvenetError:
        return None


def _pending(whose: Nothing | Ours | Foreign, reading: Reading, addresses: Collection[str]) -> Pending | None:
    """What is staged on a node already, and whose it is."""
    if reading.changes is None:
        return None
    if not isinstance(whose, Ours):
        return Pending(changes=reading.changes)
    if whose.armed:
        return Pending(changes=reading.changes, ours=True, armed=True)
    live = whose.journal.network
    return pending_ours(reading.changes, whose.steps, addresses, live=live, staged=reading.network)


def refuse_stale(plan: FleetPlan, saved: Saved | None) -> None:
    """Raises where a node could not be read, is not what a saved plan was made against, or was shown otherwise."""
    refuse(plan.failed)
    others = [each.node for each in plan.nodes if saved and saved.against[each.node] != each.against]
    if others:
        raise stale(*others)
    for each in plan.nodes if saved else ():
        before = plan.spec.nodes[each.node].nics
        if other := sorted(name for name, mac in before.items() if each.nics.get(name, mac) != mac):
            raise errors.Stale(
                f"{', '.join(other)} on {each.node} is another NIC than when this was planned; nothing was sent to it",
                hint=f"plan again; `pvenet nics --node {each.node}` shows which is which",
            )
    if others := [each.node for each in plan.nodes if saved and not saved.shows(each)]:
        them = "it" if len(others) == 1 else "them"
        raise errors.Stale(
            f"{plan.spec.file} shows of {', '.join(others)} something else than what would be done there; nothing was "
            f"sent to {them}",
            hint="plan again: it was changed after it was saved, or saved by another version of pvenet",
        )


def stale(*nodes: str) -> errors.Stale:
    """The refusal of what was planned against something else."""
    said = "is no longer what it was" if len(nodes) == 1 else "are no longer what they were"
    them = "it" if len(nodes) == 1 else "them"
    return errors.Stale(
        f"{', '.join(nodes)} {said} when this was planned; nothing was sent to {them}", hint="plan again"
    )
