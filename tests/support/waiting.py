"""Waiting for another thread, another process or another machine. How long it takes is nobody's claim."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

HANGS = 60.0
"""Seconds after which it is taken to hang: far more than it takes on the busiest machine."""


def until(look: Callable[[], Found], *, within: float = HANGS, pause: float = 0.02) -> Found:
    """What a look gives as soon as that is something."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"it hangs: nothing within {within:.0f} s"
        time.sleep(pause)
    return found
