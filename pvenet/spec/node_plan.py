"""What a file would do to one node: the plan, its risk, and what stands against it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.model import Network, beneath, canonical, kind_of
from pvenet.plan import Delete, focused, inverse, management_path, net_changes, outcome, plan, problems, risks
from pvenet.spec.desired import desired_state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pvenet.plan import Change, Desired, Loss, ManagementPath, Plan, Risk
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
    changes: tuple[Change, ...]
    """The steps of the plan in their order, and behind each what PVE changes with it: a slave gets `auto`."""
    risks: tuple[Risk, ...]
    """The risk of each of these changes."""
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
    changes = tuple(_all_changes(steps, network, after)) if steps else ()
    return NodePlan(
        node=spec.node,
        against=fingerprint(network),
        desired=goal.desired,
        plan=steps,
        changes=changes,
        risks=risks(changes, path, network, after),
        management=focused(path, steps.steps, network, after),
        not_rolled_back=inverse(steps, network).lost if steps else (),
        losses=wire.losses_of(steps),
        diagnostics=tuple(spec.diagnostic(problem) for problem in found),
        kept=goal.kept,
    )


def _all_changes(steps: Plan, network: Network, after: Network) -> Iterator[Change]:
    """The steps, each with what PVE does by itself because of it; what no step asks for comes with the first write."""
    net = net_changes(network.interfaces, after.interfaces)
    by_itself = {change.name: change for change in net if change.name not in steps.touched}
    members = {name for step in steps.steps if not isinstance(step, Delete) for name in beneath(step.after)}
    first = [by_itself.pop(name) for name in list(by_itself) if name not in members]
    for step in steps.steps:
        yield step
        yield from first
        first = []
        for name in () if isinstance(step, Delete) else beneath(step.after):
            if name in by_itself:
                yield by_itself.pop(name)


def fingerprint(network: Network) -> str:
    """A digest of what is configured, and of nothing that is only observed; equal for equal networks."""
    data = {name: [kind_of(interface), asdict(canonical(interface))] for name, interface in network.interfaces.items()}
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
