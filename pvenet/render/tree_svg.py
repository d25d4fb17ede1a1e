"""The picture of a node as SVG: its own lines, in one file for light and dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.foreign import one_line
from pvenet.render.svg import svg
from pvenet.render.tree_text import tree_lines

if TYPE_CHECKING:
    from pvenet.render.tree import Tree

COLUMNS = 100
"""The width of the picture, in letters."""


def tree_svg(tree: Tree, columns: int = COLUMNS) -> str:
    """The whole file."""
    return svg(f"The network of {one_line(tree.node)}", tree_lines(tree, columns))
