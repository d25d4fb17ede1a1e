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
    """The answer is data for a program: JSON, or what the format says."""
    format: str = ""
    """`table`, `json`, `yaml` or what the command has besides, where it was named."""
    quiet: bool = False
    debug: bool = False
    insecure: bool = False

    @property
    def placed(self) -> bool:
        """Whether they say where to go."""
        return bool(self.endpoint or self.sim)

    @property
    def form(self) -> str:
        """The same, `table` where none was."""
        return self.format or ("json" if self.json else "table")

    def over(self, before: Options) -> Options:
        """These options where they were given, else those before them."""
        given = {field.name: value for field in fields(self) if (value := getattr(self, field.name))}
        if self.json or self.format:
            before = replace(before, json=False, format="")
        return replace(before, **given)
