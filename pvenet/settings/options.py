"""What the command line says about where a command goes and how it answers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options that every command takes; what was not given is empty."""

    endpoint: tuple[str, ...] = ()
    node: str | None = None
    sim: Path | None = None
    fault: tuple[str, ...] = ()
    """What goes wrong at a simulated node, as `sim faults` lists it."""
    profile: str | None = None
    state_dir: Path | None = None
    json: bool = False
    debug: bool = False
    insecure: bool = False

    @property
    def placed(self) -> bool:
        """Whether they say where to go."""
        return bool(self.endpoint or self.sim)

    def over(self, before: Options) -> Options:
        """These options where they were given, else those before them."""
        given = {field.name: value for field in fields(self) if (value := getattr(self, field.name))}
        return replace(before, **given)
