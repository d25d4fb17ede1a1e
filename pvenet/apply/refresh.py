"""Flags that look wrong, looked at again: the server caches `active` as it was when it parsed the file.

Somebody who listed during the reload (the web UI, an exporter) freezes the flags of one worker for good. So: fresh
connections, which may meet other workers; then a staged no-op and its revert, which makes every worker parse anew;
and that only with nothing pending, looking again before the revert. Facts, section 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.verify import judge
from pvenet.events import Waiting
from pvenet.model import Ethernet

if TYPE_CHECKING:
    from pvenet.apply.verify import Expectation
    from pvenet.apply.wait import Surroundings
    from pvenet.node import Node, Reading

LOOKS = 4
"""Readings over fresh connections before a refresh; a node has three workers."""
PAUSE = 0.25
"""Seconds between two looks."""


def read_settled(node: Node, expectation: Expectation, around: Surroundings, deadline: float) -> Reading:
    """A reading that is as expected, or the last of several that were not."""
    reading = node.read()
    for _ in range(LOOKS):
        if judge(expectation, reading.network).good or around.clock() >= deadline:
            return reading
        around.tell(Waiting(reason="not everything is up yet; looking again", elapsed=0.0))
        around.sleep(PAUSE)
        node.connection.fresh()
        reading = node.read()
    if not judge(expectation, reading.network).down or reading.pending is not None:
        return reading
    return _refreshed(node, reading)


def _refreshed(node: Node, reading: Reading) -> Reading:
    """What the node lists once a staged no-op has made it parse its file anew; the no-op is taken back."""
    quiet = [
        interface
        for interface in reading.network.interfaces.values()
        if isinstance(interface, Ethernet) and not wire.losses(interface)
    ]
    if not quiet:
        return reading
    try:
        node.update(quiet[0], quiet[0])
        fresh = node.read()
        if fresh.pending is None:
            node.revert()
    except errors.RefusedByPVE:
        return reading
    return fresh
