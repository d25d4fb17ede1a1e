"""A YAML text as a tree that remembers where everything stands.

Built from ruamel.yaml's events and nothing more of it: so that nothing is built before it is known to be small, flat
and free of repeated keys, and plain words mean what YAML 1.2 says (`on`, `no` and `802.3ad` are text).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pvenet.spec.diagnostics import UNPLACED, Diagnostic, Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST = 2_000_000
"""Bytes. A thousand nodes of twenty interfaces are smaller."""
DEEPEST = 12
"""Lists and mappings within each other; a network file needs five."""
MOST = 200_000
"""Values, each alias counted as all that it stands for."""

_CORE: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"(?:|~|null|Null|NULL)"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 0)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), float),
)
"""YAML 1.2's core schema: what a word without quotes means (section 10.3.2). What is none of these is text."""
_LONGEST_NUMBER = 40
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Tree:
    """A value and where it begins."""

    position: Position
    value: Any
    """A plain value, a list of trees, or a dict of trees."""
    keys: dict[str, Position] = field(default_factory=dict)
    """Where each key of a mapping stands."""
    size: int = 1
    """The values in it, its own among them."""


class Unreadable(Exception):
    """The text is no YAML, or none that is read here."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(position, message)


def parse(text: str) -> tuple[Tree, list[Diagnostic]]:
    """The tree of a text, and the keys that stand in it twice. Raises Unreadable."""
    builder = _Builder()
    for event in _events(text):
        builder.handle(event)
    if builder.root is None:
        raise Unreadable(Position(1, 1), "the file is empty; it begins with `nodes:`")
    return builder.root, builder.diagnostics


def tree_of(data: Any, depth: int = 0) -> Tree:
    """The tree of values that were never a text. Raises Unreadable for what is deeper than a text may be."""
    if depth > DEEPEST:
        raise Unreadable(UNPLACED, f"this is nested deeper than {DEEPEST} levels; a network file needs five")
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


def _events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    if found := re.search(r"^%YAML(?! +1\.2\s*$).*", text, re.MULTILINE):
        line = text.count("\n", 0, found.start()) + 1
        raise Unreadable(Position(line, 1), "the file is YAML 1.2; leave this line out")
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        raise Unreadable(position, _explained(text, position, error)) from None
    except ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        position = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise Unreadable(position, "a character that YAML does not allow") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(Position(1, 1), f"this is not YAML: {str(error).splitlines()[0]}") from None


def _explained(text: str, position: Position, error: Any) -> str:
    lines = text.splitlines()
    line = lines[position.line - 1] if position.line <= len(lines) else ""
    if "\t" in line[: position.column]:
        return "a tab: YAML is indented with spaces only"
    return f"this is not YAML: {error.problem or error.context}"


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    tree: Tree
    anchor: str | None
    key: tuple[str, Position] | None = None


class _Builder:
    """Builds the tree from events, one level a time, and refuses what is too deep or too much."""

    def __init__(self) -> None:
        self.root: Tree | None = None
        self.diagnostics: list[Diagnostic] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Tree | None] = {}
        self._count = 0

    def handle(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "DocumentStartEvent" and self.root is not None:
            raise Unreadable(_position(event), "a second document begins here; the file holds one")
        if getattr(event, "tag", None) is not None:
            raise Unreadable(_position(event), f"the tag {event.tag} has no meaning here; leave it out")
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._begin(event, {} if kind.startswith("Mapping") else [])
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            done = self._open.pop()
            self._add(done.tree, done.anchor)

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].tree.value, dict) and self._open[-1].key is None

    def _scalar(self, event: Any) -> None:
        if _HALF.search(event.value):
            raise Unreadable(_position(event), "half a character (a lone surrogate) is not text")
        plain_word = event.style is None and event.implicit[0]
        if self._wants_key():
            self._key(str(event.value), _position(event))
            return
        value = _meaning(event.value) if plain_word else event.value
        if value is None and self.root is None and not self._open:
            return  # nothing but comments
        self._add(Tree(_position(event), value), event.anchor)

    def _key(self, word: str, position: Position) -> None:
        within = self._open[-1]
        if word == "<<":
            raise Unreadable(position, "`<<` is not YAML 1.2; put what all nodes have under `defaults`")
        if word in within.tree.keys:
            self.diagnostics.append(
                Diagnostic(position, f"`{word}` is listed twice; first on line {within.tree.keys[word].line}")
            )
        within.key = word, position

    def _alias(self, event: Any) -> None:
        tree = self._anchors.get(event.anchor)
        if self._wants_key():
            raise Unreadable(_position(event), "a key must be a word")
        if tree is None:
            raise Unreadable(_position(event), f"*{event.anchor} refers to an anchor that is not defined yet")
        self._add(tree, None)

    def _begin(self, event: Any, value: Any) -> None:
        if self._wants_key():
            raise Unreadable(_position(event), "a key must be a word")
        if len(self._open) >= DEEPEST:
            raise Unreadable(
                _position(event), f"this is nested deeper than {DEEPEST} levels; a network file needs five"
            )
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open(Tree(_position(event), value), event.anchor))

    def _add(self, tree: Tree, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = tree
        if not self._open:
            self.root = tree
            return
        within = self._open[-1]
        within.tree.size += tree.size
        if within.tree.size > MOST:
            raise Unreadable(tree.position, f"with its aliases the file has more than {MOST} values")
        if isinstance(within.tree.value, list):
            within.tree.value.append(tree)
        elif within.key is not None:
            word, position = within.key
            within.tree.value[word], within.tree.keys[word] = tree, position
            within.key = None


def _meaning(text: str) -> Any:
    for pattern, convert in _CORE:
        if pattern.fullmatch(text):
            return text if len(text) > _LONGEST_NUMBER else convert(text)
    return text


def _position(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)
