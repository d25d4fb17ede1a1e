"""What a file would do to one node: the plan, its risk, and what stands against it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.model import Network, canonical, kind_of
from pvenet.plan import Update, focused, inverse, management, outcome, plan, problems, risks
from pvenet.spec.merge import aim

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.plan import Desired, Loss, Management, Plan, Risk
    from pvenet.spec.places import Fault
    from pvenet.spec.wishes import NodeWishes


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What would happen to one node. It is all that is kept of a node that was read."""

    node: str
    against: str
    """The fingerprint of the network that it was planned against."""
    desired: Desired
    plan: Plan
    risks: tuple[Risk, ...]
    """The risk of each step."""
    way: Management
    """The way to the node."""
    lost: tuple[Loss, ...]
    """What a rollback could not put back."""
    losses: tuple[str, ...]
    """What the API would lose on the way, a clause each; only with `--lossy`."""
    faults: tuple[Fault, ...]
    """What stands against it, and warnings."""
    kept: tuple[str, ...]
    """What a complete file does not mention and what stays."""
    pending: str | None = None
    """PVE's diff of what is staged there already; the plan begins from it."""
    ours: bool = False
    """That was staged from here."""


def outlook(wishes: NodeWishes, network: Network, addresses: Collection[str]) -> Outlook:
    """What a file would do to a node that is reached by these addresses."""
    way = management(network, addresses)
    aimed = aim(wishes, network, way)
    found = problems(network, aimed.desired)
    wrong = any(not problem.warning for problem in found)
    steps = plan(network, {} if wrong else aimed.desired)
    after = Network(interfaces=outcome(network.interfaces, steps.steps), links=network.links)
    return Outlook(
        node=wishes.node,
        against=fingerprint(network),
        desired=aimed.desired,
        plan=steps,
        risks=risks(steps.steps, way, network, after),
        way=focused(way, steps.steps, network, after),
        lost=inverse(steps, network).lost if steps else (),
        losses=_losses(steps),
        faults=tuple(wishes.fault(problem) for problem in found),
        kept=aimed.kept,
    )


def _losses(steps: Plan) -> tuple[str, ...]:
    return tuple(
        f"{step.name}: {loss}"
        for step in steps.steps
        if isinstance(step, Update)
        for loss in wire.losses(step.before, step.after)
    )


def fingerprint(network: Network) -> str:
    """A digest of what is configured, and of nothing that is only observed; equal for equal networks."""
    data = {name: [kind_of(interface), asdict(canonical(interface))] for name, interface in network.interfaces.items()}
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
