"""What is to go wrong with one request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from pvenet.sim.machine.backend import NO_ORDERS, Orders

if TYPE_CHECKING:
    from pvenet.sim.faults.foreign import Act


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is to go wrong with one request."""

    restart: bool = False
    """Every connection is reset, and what the workers kept is gone."""
    drop_before: bool = False
    drop_after: bool = False
    status: int = 0
    """Answered by the proxy in between with this."""
    status_after: bool = False
    """It answers so although the node has acted."""
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
