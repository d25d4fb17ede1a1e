"""What a file would do to one node: the plan, its risk, and what stands against it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.model import Network, canonical, kind_of
from pvenet.plan import focused, inverse, management_path, outcome, plan, problems, risks
from pvenet.spec.desired import desired_state

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.plan import Desired, Loss, ManagementPath, Plan, Risk
    from pvenet.spec.diagnostics import Diagnostic
    from pvenet.spec.network_spec import NodeSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class NodePlan:
    """What the file would change on one node. It is all that is kept of a node that was read."""

    node: str
    against: str
    """The fingerprint of the network that it was planned against."""
    desired: Desired
    plan: Plan
    risks: tuple[Risk, ...]
    """The risk of each step."""
    management: ManagementPath
    """The management path."""
    not_rolled_back: tuple[Loss, ...]
    """What a rollback could not put back."""
    losses: tuple[str, ...]
    """What the API would lose on the way, a clause each; only with `--lossy`."""
    diagnostics: tuple[Diagnostic, ...]
    """What stands against it, and warnings."""
    kept: tuple[str, ...]
    """What a complete file does not mention and what stays."""
    pending: str | None = None
    """PVE's diff of what is staged there already; the plan begins from it."""
    ours: bool = False
    """That was staged from here."""


def plan_node(spec: NodeSpec, network: Network, addresses: Collection[str]) -> NodePlan:
    """What a file would do to a node that is reached by these addresses."""
    path = management_path(network, addresses)
    goal = desired_state(spec, network, path)
    found = problems(network, goal.desired)
    wrong = any(not problem.warning for problem in found)
    steps = plan(network, {} if wrong else goal.desired)
    after = Network(interfaces=outcome(network.interfaces, steps.steps), links=network.links)
    return NodePlan(
        node=spec.node,
        against=fingerprint(network),
        desired=goal.desired,
        plan=steps,
        risks=risks(steps.steps, path, network, after),
        management=focused(path, steps.steps, network, after),
        not_rolled_back=inverse(steps, network).lost if steps else (),
        losses=wire.losses_of(steps),
        diagnostics=tuple(spec.diagnostic(problem) for problem in found),
        kept=goal.kept,
    )


def fingerprint(network: Network) -> str:
    """A digest of what is configured, and of nothing that is only observed; equal for equal networks."""
    data = {name: [kind_of(interface), asdict(canonical(interface))] for name, interface in network.interfaces.items()}
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
