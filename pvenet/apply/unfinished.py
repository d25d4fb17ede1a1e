"""What is unfinished from here, and forbids what comes next: a reload that runs, an apply that waits for a word, the
way back of one that was armed; and whose the journals of a node's name are, where that has to be found out first.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cluster import fingerprints
from pvenet.journal import ARMS, UNFINISHED, YES, Journal, Journals, Ours, State, still_open

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.journal import Foreign, Nothing
    from pvenet.node import Node, Task


def refuse_while_reloading(node: Node, journals: Journals) -> None:
    """Raises Busy while a reload of ours still runs: a listing now would freeze the flags (pve-api#never-list).

    It costs a request only where a journal is open on a reload.
    """
    meet(node, journals, State.RELOADING, *ARMS, State.ROLLING_BACK)
    for journal in still_open(journals, State.RELOADING, *ARMS, State.ROLLING_BACK):
        task = task_of(node, journal)
        if task is not None and task.running:
            raise errors.Busy(
                f"the reload of {node.name} that was started from here is still running; nothing was sent",
                hint=f"wait until its task has ended:\n  {task.upid}",
            )


def refuse_unfinished(node: Node, journals: Journals) -> None:
    """Raises RefusedByPvenet while an apply waits for a person's word, or a rollback for its end."""
    meet(node, journals, *UNFINISHED)
    found = next(reversed(still_open(journals, *UNFINISHED)), None)
    if found is None:
        return
    if found.state is State.CONFIRMING and journals.word(found) == YES:
        # whoever waited was killed before it could
        journals.write(replace(found, state=State.CONFIRMED), so="nothing was sent")
        return
    if found.state is State.CONFIRMING:
        what, remedy = "what was applied last is waiting to be confirmed", "keeps it, and `pvenet rollback` undoes it"
    else:
        what, remedy = "a rollback was started and has not ended", "keeps what is there, and `pvenet rollback` goes on"
    raise errors.RefusedByPvenet(
        f"{what} on {node.name}; nothing was sent",
        hint=f"`pvenet confirm` {remedy}; the journal is\n  {journals.path(found)}",
    )


def refuse_armed(journals: Journals, whose: Nothing | Ours | Foreign) -> None:
    """Raises RefusedByPvenet where what is pending leads back from an apply that was armed."""
    if isinstance(whose, Ours) and whose.armed:
        raise errors.RefusedByPvenet(
            f"what is pending on {journals.node} is the way back of an apply that was armed and has not ended; nothing "
            "was sent",
            hint="`pvenet rollback` goes back to what was there before, and `pvenet revert` keeps what was applied;\n"
            f"the journal is\n  {journals.path(whose.journal)}",
        )


def meet(node: Node, journals: Journals, *states: State) -> None:
    """Let the node show its certificate where that decides whose a journal in one of these states is.

    It costs a request only there, and only where nothing was asked yet and no certificate is pinned.
    """
    if any(journal.state in states for journal in journals.undecided()):
        node.connection.get("version")
    recognise(node, journals, states)


def recognise(node: Node, journals: Journals, states: Collection[State]) -> None:
    """Tell the journals that began at another member of the cluster, by the certificates that the cluster knows.

    It costs a request only where a journal in one of these states is of a node of this name at another endpoint.
    """
    place = journals.place()
    others = [journal for journal in journals.others() if journal.certificate and journal.state in states]
    if place.certificate and any(journal.endpoint not in place.certificates for journal in others):
        with suppress(errors.PvenetError):  # then they stay another node's
            journals.recognise(fingerprints(node.connection).values())


def task_of(node: Node, journal: Journal) -> Task | None:
    """The task of a journal's reload; None where there was none, or the node knows it no more."""
    try:
        return node.task(journal.upid) if journal.upid else None
    except errors.RefusedByPVE:
        return None
