"""One journal: the listing before our first write, each step, and the diff that was pending after the last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pvenet import wire
from pvenet.hosts import HostsEdit, LineChange
from pvenet.journal.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    certificate: str | None = None
    """SHA-256 of the certificate that the endpoint had, as `AA:BB:...`; None where there was none, or in an old one."""
    unproven: bool = False
    """A reload of what leads back has failed, or its end was not seen: the file may be back, which proves nothing."""
    routes: tuple[Route, ...] = ()
    """How else the node can be reached: for whoever comes after, when the endpoint that was given is dead."""
    hosts: HostsEdit | None = None
    """What has to change in the node's /etc/hosts when this is live."""
    number: int = 0
    """How people call it, among those of its node's name; it stays. 0 in one of 0.1, which has its name alone."""
    rollout: str = ""
    """The rollout for which it was begun; empty where there was none."""

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
    if wire.unreadable(baseline):
        raise ValueError("its baseline is not a listing")
    routes = tuple(Route(**route) for route in given.pop("ways", given.pop("routes", ())))
    hosts = given.pop("hosts", None)
    if hosts is not None:
        given["hosts"] = HostsEdit(**{**hosts, "lines": tuple(LineChange(**line) for line in hosts["lines"])})
    steps = given.pop("steps")
    if any("action" in step for step in steps):
        given |= _former(steps, given.get("back"))
    else:
        given["steps"] = tuple(wire.Request(**{**step, "path": tuple(step["path"])}) for step in steps)
    journal = Journal(**{**given, "baseline": baseline, "routes": routes, "state": State(given["state"])})
    _refuse_wrong_types(journal)
    return journal


def _refuse_wrong_types(journal: Journal) -> None:
    """Raises TypeError for a journal that somebody has edited into what no command can work with."""
    back: object = journal.back
    good = (
        all(isinstance(value, str) for value in _texts(journal))
        and all(isinstance(value, str | None) for value in _texts_or_none(journal))
        and all(isinstance(value, bool) for value in _flags(journal))
        and all(_is_request(request.path, request.form, request.method) for request in journal.steps)
        and (back is None or type(back) is int)
        and type(journal.number) is int
    )
    if not good:
        raise TypeError("a value of another type")


def _texts(journal: Journal) -> Iterator[object]:
    yield from (journal.id, journal.node, journal.endpoint, journal.begun, journal.rollout)
    for route in journal.routes:
        yield from (route.host, route.scheme, route.label)
        yield str(route.port) if type(route.port) is int else None
    if journal.hosts is not None:
        yield journal.hosts.digest
        for line in journal.hosts.lines:
            yield from (line.old, line.new)


def _texts_or_none(journal: Journal) -> Iterator[object]:
    yield from (journal.pending, journal.upid, journal.certificate)
    for route in journal.routes:
        yield from (route.fingerprint, route.known_as)


def _flags(journal: Journal) -> Iterator[object]:
    yield from (journal.refreshing, journal.behind, journal.adopted, journal.unproven)
    yield journal.hosts is None or journal.hosts.agreed


def _is_request(path: tuple[object, ...], form: object, method: object) -> bool:
    if not (isinstance(form, dict) and all(isinstance(value, str | int) for value in form.values())):
        return False
    match method, path:
        case "POST", ("network",):
            return isinstance(form.get("iface"), str)
        case "PUT" | "DELETE", ("network", str()):
            return True
        case _:
            return False


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


def utc_now() -> str:
    """Now, as a journal writes it; to read, never to compare."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
