"""What a node's kernel has, and what differs from the file that is applied: one look, for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pvenet import errors
from pvenet.apply.listing import listed, reload_runs
from pvenet.guests import GuestReading, read_guests
from pvenet.journal import Foreign, Ours, ownership
from pvenet.journal.ownership import live
from pvenet.kernel.comparison import Comparison, compared, compared_beside
from pvenet.model import Network
from pvenet.observe import bridges, report
from pvenet.parallel import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.journal import Journals
    from pvenet.kernel.difference import Difference
    from pvenet.kernel.links import BridgePorts, Report
    from pvenet.node import Node, Reading

_Answer = TypeVar("_Answer")
_Had: TypeAlias = "tuple[_Answer | None, errors.PvenetError | None]"
"""An answer, or why there is none."""


@dataclass(frozen=True, kw_only=True)
class Everything:
    """A node's list beside its kernel, as far as that is to be had."""

    reading: Reading
    applied: Network | None
    """What is live; None where somebody else's changes are pending, and it can't be told."""
    report: Report | None = None
    bridges: Mapping[str, BridgePorts] | None = None
    differences: tuple[Difference, ...] = ()
    guests: GuestReading = field(default_factory=GuestReading)


def look(node: Node, journals: Journals, note: Callable[[str], None]) -> Comparison:
    """The kernel beside the applied configuration. `note` hears what could not be had, and why.

    Raises PvenetError where the node gives neither a report nor the bridges. While a reload runs, nothing is listed
    (pve-api#never-list), and so nothing compared.
    """
    found, ports, no_report = _kernel(_had(lambda: bridges(node)), _had(lambda: report(node)), note)
    if no_report and ports is None:
        raise no_report
    return _compared_now(node, journals, note, found, ports)


def look_everywhere(node: Node, journals: Journals, note: Callable[[str], None]) -> Everything:
    """The list, and beside it the kernel and the guests as far as they are to be had; `note` hears of the rest.

    All of it is asked at once, which takes as long as the slowest answer. Raises what a listing raises.
    """
    asked = _asked(node, bridges), _asked(node, report)
    guests = _beside(node, read_guests)
    reading, warnings = listed(node, journals, thorough=True)
    for warning in warnings:
        note(warning)
    found, ports, no_report = _kernel(asked[0].result(), asked[1].result(), note)
    if no_report and ports is None:
        note(f"{no_report.message}\n{no_report.hint}".rstrip())
    compared = _compared(node, journals, reading, found, ports)
    foreign = isinstance(ownership(journals.at(node), reading), Foreign)
    return Everything(
        reading=reading,
        applied=None if foreign else compared.network,
        report=found,
        bridges=ports,
        differences=compared.differences,
        guests=guests.result(),
    )


def _beside(node: Node, read: Callable[[Node], _Answer]) -> Background[_Answer]:
    """What is asked over a connection of its own, beside everything else."""
    own = node.another()

    def answer() -> _Answer:
        try:
            return read(own)
        finally:
            own.connection.close()

    found = Background(answer)
    found.begin()
    return found


def _asked(node: Node, read: Callable[[Node], _Answer]) -> Background[_Had[_Answer]]:
    """The same, or why it can't be had."""
    return _beside(node, lambda own: _had(lambda: read(own)))


def _kernel(
    bridged: _Had[Mapping[str, BridgePorts]], reported: _Had[Report], note: Callable[[str], None]
) -> tuple[Report | None, Mapping[str, BridgePorts] | None, errors.PvenetError | None]:
    """The report, the bridges, and why there is no report, which is not said yet where there are no bridges either."""
    ports, no_ports = bridged
    found, no_report = reported
    for failure in (no_ports, no_report):
        if failure is not None and failure is not (no_report if no_ports else None):
            note(f"{failure.message}\n{failure.hint}".rstrip())
    return found, ports, no_report


def _had(get: Callable[[], _Answer]) -> _Had[_Answer]:
    """What was asked for, or why it can't be had. Raises Unreachable and UsageError, which are about the node."""
    try:
        return get(), None
    except (errors.Unreachable, errors.UsageError):
        raise
    except errors.PvenetError as error:
        return None, error


def _compared_now(
    node: Node,
    journals: Journals,
    note: Callable[[str], None],
    found: Report | None,
    ports: Mapping[str, BridgePorts] | None,
) -> Comparison:
    if reload_runs(node, journals):
        basis = f"nothing is compared: a reload is running on {node.name}"
        return Comparison(report=found, bridges=ports, basis=basis)
    try:
        reading, warnings = listed(node, journals)
    except errors.PermissionMissing as missing:
        return Comparison(report=found, bridges=ports, basis=f"nothing is compared: {missing.message}")
    for warning in warnings:
        note(warning)
    return _compared(node, journals, reading, found, ports)


def _compared(
    node: Node,
    journals: Journals,
    reading: Reading,
    found: Report | None,
    ports: Mapping[str, BridgePorts] | None,
) -> Comparison:
    match ownership(journals.at(node), reading):
        case Foreign(changes=changes):
            return compared_beside(reading.network, changes, found, ports)
        case Ours(journal=journal):
            applied = Network(interfaces=live(journal, reading.network), links=reading.network.links)
            return compared(
                applied, found, ports, basis="changes are pending: the comparison is with what was before them"
            )
        case _:
            return compared(reading.network, found, ports, basis="")
