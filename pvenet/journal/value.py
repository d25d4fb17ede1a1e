"""One journal: the listing before our first write, each step, and the diff that was pending after the last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pvenet import wire
from pvenet.journal.states import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.model import Network

_REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True)
class Route:
    """One more way to reach the node, as it was learnt before the reload: where to ask, and whom to trust there."""

    host: str
    port: int
    scheme: str
    label: str = ""
    fingerprint: str | None = None
    known_as: str | None = None


@dataclass(frozen=True, kw_only=True)
class Journal:
    """One journal; a new value is written at every step."""

    id: str
    node: str
    endpoint: str
    begun: str
    """UTC, ISO 8601; to read, never to compare."""
    baseline: tuple[wire.Entry, ...]
    """The listing before our first write."""
    steps: tuple[wire.Request, ...] = ()
    """What was asked of PVE."""
    refreshing: bool = False
    """After the steps a no-op was staged, to be taken back at once: it refreshes flags (pve-api#flags-refresh)."""
    pending: str | None = None
    """The diff after our last write, without timestamps."""
    behind: bool = False
    """The diff is from before the last step, whose write was on its way: it may have acted."""
    adopted: bool = False
    """It began on pending changes that were not ours."""
    state: State = State.STAGING
    upid: str | None = None
    """The reload's task, once it was sent."""
    back: int | None = None
    """How many of the steps were there when rolling back, or arming, began; the others lead back."""
    unproven: bool = False
    """A reload of what leads back has failed, or its end was not seen: the file may be back, which proves nothing."""
    routes: tuple[Route, ...] = ()
    """How else the node can be reached: for whoever comes after, when the endpoint that was given is dead."""

    @property
    def network(self) -> Network:
        """The network before our first write."""
        return wire.network(self.baseline)

    @property
    def forward(self) -> Journal:
        """Without the steps that lead back, as a reload that is out: armed no more, or not yet."""
        return replace(
            self, state=State.RELOADING, steps=self.steps[: self.back], back=None, pending=None, behind=False
        )


def from_json(data: dict[str, Any]) -> Journal:
    """A journal as `dataclasses.asdict` gave it, by this version or an older one.

    Raises KeyError, TypeError, ValueError or AttributeError for anything else.
    """
    given = dict(data)
    baseline = tuple({**entry} for entry in given.pop("baseline"))
    routes = tuple(Route(**route) for route in given.pop("ways", given.pop("routes", ())))
    steps = given.pop("steps")
    if any("action" in step for step in steps):
        given |= _former(steps, given.get("back"))
    else:
        given["steps"] = tuple(wire.Request(**{**step, "path": tuple(step["path"])}) for step in steps)
    return Journal(**{**given, "baseline": baseline, "routes": routes, "state": State(given["state"])})


def _former(steps: Sequence[dict[str, Any]], back: int | None) -> dict[str, Any]:
    """The steps as journals kept them up to 0.1: by action, name and form, refreshes among them."""
    kept = [step for step in steps if step["action"] != _REFRESH]
    return {
        "steps": tuple(_former_request(**step) for step in kept),
        "refreshing": bool(steps) and steps[-1]["action"] == _REFRESH,
        "back": None if back is None else sum(step["action"] != _REFRESH for step in steps[:back]),
    }


def _former_request(*, action: str, name: str, form: wire.Form | None = None) -> wire.Request:
    given = {**(form or {})}
    if action == "create":
        return wire.Request(method="POST", path=("network",), form={"iface": name, **given})
    return wire.Request(method={"update": "PUT", "delete": "DELETE"}[action], path=("network", name), form=given)
