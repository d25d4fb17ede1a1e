"""What every rendering shares: paint, columns, and how a value reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pvenet.model import Bond, Bridge, Interface, OvsBond, OvsBridge, OvsIntPort, OvsPort, Vlan

if TYPE_CHECKING:
    from collections.abc import Sequence

Paint = Callable[[str, str], str]
"""(text, colour) -> the text, coloured where that is wanted."""

_HIDDEN = frozenset({"name", "file_only", "entry", "kind", "beneath"})


def plain(text: str, _colour: str) -> str:
    """The painter for pipes, dumb terminals and NO_COLOR."""
    return text


def as_json(data: object) -> str:
    """One JSON text, indented for people."""
    return json.dumps(data, ensure_ascii=False, indent=2)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Cells in columns, two blanks apart."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def settable(interface: Interface) -> list[str]:
    own: list[str] = []
    match interface:
        case Bond():
            own = ["slaves", "mode", "primary", "xmit_hash_policy"]
        case Bridge():
            own = ["ports", "vlan_aware", "vids"]
        case Vlan():
            own = ["raw_device", "tag"]
        case OvsBridge():
            own = ["ports", "options"]
        case OvsBond():
            own = ["bridge", "slaves", "mode", "tag", "options"]
        case OvsIntPort() | OvsPort():
            own = ["bridge", "tag", "options"]
        case _:
            pass
    return [*own, *(field.name for field in fields(interface) if field.name not in _HIDDEN and field.name not in own)]


def said(interface: Interface) -> list[str]:
    """The fields that say something: set, or a list that is empty where one would expect members."""
    return [field for field in settable(interface) if getattr(interface, field) not in (None, "", (), False)]


def text(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(str(word) for word in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    words = str(value)
    return json.dumps(words, ensure_ascii=False) if " " in words or "\n" in words else words


def plain_value(value: object) -> Any:
    if isinstance(value, tuple | list | frozenset):
        return [plain_value(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
