"""A node that can't be reached after a change from here: the way to it is at its console, and not in the firewall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.journal import MEANINGS, State, nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pvenet.journal import Journal
    from pvenet.settings import Settings


def pointed(error: errors.Unreachable, places: Iterable[Settings], named: Sequence[str]) -> errors.Unreachable:
    """The same error, with what helps where a journal of a node of these places is open on a reload.

    `named`: the nodes that the command is about; none where it named none. Nothing is asked of any node. Raises
    PvenetError for journals that can't be read.
    """
    cut = [name for each in places for name in named or nodes(each.state_dir) if _is_open(each, name)]
    if cut:
        error.hint = "\n".join([*map(_hint, dict.fromkeys(cut)), error.hint]).rstrip("\n")
    return error


def _hint(node: str) -> str:
    return (
        f"the last change from here to {node} may have cut it off: `pvenet status --node {node}` says what to do on "
        f"its console,\nand `pvenet rescue --node {node}` prints the smallest file that brings it back"
    )


def _is_open(settings: Settings, node: str) -> bool:
    from pvenet.cli.journal_names import journals_at

    found = [journal for journal in journals_at(settings, node) if journal.state is not State.DROPPED]
    return any(journal.state is State.ROLLING_BACK for journal in found) or any(map(_was_sent, found[-1:]))


def _was_sent(journal: Journal) -> bool:
    return MEANINGS[journal.state].reloaded
