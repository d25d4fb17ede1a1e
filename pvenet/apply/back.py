"""Where a way back leads: from what a node has now to what was there before our first write. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.apply.verify import Expectation, should_be_active
from pvenet.model import Network
from pvenet.plan import Loss, Plan, inverse, outcome, plan

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """What to stage, what to expect of it, and what no call of the API can put back."""

    todo: Plan
    expectation: Expectation
    lost: tuple[Loss, ...]


def way_back(baseline: Network, now: Network, names: Collection[str]) -> WayBack:
    """The way back for the names that the journal's steps have changed; nobody else's are touched.

    PVE does not say what ran before, so the baseline is the listing before our first write: its configuration, as far
    as the API can set it, and up again what was up then.
    """
    mine = sorted(names)
    forward = plan(baseline, {name: now.interfaces.get(name) for name in mine})
    back = inverse(forward, baseline)
    there = outcome(outcome(baseline.interfaces, forward.steps), back.plan.steps)
    target = {name: there.get(name) for name in mine}
    todo = plan(now, target)
    wanted = {name: interface for name, interface in now.interfaces.items() if name not in target}
    wanted |= {name: interface for name, interface in target.items() if interface is not None}
    up = {name for name, link in baseline.links.items() if link.active} & wanted.keys()
    should = should_be_active(Network(interfaces=wanted, links=baseline.links))
    expectation = Expectation(
        wanted=wanted,
        gone=frozenset(target) - frozenset(wanted) - _nics(now),
        active=frozenset(up & should),
        excused=frozenset(up - should),  # nothing brings up what has no autostart
    )
    return WayBack(todo=todo, expectation=expectation, lost=back.lost)


def _nics(network: Network) -> frozenset[str]:
    """Physical NICs are listed whether the file has them or not (facts, section 8)."""
    return frozenset(name for name, link in network.links.items() if link.exists)


def lost_for_good(baseline: Network, then: Network, names: Collection[str]) -> tuple[Loss, ...]:
    """What rolling back from `then` could not put back."""
    forward = plan(baseline, {name: then.interfaces.get(name) for name in sorted(names)})
    return inverse(forward, baseline).lost
