"""How a node is: its network, what is pending, what its kernel has, who hangs on its bridges."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.apply.links import look
from pvenet.apply.listing import listed, viewed
from pvenet.apply.status import status
from pvenet.automation.parameters import Place, place_of
from pvenet.fleet.guests import guests
from pvenet.render.guests import guests_data
from pvenet.render.links_data import links_data
from pvenet.render.network import listing_data
from pvenet.render.values import plain_value
from pvenet.spec.export import exported_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.automation.work import Work

PARTS = ("interfaces", "config", "pending", "links", "guests")
"""What there is to gather."""


def facts(work: Work) -> None:
    """Gather; what can't be had of a node that answers is None, with a warning.

    Raises Unreachable, UsageError and AuthenticationFailed.
    """
    place = place_of(work.parameters, held=False, warn=work.heard.warn)
    wanted = work.parameters.get("gather") or PARTS
    gather: Mapping[str, Callable[[Place, Work], Any]] = {
        "interfaces": _interfaces,
        "config": _config,
        "pending": _pending,
        "links": _links,
        "guests": _guests,
    }
    found: dict[str, Any] = {"node": place.node.name}
    for part in wanted:
        found[part] = _had(lambda part=part: gather[part](place, work), work)  # type: ignore[misc]  # its own part
    work.data["node"] = place.node.name
    work.data["ansible_facts"] = {"pvenet": found}


HARD = (errors.Unreachable, errors.UsageError, errors.AuthenticationFailed)
"""What is no missing right: nothing can be had then."""


def _had(get: Callable[[], Any], work: Work) -> Any:
    try:
        return get()
    except HARD:
        raise
    except errors.PvenetError as error:
        work.heard.warn(f"{error.message}\n{error.hint}".rstrip())
        return None


def _interfaces(place: Place, work: Work) -> Any:
    reading, warnings = listed(place.node, place.journals, thorough=True)
    for warning in warnings:
        work.heard.warn(warning)
    return listing_data(viewed(place.node, place.journals, reading))


def _config(place: Place, _: Work) -> Any:
    return exported_data({place.node.name: place.node.read().network})["nodes"][place.node.name]


def _pending(place: Place, _: Work) -> Any:
    """What is pending, whose it is, and how the last apply from here ended."""
    found = status(place.node, place.journals)
    if found.problem:
        _insist(place)
        raise errors.PvenetError(found.problem)
    changes = None if found.reloading else place.node.glance().changes
    return {**{name: plain_value(value) for name, value in asdict(found).items()}, "changes": changes}


def _links(place: Place, work: Work) -> Any:
    comparison = look(place.node, place.journals, work.heard.warn)
    return links_data(comparison, (), node=place.node.name)


def _guests(place: Place, work: Work) -> Any:
    found, failed = guests(place.fleet, (place.node.name,), lambda _: None)
    for error in failed.values():
        raise error
    (read,) = found.values()
    if not read.listed:
        _insist(place)
    for warning in read.warnings:
        work.heard.warn(warning)
    (data,) = guests_data([read], ())
    return {name: data[name] for name in ("bridges", "not_known")}


def _insist(place: Place) -> None:
    """Raise why a node tells nothing, where that is no missing right: some looks only say what they could not see."""
    try:
        place.node.read()
    except HARD:
        raise
    except errors.PvenetError:
        return
