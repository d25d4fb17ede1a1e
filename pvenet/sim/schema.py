"""What a call may be given: PVE's parameter verification, as declared schemas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value: TypeAlias = str | int


class Refused(Exception):  # noqa: N818  it is an answer, not a fault of the program
    """PVE's refusal of a call.

    `message` is the whole text without its trailing newline; its first line is the reason phrase.
    `errors` names the parameters at fault, where PVE does.
    """

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


@dataclass(frozen=True, kw_only=True)
class Param:
    """What one parameter may be."""

    type: Literal["string", "integer", "boolean"] = "string"
    optional: bool = True
    enum: tuple[str, ...] = ()
    format: Callable[[str], str | None] | None = None
    """Gives the complaint about a value, or None."""
    requires: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What the parameters of a call may be; anything else is refused."""

    params: Mapping[str, Param] = field(default_factory=dict)


def verify(params: Mapping[str, object], schema: Schema) -> dict[str, Value]:
    """The parameters, typed; raises `Refused` (400) with every complaint at once."""
    raise NotImplementedError
