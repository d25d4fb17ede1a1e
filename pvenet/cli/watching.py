"""`pvenet status --watch`: how nodes stand, said anew whenever that changes."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from pvenet.cli.output import LIVE, lively

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.apply.status import Status
    from pvenet.cli.context import Context

OFTEN = 1.0
"""Seconds between two looks."""


def watched(context: Context, look: Callable[[], list[Status]], text: Callable[[list[Status]], str]) -> list[Status]:
    """Look until nothing goes on any more, or until Ctrl-C; the last look. With --json each change is a line."""
    told: list[Status] = []
    found: list[Status] = []
    try:
        while True:
            found = look()
            if (now := [replace(each, left=None) for each in found]) != told:
                told = now
                LIVE.end()
                context.emit_event("status", {"nodes": [asdict(each) for each in found]}, text(found), depth=2)
            if not any(goes_on(each) for each in found):
                return found
            if lively() and not context.options.json:
                LIVE.show(_line(found))
            time.sleep(OFTEN)
    except KeyboardInterrupt:
        return found
    finally:
        LIVE.end()


def goes_on(found: Status) -> bool:
    """Whether something may change by itself: a reload runs, somebody is at work, or nobody answers."""
    return found.reloading or found.busy or not found.reachable


def _line(found: list[Status]) -> Callable[[], str]:
    since = time.monotonic()
    left = min((each.left for each in found if each.left is not None), default=None)
    names = ", ".join(each.node for each in found if goes_on(each))

    def line() -> str:
        due = "" if left is None else f"; rolls back in {max(0.0, left - time.monotonic() + since):.0f} s"
        return f"watching {names}{due}; Ctrl-C ends it"

    return line
