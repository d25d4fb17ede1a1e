"""Show what is about to happen, say what it risks and what could not be undone, and get approval of it.

The way to the node is told apart by what a change does to it: one that only adds a path (a second NIC for the bridge)
keeps every present one; one that takes the last away cuts it. Both need approval by name, because a wrong switch port
makes a widening a loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.agreement import Missing, refuse
from pvenet.apply.bystanders import bystanders
from pvenet.changes import Create, Update, net_changes
from pvenet.cluster import highly_available
from pvenet.events import Affected, PathEffect, Shown
from pvenet.impact import NO_GUESTS, concerned, shown_path
from pvenet.model import beneath
from pvenet.plan.restore import lost_for_good
from pvenet.plan.risk import ManagementPath, Risk, focused, management_path, removals_on, risks
from pvenet.wire import line_ends

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pvenet.apply.bystanders import Bystanders, GuestLook
    from pvenet.apply.runtime import Runtime
    from pvenet.changes import Change, Loss, Plan
    from pvenet.cluster import Cluster
    from pvenet.impact import AllowedGuests
    from pvenet.journal import Journal
    from pvenet.model import Network
    from pvenet.node import Node, Reading

NOT_LIVE = "nothing was reloaded"
"""How a refusal ends. In a rollout what it is about was staged just before, and is taken back then."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a person is asked about."""

    question: str
    before: Network | None
    """None where what is pending is not ours."""
    judged: tuple[Network, Network]
    """The networks between which the risk is judged: of adopted changes, what was staged from here on top of them."""
    steps: Sequence[Change]
    changes: str
    """PVE's pending diff; empty where nothing is staged yet."""
    lost: Sequence[Loss] = ()
    """What rolling it back could not put back."""
    removals: Sequence[Loss] = ()
    """What PVE's write takes away by itself."""
    remade: Collection[str] = ()
    """The interfaces that rolling back makes anew, so that they have again what the write has taken."""
    notes: Sequence[str] = ()
    """What else has to be done beside it."""


def proposal(question: str, *, before: Network | None, judged: tuple[Network, Network], changes: str) -> Proposal:
    """What to ask about changes that are pending."""
    steps = net_changes(before.interfaces, judged[1].interfaces) if before else ()
    lost = lost_for_good(before, judged[1], [step.name for step in steps]) if before else ()
    return Proposal(question=question, before=before, judged=judged, steps=steps, changes=changes, lost=lost)


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What the caller has agreed to beforehand."""

    management: bool = False
    """What touches the management path."""
    guests: AllowedGuests = NO_GUESTS
    """What cuts these guests."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """That it was agreed to, and what was found out for that."""

    asked: bool
    """Somebody was asked, or something took its time: others may have staged meanwhile."""
    bystanders: Bystanders


def approve(  # noqa: PLR0913 - who is asked about what, and with what
    node: Node,
    proposed: Proposal,
    runtime: Runtime,
    cluster: Cluster,
    *,
    allowed: Allowed,
    look: GuestLook,
) -> Approval:
    """Show what changes, what it means and whom it hits, and get approval.

    Raises ManagementRisk, also where guests would have to be agreed to as well, GuestRisk and NeedsConsent.
    """
    before, then = proposed.judged
    known = management_addresses(node, cluster, before)
    path = management_path(before, known)
    changes = net_changes(before.interfaces, then.interfaces)
    danger = max(risks(changes, path, before, then), default=Risk.NONE)
    hit = removals_on(path, proposed.removals, known)
    danger = Risk.MANAGEMENT if hit else danger
    effect = effect_on(path, before, then) if danger is Risk.MANAGEMENT else PathEffect.NONE
    runtime.emit(
        Shown(
            node=node.name,
            steps=tuple(proposed.steps),
            changes=proposed.changes,
            risk=danger,
            ours=proposed.before is not None,
            effect=effect,
        )
    )
    _warn_of_limits(proposed, runtime)
    for text in (*proposed.notes, *line_ends(then)):
        runtime.warn(text)
    path = focused(path, changes, before, then, [loss.name for loss in hit])
    touched = path if danger is Risk.MANAGEMENT else None
    found = bystanders(node, before, then, cluster=cluster, look=look, path=touched, touched=concerned(before, then))
    if found.impact.notable:
        runtime.emit(Affected(node=node.name, impact=found.impact))
    missing: list[Missing] = []
    if touched:
        what = f"this {effect} the management path of {node.name}"
        missing += _unagreed_path(what, touched, found, runtime, allowed)
    refuse([*missing, *_unagreed_guests(node, found, runtime, allowed)], so=NOT_LIVE)
    clustered = bool(touched) and len(cluster.members) > 1
    if clustered:
        _warn_of_fencing(node, runtime)
    if found.cluster:
        perhaps = not found.impact.links_hit and any(link.perhaps for link in found.impact.links)
        _warn_of_cluster(found.cluster, runtime, "may carry" if perhaps else "carries")
    asked = runtime.confirm(proposed.question)
    return Approval(asked=asked or clustered or found.asked, bystanders=found)


def _unagreed_path(
    what: str, path: ManagementPath, found: Bystanders, runtime: Runtime, allowed: Allowed
) -> Iterator[Missing]:
    """The path to the node, unless that was agreed to; the warning leaves it out where the lines above show it."""
    whole = f"{what}: {shown_path(path, found.before)} ({path.reason})"
    if not allowed.management:
        yield Missing(refusal=errors.ManagementRisk(whole), option="--allow-management")
    else:
        runtime.warn(f"{what} ({path.reason})" if found.impact.notable else whole)


def agree_to_guests(node: Node, found: Bystanders, runtime: Runtime, allowed: Allowed) -> None:
    """Raises GuestRisk for guests that run and would be cut, unless that was agreed to for each of them."""
    refuse(tuple(_unagreed_guests(node, found, runtime, allowed)), so=NOT_LIVE)


def _unagreed_guests(node: Node, found: Bystanders, runtime: Runtime, allowed: Allowed) -> Iterator[Missing]:
    perhaps = found.impact.guests_perhaps_cut
    if perhaps:
        runtime.warn(f"this cuts {_guests(found, perhaps)} on {node.name} if they are running, which is not known")
    cut = found.cut(allowed.guests)
    if cut:
        run = "which is running" if len(cut) == 1 else "which are running"
        everybody = ",".join(map(str, found.impact.guests_cut))
        refusal = errors.GuestRisk(f"this cuts {_guests(found, cut)} on {node.name}, {run}")
        yield Missing(refusal=refusal, option=f"--allow-guests {everybody}")


def _guests(found: Bystanders, vmids: Sequence[int]) -> str:
    return f"guest{'s' * (len(vmids) > 1)} {', '.join(map(found.impact.named, vmids))}"


def _warn_of_cluster(cluster: Cluster, runtime: Runtime, carries: str) -> None:
    """What a cluster lacks already, before one of its links is touched."""
    this = f"this touches an interface that {carries} one of its links"
    if cluster.quorate is False:
        runtime.warn(f"the cluster is not quorate, and {this}")
    if cluster.offline:
        runtime.warn(f"the cluster does not reach {', '.join(cluster.offline)}, and {this}")


def touched_path(node: Node, cluster: Cluster, before: Network, then: Network) -> ManagementPath | None:
    """The way to the node, where what differs between two networks touches it."""
    return where_touched(management_path(before, management_addresses(node, cluster, before)), before, then)


def where_touched(path: ManagementPath, before: Network, then: Network) -> ManagementPath | None:
    """The same of a way that is known."""
    changes = net_changes(before.interfaces, then.interfaces)
    touched = Risk.MANAGEMENT in risks(changes, path, before, then)
    return focused(path, changes, before, then) if touched else None


def _warn_of_fencing(node: Node, runtime: Runtime) -> None:
    """A node with active HA services that is away for 60 s is fenced (pve-api#ha-fencing)."""
    services = highly_available(node.connection, node.name)
    if services:
        runtime.warn(
            f"{node.name} has active HA services ({', '.join(services)}): if the cluster loses it for 60 s, "
            "it is fenced and reboots"
        )


def _warn_of_limits(proposed: Proposal, runtime: Runtime) -> None:
    """What rolling back could not do, before the question and not after."""
    if proposed.before is None:
        runtime.warn(
            "these changes were not staged by pvenet: it can't tell what they touch, perhaps the management "
            "path, and can't roll them back"
        )
    for loss in proposed.lost:
        runtime.warn(f"a rollback could not put this back: {loss}")
    for text in described_removals(loss for loss in proposed.removals if loss.name in proposed.remade):
        runtime.warn(text)
    for text in described_removals(loss for loss in proposed.removals if loss.name not in proposed.remade):
        runtime.warn(f"{text}; a rollback could not put that back")


def removals(journal: Journal | None, changes: str) -> tuple[Loss, ...]:
    """What PVE's write takes away by itself; of what somebody else has staged nobody can tell."""
    if journal is None or journal.adopted:
        return ()
    return wire.removed(journal.baseline, changes, journal.forward.steps)


def planned_removals(reading: Reading, todo: Plan) -> tuple[Loss, ...]:
    """What PVE's write would take away by itself, as far as the listing shows; what PVE has written it keeps."""
    if reading.pending is not None or not todo:
        return ()
    return wire.removed(reading.entries, steps=[wire.request(step) for step in todo.steps])


def remade(todo: Plan | None) -> frozenset[str]:
    """The interfaces that a plan which leads back creates."""
    return frozenset(step.name for step in todo.steps if isinstance(step, Create)) if todo else frozenset()


def described_removals(removals: Iterable[Loss]) -> Iterator[str]:
    """What PVE's write takes away by itself, a clause for each interface."""
    found: dict[str, list[str]] = {}
    for loss in removals:
        found.setdefault(loss.name, []).append(loss.what)
    for name, what in found.items():
        yield f"PVE rewrites the whole file, and {name or 'it'} loses: {'; '.join(what)}"


def management_addresses(node: Node, cluster: Cluster, network: Network) -> frozenset[str]:
    """By which addresses the node is reached: the endpoint's and the cluster's, with those of its links.

    Where the endpoint's is on no interface (a tunnel, NAT), the cluster's alone would say nothing about the way from
    here: then none is known, and every interface with an address counts.
    """
    used = node.connection.endpoint
    known = cluster.addresses(node.name)
    own = used.addresses()
    if used.adapter is not None or not own.isdisjoint(chain.from_iterable(network.ips.values())):
        return own | known
    peers = {member.address for member in cluster.members if member.name != node.name}
    return known if own & peers else own


# --- the way to the node ---------------------------------------------------------------------------------------------


def effect_on(path: ManagementPath, before: Network, then: Network) -> PathEffect:
    """The worst that the changes do to the way to the node."""
    found = {PathEffect.TOUCHES} if _moved(path, before, then) else set()
    for name in path.names & before.interfaces.keys():
        new = then.interfaces.get(name)
        old = before.interfaces[name]
        now, left = set(beneath(old)), set(beneath(new)) if new else set()
        if new is None and (now or name in path.holders):
            found.add(PathEffect.CUTS)
        elif now - left:
            found.add(PathEffect.NARROWS if now & left else PathEffect.CUTS)
        elif left - now:
            found.add(PathEffect.WIDENS)
    if not found or (found == {PathEffect.WIDENS} and _more(path, before, then)):
        found.add(PathEffect.TOUCHES)
    return max(found)


def _moved(path: ManagementPath, before: Network, then: Network) -> bool:
    """Whether an address or a gateway of a carrier changes."""
    keys = ("cidr", "cidr6", "gateway", "gateway6")
    return any(
        getattr(before.interfaces.get(name), key, None) != getattr(then.interfaces.get(name), key, None)
        for name in path.holders
        for key in keys
    )


def _more(path: ManagementPath, before: Network, then: Network) -> bool:
    """Whether an interface of the way changes in anything beside what stands beneath it."""
    for change in net_changes(before.interfaces, then.interfaces):
        fields = change.fields() if isinstance(change, Update) else ()
        if change.name in path.names and any(field.field not in ("ports", "slaves", "autostart") for field in fields):
            return True
    return False
