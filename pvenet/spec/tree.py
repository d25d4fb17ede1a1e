"""A YAML text as a tree that remembers where everything stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pvenet.spec.diagnostics import UNPLACED, Diagnostic, Position

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST = 2_000_000
"""Bytes. A thousand nodes of twenty interfaces are smaller."""
DEEPEST = 12
"""Lists and mappings within each other; a network file needs five."""
TOO_DEEP = f"this is nested deeper than {DEEPEST} levels; a network file needs five"
MOST = 200_000
"""Values, each alias counted as all that it stands for."""

_NO_KEYS: Mapping[str, Position] = MappingProxyType({})


@dataclass(slots=True)
class Tree:
    """A value and where it begins."""

    position: Position
    value: Any
    """A plain value, a list of trees, or a dict of trees."""
    keys: Mapping[str, Position] = field(default_factory=lambda: _NO_KEYS)
    """Where each key of a mapping stands."""
    size: int = 1
    """The values in it, its own among them."""


class Unreadable(Exception):
    """The text is no YAML, or none that is read here."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(position, message)


def tree_of(data: Any, depth: int = 0) -> Tree:
    """The tree of values that were never a text. Raises Unreadable for what is deeper than a text may be."""
    if depth > DEEPEST:
        raise Unreadable(UNPLACED, TOO_DEEP)
    if isinstance(data, Mapping):
        value: Any = {str(key): tree_of(each, depth + 1) for key, each in data.items()}
        return Tree(UNPLACED, value, keys=dict.fromkeys(value, UNPLACED))
    if isinstance(data, list | tuple):
        return Tree(UNPLACED, [tree_of(each, depth + 1) for each in data])
    return Tree(UNPLACED, data)


def plain(tree: Tree) -> Any:
    """The values alone."""
    if isinstance(tree.value, dict):
        return {key: plain(value) for key, value in tree.value.items()}
    if isinstance(tree.value, list):
        return [plain(value) for value in tree.value]
    return tree.value


def tree_at(tree: Tree, path: Iterable[str]) -> Tree:
    """The tree of what a path of keys leads to, which has to be there."""
    for key in path:
        tree = tree.value[key]
    return tree


def position_of(tree: Tree, path: Iterable[str | int], *, key: bool = False) -> Position:
    """Where the value (or with `key` its key) of a path stands; what has no position of its own is where it lacks."""
    at = tree.position
    for part in path:
        if isinstance(tree.value, dict) and part in tree.value:
            at, tree = tree.keys[str(part)], tree.value[str(part)]
            at = at if key else tree.position
        elif isinstance(tree.value, list) and isinstance(part, int) and part < len(tree.value):
            tree = tree.value[part]
            at = tree.position
    return at
