"""Who depends on a node's network: found out before the question, and looked for again after the reload.

A guest is lost only where it runs and hangs on no bridge any more; one that has stopped or left meanwhile is not. The
cluster is looked at only where an interface that carries one of its links was touched.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from pvenet import errors, impact
from pvenet.cluster import Cluster, standing
from pvenet.guests import read_guests, running_cards
from pvenet.impact import AllowedGuests, Card, Effect, Impact, Known
from pvenet.model import Bridge, OvsBridge
from pvenet.model.addresses import addresses
from pvenet.plan.changes import Update, net_changes
from pvenet.plan.relations import downward

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pvenet.apply.runtime import Deadline
    from pvenet.kernel.judgement import Look
    from pvenet.model import Network
    from pvenet.node import Node
    from pvenet.plan.risk import ManagementPath

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
    hanging: Mapping[Card, str] = field(default_factory=dict)
    """Where the cards of the guests that run hang, on bridges that the change may disturb."""
    cluster: Cluster | None = None
    """As it was, where the change touches an interface that carries one of its links."""

    def cut(self, agreed: AllowedGuests) -> tuple[int, ...]:
        """The guests that run and lose a network, and of whom nobody has said that they may."""
        return tuple(vmid for vmid in self.impact.guests_cut if not agreed.covers(vmid))

    def named(self, vmid: int) -> str:
        """A guest for a person: `101 web`."""
        return f"{vmid} {next((guest.name for guest in self.known.guests if guest.vmid == vmid), '')}".rstrip()

    def seen_again(self, look: Look) -> Bystanders:
        """The same with what the kernel has now: guests come and go while a person reads."""
        if not self.hanging and not look.bridges:
            return self
        known = self.known if look.bridges is None else replace(self.known, ports=tuple(look.bridges.values()))
        return _judged(replace(self, known=known))


def bystanders(  # noqa: PLR0913 - two networks, and those who may know
    node: Node,
    before: Network,
    wanted: Network,
    *,
    cluster: Cluster,
    look: Callable[[Collection[str]], Look],
    path: ManagementPath | None,
) -> Bystanders:
    """Who depends on what a change disturbs. Nothing is asked for a change that can hit nobody.

    `look`: what the kernel has of some bridges, before anything of them is staged.
    """
    disturbed = impact.concerned(before, wanted)
    addressed = any(_stands_on(name, before, wanted) for name, it in before.interfaces.items() if addresses(it))
    known = Known(cluster=cluster.links_of(node.name), unknown=cluster.unknown if addressed else ())
    if disturbed:
        bridges = [name for name in disturbed if isinstance(before.interfaces[name], Bridge | OvsBridge)]
        seen = look(bridges)
        known = replace(
            known,
            ports=tuple((seen.bridges or {}).values()),
            links=seen.report.links if seen.report is not None else {},
        )
        found = read_guests(node, elsewhere=impact.elsewhere(known, before, disturbed))
        known = replace(known, guests=found.guests, unknown=(*known.unknown, *found.unknown))
    return _judged(Bystanders(before=before, wanted=wanted, path=path, known=known, cluster=cluster))


def _judged(them: Bystanders) -> Bystanders:
    before, wanted, known = them.before, them.wanted, them.known
    disturbed = impact.concerned(before, wanted)
    hit = impact.impact(before, wanted, known, path=them.path)
    at_rest = impact.elsewhere(known, before, disturbed)
    hanging = impact.hanging(known, before.interfaces) if disturbed else {}
    touched = any(link.effect > Effect.UNTOUCHED or _stands_on(link.carrier, before, wanted) for link in hit.links)
    return replace(
        them,
        impact=hit,
        hanging={card: bridge for card, bridge in hanging.items() if card not in at_rest},
        cluster=them.cluster if touched else None,
    )


def _changed(before: Network, wanted: Network) -> set[str]:
    """The interfaces of which more changes than a comment."""
    found = set()
    for change in net_changes(before.interfaces, wanted.interfaces):
        if not isinstance(change, Update) or any(each.field != "comments" for each in change.fields()):
            found.add(change.name)
    return found


def _stands_on(carrier: str | None, before: Network, wanted: Network) -> bool:
    """Whether an interface changes, or something that it stands on."""
    if carrier is None:
        return False
    chain = {*downward([carrier], before.interfaces), *downward([carrier], wanted.interfaces)}
    return not chain.isdisjoint(_changed(before, wanted))


# --- afterwards ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Who is not there any more."""

    failure: str = ""
    """Who was lost, in words; empty where nobody was."""
    notes: tuple[str, ...] = ()
    """What a person should know, and fails nothing."""


Lost: TypeAlias = "Callable[[Look, Deadline], Losses]"
"""Finds out who was lost, given what the kernel has now, and the time by which it is due."""


def lost(node: Node, there: Bystanders, agreed: AllowedGuests, look: Look, deadline: Deadline) -> Losses:
    """Who was lost with a reload: guests first, which takes no time; then members of the cluster, and its quorum."""
    found = _lost_guests(node, there, look, agreed)
    if found.failure or there.cluster is None:
        return found
    failure = _lost_cluster(node, there.cluster, deadline)
    return Losses(failure=failure, notes=found.notes)


def _lost_guests(node: Node, there: Bystanders, look: Look, agreed: AllowedGuests) -> Losses:
    if not there.hanging:
        return Losses()
    if look.bridges is None and look.report is None:
        return Losses(notes=(f"whether the guests of {node.name} hang on their bridges again is not known",))
    known = Known(
        ports=tuple((look.bridges or {}).values()), links=look.report.links if look.report is not None else {}
    )
    now = impact.hanging(known, {})
    missing = {card: bridge for card, bridge in there.hanging.items() if card not in now}
    if not missing:
        return Losses()
    try:
        running = running_cards(node)
    except errors.PvenetError as error:
        who = ", ".join(_card(there, card) for card in missing)
        return Losses(notes=(f"{who} hang on no bridge any more, or have stopped: {error.message}",))
    gone = {card: bridge for card, bridge in missing.items() if card in running}
    sorry = {card: bridge for card, bridge in gone.items() if not agreed.covers(card[0])}
    notes = [f"guest {_card(there, card)} has stopped or left meanwhile" for card in missing if card not in running]
    notes += [f"guest {_card(there, card)} has lost {gone[card]}, as agreed" for card in gone if card not in sorry]
    return Losses(failure="; ".join(_told(there, sorry)), notes=tuple(notes))


def _told(there: Bystanders, cards: Mapping[Card, str]) -> Iterator[str]:
    for card, bridge in cards.items():
        yield f"guest {_card(there, card)} was on {bridge} and is on no bridge any more"


def _card(there: Bystanders, card: Card) -> str:
    return f"{there.named(card[0])} ({card[1]})"


def _lost_cluster(node: Node, was: Cluster, deadline: Deadline) -> str:
    """What the cluster has lost and does not get back within the deadline; it takes seconds to notice itself."""
    online = {member.name for member in was.members if member.online}
    calm = min(TOKEN_LOST, deadline.left)
    parts: list[str] = []
    while True:
        deadline.pause("looking at the cluster", PAUSE)
        calm -= PAUSE
        with suppress(errors.PvenetError):  # a node that does not answer is told elsewhere
            now = standing(node.connection, timeout=deadline.answer)
            left = online - {member.name for member in now.members if member.online}
            parts = ["the cluster has lost its quorum"] if was.quorate and now.quorate is False else []
            parts += [f"the cluster does not reach {', '.join(sorted(left))} any more"] if now.members and left else []
        if (not parts and calm <= 0) or deadline.over:
            return "; ".join(parts)
