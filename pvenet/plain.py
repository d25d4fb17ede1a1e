"""Frozen values to what JSON can hold, and back by their types. Pure.

A field that has its default is left out. What comes back is held to the types: somebody may have edited it.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Union, get_args, get_origin, get_type_hints

_ADDRESSES = (IPv4Address, IPv4Interface, IPv6Address, IPv6Interface)
_WORDS = {each.__name__: each for each in _ADDRESSES} | {"Mapping": Mapping}
"""What modules import for typing alone."""
_WRONG = (TypeError, ValueError, KeyError, AttributeError)


def plain(value: object) -> Any:  # noqa: PLR0911 - one for each kind
    """A value as JSON can hold it: of frozen dataclasses, mappings by text, tuples, sets, addresses, enums, scalars."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case tuple() | list():
            return [plain(each) for each in value]
        case frozenset() | set():
            return sorted(plain(each) for each in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            given = {each.name: (getattr(value, each.name), _default(each)) for each in fields(value)}
            return {name: plain(each) for name, (each, default) in given.items() if each != default}
        case _ if isinstance(value, _ADDRESSES):
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} is none of what can be kept")


def frozen(kind: Any, data: Any, words: Mapping[str, type]) -> Any:  # noqa: PLR0911 - likewise
    """The value of a type that `plain` has made this of; `words`: the names that its modules import for typing alone.

    Raises TypeError, ValueError, KeyError or AttributeError for what is none.
    """
    if kind is Any:
        return data
    if is_dataclass(kind):
        return _of_fields(kind, data, words)
    match get_origin(kind) or kind:
        case made if made in (Union, types.UnionType):
            return _one_of(get_args(kind), data, words)
        case made if made in (Mapping, dict):
            return {key: frozen(get_args(kind)[1], each, words) for key, each in data.items()}
        case made if made in (tuple, frozenset):
            return made(_items(kind, _held(list, data), words))
        case made if made in _ADDRESSES or issubclass(made, Enum):
            return made(_held(str, data))
        case made if made is float:
            return float(_held((int, float), data))
        case made:
            return _held(made, data)


def _of_fields(kind: Any, data: Any, words: Mapping[str, type]) -> Any:
    hints = get_type_hints(kind, localns=_WORDS | dict(words))
    return kind(**{name: frozen(hints[name], each, words) for name, each in _held(dict, data).items()})


def _items(kind: Any, data: list[Any], words: Mapping[str, type]) -> list[Any]:
    inner = get_args(kind)
    if len(inner) == 1 or inner[1:] == (Ellipsis,):
        return [frozen(inner[0], each, words) for each in data]
    return [frozen(own, each, words) for own, each in zip(inner, data, strict=True)]


def _one_of(kinds: tuple[Any, ...], data: Any, words: Mapping[str, type]) -> Any:
    """The first of these that it can be."""
    for kind in kinds:
        try:
            return frozen(kind, data, words)
        except _WRONG:
            continue
    raise TypeError("a value of another type")


def _held(kind: Any, data: Any) -> Any:
    """The data, of this type and no other: true is no number here."""
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise TypeError("a value of another type")
    return data


def _default(field: Any) -> Any:
    """A value that nothing equals, where a field has none."""
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING
