"""What a call may be given: PVE's parameter verification, as declared schemas."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value: TypeAlias = str | int

_INTEGER = re.compile(r"[+-]?\d+")
MISSING = "property is missing and it is not optional"
UNDEFINED = "property is not defined in schema and the schema does not allow additional properties"


class Refused(Exception):
    """PVE's refusal of a call.

    `message` is the whole text without its trailing newline; its first line is the reason phrase.
    `errors` names the parameters at fault, where PVE does.
    """

    def __init__(
        self, status: int, message: str, errors: dict[str, str] | None = None, *, seconds: float = 0.0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.seconds = seconds
        """How long it takes."""


def bad_parameters(**errors: str) -> Refused:
    """The refusal of parameters, by their names."""
    return Refused(400, "Parameter verification failed.", errors)


@dataclass(frozen=True, kw_only=True)
class Param:
    """What one parameter may be."""

    type: Literal["string", "integer", "boolean"] = "string"
    optional: bool = True
    enum: tuple[str, ...] = ()
    format: Callable[[str], str | None] | None = None
    """Gives the complaint about a text, or None."""
    requires: str | None = None
    """Another parameter, without which this one is refused."""
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What the parameters of a call may be; anything else is refused."""

    params: Mapping[str, Param] = field(default_factory=dict)


def verify(params: Mapping[str, object], schema: Schema) -> dict[str, Value]:
    """The parameters, booleans and integers as numbers; an absent one is absent.

    Forms give texts, JSON bodies numbers and truth values as well; None is absent (pve-api#json-body).
    Raises `Refused` (400) with the complaint about every parameter at fault.
    """
    given = {name: _text(value) for name, value in params.items() if value is not None}
    errors = dict(_presence(given, schema))
    verified: dict[str, Value] = {}
    for name, text in given.items():
        if name not in schema.params:
            errors[name] = UNDEFINED
        elif complaint := _complaint(text, schema.params[name]):
            errors[name] = complaint
        else:
            verified[name] = text if schema.params[name].type == "string" else int(text)
    if errors:
        raise bad_parameters(**errors)
    return verified


def _presence(given: Mapping[str, str], schema: Schema) -> list[tuple[str, str]]:
    missing = [(name, MISSING) for name, param in schema.params.items() if not param.optional and name not in given]
    required = [
        (param.requires, f"missing property required by '{name}'")
        for name, param in schema.params.items()
        if name in given and param.requires and param.requires not in given
    ]
    return missing + required


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return ",".join(_text(item) for item in value)  # pve-api#json-body
    return str(value)


def _complaint(text: str, param: Param) -> str | None:
    match param.type:
        case "boolean":
            return None if text in {"0", "1"} else f"type check ('boolean') failed - got '{text}'"
        case "integer":
            if not _INTEGER.fullmatch(text):
                return f"type check ('integer') failed - got '{text}'"
            return _range_complaint(int(text), param)
        case "string":
            return _string_complaint(text, param)


def _range_complaint(number: int, param: Param) -> str | None:
    if param.minimum is not None and number < param.minimum:
        return f"value must have a minimum value of {param.minimum}"
    if param.maximum is not None and number > param.maximum:
        return f"value must have a maximum value of {param.maximum}"
    return None


def _string_complaint(text: str, param: Param) -> str | None:
    if param.format and (complaint := param.format(text)):
        return f"invalid format - {complaint}\n"  # C023: the format comes before the length
    if param.min_length is not None and len(text) < param.min_length:
        return f"value must be at least {param.min_length} characters long"
    if param.max_length is not None and len(text) > param.max_length:
        return f"value may only be {param.max_length} characters long"
    if param.enum and text not in param.enum:
        return f"value '{text}' does not have a value in the enumeration '{', '.join(param.enum)}'"
    return None
