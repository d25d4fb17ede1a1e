"""Whether there is what the faults of a reload are about: one about nobody would look like a good day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.files import SimError
from pvenet.sim.machine.ifupdown2 import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.sim.calls.base import Asked


def refuse_unknown(asked: Asked) -> None:
    """Raises `SimError` for a guest, a link or an interface that this node does not have, and no file of its names."""
    orders, node = asked.orders, asked.node
    for vmid in sorted(orders.lost_guests):
        found = asked.sim.guest(vmid)
        if found is None or found[0].name != node.name:
            raise SimError(f"there is no guest {vmid} on {node.name} whose ports the reload could remove")
    member = asked.sim.corosync().member(node.name)
    for link in sorted(orders.lost_links):
        if member is None or link not in member.rings:
            raise SimError(f"{node.name} has no link {link} to its cluster that the reload could cut")
    lacks = orders.lacks  # `never-up` holds on, also for a reload of a file without it
    named = lacks.slaves | lacks.ports | lacks.mtus | lacks.addresses
    if unknown := sorted(named.difference(_names(asked))) if named else []:
        raise SimError(
            f"there is no interface {unknown[0]} on {node.name}, nor in its files, that the reload could affect"
        )


def _names(asked: Asked) -> Iterator[str]:
    """Every link that there is or was, and whatever the files name."""
    machine = asked.machine
    yield from (*machine.nics, *machine.made, *(machine.links or {}), "lo")
    for text in (asked.node.configured(), asked.node.text()):
        stanzas = read(text)
        for name in stanzas.options:
            yield from (name, *stanzas.slaves(name), *stanzas.ports(name))
