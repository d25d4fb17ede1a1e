"""A reload of a node, with what it does to those who depend on its network: guests and the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.corosync.links import reloaded
from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.machine.tasks import HALF

if TYPE_CHECKING:
    from pvenet.sim.machine.backend import Backend, Reload


def reload(backend: Backend, wanted: Reload) -> str:
    """Take what is staged and start `ifreload -a`; the UPID of its task."""
    upid = backend.reload(wanted)
    at = wanted.now + HALF * wanted.seconds
    for vmid in wanted.orders.lost_guests:
        GuestFolder(wanted.node).lose(vmid, at)
    reloaded(wanted.node, wanted.orders.lost_links, at)
    return upid
