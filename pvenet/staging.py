"""Staging of values that are known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.apply import stage as stage_chosen

if TYPE_CHECKING:
    from pvenet.apply import Staged, StageOptions
    from pvenet.journal import Journals
    from pvenet.node import Node
    from pvenet.plan import Desired


def stage(node: Node, journals: Journals, desired: Desired, options: StageOptions | None = None) -> Staged:
    """Stage the desired interfaces, all of them or none; None is an interface that shall be gone.

    Raises InvalidNetwork, NotOurs, Lossy and Busy before anything is sent, and what staging raises.
    """
    return stage_chosen(node, journals, lambda _: desired, options)
