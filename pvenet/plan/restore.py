"""What leads back from what a node has now to what was there before our first write. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.plan.changes import Plan, outcome
from pvenet.plan.inverse import Loss, inverse
from pvenet.plan.order import plan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pvenet.model import Interface, Network


@dataclass(frozen=True, kw_only=True)
class RestorePlan:
    """What to stage, what the network is then, and what no call of the API can put back."""

    todo: Plan
    wanted: Mapping[str, Interface]
    """The whole network as it shall be."""
    gone: frozenset[str]
    """What shall not be there any more."""
    lost: tuple[Loss, ...]


def restore_plan(baseline: Network, now: Network, names: Collection[str]) -> RestorePlan:
    """What leads back for the names that were changed; nobody else's are touched.

    PVE does not say what ran before, so the baseline is the listing before our first write: its configuration, as far
    as the API can set it.
    """
    mine = sorted(names)
    forward = plan(baseline, {name: now.interfaces.get(name) for name in mine})
    back = inverse(forward, baseline)
    there = outcome(outcome(baseline.interfaces, forward.steps), back.plan.steps)
    target = {name: there.get(name) for name in mine}
    wanted = {name: interface for name, interface in now.interfaces.items() if name not in target}
    wanted |= {name: interface for name, interface in target.items() if interface is not None}
    nics = {name for name, link in now.links.items() if link.exists}  # listed whether the file has them or not
    return RestorePlan(
        todo=plan(now, target), wanted=wanted, gone=frozenset(target) - wanted.keys() - nics, lost=back.lost
    )


def lost_for_good(baseline: Network, then: Network, names: Collection[str]) -> tuple[Loss, ...]:
    """What going back from `then` could not put back."""
    forward = plan(baseline, {name: then.interfaces.get(name) for name in sorted(names)})
    return inverse(forward, baseline).lost
