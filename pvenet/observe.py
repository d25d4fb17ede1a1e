"""What a node's kernel has, asked through the API: its report, and the bridges call.

A report keeps one of PVE's three workers until it is through, also where nobody waits for it any more
(pve-api#report-occupies): it is asked for once, one at a time a node, and never again after one that was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import access, errors
from pvenet.connection import AnswerLost
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.kernel.links import BridgePorts, Report
    from pvenet.node import Node

REPORT_TIMEOUT = 35.0
"""Seconds. PVE itself gives up after 30. pve-api#report-cut-off."""

_FORBIDDEN = 403
_NOT_IMPLEMENTED = 501
"""HTTP's own; the second is what a release says that does not have the call. pve-api#bridges-old-server."""


class NotToBeHad(errors.PvenetError):
    """What the kernel has can't be known, and nothing is wrong with the network for that."""


class ReportLost(NotToBeHad):
    """A report was asked for, and its answer was lost or came too late. The same is raised for every further one."""


class ReportUnreadable(NotToBeHad):
    """A report, or the bridges, are not as PVE writes them, and nothing of them is believed."""


class NotOffered(NotToBeHad):
    """This release of PVE has no such call."""


def report(node: Node, *, timeout: float = REPORT_TIMEOUT) -> Report:
    """A node's kernel and its applied files (GET /nodes/{node}/report).

    Waits while another thread asks for one. Raises ReportLost, ReportUnreadable, and what `Node.read` raises.
    """
    from pvenet.kernel.report import read_report  # the kernel's parts: most commands read neither this nor the bridges

    with node.reporting.lock:
        if node.reporting.lost is not None:
            raise node.reporting.lost
        try:
            answer = node.connection.get_once("nodes", node.name, "report", timeout=timeout)
        except AnswerLost as lost:
            node.reporting.lost = _lost(node, lost)
            raise node.reporting.lost from None
        except errors.RefusedByPVE as refusal:
            raise node.explained(refusal, "Sys.Audit") from None
    try:
        found = read_report(answer.text())
    except Unreadable as why:
        raise _unreadable(node, "report", why) from None
    node.note(found)
    return found


def bridges(node: Node, *, timeout: float | None = None) -> Mapping[str, BridgePorts]:
    """The bridges of a node's staged file, and what hangs on each in the kernel, by name.

    It freezes nothing (pve-api#bridges-freeze-nothing). Raises NotOffered before PVE 9.1, ReportUnreadable, and what
    `Node.read` raises. Bridges that the caller may not see are missing in it, without a word.
    """
    from pvenet.kernel.bridges import read_bridges

    path = ("nodes", node.name, "sdn", "zones", "localnetwork", "bridges")
    try:
        answer = node.connection.get(*path, timeout=timeout)
    except errors.RefusedByPVE as refusal:
        raise _refused(node, refusal) from None
    try:
        return read_bridges(answer.rows())
    except Unreadable as why:
        raise _unreadable(node, "list of bridges", why) from None


def _refused(node: Node, refusal: errors.RefusedByPVE) -> errors.PvenetError:
    if refusal.status == _NOT_IMPLEMENTED:
        return NotOffered(
            f"{node.name} can't say what is on its bridges: its PVE is older than 9.1",
            hint="its report can, with Sys.Audit",
        )
    if (
        refusal.status == _FORBIDDEN
    ):  # SDN.Use, which shows bridges in the list, is not enough: pve-api#bridges-privileges
        return access.permission_missing(node.connection.credentials.user, "SDN.Audit", access.ZONE, node.name)
    return node.explained(refusal, "SDN.Audit")


def _lost(node: Node, lost: AnswerLost) -> ReportLost:
    return ReportLost(
        f"{node.name} does not return a report of its kernel: {lost.message}",
        hint="PVE allows a report 30 s, and one that was started goes on: pvenet does not ask again; "
        f"`pvereport` on {node.name} shows what takes so long",
    )


def _unreadable(node: Node, what: str, why: Unreadable) -> ReportUnreadable:
    return ReportUnreadable(
        f"the {what} of {node.name} does not look as PVE writes it, so pvenet does not trust any of it: {why}",
        hint="what the kernel has is therefore not known; the flags of `pvenet list` are",
    )
