"""Who depends on a node's network: found out before the question, and looked for again after the reload.

A guest is lost only where it runs and hangs on no bridge any more; one that has stopped or left meanwhile is not. The
cluster is looked at only where an interface that carries one of its links was touched.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from pvenet import errors, impact
from pvenet.changes import Update, felt, net_changes
from pvenet.cluster import Cluster, standing
from pvenet.guests import present, running_cards, with_cards
from pvenet.impact import AllowedGuests, Card, Effect, Impact, Known, disturbs_addresses
from pvenet.model import Bridge, OvsBridge, kind_of
from pvenet.model.walks import downward

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pvenet.apply.runtime import Deadline
    from pvenet.guests import Present
    from pvenet.impact import Guest
    from pvenet.kernel.judgement import Look
    from pvenet.model import Network
    from pvenet.model.cluster import ClusterLink
    from pvenet.node import Node
    from pvenet.plan.risk import ManagementPath

GuestLook: TypeAlias = "Callable[[Collection[str], Collection[Card]], Look]"
"""What the kernel has of some bridges, and of cards that run and that the bridges call shows nowhere."""

_BRIDGES = (Bridge.type, OvsBridge.type)
"""Also of a bridge with a value that can't be read, which is an `Other`."""

TOKEN_LOST = 8.0
"""Seconds after a reload in which a cluster that has lost its links does not know it yet (pve-api#quorum-lost)."""
PAUSE = 1.0
"""Seconds between two looks at the cluster."""


@dataclass(frozen=True, kw_only=True)
class Bystanders:
    """Those who depend on a node's network, before a change."""

    before: Network
    wanted: Network
    path: ManagementPath | None = None
    """The management path, where the change touches it."""
    known: Known = field(default_factory=Known)
    impact: Impact = field(default_factory=Impact)
    asked: bool = False
    """The node was asked about its guests, which takes its time."""
    hanging: Mapping[Card, str] = field(default_factory=dict)
    """Where the cards of the guests that run hang, as far as the kernel was asked."""
    cluster: Cluster | None = None
    """As it was, where the change touches an interface that carries one of its links."""

    def cut(self, agreed: AllowedGuests) -> tuple[int, ...]:
        """The guests that run and lose a network, and of whom nobody has said that they may."""
        return tuple(vmid for vmid in self.impact.guests_cut if not agreed.covers(vmid))

    def seen_again(self, node: Node, look: Look) -> Bystanders:
        """The same with what the kernel has now: guests come and go while a person reads.

        Who runs is asked once more, because a look shows no guest on a bridge that is staged to go.
        """
        known = self.known
        if look.bridges is not None:
            known = replace(known, ports=tuple(look.bridges.values()))
        if look.report is not None:
            known = replace(known, links=look.report.links)
        if self.asked:
            known = replace(known, guests=tuple(_running_now(node, known.guests)))
        return _judged(replace(self, known=known)) if known is not self.known else self


def _running_now(node: Node, guests: Sequence[Guest]) -> Sequence[Guest]:
    """The guests, with the kernel's word on whether they run; as they are where it can't be had."""
    try:
        running = {vmid for vmid, _ in running_cards(node)}
    except errors.PvenetError:
        return guests
    return [replace(each, running=each.vmid in running) if _is_on_bridges(each) else each for each in guests]


def _is_on_bridges(guest: Guest) -> bool:
    """Whether the kernel shows a port of it while it runs, as far as its configuration was read."""
    return any(nic.bridge and not nic.pending for nic in guest.nics)


def bystanders(  # noqa: PLR0913 - two networks, and those who may know
    node: Node,
    before: Network,
    wanted: Network,
    *,
    cluster: Cluster,
    look: GuestLook,
    path: ManagementPath | None,
    touched: Collection[str],
    there: Present | None = None,
) -> Bystanders:
    """Who depends on what a change disturbs. Nothing is asked for a change that can hit nobody.

    `look`: before anything of the bridges is staged. `touched`: the interfaces that are `concerned`. `there`: who is on
    the node, where somebody has asked already.
    """
    known = Known(
        cluster=cluster.links_of(node.name),
        unknown=cluster.unknown if disturbs_addresses(before, wanted, touched) else (),
    )
    bridges = crowded(before, touched)
    if bridges:
        there = present(node) if there is None else there
        if not there.is_nobody or not _are_in_the_file(known.cluster, before):
            # after these: whoever starts meanwhile is seen, and PVE closes the connection after the answer
            known = _with(known, look(bridges, ()))
        found = with_cards(node, there, elsewhere=impact.elsewhere(known, before, touched))
        known = replace(known, guests=found.guests, unknown=(*known.unknown, *found.unknown))
        if unplaced := impact.unplaced(known, found.running or (), before.interfaces, touched):
            known = _with(known, look(bridges, unplaced))
    return _judged(
        Bystanders(before=before, wanted=wanted, path=path, known=known, asked=bool(bridges), cluster=cluster)
    )


def _are_in_the_file(links: Iterable[ClusterLink], network: Network) -> bool:
    """Whether the file tells what carries each end of the cluster's links; else the kernel may."""
    return {link.ip for link in links if link.ip}.issubset(chain.from_iterable(network.ips.values()))


def _with(known: Known, seen: Look) -> Known:
    links = seen.report.links if seen.report is not None else {}
    return replace(known, ports=tuple((seen.bridges or {}).values()), links=links)


def may_hit(before: Network, wanted: Network, touched: Collection[str]) -> bool:
    """Whether somebody may be hit at all, as far as the networks alone tell: else nobody has to be asked.

    `touched`: the interfaces that are `concerned`.
    """
    return bool(crowded(before, touched)) or disturbs_addresses(before, wanted, touched)


def crowded(before: Network, touched: Collection[str]) -> tuple[str, ...]:
    """The bridges on which somebody may notice a change; none where no guest can be hit. `touched`: as `may_hit`."""
    return tuple(name for name in sorted(touched) if kind_of(before.interfaces[name]) in _BRIDGES)


def _judged(them: Bystanders) -> Bystanders:
    before, wanted, known = them.before, them.wanted, them.known
    hit = impact.impact(before, wanted, known, path=them.path)
    changed = _changed(before, wanted) if hit.links else ()
    touched = any(
        link.perhaps or link.effect > Effect.UNTOUCHED or _stands_on(link.carrier, before, wanted, changed)
        for link in hit.links
    )
    return replace(
        them,
        impact=hit,
        hanging=impact.hanging(known, before.interfaces),
        cluster=them.cluster if touched else None,
    )


def _changed(before: Network, wanted: Network) -> set[str]:
    """The interfaces of which more changes than a comment."""
    found = set()
    for change in net_changes(before.interfaces, wanted.interfaces):
        fields = felt(change, before.interfaces, wanted.interfaces) if isinstance(change, Update) else {"name"}
        if fields - {"comments"}:
            found.add(change.name)
    return found


def _stands_on(carrier: str | None, before: Network, wanted: Network, changed: Collection[str]) -> bool:
    """Whether an interface is one of those that change, or stands on one."""
    if carrier is None:
        return False
    below = {*downward([carrier], before), *downward([carrier], wanted)}
    return not below.isdisjoint(changed)


# --- afterwards ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Who is not there any more."""

    guests: tuple[str, ...] = ()
    """The guests that run and hang on no bridge, a clause each."""
    cluster: tuple[str, ...] = ()
    """What the cluster has lost, clauses."""
    notes: tuple[str, ...] = ()
    """What a person should know, and fails nothing."""

    @property
    def failure(self) -> str:
        """Who was lost, in words; empty where nobody was."""
        return "; ".join((*self.guests, *self.cluster))

    def after_rollback(self) -> Iterator[str]:
        """Who is lost although the network is as it was, and what helps: no further reload does."""
        if self.guests:
            yield f"{'; '.join(self.guests)}, also with the network as it was; a guest's next start puts it back"
        if self.cluster:
            yield f"{'; '.join(self.cluster)}, also with the network as it was; `pvecm status` on a node says more"


Lost: TypeAlias = "Callable[[Look, Deadline], Losses]"
"""Finds out who was lost, given what the kernel has now, and the time by which it is due."""


def lost(node: Node, there: Bystanders, agreed: AllowedGuests, look: Look, deadline: Deadline) -> Losses:
    """Who was lost with a reload: guests first, which takes no time; then members of the cluster, and its quorum."""
    found = _lost_guests(node, there, look, agreed, deadline)
    if found.guests or there.cluster is None:
        return found
    return replace(found, cluster=_lost_cluster(node, there.cluster, deadline))


def _lost_guests(node: Node, there: Bystanders, look: Look, agreed: AllowedGuests, deadline: Deadline) -> Losses:
    missing, unseen = _missing(there, look)
    if unseen:
        missing, unseen = _missing(there, _with_report(node, look, deadline))
    notes = [f"whether {_cards(there, unseen)} are on their bridges again is not known"] if unseen else []
    if not missing:
        return Losses(notes=tuple(notes))
    try:
        running = running_cards(node)
    except errors.PvenetError as error:
        told = f"{_cards(there, missing)} are on no bridge any more, or have stopped: {error.message}"
        return Losses(notes=(*notes, told))
    gone = [card for card in missing if card in running]
    foreseen = there.impact.cards_cut
    sorry = [card for card in gone if card not in foreseen or not agreed.covers(card[0])]
    notes += [
        f"guest {_card(there, card)} has stopped or moved away in the meantime"
        for card in missing
        if card not in running
    ]
    notes += [f"guest {_card(there, card)} has lost {missing[card]}, as agreed" for card in gone if card not in sorry]
    told_of = (f"guest {_card(there, card)} was on {missing[card]} and is no longer on any bridge" for card in sorry)
    return Losses(guests=tuple(told_of), notes=tuple(notes))


def _with_report(node: Node, look: Look, deadline: Deadline) -> Look:
    """A look with the report that shows again whom only a report has shown; without it where it can't be had."""
    from pvenet.observe import REPORT_TIMEOUT, report  # the kernel's parts: a bond of free NICs needs none of them

    deadline.pause(f"asking the kernel of {node.name}", 0)
    with suppress(errors.PvenetError):
        return replace(look, report=report(node, timeout=max(1.0, min(REPORT_TIMEOUT, deadline.left))))
    return look


def _missing(there: Bystanders, look: Look) -> tuple[dict[Card, str], dict[Card, str]]:
    """The cards that hang on no bridge any more, and those of which a look does not tell.

    The bridges call shows fewer bridges than the report does: who was seen by the latter alone is looked for there, but
    where the bridge is gone.
    """
    links = look.report.links if look.report is not None else {}
    now = impact.hanging(Known(ports=tuple((look.bridges or {}).values()), links=links), {})
    absent = {card: bridge for card, bridge in there.hanging.items() if card not in now}
    if look.report is not None:
        return absent, {}
    gone = there.before.interfaces.keys() - there.wanted.interfaces.keys()
    by_call = impact.hanging(Known(ports=there.known.ports), {}) if look.bridges is not None else {}
    missing = {card: bridge for card, bridge in absent.items() if card in by_call or bridge in gone}
    return missing, {card: bridge for card, bridge in absent.items() if card not in missing}


def _cards(there: Bystanders, cards: Collection[Card]) -> str:
    return ", ".join(_card(there, card) for card in cards)


def _card(there: Bystanders, card: Card) -> str:
    return f"{there.impact.named(card[0])} ({card[1]})"


def _lost_cluster(node: Node, was: Cluster, deadline: Deadline) -> tuple[str, ...]:
    """What the cluster has lost and does not get back within the deadline; it takes seconds to notice itself."""
    calm = min(TOKEN_LOST, deadline.left)
    found: tuple[str, ...] = ()
    while True:
        deadline.pause("looking at the cluster", PAUSE, until=None if calm <= 0 else deadline.runtime.clock() + calm)
        calm -= PAUSE
        with suppress(errors.PvenetError):  # a node that does not answer is told elsewhere
            found = tuple(_fewer(was, standing(node.connection, timeout=deadline.answer)))
        if (not found and calm <= 0) or deadline.over:
            return found


def _fewer(was: Cluster, now: Cluster) -> Iterator[str]:
    """What a cluster had and has no more. One that can't be read, or was so before, has lost nothing."""
    online = {member.name for member in was.members if member.online}
    gone = online - {member.name for member in now.members if member.online}
    if was.quorate and now.quorate is False:
        yield "the cluster has lost its quorum"
    if now.members and gone:
        yield f"the cluster does not reach {', '.join(sorted(gone))} any more"
