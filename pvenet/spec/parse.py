"""A YAML text to a tree, by YAML 1.2.

Built from the parser's events and nothing more of it: so that nothing is built before it is known to be small, flat
and free of repeated keys, and plain words mean what YAML 1.2 says (`on`, `no` and `802.3ad` are text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yaml import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pvenet.spec.diagnostics import Diagnostic, Position
from pvenet.spec.events import check_anchor, events_of
from pvenet.spec.tree import DEEPEST, MOST, TOO_DEEP, Tree, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 0)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), float),
)
"""YAML 1.2's core schema: what a word without quotes means (section 10.3.2). What is none of these is text."""
_BEGINS_NUMBERS = frozenset("+-.0123456789")
_LONGEST_NUMBER = 40
_HALF = re.compile("[\ud800-\udfff]")


def parse(text: str) -> tuple[Tree, list[Diagnostic]]:
    """The tree of a text, and the keys that stand in it twice. Raises Unreadable."""
    builder = _Builder(text)
    handlers = builder.handlers()
    for event in events_of(text):
        if handler := handlers.get(type(event)):
            handler(event)
    if builder.root is None:
        raise Unreadable(Position(1, 1), "the file is empty; it begins with `nodes:`")
    return builder.root, builder.diagnostics


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    tree: Tree
    keys: dict[str, Position] | None
    """Of a mapping: where its keys stand."""
    anchor: str | None
    key: str | None = None
    """Of a mapping: the key whose value comes next."""


class _Builder:
    """Builds the tree from events, one level a time, and refuses what is too deep or too much."""

    def __init__(self, text: str) -> None:
        self.root: Tree | None = None
        self.diagnostics: list[Diagnostic] = []
        self._text = text
        self._within: _Open | None = None
        self._around: list[_Open | None] = []
        self._anchors: dict[str, Tree | None] = {}

    def handlers(self) -> Mapping[type[Any], Callable[[Any], None]]:
        """What to do with an event, by its type; the others say nothing."""
        return {
            ScalarEvent: self._scalar,
            AliasEvent: self._alias,
            MappingStartEvent: self._begin_mapping,
            SequenceStartEvent: self._begin_list,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            DocumentStartEvent: self._document,
        }

    def _document(self, event: Any) -> None:
        if self.root is not None:
            raise Unreadable(_position(event), "a second document begins here; the file holds one")

    def _scalar(self, event: Any) -> None:
        position = _position(event)
        if event.tag is not None or event.anchor is not None:
            self._check_properties(event)
        value, within = event.value, self._within
        plain_word = event.implicit[0]
        if not plain_word and _HALF.search(value):
            raise Unreadable(position, "half a character (a lone surrogate) is not text")
        if within is not None and within.keys is not None and within.key is None:
            if plain_word and not value:
                raise Unreadable(position, "a key is missing here")
            self._key(within, within.keys, value, position)
            return
        if plain_word:
            value = meaning(value)
            if value is None and within is None and self.root is None:
                return  # nothing but comments
        self._add(Tree(position, value), event.anchor)

    def _key(self, within: _Open, keys: dict[str, Position], word: str, position: Position) -> None:
        if word == "<<":
            raise Unreadable(position, "`<<` is not YAML 1.2; put what all nodes have under `defaults`")
        if word in keys:
            self.diagnostics.append(Diagnostic(position, f"`{word}` is listed twice; first on line {keys[word].line}"))
        within.key, keys[word] = word, position

    def _alias(self, event: Any) -> None:
        self._check_no_key(event)
        check_anchor(self._text, event)
        tree = self._anchors.get(event.anchor)
        if tree is None:
            raise Unreadable(_position(event), f"*{event.anchor} refers to an anchor that is not defined yet")
        self._add(tree, None)

    def _begin_mapping(self, event: Any) -> None:
        keys: dict[str, Position] = {}
        self._begin(event, _Open(Tree(_position(event), {}, keys), keys, event.anchor))

    def _begin_list(self, event: Any) -> None:
        self._begin(event, _Open(Tree(_position(event), []), None, event.anchor))

    def _begin(self, event: Any, begun: _Open) -> None:
        self._check_properties(event)
        self._check_no_key(event)
        if len(self._around) >= DEEPEST:
            raise Unreadable(begun.tree.position, TOO_DEEP)
        if begun.anchor is not None:
            self._anchors[begun.anchor] = None
        self._around.append(self._within)
        self._within = begun

    def _end(self, _: Any) -> None:
        done = self._within
        self._within = self._around.pop()
        if done is not None:
            self._add(done.tree, done.anchor)

    def _check_properties(self, event: Any) -> None:
        if event.tag is not None:
            raise Unreadable(_position(event), f"the tag {event.tag} has no meaning here; leave it out")
        if event.anchor is not None:
            check_anchor(self._text, event)

    def _check_no_key(self, event: Any) -> None:
        within = self._within
        if within is not None and within.keys is not None and within.key is None:
            raise Unreadable(_position(event), "a key must be a word")

    def _add(self, tree: Tree, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = tree
        within = self._within
        if within is None:
            self.root = tree
            return
        within.tree.size += tree.size
        if within.tree.size > MOST:
            raise Unreadable(tree.position, f"with its aliases the file has more than {MOST} values")
        if within.key is None:
            within.tree.value.append(tree)
        else:
            within.tree.value[within.key] = tree
            within.key = None


def meaning(text: str) -> Any:
    """What a word without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _BEGINS_NUMBERS and len(text) <= _LONGEST_NUMBER:
        for pattern, convert in _NUMBERS:
            if pattern.fullmatch(text):
                return convert(text)
    return text


def _position(event: Any) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1)
