"""Every step that pvenet makes a journal take, held against the table of its states."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

from pvenet.journal import MEANINGS, Journal, Journals, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Transition = tuple[State, State]


def made_by_pvenet() -> bool:
    """Whether it is pvenet that writes, and not a test that puts a journal in place."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name == "write":  # a test's own kind of journals
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).startswith("pvenet.")


def written(path: Path) -> State:
    """The state on disk; a journal that was never written has just begun."""
    try:
        return State(json.loads(path.read_bytes().decode("utf8", "surrogatepass"))["state"])
    except (OSError, ValueError, KeyError, TypeError):
        return State.STAGING


@contextmanager
def watched() -> Iterator[list[Transition]]:
    """What the table does not know of the transitions made meanwhile.

    A journal that could not be written goes on from what it was to say: both that and what is on disk are its past.
    """
    unknown: list[Transition] = []
    wanted: dict[Path, State] = {}
    write = Journals.write

    def watching(self: Journals, journal: Journal, *, so: str = "") -> Journal:
        path, new = self.path(journal), journal.state
        past = {written(path), wanted.get(path, written(path))}
        wanted[path] = new
        if made_by_pvenet() and not any(new is old or new in MEANINGS[old].next for old in past):
            unknown.extend((old, new) for old in sorted(past))
        return write(self, journal, so=so)

    with mock.patch.object(Journals, "write", watching):
        yield unknown


def wrong(unknown: list[Transition]) -> str:
    """What to say of them."""
    steps = ", ".join(f"{old} -> {new}" for old, new in unknown)
    return f"pvenet/journal/states.py does not list: {steps}" if unknown else ""
