"""Data as YAML, for whoever reads it rather than JSON; what JSON can hold, and no more.

Not the library's writer, which leaves characters that turn a terminal's text around as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pvenet.spec.export import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator


def as_yaml(data: object) -> str:
    """The text of one document, without a newline at its end."""
    return "\n".join(_lines(data))


def _lines(data: object) -> Iterator[str]:
    """The lines of a value that begins on a line of its own."""
    match data:
        case Mapping() if data:
            for key, value in data.items():
                yield from _beside(f"{quoted(str(key))}:", value)
        case list() | tuple() if data:
            for each in data:
                first, *rest = _lines(each)
                yield f"- {first}"
                yield from (f"  {line}" for line in rest)
        case _:
            yield _scalar(data)


def _beside(key: str, value: object) -> Iterator[str]:
    """A value behind its key, or beneath it where it takes lines."""
    if isinstance(value, Mapping | list | tuple) and value:
        yield key
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{key} {_scalar(value)}"


def _scalar(value: object) -> str:
    match value:
        case Mapping():
            return "{}"
        case list() | tuple():
            return "[]"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case _:
            return quoted(str(value))
