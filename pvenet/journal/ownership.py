"""Whose is what is pending? PVE has no lock and records no author; the journals know what was staged from here.

What is pending is ours when its diff is, to the letter, the one recorded after our last write; or, only where a command
was killed before it could record that, when the staged network is exactly what its steps come to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.changes import net_changes
from pvenet.journal.identity import elsewhere
from pvenet.journal.replay import explains, replay
from pvenet.journal.states import ARMS, WRITING
from pvenet.model import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.changes import Change
    from pvenet.journal.store import Journals
    from pvenet.journal.value import Journal
    from pvenet.model import Interface, Network
    from pvenet.node import Reading


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """Nothing is pending."""


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What is pending was staged from here, all of it."""

    journal: Journal
    steps: tuple[Change, ...]
    """What it means for the network that is live."""

    @property
    def armed(self) -> bool:
        """It is no change to be applied, but what leads back from an apply that was armed."""
        return self.journal.state in ARMS


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """Somebody else staged what is pending, or some of it."""

    changes: str
    """PVE's diff, as it came."""
    adopted: Journal | None = None
    """Where it was adopted: the journal of what was staged from here on top of it."""
    note: str = ""
    """That a journal of a node of the same name elsewhere has recorded exactly this."""


def ownership(journals: Journals, reading: Reading) -> Nothing | Ours | Foreign:
    """Whose what is pending is."""
    journals.settle(reading)
    if reading.pending is None:
        return Nothing()
    journal = _recorded(journals, reading)
    if journal is None or journal.adopted:
        return Foreign(changes=reading.changes or "", adopted=journal, note=_recorded_elsewhere(journals, reading))
    return Ours(journal=journal, steps=net_changes(live(journal, reading.network), reading.network.interfaces))


def live(journal: Journal, staged: Network) -> Mapping[str, Interface]:
    """The interfaces that are applied while what a journal has staged is pending.

    What leads back does so from what its steps had made of them; of the rest what is staged is what is applied, which
    may be another than when the journal began.
    """
    if journal.state in ARMS:
        return replay(journal.forward).then
    if journal.back is None or len(journal.steps) <= journal.back:
        return journal.network.interfaces
    applied, mine = replay(journal.forward).then, replay(journal).names
    rest = {name: interface for name, interface in staged.interfaces.items() if name not in mine}
    return rest | {name: applied[name] for name in mine & applied.keys()}


def _recorded(journals: Journals, reading: Reading) -> Journal | None:
    """The youngest journal that what is pending belongs to."""
    writing = [journal for journal in reversed(journals.all()) if journal.state in WRITING]
    for judge in (is_recorded, is_mine):
        for journal in writing:
            if judge(journal, reading):
                return journal
    return None


def _recorded_elsewhere(journals: Journals, reading: Reading) -> str:
    others = (each for each in journals.others() if each.state in WRITING and is_recorded(each, reading))
    other = next(others, None)
    if other is None:
        return ""
    return (
        f"\n{elsewhere(other, journals.place())}, but it has recorded exactly these changes; if it is the same node "
        f"and its certificate was renewed, say so with `pvenet status --node {journals.node} --same-node`"
    )


def is_recorded(journal: Journal, reading: Reading) -> bool:
    """Whether something is pending, and it is to the letter what one journal has recorded after its last write."""
    return reading.pending is not None and reading.pending == journal.pending


def is_mine(journal: Journal, reading: Reading) -> bool:
    """Whether what is pending is what one journal's steps have staged, or both are nothing."""
    if reading.pending == journal.pending:
        return True
    return journal.behind and not journal.adopted and explains(journal, reading.entries)


def not_ours(node: str, changes: str, remedy: str, note: str = "", *, where: str = "") -> errors.NotOurs:
    """The refusal of pending changes that somebody else staged; `where`: the option by which a command says where."""
    return errors.NotOurs(
        f"changes are pending on {node} that pvenet did not stage from here; they are left alone:\n\n{changes}",
        hint=f"ask who staged them; then {remedy}, or throw them away with `pvenet revert --discard{where}`{note}",
        changes=changes,
    )


def not_ours_on(pending: Mapping[str, str], remedy: str) -> errors.NotOurs:
    """The same of some of many nodes, all of them at once."""
    told = [f"{name}:\n{changes}" if len(pending) > 1 else changes for name, changes in pending.items()]
    return not_ours(runs([*pending]), "\n\n".join(told), remedy, where=f" --node {','.join(pending)}")
