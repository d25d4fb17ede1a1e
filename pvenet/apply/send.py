"""A reload on its way to the node: sent once, and found among the node's tasks where its answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.runtime import answered, interval
from pvenet.connection import AnswerLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.apply.runtime import Deadline, Runtime
    from pvenet.node import Node

LISTED_WITHIN = 10.0
"""Seconds after which a reload that the node's tasks don't list is looked for in what is pending."""
_WHETHER_IT_STARTED = "the answer to the reload was lost, and it may have started"


class Sender:
    """The requests that start a reload, and whether any of them may have."""

    def __init__(self, node: Node, runtime: Runtime, interrupted: Callable[[], None]) -> None:
        self._node = node
        self._runtime = runtime
        self._interrupted = interrupted
        """Hears of a Ctrl-C; raises where it is not the first."""
        self.sent = False
        """It may have been started: the request is on its way, and nothing has proved yet that it did not arrive."""

    def send(self, deadline: Deadline, known: frozenset[str], pending: str | None, *, again: bool = False) -> str:
        """Send a reload, once; the task that it became, found among the node's tasks where the answer is lost.

        `again`: one was started before, whatever becomes of this one. Raises what stood against it, or Unreachable or
        Interrupted, where it was not started.
        """
        lost: errors.PvenetError
        refused = False
        try:
            self.sent = True
            return self._node.reload(timeout=deadline.request)
        except AnswerLost as error:
            refused = error.refused is not None
            lost = self._not_started(error)
        except errors.PvenetError:
            self.sent = again
            raise
        except KeyboardInterrupt:
            lost = errors.Interrupted(
                f"interrupted; the reload did not reach {self._node.name}, and what is pending stays pending"
            )
            self._interrupted()
        upid = self._found(deadline, known, pending, refused=refused)
        if upid is None:
            self.sent = again
            raise lost
        return upid

    def _found(self, deadline: Deadline, known: frozenset[str], pending: str | None, *, refused: bool) -> str | None:
        """The task of the one whose answer was lost, however often a Ctrl-C comes that may not stop it."""
        while True:
            try:
                return find_reload(self._node, deadline, known=known, pending=pending, refused=refused)
            except KeyboardInterrupt:
                self._interrupted()

    def _not_started(self, error: AnswerLost) -> errors.PvenetError:
        """What to say of a reload whose answer proved nothing, when the node's tasks have."""
        if error.refused is not None:
            return self._node.explained(error.refused)
        return errors.Unreachable(
            f"the reload did not reach {self._node.name}: {error.message}; what is pending stays pending",
            hint=error.hint,
        )


def find_reload(
    node: Node, deadline: Deadline, *, known: frozenset[str], pending: str | None, refused: bool = False
) -> str | None:
    """The task of a reload whose answer was lost: the one by our user that was not known before.

    None where it was not started: the node lists no such task, and what was pending still is (a reload consumes it
    at once), or nothing was and PVE has refused it. That is looked at only when the lists have had their time, because
    a listing during a reload freezes the flags. Raises StateUnknown where nobody can tell.
    """
    clock = deadline.runtime.clock
    begun = clock()
    looked = False
    while True:
        tasks = answered(node, lambda: node.reloads(timeout=deadline.answer), deadline, what=_WHETHER_IT_STARTED)
        mine = [upid for upid in tasks if upid not in known and f":{node.connection.credentials.user}:" in upid]
        if mine:
            return mine[0]
        elapsed = clock() - begun
        late = deadline.over
        if refused and pending is None and (late or elapsed > LISTED_WITHIN):
            return None
        if pending is not None and not looked and (late or elapsed > LISTED_WITHIN):
            looked = True
            now = answered(node, lambda: node.glance(timeout=deadline.answer), deadline, what=_WHETHER_IT_STARTED)
            if now.pending == pending:
                return None
        if late:
            raise errors.StateUnknown(
                f"the answer to the reload of {node.name} was lost, and no task of it is listed",
                hint=f"`pvenet diff --node {node.name}` shows whether the changes are still pending",
            )
        deadline.pause("the answer to the reload was lost; looking for its task", interval(elapsed))
