"""What a dry run would send: a request a line with its form beneath, and as JSON data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.foreign import one_line
from pvenet.render.values import counted, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pvenet.events import WouldSend
    from pvenet.render.values import Paint


def requests_text(requests: Sequence[WouldSend], paint: Paint) -> str:
    """The requests in their order, as PVE spells them."""
    head = f"{counted(len(requests), 'request')} would be sent{':' if requests else ''}"
    return "\n".join([head if requests else "nothing would be sent", *_lines(requests, paint)])


def _lines(requests: Sequence[WouldSend], paint: Paint) -> Iterator[str]:
    when = ""
    for request in requests:
        if request.when != when:
            when = request.when
            yield f"  {one_line(when)}"
        yield f"  {paint(one_line(f'{request.method} {request.path}'), 'bold')}"
        for name, value in request.form.items():
            first, *more = str(value).rstrip("\n").split("\n")
            yield f"    {one_line(name)}: {one_line(first)}"
            yield from (f"      {one_line(line)}" for line in more)


def requests_data(requests: Sequence[WouldSend]) -> list[dict[str, Any]]:
    """The same as JSON data; a form's values are as they would be sent."""
    return [
        {
            "method": request.method,
            "path": request.path,
            "form": {name: plain_value(value) for name, value in request.form.items()},
            "when": request.when,
        }
        for request in requests
    ]
