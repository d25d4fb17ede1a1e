"""Two networks, and what of the difference a frame would notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.changes import Create, Delete, Update, net_changes
from pvenet.impact.reach import NATIVE, admits
from pvenet.model import Bond, Bridge, Ethernet, Interface, OvsBond, OvsBridge, OvsPort, typed
from pvenet.model.addresses import addresses
from pvenet.model.relations import DEFAULT_MTU, outward
from pvenet.model.walks import upward

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pvenet.changes import Change
    from pvenet.impact.reach import Frame, Reach
    from pvenet.model import Network

_QUIET = frozenset({"comments", "autostart", "cidr", "gateway", "cidr6", "gateway6"})
"""The fields that no frame of a guest notices."""


@dataclass(frozen=True, kw_only=True)
class Between:
    """A network and the one wanted."""

    before: Mapping[str, Interface]
    """Each as one of its kind, also where a value of it can't be read."""
    after: Mapping[str, Interface]
    """The same afterwards."""
    remade: frozenset[str]
    """The names that go and come again: another link in the kernel, on which nobody hangs."""
    gone: frozenset[str]
    """The names that go and do not come again, but for NICs: their links stay."""
    had: Mapping[str, Sequence[str]]
    """The addresses before, by the interfaces that have some."""
    has: Mapping[str, Sequence[str]]
    """Those afterwards."""
    touched: frozenset[str]
    """The interfaces that are `concerned`."""


def between(before: Network, wanted: Network, remade: Collection[str] = ()) -> Between:
    """`remade`: names that are equal in both and still made anew, because they were away in between."""
    changes = net_changes(before.interfaces, wanted.interfaces)
    old, new = ({name: typed(each) for name, each in it.interfaces.items()} for it in (before, wanted))
    deleted = {change.name for change in changes if isinstance(change, Delete)}
    created = {change.name for change in changes if isinstance(change, Create)}
    return Between(
        before=old,
        after=new,
        remade=_anew(deleted & created, old, new) | (frozenset(remade) & old.keys() & new.keys()),
        gone=frozenset(name for name in old.keys() - new.keys() if not isinstance(old[name], Ethernet | OvsPort)),
        had=before.ips,
        has=wanted.ips,
        touched=_touched(before, wanted, changes, remade),
    )


def _anew(names: Collection[str], old: Mapping[str, Interface], new: Mapping[str, Interface]) -> frozenset[str]:
    """Those of which the kernel makes another link; whose value somebody has mended, or broken, keeps its own."""
    return frozenset(name for name in names if type(old[name]) is not type(new[name]))


def concerned(before: Network, wanted: Network, remade: Collection[str] = ()) -> frozenset[str]:
    """The interfaces of which somebody who hangs on them may notice something; none where nobody can be hit.

    What was beneath them is enough to know: what comes beneath them, and takes nothing away, hits nobody.
    """
    return _touched(before, wanted, net_changes(before.interfaces, wanted.interfaces), remade)


def _touched(before: Network, wanted: Network, changes: Iterable[Change], remade: Collection[str]) -> frozenset[str]:
    changed = {change.name for change in changes if not _is_quiet(change, before, wanted)} | set(remade)
    return frozenset(before.interfaces.keys() & upward(changed, before))


def disturbs_addresses(before: Network, wanted: Network, disturbed: Collection[str]) -> bool:
    """Whether an address of the node moves, or something that it stands on is disturbed: a link of the cluster may be
    hit then.

    `disturbed`: the interfaces that are `concerned`.
    """
    return any(name in disturbed or _moves(before.interfaces[name], wanted.interfaces.get(name)) for name in before.ips)


def _moves(old: Interface, new: Interface | None) -> bool:
    """Whether an interface gets other addresses."""
    return old is not new and addresses(old) != addresses(new)


def _is_quiet(change: Change, before: Network, wanted: Network) -> bool:
    """Whether nobody notices it: also a bridge's further port. A bond's further member is noticed (`_shaken`)."""
    if not isinstance(change, Update):
        return False
    quiet = _QUIET | {"ports"} if _keeps_uplinks(change, before, wanted) else _QUIET
    return all(field.field in quiet for field in change.fields())


def _keeps_uplinks(change: Update, before: Network, wanted: Network) -> bool:
    """Whether a bridge loses none of the ports by which frames leave it."""
    old, new = change.before, change.after
    had, has = outward(old, before.interfaces), outward(new, wanted.interfaces)
    return isinstance(old, Bridge | OvsBridge) and set(had) <= set(has)


# --- what frames lose ------------------------------------------------------------------------------------------------


def why_lost(was: Reach, change: Between) -> str:
    """Why frames reach none of the cables any more: the first thing on the way that is to blame, a clause."""
    for name, frame in was.frames.items():
        if name in change.gone:
            return f"{name} goes"
        if name in change.remade:
            return f"{name} is recreated"
        found = _closed(name, frame, change)
        if found:
            return found
    return "none of its uplinks remains"


def _closed(name: str, frame: Frame, change: Between) -> str:
    """Why nothing gets through an interface that was there and still is."""
    old, new = change.before.get(name), change.after.get(name)
    for field, what in (("ports", "uplinks"), ("slaves", "members")):
        had = outward(old, change.before) if old is not None and hasattr(old, field) else ()
        has = outward(new, change.after) if new is not None and hasattr(new, field) else ()
        if had and not set(had) & set(has):
            return f"none of {name}'s {what} remains ({', '.join(had)})"
    if isinstance(new, Bridge) and new.vlan_aware and frame:
        aware = isinstance(old, Bridge) and old.vlan_aware
        if not admits(new, frame[0]):
            return f"VLAN {frame[0]} leaves {name}" if aware else f"{name} becomes VLAN-aware without VLAN {frame[0]}"
        if not aware and frame[0] == NATIVE:
            return f"{name} becomes VLAN-aware, where VLAN {NATIVE} has no tag"
    for field, what in (("tag", "VLAN"), ("raw_device", "raw device"), ("bridge", "bridge")):
        if getattr(old, field, None) != getattr(new, field, None):
            return f"{name} gets a different {what}"
    return ""


def interruptions(was: Reach, now: Reach, change: Between) -> Iterator[str]:
    """What happens on a way that still leads to one of the cables, clauses."""
    for name in was.frames:
        if name in change.gone:
            yield f"{name} goes"
        elif name in change.remade:
            yield f"{name} is recreated"
        else:
            yield from _shaken(change.before.get(name), change.after.get(name))
    for upper, lower in was.steps:
        if (upper, lower) not in now.steps and {upper, lower}.isdisjoint(change.gone):
            yield f"{lower} leaves {upper}"


def _shaken(old: Interface | None, new: Interface | None) -> Iterator[str]:
    """What is done to an interface that frames notice and get over.

    A lower MTU is one: who still sends the larger frames loses them. A higher one hurts no frame that came through. A
    bond takes its mode, and new members, only while it is down or they are.
    """
    if old is None or new is None:
        return
    if isinstance(old, Bond | OvsBond) and isinstance(new, Bond | OvsBond):
        if old.mode != new.mode:
            yield f"{old.name} changes its mode from {old.mode} to {new.mode}"
        if set(old.slaves) != set(new.slaves):
            yield f"{old.name} changes its members"
    if getattr(old, "options", "") != getattr(new, "options", "") and isinstance(old, OvsBond | OvsPort):
        yield f"{old.name} changes its options"
    if (new.mtu or DEFAULT_MTU) < (old.mtu or DEFAULT_MTU):
        yield f"{old.name} gets a lower MTU, and larger frames are lost"
