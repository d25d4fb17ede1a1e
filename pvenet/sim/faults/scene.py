"""What is to go wrong with one request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeAlias

from pvenet.sim.http.frame import Response
from pvenet.sim.machine.backend import NO_ORDERS, Orders

if TYPE_CHECKING:
    from pvenet.sim.faults.foreign import Act


Reply: TypeAlias = Callable[[float], Response]
"""Makes an answer, given the time."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is to go wrong with one request."""

    restart: bool = False
    """Every connection is reset, and what the workers kept is gone."""
    drop_before: bool = False
    drop_after: bool = False
    garbled: bool = False
    """What comes back is no TLS, and then nothing more."""
    reply: Reply | None = None
    """What is answered in place of the node."""
    acted: bool = False
    """What is garbled or replied comes although the node has acted."""
    body: str | None = None
    """What stands in the answer in place of its own data."""
    torn: bool = False
    """The connection ends in the middle of the answer."""
    pace: float = 0.0
    """Seconds between one byte of the answer and the next."""
    delay: float = 0.0
    foreign: tuple[Act, ...] = ()
    """What others do just before."""
    foreign_reload: bool = False
    lacking: frozenset[str] = frozenset()
    freeze: bool = False
    orders: Orders = NO_ORDERS

    def but(self, **changes: object) -> Self:
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by the tests of the kinds

    def order(self, **changes: object) -> Self:
        return self.but(orders=replace(self.orders, **changes))  # type: ignore[arg-type]  # see above
