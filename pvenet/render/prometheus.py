"""How nodes stand, as metrics in Prometheus's text format, for the textfile collector of node_exporter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.foreign import one_line
from pvenet.kernel.comparison import Comparison
from pvenet.kernel.links import LinkState
from pvenet.model import BondMode
from pvenet.render.links import in_sync, members, shown
from pvenet.render.node_plan import counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pvenet.kernel.links import KernelLink, Report
    from pvenet.spec.node_plan import NodePlan

NAMES: Mapping[str, str] = {
    "pvenet_up": "Whether the node's network could be read (1), or not (0).",
    "pvenet_drift_interfaces": "Interfaces that the network file would create, change or delete.",
    "pvenet_pending": "Whether changes are staged and not live, by owner: staged from here, or by others.",
    "pvenet_links": "Links by state, except guests' and lo.",
    "pvenet_link_up": "Whether a link is up and has carrier.",
    "pvenet_lacp_ports": "Slaves of a bond in 802.3ad.",
    "pvenet_lacp_ports_in_sync": "Those of them that agree with their partner.",
    "pvenet_lacp_partner": "Whether an LACP partner answers a bond in 802.3ad.",
    "pvenet_last_look_timestamp_seconds": "When the node was last read.",
    "pvenet_last_run_timestamp_seconds": "When pvenet drift last ran.",
    "pvenet_last_run_success": "Whether that read every node of the network file.",
}
"""Every metric, in the order in which they are written. All are gauges."""
LAST_LOOK = "pvenet_last_look_timestamp_seconds"
_LAST_LOOK = re.compile(rf'{LAST_LOOK}\{{node="((?:[^"\\\n]|\\.)*)"\}} ([0-9.e+]+)')
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One value of a metric."""

    metric: str
    labels: Mapping[str, str]
    value: float


def samples(
    nodes: Sequence[str],
    plans: Iterable[NodePlan],
    reports: Mapping[str, Report],
    *,
    now: float,
    looks: Mapping[str, float],
) -> list[Sample]:
    """The values of some nodes: those that have a plan were read, the others could not be.

    `looks`: when each was read before.
    """
    read = {each.node: each for each in plans}
    found = [
        Sample(metric="pvenet_last_run_timestamp_seconds", labels={}, value=now),
        Sample(metric="pvenet_last_run_success", labels={}, value=set(nodes) <= read.keys()),
    ]
    for node in nodes:
        found.append(Sample(metric="pvenet_up", labels={"node": node}, value=node in read))
        if (look := now if node in read else looks.get(node)) is not None:
            found.append(Sample(metric=LAST_LOOK, labels={"node": node}, value=look))
        found += _of_plan(read[node]) if node in read else ()
        found += _of_kernel(node, reports[node]) if node in reports else ()
    return found


def _of_plan(found: NodePlan) -> Iterator[Sample]:
    node, pending = found.node, found.pending
    for action, number in counts([found]).items():
        yield Sample(metric="pvenet_drift_interfaces", labels={"node": node, "action": action}, value=number)
    for whose, there in {"ours": pending and pending.ours, "others": pending and not pending.ours}.items():
        yield Sample(metric="pvenet_pending", labels={"node": node, "whose": whose}, value=bool(there))


def _of_kernel(node: str, report: Report) -> Iterator[Sample]:
    comparison = Comparison(report=report)
    links = shown(comparison, ())
    for state in LinkState:
        number = sum(link.state is state for link in links)
        yield Sample(metric="pvenet_links", labels={"node": node, "state": state.replace(" ", "_")}, value=number)
    for link in links:
        labels = {"node": node, "link": link.name, "kind": _kind(link)}
        yield Sample(metric="pvenet_link_up", labels=labels, value=link.state is LinkState.UP)
        if link.bond and link.bond.mode == BondMode.LACP:
            slaves, labels = members(comparison, link.name), {"node": node, "bond": link.name}
            agreed = sum(in_sync(slave) for slave in slaves)
            yield Sample(metric="pvenet_lacp_ports", labels=labels, value=len(slaves))
            yield Sample(metric="pvenet_lacp_ports_in_sync", labels=labels, value=agreed)
            yield Sample(metric="pvenet_lacp_partner", labels=labels, value=link.bond.partner_mac is not None)


def _kind(link: KernelLink) -> str:
    return "nic" if link.kind == "" else link.kind or "unknown"


def exposition(found: Iterable[Sample]) -> str:
    """The text: each metric with what it means, its samples together and in their order."""
    by_metric: dict[str, list[Sample]] = {name: [] for name in NAMES}
    for each in found:
        by_metric[each.metric].append(each)
    lines: list[str] = []
    for name, its in by_metric.items():
        if its:
            lines += [f"# HELP {name} {NAMES[name]}", f"# TYPE {name} gauge", *map(_line, its)]
    return "".join(f"{line}\n" for line in lines)


def looks_of(text: str) -> dict[str, float]:
    """When each node was last read, by a text that was written before; what is none of ours says nothing."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if (match := _LAST_LOOK.fullmatch(line)) is not None:
            try:
                found[_unescaped(match[1])] = float(match[2])
            except ValueError:
                continue
    return found


def _line(each: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in each.labels.items())
    value = float(each.value)
    return f"{each.metric}{f'{{{labels}}}' if labels else ''} {int(value) if value.is_integer() else repr(value)}"


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(letter, letter) for letter in one_line(text))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)
