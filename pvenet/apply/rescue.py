"""The smallest file that brings back the way to a node, for whoever stands at its console."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.nics import sight_of
from pvenet.cluster import standing
from pvenet.journal import MEANINGS, OPEN, State, replay
from pvenet.model.walks import downward
from pvenet.nics.gone import lacking
from pvenet.nics.names import named_in
from pvenet.plan.risk import management_path
from pvenet.wire.stanzas import file_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pvenet.journal import Journal, Journals
    from pvenet.model import Network
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
    lacked: tuple[str, ...] = ()
    """The NICs that were not there before the last change from here, so that the file is as that change has made it."""
    macs: tuple[str, ...] = ()
    """The NICs in it with their MACs, as `eno1 bc:24:11:2b:e8:dc`: of those that pvenet has met."""


def rescue(node: Node, journals: Journals) -> Rescue:
    """The file as it was before the last change from here, where its end is open, or bad; else of what the node lists.

    Where it can't be asked, what was there before the last change from here is as good; but where that stood on a NIC
    that was not there, what the change has made of it is better. Raises RefusedByPvenet where no interface has an
    address, and what a reading raises where there is no journal either.
    """
    bound = journals.at(node)
    known = {*node.connection.endpoint.addresses()}
    journal = _bad(bound)
    if journal is None:
        try:
            entries = node.read().entries
            return _with_macs(_of(node, entries, known | _members(node), ""), node, bound, wire.network(entries))
        except errors.PvenetError:
            journal = _last(bound)
            if journal is None:
                raise
    return _with_macs(_before(node, journal, known, str(bound.path(journal))), node, bound, journal.network)


def _before(node: Node, journal: Journal, known: Collection[str], path: str) -> Rescue:
    """What was there before a change; what it has made where that stood on NICs that were not there."""
    found = _of(node, journal.baseline, known, path)
    lacked = {name for name in lacking(journal.network) if named_in(found.file, [name])}
    if not lacked:
        return found
    with suppress(errors.PvenetError):
        entries = tuple(replay(journal.forward).entries[-1].values())
        after = _of(node, entries, known, path)
        if not named_in(after.file, lacking(wire.network(entries))):
            return replace(after, lacked=tuple(sorted(lacked)))
    return found


def _with_macs(found: Rescue, node: Node, journals: Journals, network: Network) -> Rescue:
    """With what is remembered of its NICs: a kernel or a card may have given them other names since."""
    macs = {known.name: mac for mac, known in sight_of(node, journals, network).memory.items()}
    return replace(found, macs=tuple(f"{name} {macs[name]}" for name in found.names if name in macs))


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
    order = [*downward(path.holders, network), *sorted(path.names)]
    return tuple(reversed(dict.fromkeys(name for name in order if name in path.names))), path.reason
