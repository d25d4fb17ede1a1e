"""Reloads of a node, with what they do to those who depend on its network: guests and the cluster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from pvenet.sim.access.users import ROOT
from pvenet.sim.corosync.links import reloaded
from pvenet.sim.files import OTHERWISE, SimError, read_json, write_json
from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.machine.backend import NO_ORDERS, Reload
from pvenet.sim.machine.tasks import HALF

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.sim.machine.backend import Backend
    from pvenet.sim.machine.folder import NodeFolder


def reload(backend: Backend, wanted: Reload) -> str:
    """Take what is staged and start `ifreload -a`; the UPID of its task."""
    upid = backend.reload(wanted)
    at = wanted.now + HALF * wanted.seconds
    for vmid in wanted.orders.lost_guests:
        GuestFolder(wanted.node).lose(vmid, at)
    reloaded(wanted.node, wanted.orders.lost_links, at)
    return upid


@dataclass(frozen=True, kw_only=True)
class LaterReload:
    """A reload that the cluster has ordered, and the node has not begun."""

    at: float
    seconds: float

    @classmethod
    def of(cls, node: NodeFolder) -> Self | None:
        """That of a node; raises `SimError` for a file that says nothing of the kind."""
        path = _path(node)
        try:
            return cls(**read_json(path))
        except FileNotFoundError:
            return None
        except OTHERWISE as error:
            raise SimError(f"{path} does not say when to reload: {error}") from error

    def keep(self, node: NodeFolder) -> None:
        write_json(_path(node), asdict(self))

    def start(self, backend: Backend, node: NodeFolder) -> None:
        """Begin it, as root and without a token (K5-sdnlock-058)."""
        _path(node).unlink()
        machine = backend.advance(node, self.at)
        reload(
            backend,
            Reload(
                node=node,
                machine=machine,
                now=self.at,
                user=ROOT,
                seconds=self.seconds,
                frr=False,
                orders=NO_ORDERS,
            ),
        )


def _path(node: NodeFolder) -> Path:
    return node.folder / "reload-later.json"
