"""What was had of a node's kernel, beside what its file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.kernel.difference import EXCESS, Difference, Kind
from pvenet.kernel.differences import differences
from pvenet.kernel.files import changed_stanzas
from pvenet.model import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.kernel.links import BridgePorts, Report


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One moment of a node. At least one of `report` and `bridges` is there."""

    report: Report | None = None
    bridges: Mapping[str, BridgePorts] | None = None
    network: Network | None = None
    """What the kernel was compared with; None where it was not."""
    basis: str = ""
    """What that is, or why there is none: a clause."""
    differences: tuple[Difference, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Everything that can be asked for: links, their altnames, interfaces of the file."""
        links = self.report.links.values() if self.report else ()
        found = {name for link in links for name in (link.name, *(link.altnames or ()))}
        return frozenset(found | {*(self.bridges or {}), *(self.network.interfaces if self.network else {})})

    def every_name(self, names: Iterable[str]) -> frozenset[str]:
        """Some names, and all others of the same links."""
        wanted = set(names)
        links = self.report.links.values() if self.report else ()
        alike = [{link.name, *(link.altnames or ())} for link in links]
        return frozenset(wanted.union(*(each for each in alike if each & wanted)))


def compared(
    network: Network, report: Report | None, bridges: Mapping[str, BridgePorts] | None, *, basis: str
) -> Comparison:
    """The kernel beside the applied network."""
    found = differences(network, report, bridges)
    return Comparison(report=report, bridges=bridges, network=network, basis=basis, differences=found)


def compared_beside(
    staged: Network, changes: str, report: Report | None, bridges: Mapping[str, BridgePorts] | None
) -> Comparison:
    """The kernel beside what somebody's pending changes leave alone: the rest of the staged view is what is applied."""
    changed = changed_stanzas(report.interfaces, changes) if report else None
    if changed is None:
        basis = "nothing is compared: somebody's changes are pending, and pvenet can't tell them from what is applied"
        return Comparison(report=report, bridges=bridges, basis=basis)
    kept = {name: each for name, each in staged.interfaces.items() if name not in changed}
    network = Network(interfaces=kept, links=staged.links)
    told = EXCESS | {Kind.DEFAULT_ROUTE}  # of which the other stanzas may say something
    return Comparison(
        report=report,
        bridges=bridges,
        network=network,
        basis="somebody's changes are pending: only the interfaces that they leave alone are compared, and no routes",
        differences=tuple(each for each in differences(network, report, bridges) if each.kind not in told),
    )
