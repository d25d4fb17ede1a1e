"""Lines of a terminal as SVG: text that can be selected, and nothing from elsewhere."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from pvenet.render.tree_text import BOX, LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pvenet.render.tree_text import Line

_WIDE, _HIGH, _EDGE = 8.4, 20, 16
"""A letter's width and a line's height, and the empty edge; in the SVG's units."""
_WAYS = dict(zip(BOX, ("lr", "ud", "ld", "udl", "lru", "udr", "ur", "lrd"), strict=True))
"""Where the strokes of a letter go from its middle: left, right, up, down."""
_FONT = """\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.bold{font-weight:700}.line{stroke-width:1.5;fill:none}
"""
LIGHT = """\
.back{fill:#ffffff}text{fill:#1f2328}
.red{fill:#c4121f}.green{fill:#116329}.yellow{fill:#7d4e00}.cyan{fill:#0550ae}.line{stroke:#848d97}
"""
DARK = """\
.back{fill:#0d1117}text{fill:#e6edf3}
.red{fill:#ff7b72}.green{fill:#56d364}.yellow{fill:#e3b341}.cyan{fill:#79c0ff}.line{stroke:#6e7681}
"""
EITHER = f"{LIGHT}@media (prefers-color-scheme:dark){{\n{DARK}}}\n"
"""As the page is on which it stands."""


def svg(title: str, lines: Sequence[Line], colours: str = EITHER) -> str:
    """The whole file, without fonts or scripts."""
    longest = max(sum(len(text) for text, _ in line) for line in lines)
    wide, high = round(longest * _WIDE + 2 * _EDGE), len(lines) * _HIGH + 2 * _EDGE
    parts = [each for row, line in enumerate(lines) for each in _row(line, _EDGE + row * _HIGH)]
    size = f'width="{wide}" height="{high}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {wide} {high}" role="img">'
    style = f"<style>{_FONT}{colours}</style>"
    back = f'<rect class="back" {size} rx="6"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", style, back, *parts, "</svg>\n"])


def _row(line: Line, top: float) -> Iterator[str]:
    column = 0
    strokes = ""
    for text, colour in line:
        at = _EDGE + column * _WIDE
        if colour == LINE:
            strokes += "".join(_strokes(letter, at + number * _WIDE, top) for number, letter in enumerate(text))
        else:
            yield from _words(text, colour, at, top + _HIGH * 0.7)
        column += len(text)
    if strokes:
        yield f'<path class="line" d="{strokes}"/>'


def _words(text: str, colour: str, at: float, base: float) -> Iterator[str]:
    """The words of a piece; columns stay columns, whatever font is there."""
    style = f' class="{colour}"' if colour else ""
    for found in re.finditer(r"\S+(?: \S+)*", text):
        x = at + found.start() * _WIDE
        yield f'<text x="{x:.1f}" y="{base:.1f}"{style}>{escape(found[0])}</text>'


def _strokes(letter: str, left: float, top: float) -> str:
    x, y = left + _WIDE / 2, top + _HIGH / 2
    ends = {"l": (left, y), "r": (left + _WIDE, y), "u": (x, top), "d": (x, top + _HIGH)}
    return "".join(f"M{x:.1f} {y:.1f}L{ends[way][0]:.1f} {ends[way][1]:.1f}" for way in _WAYS.get(letter, ""))
