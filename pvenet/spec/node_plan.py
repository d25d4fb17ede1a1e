"""What a file would do to one node: the plan, its risk, and what stands against it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pvenet import wire
from pvenet.changes import Delete, net_changes
from pvenet.impact import Impact
from pvenet.model import Network, beneath, kind_of
from pvenet.plan import Risk, focused, inverse, management_path, plan_and_outcome, problems, risks
from pvenet.spec.desired import desired_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pvenet.changes import Change, Desired, Loss, Plan
    from pvenet.hosts import LineChange
    from pvenet.plan import ManagementPath, Problem
    from pvenet.spec.desired import DesiredState
    from pvenet.spec.diagnostics import Diagnostic
    from pvenet.spec.network_spec import NodeSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What is staged on a node already; a plan begins from it, and an apply makes it live with the rest."""

    changes: str
    """PVE's, as it came."""
    ours: bool = False
    """It was staged from here."""
    armed: bool = False
    """It leads back from an apply that was armed, and is nothing to be applied."""
    steps: tuple[Change, ...] = ()
    """What it means for the network that is live; empty where it is not ours."""
    risks: tuple[Risk, ...] = ()
    """The risk of each of these steps."""
    management: ManagementPath | None = None
    """The management path, as it is live; None where it is not ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodePlan:
    """What the file would change on one node. It is all that is kept of a node that was read."""

    node: str
    before: Network
    """The interfaces that it was planned against."""
    desired: Desired
    plan: Plan
    steps: tuple[Change, ...]
    """The steps of the plan in their order, and behind each what PVE changes with it: a slave gets `auto`."""
    risks: tuple[Risk, ...]
    """The risk of each of these steps."""
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
    pending: Pending | None = None
    """What is staged there already."""
    impact: Impact = field(default_factory=Impact)
    """Whom an apply of all that would hit."""
    hosts: tuple[LineChange, ...] = ()
    """The lines of its /etc/hosts that have to follow a new address of its own."""
    notes: tuple[str, ...] = ()
    """What a new address of its own asks for beside it; and NICs that the file names otherwise than PVE does."""
    nics: Mapping[str, str] = field(default_factory=dict)
    """The MACs of the NICs that it is about, by name, as far as they are known."""

    @property
    def against(self) -> str:
        """The fingerprint of the network that it was planned against; only who keeps a plan asks for it."""
        return fingerprint(self.before)

    @property
    def goes_live(self) -> bool:
        """Whether an apply would reload the node: it has steps, or what is staged from here."""
        return bool(self.plan) or (self.pending is not None and self.pending.ours)

    @property
    def worst(self) -> Risk:
        """The worst risk of what would go live."""
        return max([*self.risks, *(self.pending.risks if self.pending else ())], default=Risk.NONE)

    @property
    def touched_paths(self) -> tuple[ManagementPath, ...]:
        """The management paths that are touched: by the steps, and by what is staged already."""
        staged = self.pending.management if self.pending else None
        found = [self.management] if Risk.MANAGEMENT in self.risks else []
        found += [staged] if self.pending and staged and Risk.MANAGEMENT in self.pending.risks else []
        return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """A node's plan as far as it goes without knowing how the node is reached."""

    goal: DesiredState
    problems: tuple[Problem, ...]
    """With one that is more than a warning nothing is planned."""
    plan: Plan
    network: Network
    """The node's, when all of it is done."""


def pending_ours(
    changes: str, steps: tuple[Change, ...], addresses: Collection[str], *, live: Network, staged: Network
) -> Pending:
    """What was staged from here on a node that is reached by these addresses."""
    path = management_path(live, addresses)
    return Pending(
        changes=changes,
        ours=True,
        steps=steps,
        risks=risks(steps, path, live, staged),
        management=focused(path, steps, live, staged),
    )


def outline(spec: NodeSpec, network: Network, path: Callable[[], ManagementPath]) -> Outline:
    """The outline of a node's plan; `path`, the management path, is asked for only where it decides what stays."""
    goal = desired_state(spec, network, path)
    found = problems(network, goal.desired)
    wrong = any(not problem.warning for problem in found)
    todo, there = plan_and_outcome(network, {} if wrong else goal.desired)
    return Outline(goal=goal, problems=tuple(found), plan=todo, network=replace(network, interfaces=there))


def plan_node(spec: NodeSpec, network: Network, outlined: Outline, path: ManagementPath) -> NodePlan:
    """What a file would do to a node that is reached by this management path."""
    todo, after = outlined.plan, outlined.network
    steps = tuple(_all_steps(todo, network, after)) if todo else ()
    return NodePlan(
        node=spec.node,
        before=Network(interfaces=network.interfaces),
        desired=outlined.goal.desired,
        plan=todo,
        steps=steps,
        risks=risks(steps, path, network, after),
        management=focused(path, todo.steps, network, after),
        not_rolled_back=inverse(todo, network, after.interfaces).lost if todo else (),
        losses=wire.losses_of(todo),
        diagnostics=tuple(spec.diagnostic(problem) for problem in outlined.problems),
        kept=outlined.goal.kept,
    )


def _all_steps(todo: Plan, network: Network, after: Network) -> Iterator[Change]:
    """The steps, each with what PVE does by itself because of it; what no step asks for comes with the first write."""
    net = net_changes(network.interfaces, after.interfaces)
    by_itself = {change.name: change for change in net if change.name not in todo.touched}
    members = {name for step in todo.steps if not isinstance(step, Delete) for name in beneath(step.after)}
    first = [by_itself.pop(name) for name in list(by_itself) if name not in members]
    for step in todo.steps:
        yield step
        yield from first
        first = []
        for name in () if isinstance(step, Delete) else beneath(step.after):
            if name in by_itself:
                yield by_itself.pop(name)


def fingerprint(network: Network) -> str:
    """A digest of what is configured, and of nothing that is only observed; equal for equal networks."""
    data = {name: [kind_of(interface), interface] for name, interface in network.kept.items()}
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON has no form for: a dataclass by its fields, an address as text."""
    names = _names(value.__class__)
    return {name: getattr(value, name) for name in names} if names else str(value)


@cache
def _names(kind: type[object]) -> tuple[str, ...]:
    """The fields of a dataclass; none of anything else."""
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
