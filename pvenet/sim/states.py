"""The states of a node's network."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What a node's network can be in."""

    CLEAN = "clean"
    STAGED = "staged"
    RELOADING = "reloading"
    RELOADING_STAGED = "reloading, staged"


def state_of(*, staged: bool, reloading: bool) -> State:
    if reloading:
        return State.RELOADING_STAGED if staged else State.RELOADING
    return State.STAGED if staged else State.CLEAN
