"""Show what is about to happen, say what it risks and what could not be undone, and get approval of it.

The way to the node is told apart by what a change does to it: one that only adds a path (a second NIC for the bridge)
keeps every present one; one that takes the last away cuts it. Both need approval by name, because a wrong switch port
makes a widening a loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.agreement import Missing, refuse
from pvenet.apply.bystanders import bystanders
from pvenet.apply.management import management_addresses
from pvenet.apply.removals import described_removals
from pvenet.changes import net_changes
from pvenet.cluster import highly_available
from pvenet.events import Affected, Shown
from pvenet.impact import NO_GUESTS, concerned, shown_path
from pvenet.plan.path_effect import PathEffect, effect_on
from pvenet.plan.restore import lost_for_good
from pvenet.plan.risk import ManagementPath, Risk, focused, management_path, removals_on, risks
from pvenet.wire import line_ends

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pvenet.apply.bystanders import Bystanders, GuestLook
    from pvenet.apply.runtime import Runtime
    from pvenet.changes import Change, Loss
    from pvenet.cluster import Cluster
    from pvenet.impact import AllowedGuests
    from pvenet.model import Network
    from pvenet.node import Node

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
