"""A reload on its way to the node: sent once, and found among the node's tasks where its answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.wait import find_reload
from pvenet.connection import AnswerLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.apply.wait import Deadline, Runtime
    from pvenet.node import Node


class Sending:
    """The requests that start a reload, and whether any of them may have."""

    def __init__(self, node: Node, runtime: Runtime, told_once: Callable[[], None]) -> None:
        self._node = node
        self._runtime = runtime
        self._told_once = told_once
        """Hears of a Ctrl-C; raises where it is not the first."""
        self.sent = False
        """It may have been started: the request is on its way, and nothing has proved yet that it did not arrive."""

    def send(self, deadline: Deadline, known: frozenset[str], pending: str | None, *, again: bool = False) -> str:
        """Send a reload, once; the task that it became, found among the node's tasks where the answer is lost.

        `again`: one was started before, whatever becomes of this one. Raises what stood against it, or Unreachable or
        Interrupted, where it was not started.
        """
        lost: errors.PvenetError
        try:
            self.sent = True
            return self._node.reload()
        except AnswerLost as error:
            lost = errors.Unreachable(
                f"the reload did not reach {self._node.name}: {error.message}; what is pending stays pending",
                hint=error.hint,
            )
        except errors.PvenetError:
            self.sent = again
            raise
        except KeyboardInterrupt:
            lost = errors.Interrupted(
                f"interrupted; the reload did not reach {self._node.name}, and what is pending stays pending"
            )
            self._told_once()
        upid = find_reload(self._node, self._runtime, deadline, known=known, pending=pending)
        if upid is None:
            self.sent = again
            raise lost
        return upid
