"""Flags that look wrong, looked at again: the server caches `active` as it was when it parsed the file.

Somebody who listed during the reload (the web UI, an exporter) freezes the flags of one worker for good. So: fresh
connections, which may meet other workers; then a staged no-op and its revert, which makes every worker parse anew;
and that only with nothing pending, looking again before the revert. pve-api#flags-refresh.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.verify import judge
from pvenet.changes import Update
from pvenet.events import Warned
from pvenet.model import Ethernet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.apply.runtime import Deadline, Runtime
    from pvenet.apply.verify import Expectation
    from pvenet.node import Node, Reading

LOOKS = 4
"""Readings over fresh connections before a refresh; a node has three workers."""
PAUSE = 0.25
"""Seconds between two looks."""


class Refresh:
    """A node's flags, read until they can be believed.

    `read` reads however long the node is silent; `note` says in the journal that a no-op is being staged.
    The looks are few and brief, so that a deadline does not end them: a flag that was frozen is no failure.
    """

    def __init__(self, node: Node, runtime: Runtime, *, read: Callable[[], Reading], note: Callable[[], None]) -> None:
        self._node = node
        self._runtime = runtime
        self._read = read
        self._note = note

    def reading(self, expectation: Expectation, deadline: Deadline) -> Reading:
        """A reading with every flag as expected, or the last of several that had not."""
        reading = self._read()
        for _ in range(LOOKS):
            if not self._stale(expectation, reading):
                return reading
            deadline.say("not everything is up yet; looking again")
            self._runtime.sleep(PAUSE)
            self._node.connection.fresh()
            reading = self._read()
        if not self._stale(expectation, reading) or reading.pending is not None:
            return reading
        return self._refreshed(reading)

    @staticmethod
    def _stale(expectation: Expectation, reading: Reading) -> bool:
        """Whether flags alone are wrong: where the file is another than was pending, they are not to blame."""
        judgement = judge(expectation, reading.network)
        return bool(judgement.down) and not (judgement.different or judgement.there)

    def _refreshed(self, reading: Reading) -> Reading:
        """What the node lists once a staged no-op has made it parse its file anew; the no-op is taken back."""
        nics = (nic for nic in reading.network.interfaces.values() if isinstance(nic, Ethernet))
        quiet = next((nic for nic in nics if not wire.losses(nic)), None)
        if quiet is None:
            return reading
        self._note()
        try:
            with suppress(errors.Unreachable):  # it may have acted, so that it is taken back all the same
                self._node.stage(wire.request(Update(before=quiet, after=quiet)))
        except (errors.RefusedByPVE, errors.AccessError):
            return reading
        except KeyboardInterrupt:
            self._taken_back(reading)
            raise
        return self._taken_back(reading)

    def _taken_back(self, before: Reading) -> Reading:
        """A reading after the no-op, which is reverted where nobody has staged anything meanwhile.

        In a file that was written by hand even a no-op shows, as a diff that changes no interface.
        """
        reading = self._read()
        if reading.pending is not None and reading.network.interfaces != before.network.interfaces:
            return reading
        try:
            self._node.revert()
        except errors.PvenetError as error:
            self._runtime.emit(Warned(text=f"a staged no-op could not be removed: {error.message}"))
            return reading
        return replace(reading, changes=None)
