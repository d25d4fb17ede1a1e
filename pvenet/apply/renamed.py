"""The file of a node whose NICs have other names: what is to be staged, and what of it is for the next boot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.nics import sight_of
from pvenet.apply.stage import lossy
from pvenet.changes import outcome
from pvenet.kernel.files import APPLIED
from pvenet.model import Other, kind_of
from pvenet.nics.names import on
from pvenet.nics.renaming import Renaming, candidates, refusal, renaming
from pvenet.observe import report
from pvenet.plan.inverse import lost_in_the_file
from pvenet.plan.order import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.journal import Journals
    from pvenet.kernel.links import Report
    from pvenet.model import Network
    from pvenet.nics.sight import Sight
    from pvenet.node import Node


def find_renaming(
    node: Node, journals: Journals, network: Network, given: Mapping[str, str], *, lossless: bool = True
) -> Renaming | None:
    """What the file has to become; None where every NIC that it names is there.

    `given`: new names by the old ones, in place of those that the MACs tell. Raises InvalidNetwork where a NIC is gone
    and nobody knows what it is called, or a name can't be; Lossy where a stanza would lose lines.
    """
    found: Report | None = None
    lacking: errors.PvenetError | None = None
    try:
        found = report(node)
    except errors.PvenetError as error:  # what can't be had makes it poorer, and no more
        lacking = error
    sight = sight_of(node, journals, network, found)
    names = dict(given) or {each.old: each.new for each in sight.renames}
    why, todo = refusal(sight, names)
    if why:
        raise errors.InvalidNetwork(f"{why} on {node.name}", hint=todo)
    if not names:
        _refuse_unknown(node, sight, lacking)
        return None
    result = renaming(network, names, found)
    _refuse_stuck(node.name, network, result)
    if lossless and (lost := _lost(network, result)):
        raise lossy(node.name, lost)
    return result


def _refuse_unknown(node: Node, sight: Sight, lacking: errors.PvenetError | None) -> None:
    """`lacking`: why the report, which has every MAC, could not be had."""
    lost = sight.gone
    if lost:
        why = f"; the report would tell, and could not be had: {lacking.message}" if lacking else ""
        lines = "\n  ".join(each.text for each in lost)
        hint = f"say which NIC it is with --map {lost[0].name}=NIC, or take it out; {candidates(sight)}"
        if isinstance(lacking, errors.PermissionMissing):
            hint += f"\nor grant the right, and run this again; {lacking.hint}"
        raise errors.InvalidNetwork(
            f"what these are called now on {node.name} is not known{why}:\n  {lines}", hint=hint
        )


def _refuse_stuck(node: str, network: Network, result: Renaming) -> None:
    """Raises InvalidNetwork for what pvenet can't write and what stands on a stanza that gets another name."""
    gone = {name for name, each in result.desired.items() if each is None}
    stuck = [
        f"{name}, of the kind {kind_of(each)}, is on top of {', '.join(sorted(below))}"
        for name, each in network.interfaces.items()
        if isinstance(each, Other) and (below := gone & {*on(each)})
    ]
    if stuck:
        lines = "\n  ".join(stuck)
        raise errors.InvalidNetwork(
            f"the API can't give these another name on {node}:\n  {lines}",
            hint=f"nothing was sent; take them out of {APPLIED} on the node, run this again, and put them back under "
            "their new names",
        )


def _lost(network: Network, result: Renaming) -> tuple[str, ...]:
    """What stanzas lose that are made anew under another name."""
    then = outcome(network.interfaces, plan(network, result.desired).steps)
    return tuple(
        f"{name}: {what}"
        for name, before in result.moved.items()
        if name in then
        for what in lost_in_the_file(before.file_only, then[name].file_only)
    )


def early_text(node: str, network: Network, result: Renaming) -> str:
    """What it means to stage names that no NIC has yet."""
    from pvenet.nics.gone import uses
    from pvenet.nics.names import users

    lost = "; ".join(
        f"{old} is {uses(network, old)}" if users(network, old) else f"the file has {old}"
        for old, new in result.names.items()
        if new in result.early
    )
    return (
        f"this is for the next boot of {node}: {', '.join(result.early)} is not a NIC there yet.\n"
        "It stays pending, and PVE makes it live when the node boots.\n"
        "Do not apply it before: `pvenet apply`, anybody's reload of the network or an SDN apply make it live too "
        f"early and cut what is there now ({lost})."
    )
