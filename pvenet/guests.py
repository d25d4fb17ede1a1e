"""The guests of a node: who they are, which of them run, and on which bridges they are or will be.

It is all for a person to know, and nothing of it is worth failing for: what can't be had is told as not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pvenet import access, errors
from pvenet.access import NotKnown
from pvenet.impact import Guest, GuestNic
from pvenet.node import permissions
from pvenet.parallel import once, parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pvenet.connection import Connection
    from pvenet.connection.answers import Answer, Row
    from pvenet.impact import Card
    from pvenet.node import Node

AT_ONCE = 4
"""Connections for the configurations."""
FORBIDDEN, FAILED = 403, 500
"""HTTP's own numbers."""

_NIC = re.compile(r"net\d+", re.ASCII)
_TAG = re.compile(r"\d{1,4}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class GuestReading:
    """The guests of a node, as far as the caller may see them."""

    guests: tuple[Guest, ...] = ()
    running: frozenset[Card] | None = None
    """The cards that the kernel has a port for; None where it could not be read."""
    unknown: tuple[NotKnown, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GuestList:
    """The guests of all nodes that the caller may see, without their cards."""

    by_node: Mapping[str, Sequence[Guest]]
    held: Callable[[Connection], access.Permissions]
    """What the caller may see of guests, asked once for all nodes, by the first of them. Raises what a read raises."""


def list_guests(connection: Connection) -> GuestList:
    """The guests of all nodes (GET /cluster/resources?type=vm).

    Who may not see them gets none and no error (pve-api#guests-silence).
    """
    answer = connection.get("cluster", "resources", type="vm")
    found: dict[str, list[Guest]] = {}
    for row in answer.rows():
        if answer.required(row, "type") in ("qemu", "lxc"):
            found.setdefault(answer.required(row, "node"), []).append(_listed(answer, row))
    by_node = {node: tuple(sorted(guests, key=lambda guest: guest.vmid)) for node, guests in found.items()}
    return GuestList(by_node=by_node, held=once(partial(permissions, path="/vms")))


def _listed(answer: Answer, row: Row) -> Guest:
    return Guest(
        vmid=_vmid(answer, row),
        name=answer.field(row, "name"),
        kind=answer.field(row, "type"),
        running={"running": True, "stopped": False}.get(answer.field(row, "status")),
        template=answer.field(row, "template") == "1",
    )


def _vmid(answer: Answer, row: Row) -> int:
    vmid = answer.number(row, "vmid")
    if vmid is None:
        raise answer.malformed("a guest has no vmid")
    return vmid


def running_cards(node: Node) -> frozenset[Card]:
    """The cards of the guests that run, wherever they hang (GET /nodes/{node}/netstat). pve-api#netstat."""
    answer = node.connection.get("nodes", node.name, "netstat")
    return frozenset((_vmid(answer, row), answer.required(row, "dev")) for row in answer.rows())


@dataclass(frozen=True, kw_only=True)
class Present:
    """Who is on a node, before anybody was asked for its cards."""

    guests: Sequence[Guest] = ()
    running: frozenset[Card] | None = None
    """As `GuestReading` has it."""
    unknown: tuple[NotKnown, ...] = ()

    @property
    def is_nobody(self) -> bool:
        """Whether it is certain that no guest is there: nobody has to be looked for on any bridge."""
        return not (self.guests or self.running or self.unknown)  # without a word from the kernel something is unknown


def present(node: Node, *, listed: GuestList | None = None) -> Present:
    """Who is on a node, and who runs. Raises nothing that the node or the way to it is to blame for.

    `listed`: what `list_guests` said, where somebody has asked already.
    """
    unknown: list[NotKnown] = []
    listed = listed or _list(node, unknown)
    guests = listed.by_node.get(node.name, ())
    running = _running(node, unknown)
    unknown += _unlisted(node, listed, guests, running or ())
    return Present(guests=guests, running=running, unknown=tuple(unknown))


def read_guests(node: Node, *, listed: GuestList | None = None) -> GuestReading:
    """The node's guests with their cards; as `present`."""
    return with_cards(node, present(node, listed=listed))


def with_cards(node: Node, there: Present, *, elsewhere: Collection[Card] = ()) -> GuestReading:
    """The guests that are there, with their cards; as `present`.

    `elsewhere`: cards that hang where nothing happens; a guest that runs with none but such is not asked for its
    configuration.
    """
    running, unknown = there.running, list(there.unknown)
    asked = [guest for guest in there.guests if not _is_elsewhere(guest, running or (), elsewhere)]
    read = _read_cards(node, asked, running)
    found: list[Guest] = []
    for guest in there.guests:
        it = read.get(guest.vmid)
        if isinstance(it, Guest):
            found.append(it)
        elif it is None or not _has_left(it):
            found.append(_state(guest, running))
            unknown += [_unread(node, guest, it)] if it else []
    return GuestReading(guests=tuple(found), running=running, unknown=tuple(unknown))


def _list(node: Node, unknown: list[NotKnown]) -> GuestList:
    try:
        return list_guests(node.connection)
    except errors.PvenetError as error:
        unknown.append(NotKnown(what=f"which guests {node.name} has", why=error.message))
        return GuestList(by_node={}, held=partial(permissions, path="/vms"))


def _state(guest: Guest, running: Collection[Card] | None) -> Guest:
    """A guest with the kernel's word on whether it runs, which is newer than the list's (pve-api#guests-silence)."""
    return guest if running is None else replace(guest, running=guest.vmid in {vmid for vmid, _ in running})


def _is_elsewhere(guest: Guest, running: Collection[Card], elsewhere: Collection[Card]) -> bool:
    own = [card for card in running if card[0] == guest.vmid]
    return bool(own) and all(card in elsewhere for card in own)


# --- what is not known -----------------------------------------------------------------------------------------------


def lacking(node: Node, what: str, privilege: str, path: str) -> NotKnown:
    """What is not known for want of a privilege, with the commands that grant it."""
    user = node.connection.credentials.user
    return NotKnown(what=what, privilege=privilege, path=path, grants=access.audit_grants(user, path))


def _running(node: Node, unknown: list[NotKnown]) -> frozenset[Card] | None:
    what = f"which guests of {node.name} run now"
    try:
        return running_cards(node)
    except errors.RefusedByPVE as error:
        forbidden = error.status == FORBIDDEN
        path = f"/nodes/{node.name}"
        unknown.append(lacking(node, what, "Sys.Audit", path) if forbidden else NotKnown(what=what, why=error.message))
    except errors.PvenetError as error:
        unknown.append(NotKnown(what=what, why=error.message))
    return None


def _unlisted(node: Node, listed: GuestList, guests: Sequence[Guest], running: Collection[Card]) -> Iterator[NotKnown]:
    """What the list may have left out: it is silent about guests that the caller may not see."""
    try:
        held = listed.held(node.connection)
    except errors.PvenetError as error:
        yield NotKnown(what=f"whether {node.name} has guests that are not listed", why=error.message)
        return
    if "VM.Audit" not in access.effective(held, "/vms/*"):  # of no guest in particular: what is handed down to all
        what = f"which other guests {node.name} has" if guests else f"which guests {node.name} has"
        yield lacking(node, what, "VM.Audit", "/vms")
        return
    for vmid in sorted({vmid for vmid, _ in running} - {guest.vmid for guest in guests}):
        yield lacking(node, f"who guest {vmid} is", "VM.Audit", f"/vms/{vmid}")


def _unread(node: Node, guest: Guest, error: errors.PvenetError) -> NotKnown:
    what = f"on which bridges guest {guest.vmid} is"
    if isinstance(error, errors.RefusedByPVE) and error.status == FORBIDDEN:
        return lacking(node, what, "VM.Audit", f"/vms/{guest.vmid}")
    return NotKnown(what=what, why=error.message)


def _has_left(error: errors.PvenetError) -> bool:
    """Whether a guest has been removed or has migrated since it was listed (pve-api#guests-missing)."""
    return isinstance(error, errors.RefusedByPVE) and error.status == FAILED and "does not exist" in error.message


# --- configurations --------------------------------------------------------------------------------------------------


def _read_cards(
    node: Node, guests: Sequence[Guest], running: Collection[Card] | None
) -> dict[int, Guest | errors.PvenetError]:
    """The guests with what their configurations say, or why that could not be had, by number."""

    def read(own: Connection, guest: Guest) -> Guest:
        answer = own.get("nodes", node.name, guest.kind, str(guest.vmid), "pending")
        found = _configured(answer, _state(guest, running))
        on_bridges = any(nic.bridge for nic in found.nics)
        return found if on_bridges else replace(found, running=guest.running)  # then the kernel shows no port of it

    return {guest.vmid: found for guest, found in parallel(node.connection, guests, read, at_once=AT_ONCE)}


def _configured(answer: Answer, guest: Guest) -> Guest:
    """A guest with its cards and its name (GET .../pending): what it runs with, and what its next start brings.

    Of one that is stopped only the second: it starts with that (pve-api#guests-pending).
    """
    nics: list[GuestNic] = []
    name = guest.name
    for row in answer.rows():
        key, now, then = answer.required(row, "key"), answer.field(row, "value"), answer.field(row, "pending")
        if key in ("name", "hostname"):
            name = name or now
        elif _NIC.fullmatch(key):
            nics += _versions(key, now, then, goes=bool(answer.field(row, "delete")), running=guest.running)
    return replace(guest, name=name, nics=tuple(sorted(nics, key=lambda nic: (len(nic.index), nic.index, nic.pending))))


def _versions(index: str, now: str, then: str, *, goes: bool, running: bool | None) -> Iterator[GuestNic]:
    """A card as it is, and as it will be where that is something else."""
    current, later = (_nic(index, text) if text else None for text in (now, then))
    if running is False:
        current, later = (None if goes else later or current), None
    if current:
        yield current
    if later and later != current:
        yield replace(later, pending=True)


def _nic(index: str, text: str) -> GuestNic:
    """`virtio=BC:24:...,bridge=vmbr0,tag=20,trunks=10;20-30`. pve-api#guests-config."""
    words = dict(word.split("=", 1) for word in text.split(",") if "=" in word)
    tag = words.get("tag", "")
    return GuestNic(
        index=index,
        bridge=words.get("bridge") or None,
        tag=int(tag) if _TAG.fullmatch(tag) else None,
        trunks=tuple(filter(None, words.get("trunks", "").split(";"))),
        firewall=words.get("firewall") == "1",
        link_down=words.get("link_down") == "1",
    )
