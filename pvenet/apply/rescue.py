"""The smallest file that brings back the way to a node, for whoever stands at its console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.cluster import standing
from pvenet.journal import MEANINGS, OPEN, State
from pvenet.plan.relations import downward
from pvenet.plan.risk import management_path
from pvenet.wire.stanzas import file_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pvenet.journal import Journal, Journals
    from pvenet.node import Node


@dataclass(frozen=True, kw_only=True)
class Rescue:
    """A file for /etc/network/interfaces, and where it comes from."""

    node: str
    file: str
    names: tuple[str, ...]
    """The interfaces in it, beside the loopback: the lowest first."""
    left_out: tuple[str, ...]
    """The others, which are down as long as this is the file; of NICs those with an address."""
    reason: str
    """Why these: a clause."""
    unsure: tuple[str, ...] = ()
    """Those of which PVE does not list all that makes them a link."""
    journal: str = ""
    """The journal of what was there before; empty where it comes from what the node lists."""


def rescue(node: Node, journals: Journals) -> Rescue:
    """The file as it was before the last change from here, where its end is open, or bad; else of what the node lists.

    Where it can't be asked, what was there before the last change from here is as good. Raises RefusedByPvenet where no
    interface has an address, and what a reading raises where there is no journal either.
    """
    bound = journals.at(node)
    known = {*node.connection.endpoint.addresses()}
    journal = _bad(bound)
    if journal is None:
        try:
            return _of(node, node.read().entries, known | _members(node), "")
        except errors.PvenetError:
            journal = _last(bound)
            if journal is None:
                raise
    return _of(node, journal.baseline, known, str(bound.path(journal)))


def _bad(journals: Journals) -> Journal | None:
    """The journal whose end is open, or the last that was reloaded where its end was bad.

    None also for adopted changes: nobody knows what was there before them.
    """
    sent = [each for each in journals.all() if each.state not in (State.STAGING, State.DROPPED)]
    begun = [each for each in sent if each.state in OPEN]  # a rollback may be of an older one
    found = next(reversed(begun or sent), None)
    return found if found and MEANINGS[found.state].reloaded and not found.adopted else None


def _last(journals: Journals) -> Journal | None:
    """The youngest journal that was not dropped, of changes that were not adopted."""
    found = [each for each in journals.all() if each.state is not State.DROPPED and not each.adopted]
    return found[-1] if found else None


def _members(node: Node) -> frozenset[str]:
    try:
        return standing(node.connection).addresses(node.name)
    except errors.PvenetError:
        return frozenset()


def _of(node: Node, entries: Sequence[wire.Entry], known: Collection[str], journal: str) -> Rescue:
    names, reason = needed(entries, known)
    if not names:
        raise errors.RefusedByPvenet(
            f"no interface of {node.name} has an address, as far as is known here: there is no management path to "
            "bring back",
            hint=f"`pvenet status --node {node.name}` shows what is known of it",
        )
    others = [str(entry["iface"]) for entry in entries if entry.get("cidr") or entry.get("type") != "eth"]
    return Rescue(
        node=node.name,
        file=file_of(entries, names),
        names=names,
        left_out=tuple(name for name in others if name not in (*names, "lo")),
        reason=reason,
        unsure=tuple(str(each["iface"]) for each in entries if each["iface"] in names and _is_unsure(each)),
        journal=journal,
    )


def _is_unsure(entry: wire.Entry) -> bool:
    return entry.get("type") in (None, "unknown")


def needed(entries: Sequence[wire.Entry], addresses: Collection[str]) -> tuple[tuple[str, ...], str]:
    """The interfaces on the management path of a listing, the lowest first; and why these."""
    network = wire.network(entries)
    path = management_path(network, addresses)
    order = [*downward(path.holders, network.interfaces), *sorted(path.names)]
    return tuple(reversed(dict.fromkeys(name for name in order if name in path.names))), path.reason
