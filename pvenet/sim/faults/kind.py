"""What a kind of fault is, and how its value is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pvenet.sim.files import SimError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.sim.faults.foreign import Act
    from pvenet.sim.faults.scene import Scene

When: TypeAlias = Literal["request", "reload", "staging", "lasting"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault."""

    about: str
    when: When
    play: Callable[[Scene, str], Scene]
    value: str = ""
    """What its value says; in brackets when it may be left out."""
    everywhere: bool = False
    """It holds on every node, whichever the request named at which it began."""
    made_up: bool = False
    """It is done by a machine that is made up; a real one can't be told to."""


def seconds(text: str) -> float:
    """Raises `SimError` for what is no number, and for one that no clock can wait."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise SimError(f"{text!r} is not a number of seconds")
    return found


def meanwhile(act: Callable[[str], Act]) -> Callable[[Scene, str], Scene]:
    """Somebody else does this just before."""
    return lambda scene, value: scene.but(foreign=(*scene.foreign, act(value)))
