"""What each command prints with `--json`, as a page tells it: tables that are made of the schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pvenet.cli.answer import STREAMS
from pvenet.cli.schemas import OUTPUTS
from pvenet.render.schemas import events
from pvenet.render.schemas.shapes import Either, Keyed, Many, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = {"schema"}
"""What prints a schema, which is no data of a node."""
STAMP = ("event", "node", "at")
"""What every event has."""
FEW = 4
"""So many alternatives are told one by one."""


def rows() -> Iterator[tuple[str, str]]:
    """Each command with its answer; those that answer alike stand in one row."""
    alike: dict[str, list[str]] = {}
    for words, shape in OUTPUTS.items():
        if words not in HIDDEN:
            answer = "events, a line each" if words in STREAMS else told(shape)
            alike.setdefault(answer, []).append(words)
    for answer, group in alike.items():
        names = group if len(group) <= FEW else dict.fromkeys(words.split()[-1] for words in group)
        yield ", ".join(f"`{name}`" for name in names), answer
    yield "any that fails", told(events.ERROR)


def event_rows() -> Iterator[tuple[str, str]]:
    """Each event with its own fields."""
    found = [record for shape in OUTPUTS.values() for record in _records(shape) if "event" in record.fields]
    for name, record in {_event(record): record for record in found}.items():
        own = {field: shape for field, shape in record.fields.items() if field not in STAMP}
        yield f"`{name}`", _fields(own)


def every_field() -> set[str]:
    """All names of fields that some command prints."""
    return fields(Either((*OUTPUTS.values(), events.ERROR)))


def fields(shape: Any) -> set[str]:
    """The names of fields of a shape, and of those in it."""
    match shape:
        case Record():
            return set(shape.fields).union(*map(fields, shape.fields.values()))
        case Many() | Keyed():
            return fields(shape.of)
        case Either():
            return set().union(*map(fields, shape.of))
        case _:
            return set()


def told(shape: Any) -> str:
    """An answer, down to the fields of the objects in it."""
    match shape:
        case Record() if "event" in shape.fields:
            return f"an event `{_event(shape)}`"
        case Record():
            return f"an object with {_fields(shape.fields)}"
        case Many():
            return told(shape.of).replace("an object", "an array of objects")
        case Keyed():
            return f"an object of names, each with {told(shape.of)}"
        case Either():
            return _either(shape)
        case _:
            return "a value"


def _either(shape: Either) -> str:
    """A few alternatives one by one, of more what they have in common."""
    if len(shape.of) <= FEW:
        return "; or ".join(dict.fromkeys(map(told, shape.of)))
    kinds = [each.fields for each in _records(shape)]
    common = [name for name in kinds[0] if all(name in kind for kind in kinds)]
    return f"an object with {_fields(dict.fromkeys(common))} and the fields of its kind"


def _fields(record: Any) -> str:
    """Names of fields, each with those of the objects that it holds."""
    texts = []
    for name, shape in record.items():
        held = _records(shape)
        inner = dict.fromkeys(field for each in held for field in each.fields) if len(held) <= FEW else ()
        texts.append(f"`{name}`" + (f" ({' '.join(f'`{field}`' for field in inner)})" if inner else ""))
    return ", ".join(texts)


def _event(record: Record) -> str:
    """What an event is called."""
    (name,) = get_args(record.fields["event"])
    return str(name)


def _records(shape: Any) -> list[Record]:
    """The objects that a shape may be, or hold."""
    match shape:
        case Record():
            return [shape]
        case Many() | Keyed():
            return _records(shape.of)
        case Either():
            return [record for each in shape.of for record in _records(each)]
        case _:
            return []
