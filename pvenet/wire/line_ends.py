"""Lines of a node's file that ifupdown2 cuts where PVE does not: what follows the cut could be run as a command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pvenet.limits import line_end
from pvenet.model import Other

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pvenet.model import Interface, Network


def line_ends(network: Network) -> tuple[str, ...]:
    """A warning for each interface and kind of text that holds such an end of a line."""
    return tuple(
        f"{what} of {interface.name} hold {letter!a}, which ends a line for ifupdown2: what follows it may be run as a "
        "command at the next reload; correct it in the node's file"
        for interface in network.interfaces.values()
        for what, letter in _found(interface)
    )


def _found(interface: Interface) -> Iterator[tuple[str, str]]:
    texts: dict[str, Iterable[str]] = {"comments": (interface.comments,), "options": interface.file_only.lines}
    if isinstance(interface, Other):
        fields = json.loads(interface.entry)
        texts["fields"] = [text for key, text in fields.items() if isinstance(text, str) and not key.startswith("comm")]
    for what, lines in texts.items():
        letter = next(filter(None, map(line_end, lines)), None)
        if letter:
            yield what, letter
