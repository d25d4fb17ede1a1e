"""What is legal in a network, and seldom meant: rules, each a function of some nodes that gives what it finds. Pure.

A rule that comes is a function here and a line in `RULES`; its name and its docstring are what people read of it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet.lint.addressing import gateway_outside, shared_network
from pvenet.lint.cables import corosync_cable, missing_nic, single_slave, unused
from pvenet.lint.mtus import mtu_path, mtu_peers
from pvenet.lint.nodes import Finding, Nodes, Source
from pvenet.lint.peers import bond_peers, bridge_vlans
from pvenet.model import Network, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["RULES", "Finding", "Nodes", "Rule", "Source", "find"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing that is looked for."""

    name: str
    summary: str
    """One sentence."""
    reason: str
    """Why that is seldom meant."""
    example: str
    """A network file in which it is found; what a file can't say stands in a comment at its top."""
    search: Callable[[Nodes], Iterator[Finding]]


def _rule(search: Callable[[Nodes], Iterator[Finding]]) -> Rule:
    """A rule by its function: the name, and the docstring's summary, reason and example."""
    summary, reason, example = inspect.cleandoc(search.__doc__ or "").split("\n\n")
    return Rule(
        name=search.__name__.replace("_", "-"),
        summary=summary,
        reason=" ".join(reason.split()),
        example="".join(f"{line.removeprefix('    ')}\n" for line in example.splitlines()),
        search=search,
    )


_IN_ORDER = (
    mtu_path,
    mtu_peers,
    bridge_vlans,
    bond_peers,
    single_slave,
    shared_network,
    gateway_outside,
    corosync_cable,
    missing_nic,
    unused,
)
RULES = {rule.name: rule for rule in map(_rule, _IN_ORDER)}
"""All rules by name, in the order in which they are told."""


def find(nodes: Nodes) -> tuple[Finding, ...]:
    """Everything that the rules find, rule after rule. It raises nothing, whatever the nodes have."""
    kept = replace(nodes, networks={node: _canonical(network) for node, network in nodes.networks.items()})
    return tuple(replace(each, rule=rule.name) for rule in RULES.values() for each in rule.search(kept))


def _canonical(network: Network) -> Network:
    return replace(network, interfaces={name: canonical(each) for name, each in network.interfaces.items()})
