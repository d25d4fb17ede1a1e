"""How nodes have drifted from their file, and how their links are: what a scheduled job keeps an eye on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet.fleet.nodes import visit
from pvenet.observe import report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pvenet import errors
    from pvenet.fleet.nodes import Fleet
    from pvenet.kernel.links import Report


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """What the kernels of some nodes have, as far as that is to be had."""

    reports: Mapping[str, Report] = field(default_factory=dict)
    failed: Mapping[str, errors.PvenetError] = field(default_factory=dict)
    """Why the others gave no report."""


def kernels(fleet: Fleet, wanted: Sequence[str], count: Callable[[int], None]) -> Kernels:
    """The reports of some nodes, asked at once; one takes seconds (pve-api#report-time).

    `count` hears how many nodes have answered.
    """
    reports, failed = visit(fleet, wanted, report, count)
    return Kernels(reports=reports, failed=failed)
