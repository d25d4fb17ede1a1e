"""Who hangs where, on some nodes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.access import NotKnown
from pvenet.apply.listing import listed
from pvenet.fleet.nodes import its_place, visit
from pvenet.guests import lacking, list_guests, read_guests
from pvenet.impact import Known, NodeGuests, attachments, hanging
from pvenet.model import Bridge, Network, OvsBridge, natural, typed
from pvenet.observe import bridges, report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pvenet.connection import Connection
    from pvenet.fleet.nodes import Fleet
    from pvenet.guests import GuestList, GuestReading
    from pvenet.impact import Attachment, Card
    from pvenet.kernel.links import BridgePorts, KernelLink
    from pvenet.node import Node

_Answer = TypeVar("_Answer")


def guests(
    fleet: Fleet, wanted: Sequence[str], count: Callable[[int], None]
) -> tuple[dict[str, NodeGuests], dict[str, errors.PvenetError]]:
    """The guests of each of the wanted nodes, and why a node did not answer; both in the order of the names.

    `count` hears how many nodes have answered.
    """
    everybody = its_place(fleet, _listed)
    return visit(fleet, wanted, lambda node: _read(fleet, node, everybody(node)), count)


def _listed(connection: Connection) -> GuestList | None:
    """The guests of all nodes of a place; None where that fails: each node then asks, and tells why."""
    try:
        return list_guests(connection)
    except errors.Unreachable:
        raise
    except errors.PvenetError:
        return None


def _read(fleet: Fleet, node: Node, everybody: GuestList | None) -> NodeGuests:
    reading, no_list = _had(node, lambda: listed(node, fleet.journals(node.name)), f"which bridges {node.name} has")
    network, warnings = (reading[0].network, reading[1]) if reading else (Network(), ())
    found = read_guests(node, listed=everybody)
    ports, links, unseen = _seen(node, network, found)
    return NodeGuests(
        node=node.name,
        bridges=_by_bridge(attachments(found.guests, ports.values(), links, network.interfaces), network, ports),
        guests={guest.vmid: guest for guest in found.guests},
        unknown=(*no_list, *unseen, *found.unknown),
        listed=reading is not None and not warnings,
        warnings=warnings,
    )


def _seen(
    node: Node, network: Network, found: GuestReading
) -> tuple[Mapping[str, BridgePorts], Mapping[str, KernelLink], tuple[NotKnown, ...]]:
    """What the kernel says of who hangs where: the bridges call, and the report where that leaves somebody out.

    Without either, what is not known by that.
    """
    what = f"what is on the bridges of {node.name} now"
    ports, no_ports = _had(node, lambda: bridges(node), what)
    if found.running is None:  # and then there is no report, which wants the same right
        return ports or {}, {}, no_ports
    if not _unplaced(found, (ports or {}).values(), network):
        return ports or {}, {}, ()
    there, no_report = _had(node, lambda: report(node), what)
    return ports or {}, there.links if there else {}, (no_ports or no_report) if not there else ()


def _unplaced(found: GuestReading, ports: Collection[BridgePorts], network: Network) -> frozenset[Card]:
    """The running cards that the bridges call does not show; of those on Open vSwitch no report tells more."""
    switched = {
        (guest.vmid, nic.index)
        for guest in found.guests
        for nic in guest.nics
        if nic.bridge and isinstance(typed(network.interfaces.get(nic.bridge)), OvsBridge)
    }
    return (found.running or frozenset()) - hanging(Known(ports=tuple(ports)), network.interfaces).keys() - switched


def _had(node: Node, get: Callable[[], _Answer], what: str) -> tuple[_Answer | None, tuple[NotKnown, ...]]:
    """What was asked for, or that it is not known. Raises Unreachable and UsageError, which are about the node."""
    try:
        return get(), ()
    except (errors.Unreachable, errors.UsageError):
        raise
    except errors.PermissionMissing as missing:
        return None, (lacking(node, what, missing.privilege, missing.path),)
    except errors.PvenetError as error:
        return None, (NotKnown(what=what, why=error.message),)


def _by_bridge(
    cards: Sequence[Attachment], network: Network, ports: Mapping[str, BridgePorts]
) -> Mapping[str, tuple[Attachment, ...]]:
    own = (name for name, interface in network.interfaces.items() if isinstance(typed(interface), Bridge | OvsBridge))
    names = {*own, *ports, *(card.bridge for card in cards)}
    return {name: tuple(card for card in cards if card.bridge == name) for name in sorted(names, key=natural)}
