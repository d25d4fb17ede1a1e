"""A fault as it is written: `KIND@N` or `KIND=VALUE@N`."""

from __future__ import annotations

from dataclasses import dataclass

from pvenet.sim.faults.kinds import KINDS
from pvenet.sim.faults.scene import Scene
from pvenet.sim.files import SimError


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is to go wrong."""

    kind: str
    at: int
    value: str = ""

    def __str__(self) -> str:
        return f"{self.kind}={self.value}@{self.at}" if self.value else f"{self.kind}@{self.at}"


def parse(text: str) -> Fault:
    """A fault as a command line has it; raises `SimError` with what is wrong."""
    what, _, at = text.rpartition("@")
    name, _, value = what.partition("=")
    kind = KINDS.get(name)
    if not what or not at.isdecimal() or int(at) < 1:
        raise SimError(f"fault {text!r} does not say at which request: KIND@N, with N from 1")
    if kind is None:
        raise SimError(f"unknown fault {name!r}; there are: {', '.join(KINDS)}")
    if value and not kind.value:
        raise SimError(f"fault {name} takes no value: {name}@{at}")
    if kind.value and not kind.value.startswith("[") and not value:
        raise SimError(f"fault {name} needs a value: {name}={kind.value}@{at}")
    kind.play(Scene(), value)  # says what is wrong with the value
    return Fault(kind=name, at=int(at), value=value)
