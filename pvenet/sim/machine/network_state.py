"""The states of a node's network."""

from __future__ import annotations

from enum import Enum


class NetworkState(Enum):
    """What a node's network can be in."""

    CLEAN = "clean"
    STAGED = "staged"
    RELOADING = "reloading"
    RELOADING_STAGED = "reloading, staged"


def state_of(*, staged: bool, reloading: bool) -> NetworkState:
    if reloading:
        return NetworkState.RELOADING_STAGED if staged else NetworkState.RELOADING
    return NetworkState.STAGED if staged else NetworkState.CLEAN
