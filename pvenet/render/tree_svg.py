"""The picture of a node as SVG: its own lines, in one file for light and dark pages, with text that can be selected."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from pvenet.render.foreign import one_line
from pvenet.render.tree_text import BOX, LINE, tree_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.render.tree import Tree
    from pvenet.render.tree_text import Line

COLUMNS = 100
"""The width of the picture, in letters."""
_WIDE, _HIGH, _EDGE = 8.4, 20, 16
"""A letter's width and a line's height, and the empty edge; in the SVG's units."""
_WAYS = dict(zip(BOX, ("lr", "ud", "ld", "udl", "lru", "udr", "ur", "lrd"), strict=True))
"""Where the strokes of a letter go from its middle: left, right, up, down."""
_STYLE = """\
.back{fill:#ffffff}
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1f2328;white-space:pre}
.bold{font-weight:700}.red{fill:#c4121f}.green{fill:#116329}.yellow{fill:#7d4e00}.cyan{fill:#0550ae}
.line{stroke:#848d97;stroke-width:1.5;fill:none}
@media (prefers-color-scheme:dark){
.back{fill:#0d1117}text{fill:#e6edf3}
.red{fill:#ff7b72}.green{fill:#56d364}.yellow{fill:#e3b341}.cyan{fill:#79c0ff}.line{stroke:#6e7681}
}"""


def tree_svg(tree: Tree, columns: int = COLUMNS) -> str:
    """The whole file. Without fonts, scripts or anything else from elsewhere."""
    lines = tree_lines(tree, columns)
    longest = max(sum(len(text) for text, _ in line) for line in lines)
    wide, high = round(longest * _WIDE + 2 * _EDGE), len(lines) * _HIGH + 2 * _EDGE
    title = escape(f"The network of {one_line(tree.node)}")
    parts = [each for row, line in enumerate(lines) for each in _row(line, _EDGE + row * _HIGH)]
    size = f'width="{wide}" height="{high}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {wide} {high}" role="img">'
    back = f'<rect class="back" {size} rx="6"/>'
    return "\n".join([head, f"<title>{title}</title>", f"<style>{_STYLE}</style>", back, *parts, "</svg>\n"])


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
