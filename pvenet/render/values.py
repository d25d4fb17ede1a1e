"""What every rendering shares: paint, columns, and how a value reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pvenet.foreign import json_safe, one_line
from pvenet.render.lines import cells_of

if TYPE_CHECKING:
    from collections.abc import Sequence


Paint = Callable[[str, str], str]
"""(text, colour) -> the text, coloured where that is wanted."""


def plain(text: str, _colour: str) -> str:
    """The painter for pipes, dumb terminals and NO_COLOR."""
    return text


def as_json(data: object) -> str:
    """One JSON text, indented for people."""
    return json_safe(json.dumps(data, ensure_ascii=False, indent=2))


def as_line(data: object) -> str:
    """One JSON text on a line, for streams of events."""
    return json_safe(json.dumps(data, ensure_ascii=False))


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Cells in columns, two blanks apart; each stays on its line."""
    lines = [[one_line(cell) for cell in line] for line in lines]
    widths = [max(cells_of(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell + " " * (width - cells_of(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def headed(lines: Sequence[Sequence[str]], paint: Paint) -> str:
    """The same as a table, whose first line is bold."""
    first, *rest = aligned(lines).splitlines()
    return "\n".join([paint(first, "bold"), *rest])


def counted(number: int, word: str) -> str:
    """A number of things: `1 node`, `2 nodes`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def briefly(node: str, verdict: str, message: str) -> str:
    """The first line of what is said of a node, without what a table has beside it."""
    return message.partition("\n")[0].removeprefix(f"{verdict.replace('_', ' ')} and verified on {node}: ")


def text(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(one_line(str(word)) for word in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    words = str(value)
    return json_safe(json.dumps(words, ensure_ascii=False)) if " " in words or "\n" in words else one_line(words)


def plain_value(value: object) -> Any:
    if isinstance(value, tuple | list | frozenset):
        return [plain_value(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def speed_text(megabits: int) -> str:
    """`100M`, `1G`, `2.5G`."""
    return f"{megabits / 1000:g}G" if megabits >= 1000 else f"{megabits}M"  # noqa: PLR2004 - of the unit
