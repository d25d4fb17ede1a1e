"""A list by difference: what a command adds to the ports, slaves or VLANs of an interface, and takes out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.limits import VIDS, takes_vids
from pvenet.model import ALL_VIDS, Bond, Bridge, OvsBond

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pvenet.model import Interface

WORDS = {"ports": "port", "slaves": "slave", "vids": "vids"}
"""The fields that are lists, and what of each `--add-` and `--remove-` take."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What comes to a list and what leaves it, as it was said."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


ENOUGH = 2
"""Slaves, for a bond to outlive the loss of one."""

Differences = dict[str, Difference]
"""By the model's field."""


def refuse_mixed(differences: Differences, given: Collection[str], cleared: Collection[str]) -> None:
    """Raises UsageError for a list that is given or cleared as well, and for a word that comes and leaves at once."""
    for field, each in ((field, each) for field, each in differences.items() if each):
        option = f"--{'add' if each.add else 'remove'}-{WORDS[field]}"
        for other, fields in ((f"--{field}", given), (f"--clear {field}", cleared)):
            if field in fields:
                raise errors.UsageError(
                    f"{option} changes the {field} that are there, and {other} replaces them",
                    hint="leave one of them out",
                )
        both = [word for word in each.add if word in each.remove]
        if both:
            raise errors.UsageError(
                f"{', '.join(both)} can't be added to the {field} and removed at once",
                hint="leave one of them out",
            )


def changed(before: Interface, differences: Differences, given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The lists as they shall be, by field; nothing of one in which nothing changes.

    `given`: the other fields that the command sets. Raises InvalidNetwork for VLANs that can't be reckoned with.
    """
    found = {}
    for field, each in differences.items():
        if each:
            is_now = _vids(before, each, given) if field == "vids" else _names(getattr(before, field), each)
            if is_now is not None:
                found[field] = is_now
    return found


def needless(before: Interface, differences: Differences, given: Mapping[str, Any], node: str) -> Iterator[str]:
    """What was asked for and is so already, a line each."""
    for field, each in differences.items():
        if field == "vids":
            yield from _needless_vids(before, each, given, node)
            continue
        there, word = getattr(before, field, ()), WORDS[field]
        for name in dict.fromkeys(each.add):
            if name in there:
                yield f"{name} is a {word} of {before.name} on {node} already"
        for name in dict.fromkeys(each.remove):
            if name not in there:
                has = f"its {field} are {', '.join(there)}" if there else f"it has no {field}"
                yield f"{name} is not a {word} of {before.name} on {node}, so nothing is removed: {has}"


def remarks(before: Interface | None, after: Interface) -> Iterator[str]:
    """What is worth saying of a bond whose slaves change, and are fewer than two; it may be on the way to them."""
    if not isinstance(after, Bond | OvsBond) or len(slaves := set(after.slaves)) >= ENOUGH:
        return
    if before is None or set(getattr(before, "slaves", ())) != slaves:
        one = f"one slave, {after.slaves[0]}: nothing takes over if it fails" if slaves else ""
        yield f"{after.name} has {one or 'no slave'}"


def _names(there: tuple[str, ...], each: Difference) -> tuple[str, ...] | None:
    """The names in their order, with the new ones behind; None where they are the same."""
    new = tuple(name for name in dict.fromkeys((*there, *each.add)) if name not in each.remove)
    return new if set(new) != set(there) else None


# --- VLANs -----------------------------------------------------------------------------------------------------------


def _vids(before: Interface, each: Difference, given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The VLANs as ranges that neither touch nor overlap, upwards; None where they are the same.

    PVE takes a bridge without any for one with all of them (pve-api#auto-filled), which is the opposite.
    """
    there = _let_through(before, each, given)
    new = (there | _numbers(each.add)) - _numbers(each.remove)
    if not new:
        raise errors.InvalidNetwork(
            f"{before.name} would let no VLAN through, which PVE can't express: it fills in {ALL_VIDS[0]}",
            hint="nothing was sent; keep one of them, or remove the ports with --remove-port",
        )
    return _ranges(new) if new != there else None


def _let_through(before: Interface, each: Difference, given: Mapping[str, Any]) -> set[int]:
    """The VLANs that a bridge lets through now, or would as a VLAN-aware one."""
    option = f"--{'add' if each.add else 'remove'}-vids"
    aware = isinstance(before, Bridge) and before.vlan_aware
    if given.get("vlan_aware") is False:
        raise errors.UsageError(
            f"{option} needs a VLAN-aware bridge, and --no-vlan-aware makes it an ordinary one",
            hint="leave one of them out",
        )
    if not aware and not given.get("vlan_aware"):
        raise errors.InvalidNetwork(
            f"{before.name} is not VLAN-aware: it lets every VLAN through, and has no list to change",
            hint=f"nothing was sent; --vlan-aware {option} begins with {ALL_VIDS[0]}, and --vids names all that it "
            "should let through",
        )
    vids: tuple[str, ...] = getattr(before, "vids", ()) if aware else ()
    if not all(map(takes_vids, vids)):
        raise errors.InvalidNetwork(
            f"the VLANs of {before.name} are not a list that pvenet can change: {' '.join(vids)}",
            hint="nothing was sent; name all of them with --vids",
        )
    return _numbers(vids or ALL_VIDS)


def _needless_vids(before: Interface, each: Difference, given: Mapping[str, Any], node: str) -> Iterator[str]:
    if not each:
        return
    there = _let_through(before, each, given)
    add, remove = _numbers(each.add), _numbers(each.remove)
    if had := add & there:
        yield f"{before.name} on {node} lets VLAN {', '.join(_ranges(had))} through already"
    if lacks := remove - there:
        yield f"{before.name} on {node} lets no VLAN {', '.join(_ranges(lacks))} through, so nothing is removed"


def _numbers(vids: tuple[str, ...]) -> set[int]:
    """The VLANs that words name. Raises InvalidNetwork for a word that names none."""
    wrong = [vid for vid in vids if not takes_vids(vid)]
    if wrong:
        raise errors.InvalidNetwork(
            f"{', '.join(wrong)} is not a VLAN: use an ID from {VIDS[0]} to {VIDS[-1]}, or a range like 30-40",
            hint="nothing was sent",
        )
    found: set[int] = set()
    for vid in vids:
        low, _, high = vid.partition("-")
        found.update(range(int(low), int(high or low) + 1))
    return found


def _ranges(numbers: set[int]) -> tuple[str, ...]:
    """Numbers as the fewest ids and ranges, upwards."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(f"{low}" if low == high else f"{low}-{high}" for low, high in found)
