"""What ruamel.yaml, which reads YAML 1.2, makes of a text: the judge of what pvenet reads with another parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from pvenet.spec.parse import meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.spec.tree import Tree

Placed = tuple[Any, Any]
"""A value and where it stands; nothing has no place. A mapping's values are pairs: the key's place, and that."""


class Refused(Exception):
    """It reads none of it, or a part of YAML that no network file may have."""


def judged(text: str) -> Placed:
    """The one document of a text. Raises Refused."""
    try:
        events = [event for event in YAML(typ="safe", pure=True).parse(text) if not _is_frame(event)]
    except Exception as error:
        raise Refused from error
    of = iter(events)
    if not events:
        raise Refused
    found = _value(next(of), of, {})
    if next(of, None) is not None:
        raise Refused
    return found


def placed(tree: Tree) -> Placed:
    """The same of what pvenet made of it."""
    value = tree.value
    if isinstance(value, dict):
        value = {key: (tuple(tree.keys[key]), placed(each)) for key, each in value.items()}
    if isinstance(value, list):
        value = [placed(each) for each in value]
    return value, None if value is None else tuple(tree.position)


def _is_frame(event: Any) -> bool:
    return type(event).__name__.startswith(("Stream", "Document"))


def _value(event: Any, events: Iterator[Any], anchors: dict[str, Placed]) -> Placed:
    kind = type(event).__name__
    if kind == "AliasEvent":
        if event.anchor not in anchors:
            raise Refused
        return anchors[event.anchor]
    if event.tag is not None:
        raise Refused
    value: Any
    if kind == "ScalarEvent":
        value = meaning(event.value) if event.implicit[0] else event.value
    elif kind == "SequenceStartEvent":
        value = [_value(each, events, anchors) for each in _until("SequenceEndEvent", events)]
    else:
        value = {}
        for key in _until("MappingEndEvent", events):
            if type(key).__name__ != "ScalarEvent":
                raise Refused
            value[key.value] = (_place(key), _value(next(events), events, anchors))
    found = value, None if value is None else _place(event)
    if event.anchor:
        anchors[event.anchor] = found
    return found


def _until(end: str, events: Iterator[Any]) -> Iterator[Any]:
    for event in events:
        if type(event).__name__ == end:
            return
        yield event


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
