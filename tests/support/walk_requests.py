"""The recorded walks' requests that create or delete an interface, and how PVE refused them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from recorded import load

from pvenet import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.model import Interface


def recorded(
    place: str, concerns: Callable[[dict[str, Any], str], bool]
) -> Iterator[tuple[str, str, Interface | None, str]]:
    """The file before, the name, what is desired, and PVE's refusal.

    Of requests that create, only those that a test `concerns`, by their form and PVE's refusal.
    """
    for walk in load(place):
        file = walk["initial"]
        for step in walk["steps"]:
            form, answer = step["form"], step["json"] or {}
            refusal = "" if step["status"] == 200 else f"{answer.get('message')} {answer.get('errors')}"
            if step["method"] == "DELETE" and step["path"]:
                yield file, step["path"], None, refusal
            elif step["method"] == "POST" and concerns(form, refusal):
                yield file, form["iface"], wire.interface(_as_written(form)), refusal
            file = step["new"] or walk["initial"]


def _as_written(form: dict[str, Any]) -> dict[str, Any]:
    """As PVE writes what it was sent."""
    return {key: re.sub("[,;]", " ", value) if key == "bridge_vids" else value for key, value in form.items()}
