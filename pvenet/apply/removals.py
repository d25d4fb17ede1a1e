"""What PVE does at a write by itself: it takes away of the whole file, and refuses what is wrong anywhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.changes import Create

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pvenet.changes import Loss, Plan
    from pvenet.journal import Journal
    from pvenet.node import Reading


def foreseen(reading: Reading, todo: Plan) -> tuple[str, ...]:
    """Why PVE will refuse a plan whatever it is for, in its words; empty where that is not sure."""
    return wire.foreseen(reading.entries, wire.request(todo.steps[0])) if todo else ()


def removals(journal: Journal | None, changes: str) -> tuple[Loss, ...]:
    """What PVE's write takes away by itself; of what somebody else has staged nobody can tell."""
    if journal is None or journal.adopted:
        return ()
    return wire.removed(journal.baseline, changes, journal.forward.steps)


def planned_removals(reading: Reading, todo: Plan) -> tuple[Loss, ...]:
    """What PVE's write would take away by itself, as far as the listing shows; what PVE has written it keeps."""
    if reading.pending is not None or not todo:
        return ()
    return wire.removed(reading.entries, steps=[wire.request(step) for step in todo.steps])


def remade(todo: Plan | None) -> frozenset[str]:
    """The interfaces that a plan which leads back creates."""
    return frozenset(step.name for step in todo.steps if isinstance(step, Create)) if todo else frozenset()


def described_removals(removals: Iterable[Loss]) -> Iterator[str]:
    """What PVE's write takes away by itself, a clause for each interface."""
    found: dict[str, list[str]] = {}
    for loss in removals:
        found.setdefault(loss.name, []).append(loss.what)
    for name, what in found.items():
        yield f"PVE rewrites the whole file, and {name or 'it'} loses: {'; '.join(what)}"
