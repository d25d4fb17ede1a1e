"""A change as what is asked of PVE: one value, which the journal keeps, the node sends, and a replay reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet.changes import Create, Delete, Update
from pvenet.wire.writing import create_form, update_form

if TYPE_CHECKING:
    from pvenet.changes import Change
    from pvenet.wire.spelling import Form


@dataclass(frozen=True, kw_only=True)
class Request:
    """One staging call."""

    method: str
    """POST creates, PUT updates, DELETE removes."""
    path: tuple[str, ...]
    """Beneath /nodes/{node}: `network`, or `network` and the interface."""
    form: Form = field(default_factory=dict)
    """By PVE's names."""

    @property
    def name(self) -> str:
        """The interface that it is about."""
        return str(self.form["iface"]) if self.method == "POST" else self.path[-1]


def request(change: Change) -> Request:
    """What is asked of PVE for a change."""
    match change:
        case Create():
            return Request(method="POST", path=("network",), form=create_form(change.after))
        case Update():
            form = update_form(change.before, change.after)
            return Request(method="PUT", path=("network", change.name), form=form)
        case Delete():
            return Request(method="DELETE", path=("network", change.name))
