"""Listing a node for a person: with a warning where that came in the middle of a reload (pve-api#never-list).

Nothing is asked for that in the normal case. A reload from here is known from its journal. Of somebody else's nothing
tells for free; but while it runs something is mostly down that should be up, and only then the node's tasks are asked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.unfinished import refuse_while_reloading
from pvenet.changes.pending import PendingView, foreign_view, pending_view
from pvenet.journal import Ours, ownership
from pvenet.kernel.stanzas import stanza_changes
from pvenet.model import Bridge, typed
from pvenet.model.autostart import should_be_active

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.journal import Journals
    from pvenet.model import Network
    from pvenet.node import Node, Reading


def listed(node: Node, journals: Journals, *, thorough: bool = False) -> tuple[Reading, tuple[str, ...]]:
    """A node's network, and warnings where a reload runs, some bridges may be hidden, or no journal can be read.

    Raises what a reading raises.

    Where no bridge can be seen at all, that is refused. `thorough`: a NIC that is up and unused is a sign, too, that a
    bridge may be hidden, which costs a request more.
    """
    unread: list[errors.JournalUnreadable] = []
    whose = "that was started from here " if ours_runs(node, journals, unread.append) else ""
    reading = node.glance()
    noted = (*map(_unknown, unread), *_hidden(node, reading, thorough=thorough))
    if not whose and not ((unread or _looks_down(reading.network)) and _any_runs(node)):
        return reading, noted
    warning = (
        f"a reload {whose}is running on {node.name}: what is listed as active may be wrong, and stay wrong in some of "
        f"the server's workers; list again when it has ended (until then, `pvenet status --node {node.name}` is safe: "
        "it lists nothing)"
    )
    return reading, (*noted, warning)


def _unknown(error: errors.JournalUnreadable) -> str:
    return f"what was begun from here is not known: {error.message}\n{error.hint}"


def viewed(node: Node, journals: Journals, reading: Reading) -> PendingView:
    """A listing in which what is pending is told from what is live; nothing more is asked for that."""
    if reading.changes is None:
        return PendingView(network=reading.network)
    match _whose(journals.at(node), reading):
        case Ours(journal=journal, steps=steps):
            return pending_view(reading.network, steps, journal.network.links)
        case _:
            found = stanza_changes(reading.changes, _file_order(reading))
            return foreign_view(
                reading.network, begun=found.begun, ended=found.ended, changed=found.changed, whole=found.whole
            )


def _whose(journals: Journals, reading: Reading) -> object:
    """Whose what is pending is; nobody's where no journal can be read, of which `listed` warns."""
    with suppress(errors.JournalUnreadable):
        return ownership(journals, reading)
    return None


def _file_order(reading: Reading) -> list[str]:
    """Whose each stanza of the staged file is, in its order."""
    there = [entry for entry in reading.entries if entry.get("priority")]
    names = [str(entry["iface"]) for entry in sorted(there, key=lambda entry: int(entry["priority"]))]
    stanzas = {name: len(each.file_only.families) for name, each in reading.network.interfaces.items()}
    return [name for name in names for _ in range(stanzas.get(name, 1))]


def _hidden(node: Node, reading: Reading, *, thorough: bool) -> tuple[str, ...]:
    """That bridges may be missing, where some are seen. Raises PermissionMissing where none is."""
    lacking = node.hidden_in(reading, thorough=thorough)
    if lacking is None:
        return ()
    if not any(isinstance(typed(interface), Bridge) for interface in reading.network.interfaces.values()):
        raise lacking
    return (f"bridges may be missing: {lacking.message}\n{lacking.hint}",)


def ours_runs(
    node: Node, journals: Journals, unread: Callable[[errors.JournalUnreadable], object] = lambda _: None
) -> bool:
    """Whether one runs that was started from here; it costs a request only where a journal is open on one.

    `unread` hears why that is not known.
    """
    try:
        refuse_while_reloading(node, journals)
    except errors.Busy:
        return True
    except errors.JournalUnreadable as error:
        unread(error)
        return False
    except errors.PvenetError:  # whatever is wrong, the listing says it, or does without
        return False
    return False


def reload_runs(node: Node, journals: Journals) -> bool:
    """Whether one runs that is known of: from here, or among the node's tasks. It lists nothing."""
    return ours_runs(node, journals) or _any_runs(node)


def _looks_down(network: Network) -> bool:
    return any(name in network.links and not network.links[name].active for name in should_be_active(network))


def _any_runs(node: Node) -> bool:
    with suppress(errors.PvenetError):
        return any(task.running for task in node.reloads().values())
    return False
