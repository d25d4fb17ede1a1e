"""A network file for the rules of `pvenet lint`, and what they find at its place in the file. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet.lint import Nodes, find
from pvenet.model import Network
from pvenet.spec.desired import merged
from pvenet.spec.network_spec import InterfaceSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pvenet.lint import Finding, Source
    from pvenet.spec.diagnostics import Diagnostic
    from pvenet.spec.network_spec import NetworkSpec, NodeSpec

_DEFAULTED = frozenset({"mtu", "mode", "xmit_hash_policy", "vlan_aware", "vids"})
"""Fields that PVE's default stands for where the file does not say them: an exported file leaves these out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFindings:
    """What the rules find in a file."""

    found: tuple[tuple[Finding, Diagnostic], ...]
    """From the top of the file down, each with its diagnostic; what the defaults say of several nodes once."""
    ignored: int = 0
    """How many more there are that somebody has said to ignore."""


def lint_file(spec: NetworkSpec, nodes: Collection[str] = (), ignore: Collection[str] = ()) -> FileFindings:
    """What the rules find in a file, of these nodes or of all; `ignore` names rules beside those that the file does.

    A field that the file leaves out is as it is on the node. What rests on one is no finding, unless it goes without
    saying: then the message says so.
    """
    known = Nodes(
        networks={name: _network(node) for name, node in spec.nodes.items()},
        complete=frozenset(name for name, node in spec.nodes.items() if node.only),
    )
    every = [each for each in find(known) if _is_said(spec, each) and (not nodes or each.node in nodes)]
    left = [each for each in every if each.rule not in spec.nodes[each.node].lint_ignore.union(ignore)]
    once: dict[object, tuple[Finding, Diagnostic]] = {}
    for each in left:
        finding = replace(each, message=_message(spec, each))
        diagnostic = _diagnostic(spec, finding)
        once.setdefault((diagnostic.position, finding.rule, finding.message), (finding, diagnostic))
    found = sorted(once.values(), key=lambda each: (each[1].position, each[1].message))
    return FileFindings(found=tuple(found), ignored=len(every) - len(left))


def _is_said(spec: NetworkSpec, finding: Finding) -> bool:
    """Whether the file says all that a finding rests on, but for what goes without saying."""
    return all(source.field in _DEFAULTED for source in _left_out(spec, finding.rests_on))


def _network(node: NodeSpec) -> Network:
    """What the file says of a node; what it leaves out by PVE's own defaults."""
    described = {name: each for name, each in node.interfaces.items() if isinstance(each, InterfaceSpec)}
    return Network(interfaces={name: merged(each, None) for name, each in described.items()})


def _message(spec: NetworkSpec, finding: Finding) -> str:
    """What is found, and what of it the file does not say."""
    taken: dict[str, list[str]] = {}
    for source in _left_out(spec, finding.rests_on):
        whose = f"{source.interface} on {source.node}" if source.node != finding.node else source.interface
        taken.setdefault(source.field, []).append(whose)
    unsaid = "".join(f"; the file has no {field} for {', '.join(whose)}" for field, whose in taken.items())
    return f"{finding.message}{unsaid}"


def _diagnostic(spec: NetworkSpec, finding: Finding) -> Diagnostic:
    node = spec.nodes[finding.node]
    placed = node.located(finding.interface, finding.field, f"{finding.message} [{finding.rule}]", finding.value)
    return replace(placed, warning=True)


def _left_out(spec: NetworkSpec, sources: Sequence[Source]) -> Iterator[Source]:
    """The fields that the file does not say."""
    for source in dict.fromkeys(sources):
        interface = spec.nodes[source.node].interfaces.get(source.interface)
        said = interface.fields if isinstance(interface, InterfaceSpec) else {}
        if source.field not in said and source.field != "name":
            yield source
