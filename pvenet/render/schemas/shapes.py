"""The shape of JSON data in Python's own types, and the JSON Schema that is made of it.

A shape is a type (`str`, `int | None`, `list[str]`, `dict[str, int]`, an enum, a dataclass that is printed whole), a
`Record`, a `Many` of shapes, or `Either` of several. Whatever has a name becomes a definition.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

DRAFT = "http://json-schema.org/draft-07/schema#"


@dataclass(frozen=True, kw_only=True)
class Record:
    """An object with these keys."""

    name: str
    fields: Mapping[str, Any]
    optional: frozenset[str] = frozenset()
    """Keys that may be missing."""
    open: bool = False
    """It has keys besides whose names are not ours."""


@dataclass(frozen=True)
class Many:
    """An array."""

    of: Any


@dataclass(frozen=True)
class Keyed:
    """An object whose keys are names."""

    of: Any


@dataclass(frozen=True)
class Either:
    """One of several."""

    of: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Again:
    """A record that holds itself, by its name."""

    name: str


def part(kind: type, *names: str, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Some fields of a dataclass with their types, all where none is named.

    `known`: types that its module imports for typing only.
    """
    hints = get_type_hints(kind, localns=_Names(kind, known or {}))
    return {name: hints[name] for name in names or [each.name for each in fields(kind)]}


class _Names(dict[str, Any]):
    """The names that annotations of a module mean; one that is imported for typing alone may be anything."""

    def __init__(self, kind: type, known: Mapping[str, Any]) -> None:
        super().__init__({**vars(inspect.getmodule(kind)), **known})

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)


def json_schema(shape: Any, title: str, *, closed: bool = False) -> dict[str, Any]:
    """The schema of a shape; `closed`: nothing may stand there that it does not name."""
    maker = _Maker(closed=closed)
    made = maker.of(shape)
    made = {"allOf": [made]} if "$ref" in made else made  # a draft-07 reader passes over what stands beside a reference
    definitions = {"definitions": dict(sorted(maker.definitions.items()))} if maker.definitions else {}
    return {"$schema": DRAFT, "title": title, **made, **definitions}


@dataclass(kw_only=True)
class _Maker:
    closed: bool
    definitions: dict[str, Any] = field(default_factory=dict)
    _records: dict[str, Record] = field(default_factory=dict)

    def of(self, shape: Any) -> dict[str, Any]:
        match shape:
            case Record():
                return self._defined(shape)
            case Again():
                return {"$ref": f"#/definitions/{shape.name}"}
            case Many():
                return {"type": "array", "items": self.of(shape.of)}
            case Keyed():
                return {"type": "object", "additionalProperties": self.of(shape.of)}
            case Either():
                return {"anyOf": [self.of(each) for each in shape.of]}
            case _:
                return self._of_type(shape)

    def _defined(self, record: Record) -> dict[str, Any]:
        if self._records.setdefault(record.name, record) != record:
            raise ValueError(f"two records are called {record.name}")
        if record.name not in self.definitions:
            self.definitions[record.name] = {}  # one that holds itself finds it here
            self.definitions[record.name] = {
                "type": "object",
                "properties": {name: self.of(each) for name, each in record.fields.items()},
                "required": [name for name in record.fields if name not in record.optional],
                "additionalProperties": record.open or not self.closed,
            }
        return {"$ref": f"#/definitions/{record.name}"}

    def _of_type(self, kind: Any) -> dict[str, Any]:
        origin, inner = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(each) for each in inner]}
        if origin is Literal:
            return {"enum": list(inner)}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self.of(Keyed(inner[1]))
        if isinstance(origin, type) and issubclass(origin, Sequence | frozenset):
            return self.of(Many(inner[0]))
        return self._of_class(kind)

    def _of_class(self, kind: Any) -> dict[str, Any]:
        if kind is Any:
            return {}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [str(each.value) for each in kind]}
        if is_dataclass(kind) and isinstance(kind, type):
            return self._defined(Record(name=kind.__name__, fields=part(kind)))
        if not isinstance(kind, type):
            raise TypeError(f"{kind!r} is not a shape")
        return {"type": _TYPES.get(kind, "string")}  # an address: as a text


_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", NoneType: "null"}
